"""Parked records: what a person decides about them takes effect once, and what is left says who decided and why."""

import asyncio
from datetime import date
from pathlib import Path

import pytest
from conftest import OfficeDatabases
from sqlalchemy import text
from stage.cube import SECRET, Stage
from stage.facts import BOOK, arrival, booked
from stage.rebuilding import city

from reporting.deltas import DeltaFunction, delta_functions
from reporting.reader import CubeEffect
from verbund.database import make_engine
from verbund.events.envelope import encode, sequence_of
from verbund.events.offices import find_offices, known_events
from verbund.feeds.batch import Batch
from verbund.feeds.parked import (
    Decision,
    NotReplayed,
    ParkedRecord,
    discard,
    find_parked,
    list_parked,
    read_attributes,
    read_payload,
    replay,
)
from verbund.feeds.reader import Reader
from verbund.kafka.messages import Stray
from verbund.ledger.record import GENESIS, Record, chain_hash

DAY = date(2018, 3, 1)
ME = Decision("console:somebody")


def book_of(count: int) -> list[Record]:
    records: list[Record] = []
    for number in range(1, count + 1):
        previous = records[-1].hash if records else GENESIS
        event = booked(DAY, arrival(DAY, subject=f"s{number}"))
        body = encode(event.model_copy(update={"sequence": sequence_of(number), "source": BOOK}))
        records.append(Record(BOOK, number, previous, chain_hash(previous, body), body))
    return records


async def parked_by(cube: Stage, batch: Batch) -> list[ParkedRecord]:
    """What a reader parks that knows no event at all."""
    await Reader(cube.reader, cube.effect, {}).take(batch)
    return await parked_in(cube)


async def parked_in(cube: Stage, *, with_settled: bool = False) -> list[ParkedRecord]:
    async with cube.reader.connect() as connection:
        return await list_parked(connection, with_settled=with_settled)


async def arrivals(cube: Stage) -> int:
    async with cube.reader.connect() as connection:
        found = await connection.execute(text("select coalesce(sum(n), 0) from cube.delta where measure = 'arrivals'"))
        return int(found.scalar_one())


async def test_a_replayed_record_takes_effect_once_however_often_and_by_how_many(cube: Stage) -> None:
    first, second = await parked_by(cube, Batch(book_of(2)))
    assert (first.reason, first.number, await arrivals(cube)) == ("unknown_type", 1, 0)
    again = [replay(cube.reader, cube.effect, known_events(), first.id, ME) for _ in range(3)]
    outcomes = await asyncio.gather(*again, return_exceptions=True)  # all have ended, whatever became of them
    settled = [each for each in outcomes if isinstance(each, ParkedRecord)]
    assert [each.settled for each in settled] == ["replayed"] * 3
    assert len({each.settled_at for each in settled}) == 1
    assert await arrivals(cube) == 1
    await replay(cube.reader, cube.effect, known_events(), first.id, ME)
    await replay(cube.reader, cube.effect, known_events(), second.id, ME)
    assert await arrivals(cube) == 2
    assert await parked_in(cube) == []
    assert [each.size for each in await parked_in(cube, with_settled=True)] == [0, 0]
    assert (await Reader(cube.reader, cube.effect, known_events()).positions())[BOOK].number == 2


async def test_what_still_cannot_be_understood_stays_under_the_reason_of_today(cube: Stage) -> None:
    record = book_of(1)[0]
    broken = record.body.replace(b'"birth_year":1990', b'"birth_year":"?"')
    own_hash = chain_hash(GENESIS, broken)
    (parked,) = await parked_by(cube, Batch([Record(BOOK, 1, GENESIS, own_hash, broken)]))
    assert parked.reason == "unknown_type"
    with pytest.raises(NotReplayed) as refused:
        await replay(cube.reader, cube.effect, known_events(), parked.id, ME)
    assert refused.value.code == "still_undecodable"
    (parked,) = await parked_in(cube)
    assert parked.reason == "wrong_shape"
    assert parked.detail.endswith("birth_year")
    assert parked.size == len(broken)


async def test_what_has_no_place_in_a_ledger_is_never_replayed(cube: Stage) -> None:
    record = book_of(1)[0]
    foreign = Record(BOOK, 1, GENESIS, bytes(32), record.body)
    stray = Stray("verbund.book.registration", "no_place", "partition 0, offset 7", record.body)
    parked = await parked_by(cube, Batch([foreign], strays=[stray]))
    assert {each.reason for each in parked} == {"hash_mismatch", "no_place"}
    for each in parked:
        with pytest.raises(NotReplayed) as refused:
            await replay(cube.reader, cube.effect, known_events(), each.id, ME)
        assert refused.value.code == "no_place"
    assert await arrivals(cube) == 0
    assert await parked_in(cube) == parked


async def test_a_discarded_record_leaves_who_when_and_why_and_no_bytes(cube: Stage) -> None:
    (parked,) = await parked_by(cube, Batch(book_of(1)))
    for why in ("a test of the other office", "once more"):  # who comes second changes nothing
        settled = await discard(cube.reader, parked.id, why, ME)
        assert (settled.settled, settled.settled_by, settled.settled_why) == (
            "discarded",
            "console:somebody",
            "a test of the other office",
        )
    assert (settled.size, settled.hash) == (0, parked.hash)
    assert (await replay(cube.reader, cube.effect, known_events(), parked.id, ME)).settled == "discarded"
    assert await arrivals(cube) == 0
    for decide in (
        discard(cube.reader, 999_999, "why", ME),
        replay(cube.reader, cube.effect, known_events(), 999_999, ME),
    ):
        with pytest.raises(LookupError):
            await decide


async def test_a_record_whose_effect_is_refused_stays_parked_and_changes_nothing(cube: Stage) -> None:
    first, second = book_of(2)
    await Reader(cube.reader, cube.effect, known_events()).take(Batch([first]))
    (parked,) = await parked_by(cube, Batch([second]))
    function = delta_functions(find_offices())["registration"]
    newer = CubeEffect(SECRET, {"registration": DeltaFunction(function.version + 1, function.deltas_of)})
    with pytest.raises(NotReplayed) as refused:
        await replay(cube.reader, newer, known_events(), parked.id, ME)
    assert refused.value.code == "other_version"
    assert await arrivals(cube) == 1
    assert await parked_in(cube) == [parked]
    with pytest.raises(NotReplayed) as refused:
        await replay(cube.reader, CubeEffect(SECRET, {}), known_events(), parked.id, ME)
    assert refused.value.code == "effect_failed"
    assert await parked_in(cube) == [parked]


async def test_whoever_looks_sees_where_it_came_from_and_only_on_request_what_it_says(
    cube: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    (parked,) = await parked_by(cube, Batch(book_of(1)))
    async with cube.reader.connect() as connection:
        attributes = await read_attributes(connection, parked.id)
        assert (attributes["source"], attributes["type"]) == (BOOK, parked.detail)
        assert not {"data", "subject", "actor"} & attributes.keys()
        assert not [each for each in caplog.records if each.message == "a parked record is read"]
        body = await read_payload(connection, parked, "somebody")
        assert await find_parked(connection, parked.id) == parked
    assert body == book_of(1)[0].body or b'"birth_year":1990' in body
    (told,) = [each for each in caplog.records if each.message == "a parked record is read"]
    assert (told.by, told.parked) == ("somebody", parked.id)  # type: ignore[attr-defined]


async def test_a_rebuild_counts_a_replayed_record_once_and_keeps_what_was_discarded(
    office_database: OfficeDatabases, tmp_path: Path
) -> None:
    async with city(office_database, tmp_path) as here:
        here.acknowledged += await here.register(3)
        secret = (tmp_path / "hash-key").read_bytes().strip()
        engine = make_engine(here.reporting.settings("reader"), size=2)
        effect = CubeEffect(secret, delta_functions(find_offices()))
        await here.read_once(Reader(engine, effect, {}))
        async with engine.connect() as connection:
            parked = await list_parked(connection)
        assert len(parked) == 4
        stray = Stray("verbund.book.registration", "no_place", "partition 0, offset 7", b"?")
        await Reader(engine, effect, {}).take(Batch([], strays=[stray]))
        for each in parked:
            await replay(engine, effect, known_events(), each.id, ME)
        async with engine.connect() as connection:
            (lost,) = await list_parked(connection)
        await discard(engine, lost.id, "nobody knows whose", ME)
        here.check()
        assert not (await here.rebuild()).accepted
        here.check()
        async with engine.connect() as connection:
            left = await list_parked(connection, with_settled=True)
        assert {each.settled for each in left} == {"replayed", "discarded"}
        assert len(left) == 5
        await engine.dispose()
