"""The cube: sums of deltas in PostgreSQL, append-only, in numbered batches; and the one snapshot that reads it.

Numbers of batches are gapless and in the order of commits, per municipality. Nothing here commits.
"""

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any
from uuid import UUID

import psycopg
from psycopg import AsyncConnection as Driver
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from reporting.deltas import Delta, Dims, Sum
from verbund.events.ledger_ids import book_of
from verbund.feeds.reader import EffectRefused

CHANNEL = "cube"
"""PostgreSQL notifies here, with the municipality as payload, when a batch was committed."""

# Sorted, so that two readers that bring the same new cells wait for each other instead of dying in each other's arms.
_INSERT_CELLS = text("""
    insert into cube.cell (municipality, cell, measure, dims)
    select :municipality, cell, measure, dims
    from jsonb_to_recordset(cast(:cells as jsonb)) as new (cell bigint, measure text, dims jsonb)
    order by cell
    on conflict do nothing
""")
_MISSING_CELLS = text("""
    select cell from unnest(cast(:cells as bigint[])) as wanted (cell)
    where not exists (select from cube.cell as known where municipality = :municipality and known.cell = wanted.cell)
""")
_COPY_DELTAS = """
    copy cube.delta (municipality, batch, measure, cell, effective_on, recorded_on, cause, n, key) from stdin
"""
# One statement: the head stays locked from here to the commit, so the order of numbers is the order of commits.
_NUMBER = text("""
    with head as (
        insert into cube.batch_head as head (municipality, number, versions)
        values (:municipality, 1, cast(:versions as jsonb))
        on conflict (municipality) do update
        set number = head.number + 1, versions = head.versions || excluded.versions
        where (head.versions || excluded.versions) @> head.versions
        returning number
    ), numbered as (
        insert into cube.batch (municipality, number, batch)
        select :municipality, number, cast(:batch as uuid) from head
        returning number
    )
    select number, pg_notify('cube', :municipality) from numbered
""")
_HEAD = text("""
    select head.generation, head.number, batch.batch
    from cube.batch_head as head left join cube.batch as batch using (municipality, number)
    where municipality = :municipality
""")
_BATCHES = text("""
    select batch.number, delta.municipality, delta.measure, cell.dims, delta.effective_on, delta.recorded_on,
           delta.cause, delta.n, delta.key
    from cube.batch as batch
    join cube.delta as delta using (municipality, batch)
    join cube.cell as cell using (municipality, cell)
    where municipality = :municipality and batch.number > :after and batch.number <= :until
    order by batch.number
""")
_VERSIONS = text("select municipality, versions from cube.batch_head order by municipality")
# Without a snapshot yet: a statement that waits here for a cube to change places sees the one that has come.
_STAY = text("lock table cube.batch_head in access share mode")


class CubeOfAnotherVersion(EffectRefused):
    """The cube was made by other versions of the delta functions: taking more in would mix two meanings."""

    reason = "other_version"

    def __init__(self, municipality: str, stood: Mapping[str, int], wanted: Mapping[str, int]) -> None:
        differing = ", ".join(
            f"{office} has {stood[office]} there and {wanted[office]} here" for office in _differing(stood, wanted)
        )
        super().__init__(
            f"the cube of {municipality} was made by other versions of the delta functions ({differing}):"
            " run `verbund rebuild`, or start the release that made it"
        )


@dataclass(frozen=True, slots=True)
class Head:
    """Where the cube of a municipality ends. Numbers compare within one generation only."""

    generation: int
    number: int
    batch: UUID | None
    """UUID of the last batch: another one under the same number means that the cube was restored."""


@dataclass(frozen=True, slots=True)
class Numbered:
    """A delta with the number of its batch."""

    number: int
    delta: Delta


async def check_versions(connection: AsyncConnection, versions: Mapping[str, int]) -> None:
    """Raise `CubeOfAnotherVersion` where deltas of an office stand in the cube under another version."""
    for row in await connection.execute(_VERSIONS):
        if _differing(row.versions, versions):
            raise CubeOfAnotherVersion(row.municipality, row.versions, versions)


async def list_books_of_other_versions(connection: AsyncConnection, versions: Mapping[str, int]) -> list[str]:
    """The books whose deltas stand in the cube under another version than these."""
    rows = await connection.execute(_VERSIONS)
    return [book_of(row.municipality, office) for row in rows for office in _differing(row.versions, versions)]


async def append(connection: AsyncConnection, municipality: str, batch: UUID, sums: Sequence[Sum]) -> None:
    """Add the sums of one municipality under a fresh UUID; they show once the batch is numbered and committed."""
    await _open_cells(connection, municipality, dict(sums))
    driver = await _driver(connection)
    try:
        async with driver.cursor() as cursor, cursor.copy(_COPY_DELTAS) as copy:
            await copy.write(lines_of(municipality, batch, sums))
    except psycopg.Error as error:
        # Said as SQLAlchemy says it of its own statements: the database failed here, and no delta function.
        raise DBAPIError.instance(_COPY_DELTAS, None, error, psycopg.Error) from error


async def _open_cells(connection: AsyncConnection, municipality: str, cells: Mapping[int, Delta]) -> None:
    """Make sure that these cells are there; `cells` has one delta of each, for its measure and facts."""
    # Most are there, and only their numbers travel: written as text, because the driver takes longer over a list.
    numbers = "{" + ",".join(map(str, cells)) + "}"
    rows = await connection.execute(_MISSING_CELLS, {"municipality": municipality, "cells": numbers})
    missing = {row.cell: cells[row.cell] for row in rows}
    if missing:
        new = [
            {"cell": str(cell), "measure": delta.measure, "dims": dict(delta.dims)} for cell, delta in missing.items()
        ]
        await connection.execute(_INSERT_CELLS, {"municipality": municipality, "cells": json.dumps(new)})


async def number_batch(connection: AsyncConnection, municipality: str, batch: UUID, versions: Mapping[str, int]) -> int:
    """Give a batch the next number, as the last statement before the commit; returns it.

    `versions` are those of the functions that made the deltas. Raises `CubeOfAnotherVersion`.
    """
    given = {"municipality": municipality, "batch": batch, "versions": json.dumps(versions)}
    row = (await connection.execute(_NUMBER, given)).first()
    if row is None:
        await check_versions(connection, versions)
        raise AssertionError("the head of the cube took no number")
    number: int = row.number
    return number


@asynccontextmanager
async def snapshot(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """A read-only connection on which every statement sees the same moment, and the same cube."""
    async with engine.connect() as connection:
        await connection.execution_options(
            isolation_level="REPEATABLE READ", postgresql_readonly=True, postgresql_deferrable=False
        )
        await connection.execute(_STAY)
        yield connection


async def read_head(connection: AsyncConnection, municipality: str) -> Head:
    """The head; generation 0 where nothing was ever taken in, number 0 where this generation has nothing."""
    row = (await connection.execute(_HEAD, {"municipality": municipality})).first()
    return Head(0, 0, None) if row is None else Head(row.generation, row.number, row.batch)


async def read_batches(connection: AsyncConnection, municipality: str, after: int, until: int) -> list[Numbered]:
    """The deltas of the batches with after < number <= until, in order of number."""
    rows = await connection.execute(_BATCHES, {"municipality": municipality, "after": after, "until": until})
    return [Numbered(number, Delta(place, measure, _dims(dims), *rest)) for number, place, measure, dims, *rest in rows]


def _differing(stood: Mapping[str, int], wanted: Mapping[str, int]) -> list[str]:
    return [office for office in sorted(stood.keys() & wanted.keys()) if stood[office] != wanted[office]]


def _dims(dims: dict[str, str]) -> Dims:
    return tuple(sorted(dims.items()))


def lines_of(municipality: str, batch: UUID, sums: Sequence[Sum]) -> str:
    """COPY's text format; words of measures and causes are plain, so nothing needs escaping."""
    place = f"{municipality}\t{batch}\t"
    return "".join(
        [
            f"{place}{measure}\t{cell}\t{_day(effective_on)}\t{_day(recorded_on)}\t{cause}\t{n}\t{key}\n"
            for cell, (_, measure, _, effective_on, recorded_on, cause, n, key) in sums
        ]
    )


# There are far fewer days than deltas, and a day takes as long to write as all the rest of a line.
_day = lru_cache(maxsize=10_000)(date.isoformat)


async def _driver(connection: AsyncConnection) -> Driver[Any]:
    """The psycopg connection under SQLAlchemy's, in the same transaction: COPY is there only."""
    raw = await connection.get_raw_connection()
    driver = raw.driver_connection
    assert isinstance(driver, Driver)
    return driver
