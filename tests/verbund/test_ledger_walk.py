"""The walk along a ledger: what is wrong is found, and named from the first to the last number it can lie at."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from stage.tally import Added

from verbund.ledger.record import GENESIS, Entry, Head, Record, seal
from verbund.ledger.walk import Mark, Walk

BOOK = "/05913000/registration/book"
AT = datetime(2018, 12, 31, 22, 30, tzinfo=UTC)
EMPTY = Head(BOOK, 0, GENESIS, AT)


def ledger(count: int, first_amount: int = 1) -> tuple[Head, list[Record]]:
    entries = [Entry("s", Added(amount=first_amount + n), "clerk:1", AT + timedelta(seconds=n)) for n in range(count)]
    return seal(EMPTY, entries)


def damage(records: Sequence[Record], head: Head, marks: Sequence[Mark] = ()) -> tuple[int, int] | None:
    """The first and the last number that cannot be believed."""
    walk = Walk(BOOK, marks=marks)
    for record in records:
        walk.take(record.number, record.hash, record.previous + record.body)
    found = walk.finish(head)
    return None if found is None else (found.first, found.last)


def changed(record: Record) -> Record:
    return record._replace(body=record.body.replace(b'"amount":', b'"amount":9'))


def rehashed(record: Record) -> Record:
    return record._replace(hash=sha256(record.previous + record.body).digest())


def test_a_whole_ledger_is_whole() -> None:
    head, records = ledger(5)
    assert damage(records, head) is None
    assert damage(records, head, [Mark(3, records[2].hash, "somebody"), Mark(5, head.hash, "somebody")]) is None
    assert damage([], EMPTY) is None


def test_a_changed_record_is_named_alone() -> None:
    head, records = ledger(5)
    assert damage([*records[:2], changed(records[2]), *records[3:]], head) == (3, 3)


def test_a_changed_record_with_a_fitting_hash_breaks_the_chain_behind_it() -> None:
    head, records = ledger(5)
    assert damage([*records[:2], rehashed(changed(records[2])), *records[3:]], head) == (3, 4)
    assert damage([*records[:4], rehashed(changed(records[4]))], head) == (5, 5)


def test_missing_records_are_named() -> None:
    head, records = ledger(6)
    assert damage([*records[:2], *records[3:]], head) == (3, 3)
    assert damage([records[0], *records[3:]], head) == (2, 3)
    assert damage(records[1:], head) == (1, 1)
    assert damage(records[:4], head) == (5, 6)


def test_what_stands_behind_the_head_is_named() -> None:
    head, records = ledger(6)
    assert damage(records, replace(head, number=4, hash=records[3].hash)) == (5, 6)
    assert damage(records[:4], replace(head, number=4)) == (4, 4)


def test_damage_at_several_places_is_named_from_the_first_to_the_last() -> None:
    head, records = ledger(9)
    swapped = list(records)
    swapped[2], swapped[6] = records[6]._replace(number=3), records[2]._replace(number=7)
    # Of 2 and 6 the walk can only tell that the next one does not go on from them.
    assert damage(swapped, head) == (2, 7)
    assert damage([changed(records[0]), *records[1:7], changed(records[7]), records[8]], head) == (1, 8)


def test_renumbered_records_are_named() -> None:
    head, records = ledger(5)
    shifted = [*records[:2], *(record._replace(number=record.number - 1) for record in records[3:])]
    assert damage(shifted, replace(head, number=4)) == (2, 4)


def test_records_of_another_ledger_are_named() -> None:
    _, others = seal(
        replace(EMPTY, ledger="/05913000/registration/to/school"), [Entry("s", Added(amount=1), "c:1", AT)]
    )
    assert damage(others, replace(EMPTY, number=1, hash=others[0].hash)) == (1, 1)


def test_a_history_written_anew_is_found_by_what_others_vouch_for() -> None:
    _, genuine = ledger(9)
    forged_head, forged = ledger(9, first_amount=100)
    assert damage(forged, forged_head) is None
    assert damage(forged, forged_head, [Mark(4, genuine[3].hash, "somebody")]) == (1, 4)
    head, records = seal(
        Head(BOOK, 4, genuine[3].hash, AT + timedelta(seconds=3)),
        [Entry("s", Added(amount=7), "clerk:1", AT + timedelta(seconds=n)) for n in range(4, 9)],
    )
    marks = [Mark(n, genuine[n - 1].hash, "somebody") for n in (2, 4, 7)]
    assert damage([*genuine[:4], *records], head, marks) == (5, 7)


def test_a_tail_that_was_cut_with_its_head_is_found_by_what_others_vouch_for() -> None:
    _, records = ledger(9)
    cut = Head(BOOK, 6, records[5].hash, AT)
    assert damage(records[:6], cut) is None
    assert damage(records[:6], cut, [Mark(9, records[8].hash, "somebody")]) == (7, 9)


def test_a_mark_at_a_missing_record_says_nothing_more() -> None:
    head, records = ledger(5)
    assert damage([*records[:2], *records[3:]], head, [Mark(3, records[2].hash, "somebody")]) == (3, 3)


def test_a_walk_can_begin_at_what_is_believed() -> None:
    head, records = ledger(5)
    walk = Walk(BOOK, 3, records[2].hash)
    for record in records[3:]:
        walk.take(record.number, record.hash, record.previous + record.body)
    assert walk.finish(head) is None
    walk = Walk(BOOK, 3, bytes(32))
    walk.take(4, records[3].hash, records[3].previous + records[3].body)
    walk.take(5, records[4].hash, records[4].previous + records[4].body)
    found = walk.finish(head)
    assert found is not None
    assert (found.first, found.last) == (4, 4)
