"""The hub: one per process. It follows the cube and tells every open stream what changed, as soon as it is booked."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from logging import getLogger
from time import monotonic
from types import TracebackType
from typing import Literal

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from reporting.alerts import ListedAlert, list_open
from reporting.audiences import Audience
from reporting.cube import Head, read_batches, read_head, snapshot
from reporting.deltas import day_of
from reporting.figures import Answer, Freshness, answer_with, measure, plan_of, read_remarks
from reporting.figures.sources import read_freshness
from reporting.image import Image
from reporting.indicators import Catalogue
from reporting.live.streams import Streams
from reporting.live.views import FactBeforeTheBeginning, View
from reporting.live.waking import Waker
from reporting.wording import tile_question
from verbund.errors import Unavailable
from verbund.metrics import LIVE_LATENCY_SECONDS, SOURCE_OVERDUE

_log = getLogger(__name__)

# Changes within it are told together: nobody sees more of them than a screen shows. And where looking takes long, as
# with many open pages, the process rests three times as long, so that it has time for whoever asks.
_BREATH_SECONDS = 0.02
_REST = 3
_LONGEST_WAIT_SECONDS = 10.0
_FRESHNESS_SECONDS = 10.0
_LONG_AGO = datetime.min.replace(tzinfo=UTC)
_MANY_DELTAS = 500  # from here on asking once costs less than adding one by one
_HISTORY = timedelta(days=1)  # facts of an initial load carry times of long ago: they say nothing about latency

_BATCH = text("select batch from cube.batch where municipality = :municipality and number = :number")
_BOOKED = text("select ledger, recorded_at from feed.position where recorded_at is not null")

OpenAlerts = Mapping[Audience, tuple[ListedAlert, ...]]
"""By audience, the alerts that it is told of."""
_TOLD_OF_ALERTS = (Audience.COORDINATION, Audience.STATISTICS)

# City totals are exact and live for everybody who sees figures at all: what the narrowest of them may see.
_AUDIENCE = Audience.COORDINATION


@dataclass(frozen=True, slots=True)
class Moved:
    """What open pages are told: answers that changed (`tiles`), how the sources stand (`sources`), or all alerts that
    are open (`alerts`)."""

    what: Literal["tiles", "sources", "alerts"]
    head: Head
    on: date
    answers: tuple[Answer, ...] = ()
    sources: tuple[Freshness, ...] = ()
    alerts: OpenAlerts = field(default_factory=dict)


class Hub:
    """Holds today's views of one municipality. Reads only; whatever goes wrong, it asks afresh."""

    def __init__(
        self,
        image: Image,
        catalogue: Catalogue,
        waker: Waker,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.streams: Streams[Moved] = Streams()
        self._image = image
        self._catalogue = catalogue
        self._waker = waker
        self._clock = clock
        self._views: dict[str, View] = {}
        self._changed_at: dict[str, tuple[int, int]] = {}
        self._remarked_at: dict[str, tuple[int, int]] = {}
        """As `_changed_at`, where something was noted: that comes between two batches."""
        self._head: Head | None = None
        self._held: Head | None = None
        """As `_head`, where the views are known to be true at it: only then may deltas be added to them."""
        self._on: date = date.min
        self._booked: Mapping[str, datetime] = {}
        self._sources: tuple[Freshness, ...] = ()
        self._alerts: OpenAlerts = {}
        self._trouble: str | None = "not read yet"
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> "Hub":
        for work in (self._waker.listen(), self._follow(), self._tell_freshness()):
            task = asyncio.create_task(work)
            task.add_done_callback(_report)
            self._tasks.append(task)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.streams.end_all()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def probe(self) -> str | None:
        """None while the views follow the cube; else what is wrong."""
        dead = [task for task in self._tasks if task.done()]
        return "stopped following the cube" if dead else self._trouble

    def everything(self) -> Moved | None:
        """All views as they stand; None before the cube was read for the first time."""
        if self._head is None:
            return None
        return Moved("tiles", self._head, self._on, tuple(view.answer for view in self._views.values()))

    def held_tiles(self, on: date) -> Mapping[str, Answer]:
        """The answers of the views by indicator, where they stand for this day and follow the cube; empty elsewhere."""
        if on != self._on or self._trouble is not None:
            return {}
        return {name: view.answer for name, view in self._views.items()}

    def freshness(self) -> Moved | None:
        """How the sources stand, as last read."""
        return None if self._head is None else Moved("sources", self._head, self._on, sources=self._sources)

    def alerts(self) -> Moved | None:
        """All alerts that are open, as last read: whoever comes back is told all of them, so that none is missed."""
        return None if self._head is None else Moved("alerts", self._head, self._on, alerts=self._alerts)

    def since(self, generation: int, batch: int) -> Moved | None:
        """What changed after a batch of a generation; everything where that cannot be told."""
        whole = self.everything()
        if whole is None or generation != whole.head.generation or not 0 < batch <= whole.head.number:
            return whole
        seen = (generation, batch)
        later = tuple(
            found
            for found in whole.answers
            if self._changed_at[found.indicator] > seen or self._remarked_at.get(found.indicator, (-1, -1)) >= seen
        )
        return Moved("tiles", whole.head, whole.on, later)

    async def refresh(self) -> None:
        """Bring the views to the head of the cube once, and tell the open streams."""
        now, municipality = self._clock(), self._catalogue.city.municipality
        async with snapshot(self._image.engine) as connection:
            head, booked = await read_head(connection, municipality), await _booked(connection)
            held, self._held = self._held, None  # whatever goes wrong from here on, the next time asks afresh
            if held is None or day_of(now) != self._on or not await _leads_on(connection, municipality, held, head):
                changed = await self._ask_all(connection, head, now)
            elif head.number > held.number:
                changed = await self._take_in(connection, held, head, now)
            else:
                changed = ()
            alerts = {each: tuple(await list_open(connection, municipality, each)) for each in _TOLD_OF_ALERTS}
            self._head = self._held = head
        self._trouble = None
        if changed:
            self.streams.send(Moved("tiles", head, self._on, tuple(changed)))
        if alerts != self._alerts:
            self._alerts = alerts
            self.streams.send(Moved("alerts", head, self._on, alerts=alerts))
        self._measure(booked)

    async def _ask_all(self, connection: AsyncConnection, head: Head, now: datetime) -> Sequence[Answer]:
        moment = await self._image.follow(connection)
        on, views = day_of(now), {}
        for indicator in self._catalogue.indicators.values():
            if indicator.delivered is not None:
                continue  # no fact of a book changes it
            plan = plan_of(self._catalogue, tile_question(indicator, on, None), _AUDIENCE, now)
            begin, amounts = await measure(moment, plan)
            found = await answer_with(moment, plan, begin, amounts, now)
            views[indicator.id] = View(found, plan, amounts, begin.stock_on)
        self._views, self._on = views, on
        self._changed_at = dict.fromkeys(views, (head.generation, head.number))
        return [view.answer for view in views.values()]

    async def _take_in(self, connection: AsyncConnection, held: Head, head: Head, now: datetime) -> Sequence[Answer]:
        # Not by way of the image: views hold their sums, and every millisecond here makes each page so much later.
        municipality = self._catalogue.city.municipality
        deltas = [one.delta for one in await read_batches(connection, municipality, held.number, head.number)]
        if len(deltas) > _MANY_DELTAS:
            return await self._ask_all(connection, head, now)
        try:
            changed = [view.answer for view in self._views.values() if view.add(deltas, head, now)]
        except FactBeforeTheBeginning:
            return await self._ask_all(connection, head, now)
        self._changed_at |= dict.fromkeys((found.indicator for found in changed), (head.generation, head.number))
        return changed

    def _measure(self, booked: Mapping[str, datetime]) -> None:
        """Observe how long the newest fact of each ledger took from its booking to here."""
        if self._booked:
            now = self._clock()
            for ledger, recorded_at in booked.items():
                if recorded_at > self._booked.get(ledger, _LONG_AGO) and now - recorded_at < _HISTORY:
                    LIVE_LATENCY_SECONDS.observe(max((now - recorded_at).total_seconds(), 0.0))
        self._booked = booked

    async def _follow(self) -> None:
        wait_seconds = _BREATH_SECONDS
        while True:
            await self._waker.wait()
            begun = monotonic()
            try:
                await self.refresh()
                wait_seconds = min(max(_BREATH_SECONDS, _REST * (monotonic() - begun)), _LONGEST_WAIT_SECONDS)
            except (SQLAlchemyError, OSError, Unavailable) as error:
                self._trouble = f"the cube cannot be read: {type(error).__name__}"
                _log.warning("live views stand still: %s", type(error).__name__)
                wait_seconds = min(wait_seconds * 2, _LONGEST_WAIT_SECONDS)
            await asyncio.sleep(wait_seconds)

    async def _tell_freshness(self) -> None:
        while True:
            try:
                await self.refresh_sources()
            except (SQLAlchemyError, OSError, Unavailable) as error:
                _log.warning("how fresh the sources are cannot be read: %s", type(error).__name__)
            await asyncio.sleep(_FRESHNESS_SECONDS)

    async def refresh_sources(self) -> None:
        """Read how the sources stand and what was noted, and tell the open streams, also where nothing changed."""
        now = self._clock()
        sources = dict.fromkeys(indicator.source_office for indicator in self._catalogue.indicators.values())
        async with self._image.moment() as moment:  # and the image stays near, so that no page waits for much
            connection = moment.connection
            self._sources = tuple([await read_freshness(connection, self._catalogue, name, now) for name in sources])
            remarked = [
                view.answer
                for view in list(self._views.values())
                if view.remark(await read_remarks(connection, view.plan))
            ]
        for source in self._sources:
            SOURCE_OVERDUE.labels(source.office).set(source.state == "overdue")
        told = self.freshness()
        if told is not None:
            if remarked:
                place = (told.head.generation, told.head.number)
                self._remarked_at |= {found.indicator: place for found in remarked}
                self.streams.send(Moved("tiles", told.head, self._on, tuple(remarked)))
            self.streams.send(told)


async def _booked(connection: AsyncConnection) -> dict[str, datetime]:
    """When the offices booked the newest fact that is in the cube, by ledger."""
    return {row.ledger: row.recorded_at for row in await connection.execute(_BOOKED)}


async def _leads_on(connection: AsyncConnection, municipality: str, held: Head, head: Head) -> bool:
    """Whether what was held leads to `head` by its further batches. Not so after a rebuild or a restore."""
    if head.generation != held.generation or head.number < held.number:
        return False
    given = {"municipality": municipality, "number": held.number}
    stands = (await connection.execute(_BATCH, given)).scalar()
    return bool(stands == held.batch)


def _report(task: asyncio.Task[None]) -> None:
    """A task that ends by itself is a bug: the probe says that it is gone, this says why."""
    if not task.cancelled() and (error := task.exception()) is not None:
        _log.error("live views stopped following the cube", exc_info=error)
