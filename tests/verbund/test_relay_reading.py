"""Whether a ledger goes on from where the relay stands: what does not is never sent."""

from datetime import UTC, datetime

import pytest
from stage.ledgers import BOOK
from stage.tally import Added

from verbund.ledger.record import GENESIS, Entry, Head, Record, seal
from verbund.relay.reading import check_head, going_on
from verbund.relay.store import Position

AT = datetime(2018, 12, 31, tzinfo=UTC)
START = Position(0, GENESIS)


@pytest.fixture
def records() -> list[Record]:
    entries = [Entry("s", Added(amount=n), "clerk:1", AT) for n in range(6)]
    return seal(Head(BOOK, 0, GENESIS, AT), entries)[1]


def test_a_whole_ledger_goes_on(records: list[Record]) -> None:
    assert going_on(START, records, 6) == (records, None)
    assert going_on(Position(3, records[2].hash), records[3:], 6) == (records[3:], None)


def test_a_gap_is_a_hole_in_front_and_behind(records: list[Record]) -> None:
    assert going_on(START, records[1:], 6) == ([], "hole")
    assert going_on(START, [*records[:2], *records[3:]], 6) == (records[:2], "hole")
    assert going_on(START, records[:4], 6) == (records[:4], "hole")


def test_another_record_than_the_one_that_was_sent_breaks_the_chain(records: list[Record]) -> None:
    assert going_on(Position(3, bytes(32)), records[3:], 6) == ([], "chain_broken")
    spoilt = records[4]._replace(previous=bytes(32))
    assert going_on(START, [*records[:4], spoilt, records[5]], 6) == (records[:4], "chain_broken")


def test_bytes_that_do_not_fit_their_hash_are_not_sent(records: list[Record]) -> None:
    spoilt = records[2]._replace(body=records[2].body + b" ")
    assert going_on(START, [*records[:2], spoilt, *records[3:]], 6) == (records[:2], "hash_mismatch")


def test_a_head_tells_a_ledger_that_became_another_one(records: list[Record]) -> None:
    head = Head(BOOK, 6, records[-1].hash, AT)
    assert check_head(Position(6, records[-1].hash), head) is None
    assert check_head(Position(2, bytes(32)), head) is None  # its chain will tell
    assert check_head(Position(7, bytes(32)), head) == "head_below_position"
    assert check_head(Position(6, bytes(32)), head) == "other_hash"
