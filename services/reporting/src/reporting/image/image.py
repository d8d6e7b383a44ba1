"""The image of a municipality's cube: brought to the moment of whoever asks, batch by batch."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import date
from os import cpu_count
from time import monotonic

import adbc_driver_manager
import duckdb
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from reporting.cube import Head, read_head, snapshot
from reporting.image.columns import Columns, Taken
from reporting.image.loading import Origin, load
from reporting.image.reading import Reading, Row
from verbund.errors import Unavailable
from verbund.metrics import IMAGE_BATCH, IMAGE_GENERATION, IMAGE_ROWS, IMAGE_SECONDS

# Up to here rows are read one by one, which takes some ten milliseconds at the most; a load has to sign in first.
_FEW = 2_000
_MOST_THREADS = 4  # a question to ten million rows takes some hundredths of a second of a core

_BEHIND = text("""
    select batch.number, batch.batch, delta.measure, cell.dims, delta.effective_on, delta.recorded_on, delta.n,
           delta.key
    from cube.batch as batch
    left join cube.delta as delta using (municipality, batch)
    left join cube.cell as cell using (municipality, cell)
    where municipality = :municipality and batch.number > :after and batch.number <= :until
    limit :most
""")
_BATCH = text("select batch from cube.batch where municipality = :municipality and number = :number")
_EXPORT = text("select pg_export_snapshot()")


@dataclass(frozen=True, slots=True)
class Moment:
    """One moment of the cube: what `connection` sees is what is answered here, whatever is booked meanwhile."""

    municipality: str
    connection: AsyncConnection
    head: Head
    columns: Columns
    """Those that lead to `head`; they may go beyond it, and other ones may have taken their place by now."""

    def back_at(self, number: int) -> "Moment":
        """The same moment, with what is asked of the image as of an earlier batch."""
        return replace(self, head=Head(self.head.generation, min(number, self.head.number), None))

    async def read(self, reading: Reading) -> list[Row]:
        """The answer to a reading."""
        return await asyncio.to_thread(self.columns.read, reading, self.head.number)

    async def read_first_days(self, measures: Iterable[str], known_on: date | None) -> dict[str, date]:
        """The earliest day that a delta of each measure is about, as booked by the end of `known_on`.

        Measures without deltas are left out.
        """
        return await asyncio.to_thread(self.columns.read_first_days, list(measures), self.head.number, known_on)


class Image:
    """Follows the cube of one municipality. One for each process."""

    def __init__(self, engine: AsyncEngine, municipality: str, *, memory: str = "2GB") -> None:
        """`memory`: the most that DuckDB may take, as `2GB`."""
        self.engine = engine
        self.municipality = municipality
        self._memory = memory
        self._columns = self._fresh(0)
        self._extending = asyncio.Lock()

    @asynccontextmanager
    async def moment(self) -> AsyncIterator[Moment]:
        """The cube as it stands now."""
        async with snapshot(self.engine) as connection:
            yield await self.follow(connection)

    async def follow(self, connection: AsyncConnection) -> Moment:
        """The moment of a snapshot (`cube.snapshot`). Raises `Unavailable` where the image cannot be brought to it.

        Extends what is held where that leads to the snapshot, and loads afresh where it does not: another generation,
        or another batch under a number, as after a restore. An earlier snapshot asks what is held as far as it sees.
        """
        head = await read_head(connection, self.municipality)
        columns = self._columns
        if columns.head != head:
            # One at a time. Whoever is cancelled leaves a thread behind: columns notice that they were moved on.
            async with self._extending:
                columns = await self._columns_for(connection, head)
        return Moment(self.municipality, connection, head, columns)

    async def _columns_for(self, connection: AsyncConnection, head: Head) -> Columns:
        columns, begun = self._columns, monotonic()
        if await self._leads(connection, columns, head):
            await self._extend(connection, columns, head)
            IMAGE_SECONDS.labels("followed").observe(monotonic() - begun)
        else:
            columns = self._fresh(head.generation)
            await self._extend(connection, columns, head)
            self._columns = columns
            IMAGE_SECONDS.labels("loaded").observe(monotonic() - begun)
        IMAGE_GENERATION.set(columns.head.generation)
        IMAGE_BATCH.set(columns.head.number)
        IMAGE_ROWS.set(columns.rows)
        return columns

    def _fresh(self, generation: int) -> Columns:
        return Columns(generation, self._memory, min(cpu_count() or 1, _MOST_THREADS))

    async def _leads(self, connection: AsyncConnection, columns: Columns, head: Head) -> bool:
        """Whether what is held is a part of the snapshot's cube, or the other way round."""
        held = columns.head
        if held.generation != head.generation:
            return False
        if head.number < held.number:
            return await asyncio.to_thread(columns.batch_at, head.number) == head.batch
        given = {"municipality": self.municipality, "number": held.number}
        stands = (await connection.execute(_BATCH, given)).scalar()
        return bool(stands == held.batch)

    async def _extend(self, connection: AsyncConnection, columns: Columns, head: Head) -> None:
        while (behind := columns.head).number < head.number:
            given = {"municipality": self.municipality, "after": behind.number, "until": head.number}
            rows = (await connection.execute(_BEHIND, {**given, "most": _FEW + 1})).all()
            try:
                if len(rows) > _FEW:
                    origin = Origin(_conninfo(connection), await _export(connection), self.municipality)
                    await asyncio.to_thread(load, columns, origin, behind, head)
                else:
                    batches = {row.number: row.batch for row in rows}
                    taken = [Taken(number, *rest) for number, _, *rest in rows if rest[0] is not None]
                    await asyncio.to_thread(columns.take_in, behind, head, batches, taken)
            except (duckdb.Error, adbc_driver_manager.Error) as error:
                raise Unavailable(
                    "figures_not_loaded",
                    "The figures cannot be loaded. Try again in a moment.",
                    retry_after_seconds=5,
                ) from error


async def _export(connection: AsyncConnection) -> str:
    return str((await connection.execute(_EXPORT)).scalar_one())


def _conninfo(connection: AsyncConnection) -> str:
    return connection.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
