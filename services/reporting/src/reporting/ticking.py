"""The ticker: writes a tick where enough has changed for an indicator, while the reader reads."""

import asyncio
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from logging import getLogger
from types import TracebackType

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from reporting.audiences import Audience
from reporting.deltas import day_of
from reporting.indicators import BadCatalogue, Catalogue, Indicator, period_around
from reporting.releases import release_is_due
from reporting.ticks import (
    MARGINS,
    Change,
    Head,
    LastTicks,
    Pace,
    distinct,
    has_many_changes,
    list_changes,
    list_heads,
    lock_heads,
    read_former,
    read_ticks,
    units_wanted,
    write_ticks,
)
from verbund.metrics import TICKS

_log = getLogger(__name__)

_ROUND_SECONDS = 5.0  # a tick may be so much later than it could be


@dataclass(frozen=True, slots=True)
class _Due:
    """Ticks to be written: for whom, of what, where, and what the last ones were when that was found."""

    head: Head
    indicator: str
    audience: Audience
    districts: Collection[str]
    last: LastTicks | None


def pace_of(indicator: Indicator) -> Pace:
    """How often an indicator ticks at the most."""
    ticks = indicator.audiences.coordination.ticks
    return Pace(ticks.units, timedelta(minutes=ticks.minutes), ticks.units_per_district)


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
        """Write the ticks that are due, for all cubes, indicators and audiences."""
        written: list[Audience] = []
        async with self._engine.begin() as connection:
            due = [each for head in await list_heads(connection) for each in await self._due(connection, head)]
            if not due:
                return
            # What has changed once stays changed: only the number has to be that of a commit.
            locked = {head.municipality: head for head in await lock_heads(connection)}
            for each in due:
                now = locked[each.head.municipality]
                if now.generation == each.head.generation and each.last == await read_ticks(
                    connection, now, each.indicator, each.audience
                ):
                    await write_ticks(connection, now, each.indicator, each.audience, each.districts, self._clock())
                    written.append(each.audience)
        for audience in written:  # and committed
            TICKS.labels(audience.value).inc()

    async def _due(self, connection: AsyncConnection, head: Head) -> list[_Due]:
        catalogue = self._catalogue(head.municipality)
        if catalogue is None:
            return []
        found = []
        for indicator in catalogue.indicators.values():
            group, public = Audience.COORDINATION, Audience.PUBLIC
            last = await read_ticks(connection, head, indicator.id, group)
            if indicator.breakdowns or indicator.audiences.public is not None:
                moving = await self._moving(connection, head, last, indicator, catalogue)
                if moving is not None:
                    found.append(_Due(head, indicator.id, group, (MARGINS, *moving), last))
            if indicator.audiences.public is not None:
                released = await read_ticks(connection, head, indicator.id, public)
                if await release_is_due(connection, head, indicator, released, last, self._clock()):
                    found.append(_Due(head, indicator.id, public, (MARGINS,), released))
        return found

    async def _moving(
        self,
        connection: AsyncConnection,
        head: Head,
        last: LastTicks | None,
        indicator: Indicator,
        catalogue: Catalogue,
    ) -> Collection[str] | None:
        """The Stadtbezirke that move where an indicator ticks now; None where it does not."""
        at, pace, districts = self._clock(), pace_of(indicator), catalogue.city.districts
        tick = None if last is None else last.of_margins
        former_at = await read_former(connection, head, indicator.id, Audience.COORDINATION) if last is None else None
        wanted, after = units_wanted(tick, pace, head, at, former_at), 0 if tick is None else tick.number
        # What is behind the last tick is counted exactly only where that can be enough.
        if wanted is None or not await has_many_changes(connection, head, after, wanted):
            return None
        if distinct(await self._changes(connection, head, after, indicator, catalogue)) < wanted:
            return None
        if last is None or wanted > pace.units:
            return districts  # nothing was shown before; or so many come at once that a stock is being loaded
        earliest = min((tick.number for tick in last.by_district.values()), default=after)
        changes = await self._changes(connection, head, earliest, indicator, catalogue)
        return list(_moved_enough(catalogue, indicator, last, changes, at))

    async def _changes(
        self, connection: AsyncConnection, head: Head, after: int, indicator: Indicator, catalogue: Catalogue
    ) -> Sequence[Change]:
        """What has changed behind a batch of what an indicator counts."""
        counted = {count.measure for part in indicator.parts for count in part.counts}
        group = indicator.population.nationalities
        members = None if group is None else catalogue.city.members(group, day_of(self._clock()))
        changes = await list_changes(connection, head, after, counted)
        return [change for change in changes if _counts(indicator, members, change)]

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


def _moved_enough(
    catalogue: Catalogue, indicator: Indicator, last: LastTicks, changes: Sequence[Change], at: datetime
) -> Iterator[str]:
    """The Stadtbezirke in which enough units have changed: so many of its own, or, once a period is over, fewer.

    At the end of a period the figures of that end move whatever happens; and nobody waits for years in a quiet one.
    """
    pace, periods = pace_of(indicator), indicator.audiences.coordination.every
    by_district: dict[str, list[Change]] = {}
    for change in changes:
        by_district.setdefault(_district_of(catalogue, change.dims), []).append(change)
    for district in catalogue.city.districts:
        tick = last.by_district.get(district)
        if tick is None:
            yield district
            continue
        moved = distinct(change for change in by_district.get(district, ()) if change.number > tick.number)
        is_over = any(period_around(day_of(tick.ticked_at), every).to_on < day_of(at) for every in periods)
        if moved >= (pace.units if is_over else pace.units_per_district):
            yield district


def _district_of(catalogue: Catalogue, dims: Mapping[str, str]) -> str:
    """Where a change is placed; a move where it went to, as figures count it."""
    return catalogue.city.district_of(dims.get("area", dims.get("area_to", "")))
