"""A cube for tests of pages: synthetic counts whose year ends are the printed ones, written past the reader."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from random import Random

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from stage.cube import with_cells
from uuid_utils.compat import uuid7

from reporting.cube import append, number_batch
from reporting.deltas import Delta, Dims, day_of, summed
from reporting.indicators import read_catalogue
from reporting.ticking import Ticker
from verbund.database import make_engine
from verbund.ledger.record import GENESIS
from verbund.settings import DatabaseSettings

MUNICIPALITY = "05913000"
BOOK = f"/{MUNICIPALITY}/registration/book"
BULGARIA, ROMANIA = "125", "154"

_BATCH = 20_000
_VERSIONS = {"registration": 1}
_BEGIN = date(2006, 12, 31)
# Printed year ends (status report 2019), Bulgaria and Romania; 2006 is split here as 2007 is. Later years are made up.
_YEAR_ENDS: dict[int, tuple[int, int]] = {
    2006: (349, 224),
    2007: (970, 624),
    2008: (1090, 720),
    2009: (1210, 820),
    2010: (1335, 925),
    2011: (1400, 1280),
    2012: (1468, 1642),
    2013: (2000, 2470),
    2014: (2471, 4109),
    2015: (2988, 4913),
    2016: (3416, 4561),
    2017: (3718, 4797),
    2018: (3925, 5114),
    2019: (4090, 5390),
    2020: (4120, 5480),
    2021: (4205, 5710),
    2022: (4310, 5985),
    2023: (4395, 6170),
    2024: (4450, 6290),
    2025: (4490, 6415),
}
_AREAS = (
    "04",
    "05",
    "06",
    "00",
    "01",
    "02",
    "07",
    "09",
    "12",
    "13",
    "21",
    "26",
    "31",
    "41",
    "51",
    "61",
    "71",
    "81",
    "91",
)
_WEIGHTS = (16, 28, 9, 2, 1, 3, 2, 1, 4, 2, 1, 3, 2, 2, 3, 2, 4, 6, 5)


@dataclass(frozen=True)
class Cube:
    """Writes to the cube as its reader does."""

    database: DatabaseSettings
    """Under the reader's role."""
    superuser: DatabaseSettings

    async def take_in(self, deltas: Sequence[Delta], *, recorded_at: datetime | None = None) -> int:
        """One batch of deltas and the position that moves with it; returns the batch's number."""
        engine = make_engine(self.database)
        try:
            return await self._take_in(engine, deltas, recorded_at or datetime.now(UTC))
        finally:
            await engine.dispose()

    async def _take_in(self, engine: AsyncEngine, deltas: Sequence[Delta], recorded_at: datetime) -> int:
        batch = uuid7()
        async with engine.begin() as connection:
            await connection.execute(_MOVE, {"ledger": BOOK, "hash": GENESIS, "at": recorded_at})
            await append(connection, MUNICIPALITY, batch, with_cells(summed(deltas)))
            return await number_batch(connection, MUNICIPALITY, batch, _VERSIONS)

    async def tick(self) -> None:
        """Everything that stands there is shown to everybody from now on."""
        engine = make_engine(self.database)
        try:
            await Ticker(engine, read_catalogue).round()
        finally:
            await engine.dispose()

    async def hear(self, heard_at: datetime) -> None:
        """A sign of life of the office."""
        await self._execute("update feed.position set heard_at = :at", at=heard_at)

    async def stop(self, reason: str | None) -> None:
        """Stop reading the office's book, or go on (None)."""
        await self._execute("update feed.position set stop_reason = :reason, stopped_at = now()", reason=reason)

    async def _execute(self, statement: str, **values: object) -> None:
        engine = make_engine(self.database)
        try:
            async with engine.begin() as connection:
                await connection.execute(text(statement), values)
        finally:
            await engine.dispose()

    async def _analyse(self) -> None:
        """What PostgreSQL does by itself within two minutes of a load."""
        engine = make_engine(self.superuser)
        try:
            async with engine.begin() as connection:
                await connection.execute(text("analyze cube.delta, cube.cell"))
        finally:
            await engine.dispose()

    def fill(self, today: date | None = None) -> None:
        """Take in the whole synthetic history up to a day."""
        day = today or day_of(datetime.now(UTC))
        asyncio.run(self._fill(list(history(day)), datetime.now(UTC) - timedelta(minutes=3)))

    async def _fill(self, deltas: Sequence[Delta], recorded_at: datetime) -> None:
        engine = make_engine(self.database)
        try:
            for start in range(0, len(deltas), _BATCH):  # the reader's role has to be done with each within seconds
                await self._take_in(engine, deltas[start : start + _BATCH], recorded_at)
        finally:
            await engine.dispose()
        await self.hear(datetime.now(UTC))
        await self._analyse()


_MOVE = text("""
    insert into feed.position (ledger, number, hash, recorded_at, moved_at, heard_at)
    values (:ledger, 1, :hash, :at, now(), now())
    on conflict (ledger) do update
    set number = position.number + 1, recorded_at = :at, moved_at = now(), heard_at = now()
""")


def resident(area: str, nationality: str, birth_year: int = 1990, sex: str = "f") -> Dims:
    """The facts of a resident with a main residence."""
    facts = {
        "area": area,
        "birth_year": str(birth_year),
        "nationality": nationality,
        "residence_kind": "main",
        "sex": sex,
    }
    return tuple(sorted(facts.items()))


def comes(kind: str, dims: Dims, on: date, n: int = 1) -> Iterator[Delta]:
    """What `n` residents add that come (`openings`, `arrivals`, `births`) or go (`departures`, `deaths`)."""
    sign = -1 if kind in ("departures", "deaths") else 1
    yield Delta(MUNICIPALITY, kind, dims, on, on, "booked", n, 0)
    yield Delta(MUNICIPALITY, "residents", dims, on, on, "booked", sign * n, 0)


def moves(dims: Dims, area_to: str, on: date) -> Iterator[Delta]:
    """What one move within the city adds."""
    facts = dict(dims)
    after = tuple(sorted({**facts, "area": area_to}.items()))
    others = {name: value for name, value in facts.items() if name != "area"}
    move = tuple(sorted({**others, "area_from": facts["area"], "area_to": area_to}.items()))
    yield Delta(MUNICIPALITY, "moves", move, on, on, "booked", 1, 0)
    yield Delta(MUNICIPALITY, "residents", dims, on, on, "booked", -1, 0)
    yield Delta(MUNICIPALITY, "residents", after, on, on, "booked", 1, 0)


def registration(area: str, on: date, late: str) -> Delta:
    """One act of registration."""
    facts = {
        "area": area,
        "arrival_kind": "abroad",
        "at_flagged_premises": "false",
        "landlord_confirmation": "present",
        "late": late,
        "residence_kind": "main",
    }
    return Delta(MUNICIPALITY, "registrations", tuple(sorted(facts.items())), on, on, "booked", 1, 0)


def history(today: date, seed: int = 2018) -> Iterator[Delta]:
    """Openings at the end of 2006, and then per year as many arrivals and departures as lead to the printed stock."""
    chance = Random(seed)
    for nationality, count in zip((BULGARIA, ROMANIA), _YEAR_ENDS[2006], strict=True):
        for _ in range(count):
            yield from comes("openings", _somebody(chance, nationality, 2006), _BEGIN)
    for year in range(2007, today.year + 1):
        last = min(date(year, 12, 31), today)
        ends = _YEAR_ENDS.get(year, _YEAR_ENDS[max(_YEAR_ENDS)])
        before = _YEAR_ENDS.get(year - 1, ends)
        for nationality, now, then in zip((BULGARIA, ROMANIA), ends, before, strict=True):
            yield from _year(chance, nationality, date(year, 1, 1), last, now - then)


def _year(chance: Random, nationality: str, first: date, last: date, change: int) -> Iterator[Delta]:
    days = (last - first).days
    births, deaths, departures = (chance.randint(*limits) for limits in ((40, 60), (5, 12), (900, 1500)))
    arrivals = change - births + deaths + departures
    for kind, count in (("births", births), ("deaths", deaths), ("departures", departures), ("arrivals", arrivals)):
        for _ in range(count):
            on = first + timedelta(days=chance.randint(0, days))
            dims = _somebody(chance, nationality, on.year if kind == "births" else on.year - chance.randint(1, 60))
            yield from comes(kind, dims, on)
            if kind == "arrivals":
                yield registration(dict(dims)["area"], on, chance.choice(("true", "false", "false", "false")))
    for _ in range(chance.randint(350, 500)):
        somebody, (area_to,) = _somebody(chance, nationality, first.year - 30), chance.choices(_AREAS, _WEIGHTS)
        yield from moves(somebody, area_to, first + timedelta(days=chance.randint(0, days)))


def _somebody(chance: Random, nationality: str, birth_year: int) -> Dims:
    (area,) = chance.choices(_AREAS, _WEIGHTS)
    return resident(area, nationality, birth_year, chance.choice(("f", "m")))
