from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import pytest
from stage.tally import KNOWN, Added

from verbund.events.envelope import decode
from verbund.ledger.record import GENESIS, Entry, Head, seal

BOOK = "/05913000/registration/book"
AT = datetime(2018, 12, 31, 22, 30, tzinfo=UTC)
EMPTY = Head(BOOK, 0, GENESIS, AT)


def entries(count: int) -> list[Entry]:
    return [Entry("s", Added(amount=n + 1), "clerk:1", AT + timedelta(seconds=n)) for n in range(count)]


def test_numbers_have_no_gap_and_hashes_are_chained() -> None:
    head, records = seal(EMPTY, entries(3))
    assert [record.number for record in records] == [1, 2, 3]
    previous = bytes(32)
    for record in records:
        assert record.previous == previous
        assert record.hash == sha256(previous + record.body).digest()
        previous = record.hash
    assert (head.number, head.hash, head.time) == (3, previous, AT + timedelta(seconds=2))


def test_the_event_in_a_record_names_its_own_place() -> None:
    _, records = seal(replace(EMPTY, number=41), entries(1))
    event = decode(records[0].body, KNOWN)
    assert (event.source, event.number, event.data) == (BOOK, 42, Added(amount=1))


def test_time_never_goes_backwards_in_a_ledger() -> None:
    late = Entry("s", Added(amount=1), "clerk:1", AT - timedelta(microseconds=1))
    with pytest.raises(ValueError, match="behind one of"):
        seal(EMPTY, [late])
