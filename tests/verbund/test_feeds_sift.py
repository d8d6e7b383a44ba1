from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st
from stage.tally import Added

from verbund.feeds.sift import Position, sift, sift_beat
from verbund.ledger.record import GENESIS, Beat, Entry, Head, Record, seal

BOOK = "/05913000/registration/book"
AT = datetime(2018, 12, 31, tzinfo=UTC)


def records(count: int) -> list[Record]:
    _, sealed = seal(Head(BOOK, 0, GENESIS, AT), [Entry("s", Added(amount=n + 1), "clerk:1", AT) for n in range(count)])
    return sealed


TEN = records(10)
START = Position(BOOK)


def at(number: int) -> Position:
    return Position(BOOK, number, TEN[number - 1].hash if number else GENESIS)


def test_what_goes_on_from_the_position_is_fresh() -> None:
    sifted = sift(at(3), TEN[3:6])
    assert [record.number for record in sifted.fresh] == [4, 5, 6]
    assert sifted.position == at(6)


def test_repeats_are_skipped_and_counted() -> None:
    sifted = sift(at(5), TEN)
    assert [record.number for record in sifted.fresh] == [6, 7, 8, 9, 10]
    assert sifted.repeats == 5


def test_nothing_behind_a_hole_is_taken() -> None:
    sifted = sift(START, [TEN[0], TEN[1], TEN[3], TEN[4]])
    assert [record.number for record in sifted.fresh] == [1, 2]
    assert sifted.hole
    assert sifted.stop is None


def test_another_hash_at_the_position_stops_the_ledger() -> None:
    restored = records(11)
    _, other = seal(Head(BOOK, 4, TEN[3].hash, AT), [Entry("s", Added(amount=99), "clerk:1", AT)])
    assert sift(at(5), other).stop == "other_hash"
    assert sift(at(5), restored[:5]).stop == "other_hash"  # same facts, other event ids: another book


def test_a_chain_that_does_not_go_on_stops_the_ledger() -> None:
    _, forged = seal(Head(BOOK, 5, bytes([7]) * 32, AT), [Entry("s", Added(amount=1), "clerk:1", AT)])
    sifted = sift(at(5), forged)
    assert sifted.stop == "chain_broken"
    assert sifted.fresh == ()


def test_bytes_that_do_not_fit_their_own_hash_are_foreign() -> None:
    foreign = TEN[4]._replace(body=TEN[4].body + b" ")
    sifted = sift(at(4), [foreign])
    assert sifted.foreign == (foreign,)
    assert sifted.position == at(4)


@given(st.data())
def test_whatever_repeats_or_goes_missing_each_number_is_fresh_once_and_in_order(data: st.DataObject) -> None:
    position = START
    taken: list[int] = []
    for _ in range(data.draw(st.integers(1, 8))):
        # A feed keeps order within a stretch, but may begin anywhere, repeat, and leave out.
        begin = data.draw(st.integers(0, 9))
        end = data.draw(st.integers(begin, 10))
        left_out = data.draw(st.sets(st.integers(0, 9), max_size=2))
        stretch = [record for index, record in enumerate(TEN[begin:end], begin) if index not in left_out]
        sifted = sift(position, stretch)
        assert sifted.stop is None
        taken.extend(record.number for record in sifted.fresh)
        position = sifted.position
    assert taken == list(range(1, len(taken) + 1))
    assert position == at(len(taken))


def test_a_head_below_the_position_means_the_office_was_restored() -> None:
    assert sift_beat(at(5), Beat(BOOK, 4, TEN[3].hash, AT)) == "head_below_position"
    assert sift_beat(at(5), Beat(BOOK, 5, TEN[3].hash, AT)) == "other_hash"
    assert sift_beat(at(5), Beat(BOOK, 5, TEN[4].hash, AT)) is None
    assert sift_beat(at(5), Beat(BOOK, 9, TEN[8].hash, AT)) is None
