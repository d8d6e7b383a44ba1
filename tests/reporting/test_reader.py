"""What reading a book does to the cube: the real reader of the feeds with the effect of reporting."""

import asyncio
from datetime import UTC, date, datetime
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from stage.cube import SECRET, Stage
from stage.facts import BOOK, arrival, booked, registration, transition

from reporting.audiences import Audience
from reporting.cube import read_batches, read_head, snapshot
from reporting.deltas import DeltaFunction, UnknownUnit, delta_functions, record_key
from reporting.figures import Figure, Question, number_of
from reporting.reader import CubeEffect
from verbund.events.envelope import Event, encode, sequence_of
from verbund.events.offices import Office, find_offices, known_events
from verbund.feeds.batch import Batch
from verbund.feeds.reader import Reader
from verbund.ledger.record import GENESIS, Record, chain_hash

DAY = date(2018, 3, 1)
NOW = datetime(2020, 3, 15, 9, tzinfo=UTC)


def chained(*events: Event[Any], book: str = BOOK) -> list[Record]:
    """The events as records of a book, numbered from one."""
    records: list[Record] = []
    previous = GENESIS
    for number, event in enumerate(events, start=1):
        body = encode(event.model_copy(update={"sequence": sequence_of(number), "source": book}))
        records.append(Record(book, number, previous, chain_hash(previous, body), body))
        previous = records[-1].hash
    return records


def reader_of(cube: Stage) -> Reader:
    return Reader(cube.reader, cube.effect, known_events())


async def count_batches(cube: Stage) -> int:
    async with snapshot(cube.web) as connection:
        return (await read_head(connection, "05913000")).number


async def arrivals(cube: Stage) -> Figure | None:
    question = Question(indicator="arrivals", as_of=(date(2018, 12, 31),))
    (cell,) = (await cube.ask(question, Audience.STATISTICS, NOW)).cells
    return number_of(cell.values[0])


async def test_a_batch_of_events_is_one_batch_of_the_cube(cube: Stage) -> None:
    records = chained(*(booked(DAY, arrival(DAY, subject=f"s{i}")) for i in range(5)))
    assert (await reader_of(cube).take(Batch(records))).applied == 5
    assert await count_batches(cube) == 1
    assert await arrivals(cube) == 5


async def test_repeats_count_once(cube: Stage) -> None:
    reader, records = reader_of(cube), chained(*(booked(DAY, arrival(DAY)) for _ in range(6)))
    for part in (records[:3], records[:3], records[1:5], records, records):
        await reader.take(Batch(part))
    assert await arrivals(cube) == 6
    assert await count_batches(cube) == 3


async def test_two_readers_at_once_count_once(cube: Stage) -> None:
    records = chained(*(booked(DAY, arrival(DAY, subject=f"s{i}")) for i in range(40)))

    async def read(reader: Reader) -> None:
        for start in range(0, 40, 4):
            await reader.take(Batch(records[: start + 4]))

    other = Reader(cube.reader, CubeEffect(SECRET, delta_functions(find_offices())), known_events())
    await asyncio.gather(read(reader_of(cube)), read(other))
    assert await arrivals(cube) == 40


async def test_one_effect_serves_several_transactions_at_once(cube: Stage) -> None:
    """The feeds of several cities share one effect: nobody numbers the batch of somebody else."""
    books = [f"/{municipality}/registration/book" for municipality in ("05913000", "05112000", "05515000")]
    reader = reader_of(cube)

    async def read(book: str) -> None:
        records = chained(*(booked(DAY, arrival(DAY, subject=f"s{i}")) for i in range(20)), book=book)
        for i in range(0, 20, 2):
            await reader.take(Batch(records[i : i + 2]))

    await asyncio.gather(*map(read, books))
    async with snapshot(cube.web) as connection:
        for book in books:
            municipality = book.split("/")[1]
            assert (await read_head(connection, municipality)).number == 10
            deltas = [one.delta for one in await read_batches(connection, municipality, 0, 10)]
            assert sum(d.n for d in deltas if d.measure == "arrivals") == 20


async def test_books_of_two_cities_in_one_batch_are_two_batches(cube: Stage) -> None:
    other = "/05112000/registration/book"
    records = [*chained(booked(DAY, arrival(DAY))), *chained(booked(DAY, arrival(DAY)), book=other)]
    await reader_of(cube).take(Batch(records))
    async with snapshot(cube.web) as connection:
        assert [(await read_head(connection, city)).number for city in ("05913000", "05112000")] == [1, 1]


async def test_events_that_count_nothing_leave_no_batch(cube: Stage) -> None:
    assert (await reader_of(cube).take(Batch(chained(booked(DAY))))).applied == 1
    assert await count_batches(cube) == 0


async def test_a_transaction_that_fails_leaves_nothing_and_hinders_nobody(cube: Stage) -> None:
    class Lost(CubeEffect):
        async def finish(self, connection: Any) -> None:
            await super().finish(connection)
            raise ConnectionResetError

    records = chained(booked(DAY, arrival(DAY)))
    with pytest.raises(ConnectionResetError):
        await Reader(cube.reader, Lost(SECRET, delta_functions(find_offices())), known_events()).take(Batch(records))
    assert await count_batches(cube) == 0
    await reader_of(cube).take(Batch(records))
    assert await arrivals(cube) == 1


async def test_a_database_that_fails_in_the_middle_of_a_copy_stops_no_book(cube: Stage) -> None:
    records = chained(booked(DAY, arrival(DAY)))
    copying = text(
        "select pg_cancel_backend(pid) from pg_stat_activity where query like '%copy cube.delta%from stdin%'"
        " and datname = current_database() and wait_event_type = 'Lock' and pid <> pg_backend_pid()"
    )
    async with cube.superuser.begin() as holder, cube.superuser.connect() as other:
        await holder.execute(text("lock table cube.delta in exclusive mode"))
        taking = asyncio.create_task(reader_of(cube).take(Batch(records)))
        async with asyncio.timeout(10):
            while not (await other.execute(copying)).scalar():
                await other.rollback()
                await asyncio.sleep(0.01)
            with pytest.raises(DBAPIError, match="QueryCanceled"):
                await taking
    assert await reader_of(cube).stopped() == {}
    assert (await reader_of(cube).take(Batch(records))).applied == 1


async def test_what_nothing_counts_stops_its_book_instead_of_being_missed(cube: Stage) -> None:
    def refuse(event: Event[Any], key: Any) -> list[Any]:
        raise UnknownUnit("tree")

    await cube.stand(NOW, number=0)
    effect = CubeEffect(SECRET, {"registration": DeltaFunction(1, refuse)})
    taken = await Reader(cube.reader, effect, known_events()).take(Batch(chained(booked(DAY, arrival(DAY)))))
    assert taken.stopped == [BOOK]
    found = await cube.ask(Question(indicator="population"), Audience.STATISTICS, NOW)
    assert [source.state for source in found.sources] == ["stopped"]


async def test_keys_add_up_under_the_secret_of_the_office(cube: Stage) -> None:
    came, went = arrival(DAY, subject="x"), transition("departure", DAY, arrival(DAY).after, None, subject="y")
    await reader_of(cube).take(Batch(chained(booked(DAY, came, went, registration(DAY, subject="z")))))
    async with cube.web.connect() as connection:
        rows = await connection.execute(text("select measure, n, key from cube.delta"))
        found = {measure: (n, key) for measure, n, key in rows}
    x, y, z = (record_key(SECRET, subject) for subject in "xyz")
    assert found == {
        "residents": (0, (x - y) % 2**32),
        "arrivals": (1, x),
        "departures": (1, y),
        "registrations": (1, z),
    }


def test_a_further_office_brings_its_own_deltas() -> None:
    office = Office(name="trees", processes=(), migrations=(), deltas="reporting.deltas:BUILT_IN")
    wrong = Office(name="wrong", processes=(), migrations=(), deltas="reporting.deltas:count")
    assert CubeEffect(SECRET, delta_functions([office])).versions == {"trees": 1}
    with pytest.raises(TypeError, match="no DeltaFunction"):
        delta_functions([wrong])
