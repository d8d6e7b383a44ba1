"""A cube that other delta functions made: its book is stopped under a name of its own, and nothing is mixed in."""

from datetime import date
from pathlib import Path

import psycopg
from conftest import OfficeDatabases
from stage.cube import SECRET, Stage
from stage.facts import BOOK, arrival, booked
from stage.reading_office import ask, reading, until, until_not_ready
from stage.registration_office import open_office

from reporting.deltas import DeltaFunction, delta_functions
from reporting.reader import CubeEffect
from verbund.events.envelope import encode, sequence_of
from verbund.events.offices import find_offices, known_events
from verbund.feeds.batch import Batch
from verbund.feeds.reader import Reader
from verbund.ledger.record import GENESIS, Record, chain_hash

DAY = date(2018, 3, 1)


def record_of(number: int, previous: bytes) -> Record:
    event = booked(DAY, arrival(DAY, subject=f"s{number}"))
    body = encode(event.model_copy(update={"sequence": sequence_of(number), "source": BOOK}))
    return Record(BOOK, number, previous, chain_hash(previous, body), body)


async def test_a_reader_whose_functions_changed_stops_the_book_by_name(cube: Stage) -> None:
    first = record_of(1, GENESIS)
    second = record_of(2, first.hash)
    function = delta_functions(find_offices())["registration"]
    newer = CubeEffect(SECRET, {"registration": DeltaFunction(function.version + 1, function.deltas_of)})
    await Reader(cube.reader, cube.effect, known_events()).take(Batch([first]))
    reader = Reader(cube.reader, newer, known_events())
    assert (await reader.take(Batch([first, second]))).stopped == [BOOK]
    assert await reader.stopped() == {BOOK: "other_version"}
    assert (await reader.positions())[BOOK].number == 1


async def test_a_reader_that_starts_on_a_cube_of_another_version_stops_its_books_and_says_so(
    office_database: OfficeDatabases, tmp_path: Path
) -> None:
    reporting, registration = office_database("reporting"), office_database("registration")
    async with open_office(registration, tmp_path) as office:
        await office.register()
        async with reading(reporting, registration, tmp_path):
            await until(reporting, "select number from feed.position", (2,))
        with psycopg.connect(reporting.superuser().conninfo()) as connection:
            connection.execute("update cube.batch_head set versions = jsonb_build_object('registration', 999)")
        async with reading(reporting, registration, tmp_path) as reader:
            await until_not_ready(reader, f"{BOOK} stopped: other_version")
            await office.register()
            await until(reporting, "select head_number from feed.position", (3,))
        assert ask(reporting, "select number, stop_reason from feed.position") == [(2, "other_version")]
