"""A database of the first release becomes one of today, with all that was booked, and the offices go on with it."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from itertools import count
from pathlib import Path
from time import monotonic

import psycopg
import pytest
from conftest import OfficeDatabase, OfficeDatabases
from stage.checker import Evidence, check, read_ledgers
from stage.cube import SECRET, Stage, stage
from stage.facts import BOOK
from stage.registration_office import ADDRESS, NEW_RESIDENT, RegistrationOffice, loading_office
from stage.releases import restore, rows_of, schema_of

from reporting.audiences import Audience
from reporting.figures import Figure, Question, number_of
from verbund.database import migrate
from verbund.embedded.postgres import Cluster
from verbund.events.offices import Office, find_offices, get_office, known_events
from verbund.feeds.ledger_feed import LedgerFeed
from verbund.feeds.ledger_view import Source
from verbund.feeds.reader import Reader
from verbund.ledger.verify import verify_ledgers

OFFICES = [pytest.param(office, id=office.name) for office in find_offices()]
BOOKED = 14
STAYS, MOVES = "e2b4c7e9-334c-4a63-b3dd-65082e55a82f", "5936ad7b-0081-4106-9b43-be4e896b7e39"
DEADLINE_SECONDS = 20.0


def upgraded(cluster: Cluster, office: Office) -> Iterator[OfficeDatabase]:
    database = restore(cluster, office, "first_release")
    try:
        migrate(database.settings("owner"), office)
        yield database
    finally:
        database.drop()


@pytest.fixture
def registration(cluster: Cluster) -> Iterator[OfficeDatabase]:
    yield from upgraded(cluster, get_office("registration"))


@pytest.fixture
def reporting(cluster: Cluster) -> Iterator[OfficeDatabase]:
    yield from upgraded(cluster, get_office("reporting"))


@pytest.fixture
async def office(registration: OfficeDatabase, tmp_path: Path) -> AsyncIterator[RegistrationOffice]:
    async with loading_office(registration, tmp_path) as opened:
        yield replace(opened, _keys=count(1_000))  # those up to there were used before


@pytest.fixture
async def cube(reporting: OfficeDatabase) -> AsyncIterator[Stage]:
    async with stage(lambda role: reporting.superuser() if role == "superuser" else reporting.settings(role)) as found:
        yield found


def evidence(registration: OfficeDatabase, reporting: OfficeDatabase) -> Evidence:
    return Evidence(registration.superuser().conninfo(), reporting.superuser().conninfo(), SECRET)


@pytest.mark.parametrize("office", OFFICES)
def test_a_database_of_the_first_release_becomes_one_of_today(
    office: Office, cluster: Cluster, office_database: OfficeDatabases
) -> None:
    database = restore(cluster, office, "first_release")
    try:
        before = rows_of(database)
        assert sum(before.values()) > 30
        for _ in range(2):  # the second time there is nothing left to do
            migrate(database.settings("owner"), office)
            after = rows_of(database)
            assert {table: after[table] for table in before} == before
        assert schema_of(database) == schema_of(office_database(office.name))
    finally:
        database.drop()


def test_its_ledger_is_whole(registration: OfficeDatabase) -> None:
    *_, end = verify_ledgers(registration.settings("desk"))
    assert (end.ledger, end.done, end.damage) == (BOOK, BOOKED, None)
    with psycopg.connect(registration.superuser().conninfo()) as connection:
        (book,) = read_ledgers(connection)
    assert len({event["type"] for event in book.events}) == 6


def test_its_cube_is_the_fold_of_its_ledger(registration: OfficeDatabase, reporting: OfficeDatabase) -> None:
    assert check(evidence(registration, reporting), [])["records"] == BOOKED


async def test_the_office_goes_on_with_whom_it_knew(office: RegistrationOffice) -> None:
    known = await office.ask("GET", f"/residences/{STAYS}")
    assert (known.status_code, known.json()["person"]["family_name"]) == (200, "Muster")
    assert [line["booked"]["kind"] for line in known.json()["bookings"]] == ["registration", "correction"]
    assert len((await office.ask("GET", "/residences")).json()) == 6
    loaded = await office.ask("GET", "/initial-load", "initial_load")
    assert loaded.json()["closed_at"] is not None
    moved = await office.post(f"/residences/{MOVES}/moves", {**ADDRESS, "moved_on": "2019-03-01"})
    assert (moved.status_code, moved.json()["number"]) == (201, BOOKED + 1)


async def test_a_repeat_from_before_the_update_is_known(office: RegistrationOffice) -> None:
    used = office.query("select key from desk.answer where route = 'POST /residences'")
    assert len(used) == 4
    for (key,) in used:
        answer = await office.post("/residences", NEW_RESIDENT, Idempotency_Key=key)
        # Here by its key alone: the secret that tells the same request from another one is not in a database.
        assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_reused")
    assert len(office.events()) == BOOKED


async def test_the_cube_goes_on_where_it_stood(
    office: RegistrationOffice, registration: OfficeDatabase, reporting: OfficeDatabase, cube: Stage
) -> None:
    assert await population(cube) == 3
    receipts = [await office.register(), await office.register()]
    left = await office.post(
        f"/residences/{STAYS}/deregistrations", {"deregistered_on": "2018-12-20", "reason": "abroad"}
    )
    assert left.status_code == 201, left.text
    await read(registration, cube, up_to=BOOKED + 3)
    assert await population(cube) == 4
    checked = check(evidence(registration, reporting), [*receipts, left.json()])
    assert checked["records"] == BOOKED + 3
    with psycopg.connect(reporting.superuser().conninfo()) as connection:
        assert connection.execute("select generation from cube.batch_head").fetchone() == (1,)


async def population(cube: Stage) -> Figure | None:
    question = Question(indicator="population", as_of=(date(2018, 12, 31),))
    (cell,) = (await cube.ask(question, Audience.STATISTICS, datetime.now(UTC))).cells
    return number_of(cell.values[0])


async def read(registration: OfficeDatabase, cube: Stage, up_to: int) -> None:
    reader = Reader(cube.reader, cube.effect, known_events())
    source = Source(office="registration", database=registration.settings("feed_reporting"))
    deadline = monotonic() + DEADLINE_SECONDS
    async with LedgerFeed(source, reader, "reporting"):
        while (await reader.positions())[BOOK].number < up_to:
            assert monotonic() < deadline, "not read in time"
            await asyncio.sleep(0.02)
