"""Events of older versions: they are read as the version of today, or parked with the reason why not."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
from conftest import OfficeDatabase, OfficeDatabases
from pydantic import create_model
from sqlalchemy import text
from stage.cube import Stage, stage
from stage.facts import BOOK
from stage.versions import ResidentWelcomed, counts_are_transitions, sex_is_unknown

from reporting.audiences import Audience
from reporting.figures import Figure, Question, number_of
from verbund.database import make_engine
from verbund.events.canonical import canonical_bytes
from verbund.events.envelope import Data, Undecodable, Upcaster, decode
from verbund.events.offices import known_events
from verbund.events.registration import ResidentFacts, ResidentTransition
from verbund.feeds.ledger_feed import LedgerFeed
from verbund.feeds.ledger_view import Source
from verbund.feeds.reader import Reader
from verbund.ledger.record import GENESIS, Head, Record, chain_hash
from verbund.ledger.store import append, beat, lock_heads, open_ledgers

GOLDEN = Path(__file__).parent / "older_versions" / "de.verbund.registration.resident-welcomed.v1.json"
DAY = date(2018, 3, 1)
NOW = datetime(2020, 3, 15, 9, tzinfo=UTC)
DEADLINE_SECONDS = 20.0


def golden() -> dict[str, Any]:
    event: dict[str, Any] = json.loads(GOLDEN.read_text(encoding="utf-8"))
    return event


def welcomed(upcasters: Mapping[int, Upcaster]) -> dict[str, type[Data]]:
    """What a reader knows that has these upcasters and no others."""
    model = create_model("ResidentWelcomed", __base__=ResidentWelcomed)
    model.upcasters = upcasters
    return {model.type: model}


def as_version(version: int, **data: Any) -> bytes:
    event = golden()
    event["type"] = f"de.verbund.registration.resident-welcomed.v{version}"
    return canonical_bytes({**event, "data": {**event["data"], **data}})


def test_version_one_goes_through_two_and_is_read_as_three() -> None:
    event = decode(as_version(1), {ResidentWelcomed.type: ResidentWelcomed})
    assert type(event.data) is ResidentWelcomed
    assert event.type == "de.verbund.registration.resident-welcomed.v3"
    (transition,) = event.data.transitions
    assert isinstance(transition, ResidentTransition)
    assert transition.effective_on == DAY
    assert transition.after == ResidentFacts(**golden()["data"]["resident"], sex="unknown")


def test_version_two_starts_at_its_own_upcaster() -> None:
    resident = {**golden()["data"]["resident"], "sex": "f"}
    event = decode(as_version(2, resident=resident), {ResidentWelcomed.type: ResidentWelcomed})
    assert event.data.transitions[0].after.sex == "f"


def fail(data: dict[str, Any]) -> dict[str, Any]:
    raise ZeroDivisionError(data["person"])


def forget(data: dict[str, Any]) -> dict[str, Any]:
    return {}


def make_no_json(data: dict[str, Any]) -> dict[str, Any]:
    return {"transitions": object()}


NAME = "de.verbund.registration.resident-welcomed"
REFUSED = [
    pytest.param(1, {2: counts_are_transitions}, "no_upcaster", f"{NAME}.v1", id="the first is missing"),
    pytest.param(1, {1: sex_is_unknown}, "no_upcaster", f"{NAME}.v2", id="the second is missing"),
    pytest.param(2, {1: sex_is_unknown}, "no_upcaster", f"{NAME}.v2", id="its own is missing"),
    pytest.param(1, {1: fail}, "upcaster_failed", f"{NAME}.v1: ZeroDivisionError", id="the first fails"),
    pytest.param(1, {1: forget, 2: counts_are_transitions}, "upcaster_failed", f"{NAME}.v2: KeyError", id="loses data"),
    pytest.param(2, {2: make_no_json}, "upcaster_failed", f"{NAME}.v2: PydanticSerializationError", id="makes no JSON"),
    pytest.param(2, {2: forget}, "wrong_shape", "data/transitions", id="makes another shape"),
    pytest.param(4, {}, "unknown_type", f"{NAME}.v4", id="newer than the reader"),
    pytest.param(0, {}, "unknown_type", f"{NAME}.v0", id="no version"),
]


@pytest.mark.parametrize(("version", "upcasters", "reason", "detail"), REFUSED)
def test_what_cannot_be_upcast_says_why(
    version: int, upcasters: Mapping[int, Upcaster], reason: str, detail: str
) -> None:
    with pytest.raises(Undecodable) as refused:
        decode(as_version(version), welcomed(upcasters))
    assert (refused.value.reason, refused.value.detail) == (reason, detail)


@pytest.fixture
def registration(office_database: OfficeDatabases) -> OfficeDatabase:
    return office_database("registration")


@pytest.fixture
async def cube(office_database: OfficeDatabases) -> AsyncIterator[Stage]:
    database = office_database("reporting")
    async with stage(lambda role: database.superuser() if role == "superuser" else database.settings(role)) as found:
        yield found


async def book(office: OfficeDatabase, body: bytes) -> None:
    """Put these very bytes into the office's ledger, as an older release did."""
    engine = make_engine(office.settings("desk"))
    async with engine.begin() as connection:
        await open_ledgers(connection, [BOOK])
        assert (await lock_heads(connection, [BOOK]))[BOOK].number == 0
        record = Record(BOOK, 1, GENESIS, chain_hash(GENESIS, body), body)
        head = Head(BOOK, 1, record.hash, datetime.fromisoformat(golden()["time"]))
        await append(connection, [record], [head], ["reporting"])
        await beat(connection, "registration")
    await engine.dispose()


async def read(office: OfficeDatabase, cube: Stage, known: Mapping[str, type[Data]]) -> None:
    """Read the one record of the office's ledger through its feed."""
    reader = Reader(cube.reader, cube.effect, {**known_events(), **known})
    source = Source(office="registration", database=office.settings("feed_reporting"))
    deadline = monotonic() + DEADLINE_SECONDS
    async with LedgerFeed(source, reader, "reporting"):
        while not await _has_read(reader):
            assert monotonic() < deadline, "not read in time"
            await asyncio.sleep(0.02)


async def _has_read(reader: Reader) -> bool:
    positions = await reader.positions()
    return BOOK in positions and positions[BOOK].number == 1


async def arrivals(cube: Stage) -> Figure | None:
    question = Question(indicator="arrivals", as_of=(date(2018, 12, 31),))
    (cell,) = (await cube.ask(question, Audience.STATISTICS, NOW)).cells
    return number_of(cell.values[0])


async def test_a_golden_event_of_an_older_version_goes_the_whole_road(
    registration: OfficeDatabase, cube: Stage
) -> None:
    await book(registration, canonical_bytes(golden()))
    await read(registration, cube, {ResidentWelcomed.type: ResidentWelcomed})
    assert await arrivals(cube) == 1
    async with cube.web.connect() as connection:
        assert (await connection.execute(text("select count(*) from feed.parked"))).scalar_one() == 0


async def test_an_event_without_an_upcaster_is_parked_with_its_bytes_and_the_reason(
    registration: OfficeDatabase, cube: Stage
) -> None:
    body = canonical_bytes(golden())
    await book(registration, body)
    await read(registration, cube, welcomed({1: sex_is_unknown}))
    async with cube.superuser.connect() as connection:
        (parked,) = await connection.execute(text("select * from feed.parked"))
    assert {"no_upcaster", body} <= {bytes(value) if isinstance(value, memoryview) else value for value in parked}
