"""The ticker: writes a tick where enough has changed for an indicator, while the reader reads."""

import asyncio
from collections.abc import Callable, Collection
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from logging import getLogger
from types import TracebackType

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from reporting.deltas import day_of
from reporting.indicators import BadCatalogue, Catalogue, Indicator
from reporting.ticks import (
    Change,
    Head,
    Pace,
    Tick,
    distinct,
    has_many_changes,
    list_changes,
    list_heads,
    lock_heads,
    read_tick,
    units_wanted,
    write_tick,
)

_log = getLogger(__name__)

_ROUND_SECONDS = 5.0  # a tick may be so much later than it could be


def pace_of(indicator: Indicator) -> Pace:
    """How often an indicator ticks at the most."""
    return Pace(indicator.ticks.units, timedelta(minutes=indicator.ticks.minutes))


class Ticker:
    """Looks every few seconds whether a tick is due. Of several at once each waits for the other."""

    def __init__(
        self,
        engine: AsyncEngine,
        read: Callable[[str], Catalogue],
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """`read`: the catalogue of a municipality; raises `BadCatalogue` where nobody asks about that one here."""
        self._engine = engine
        self._read = read
        self._clock = clock
        self._catalogues: dict[str, Catalogue | None] = {}
        self._task: asyncio.Task[None] | None = None
        self._trouble: str | None = None

    async def __aenter__(self) -> "Ticker":
        self._task = asyncio.create_task(self._go_on())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def probe(self) -> str | None:
        """None while ticks are written; else what is wrong."""
        return self._trouble

    async def round(self) -> None:
        """Write the ticks that are due, for all cubes and indicators."""
        async with self._engine.begin() as connection:
            due = [
                (head, indicator, tick)
                for head in await list_heads(connection)
                for indicator, tick in await self._due(connection, head)
            ]
            if not due:
                return
            # What has changed once stays changed: only the number has to be that of a commit.
            locked = {head.municipality: head for head in await lock_heads(connection)}
            for head, indicator, tick in due:
                now = locked[head.municipality]
                place = (now.municipality, indicator.id, now.generation, now.number)
                if now.generation == head.generation and await read_tick(connection, *place) == tick:
                    await write_tick(connection, now, indicator.id, self._clock())

    async def _due(self, connection: AsyncConnection, head: Head) -> list[tuple[Indicator, Tick | None]]:
        """The indicators of which enough has changed since their last tick."""
        catalogue = self._catalogue(head.municipality)
        if catalogue is None:
            return []
        found = []
        for indicator in catalogue.indicators.values():
            tick = await read_tick(connection, head.municipality, indicator.id, head.generation, head.number)
            if indicator.breakdowns and await self._is_due(connection, head, tick, indicator, catalogue):
                found.append((indicator, tick))
        return found

    async def _is_due(
        self, connection: AsyncConnection, head: Head, tick: Tick | None, indicator: Indicator, catalogue: Catalogue
    ) -> bool:
        wanted, after = units_wanted(tick, pace_of(indicator), head, self._clock()), 0 if tick is None else tick.number
        # What is behind the last tick is counted exactly only where that can be enough.
        if wanted is None or not await has_many_changes(connection, head, after, wanted):
            return False
        return await self._count(connection, head, after, indicator, catalogue) >= wanted

    async def _count(
        self, connection: AsyncConnection, head: Head, after: int, indicator: Indicator, catalogue: Catalogue
    ) -> int:
        """How many units of an indicator have changed behind a batch."""
        counted = {count.measure for part in indicator.parts for count in part.counts}
        group = indicator.population.nationalities
        members = None if group is None else catalogue.city.members(group, day_of(self._clock()))
        changes = await list_changes(connection, head, after, counted)
        return distinct(change for change in changes if _counts(indicator, members, change))

    def _catalogue(self, municipality: str) -> Catalogue | None:
        if municipality not in self._catalogues:
            try:
                self._catalogues[municipality] = self._read(municipality)
            except BadCatalogue:
                _log.warning("a municipality has no catalogue here: no ticks", extra={"municipality": municipality})
                self._catalogues[municipality] = None
        return self._catalogues[municipality]

    async def _go_on(self) -> None:
        while True:
            try:
                await self.round()
                self._trouble = None
            except (SQLAlchemyError, OSError) as error:
                self._trouble = f"ticks cannot be written: {type(error).__name__}"
                _log.warning("ticks cannot be written: %s", type(error).__name__)
            await asyncio.sleep(_ROUND_SECONDS)


def _counts(indicator: Indicator, members: Collection[str] | None, change: Change) -> bool:
    """Whether a unit can be counted by an indicator, as far as the facts say that it always asks for."""
    if members is not None and change.dims.get("nationality") not in members:
        return False
    return any(
        change.measure in {count.measure for count in part.counts}
        and all(change.dims.get(name, "") in codes for name, codes in part.where.items())
        for part in indicator.parts
    )
