"""The evaluator: looks at the watched figures with the eyes of their audiences, and has crossings booked.

One at a time in all processes (an advisory lock of PostgreSQL). Nothing rests on that alone: the desk books each
crossing once, so whoever is killed between looking and booking loses nothing and doubles nothing (decision 0019).
"""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime
from logging import getLogger
from types import TracebackType
from typing import Any

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from reporting.alerts.domain import Threshold, question_of
from reporting.alerts.reading import list_watched
from reporting.audiences import Audience
from reporting.commands.alerts import EndAlert, RaiseAlert
from reporting.deltas import day_of
from reporting.figures import answer, number_of
from reporting.image import Image, Moment
from reporting.indicators import Catalogue
from verbund.desk.orders import Answer, Order
from verbund.errors import NotNow, Problem, Unavailable
from verbund.metrics import ALERT_EVALUATIONS, ALERTS_OPEN

_log = getLogger(__name__)

ACTOR = "system:alerts"
_ROUND_SECONDS = 5.0  # an alert may be so much later than the figure that raises it
_LOCK = text("select pg_try_advisory_xact_lock(hashtext('alerts'), hashtext(:municipality))")

CarryOut = Callable[[Order[Any]], Awaitable[Answer]]


class Evaluator:
    """Looks every few seconds. Whatever goes wrong, it looks again."""

    def __init__(
        self,
        image: Image,
        catalogue: Catalogue,
        carry_out: CarryOut,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """`carry_out`: what the desk does with an order."""
        self._image = image
        self._catalogue = catalogue
        self._carry_out = carry_out
        self._clock = clock
        self._task: asyncio.Task[None] | None = None
        self._trouble: str | None = None

    async def __aenter__(self) -> "Evaluator":
        self._task = asyncio.create_task(self._go_on(), name="alerts")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def probe(self) -> str | None:
        """None while thresholds are looked at; else what is wrong."""
        if self._task is not None and self._task.done():
            return "nobody looks at thresholds any more"
        return self._trouble

    async def round(self) -> None:
        """Look at every threshold once, unless another process is looking, and book what that leads to."""
        at, municipality = self._clock(), self._catalogue.city.municipality
        async with self._image.moment() as moment:
            if not await _is_alone(moment.connection, municipality):
                return
            watched = await list_watched(moment.connection, municipality)
            ALERTS_OPEN.set(sum(threshold.open_alert is not None for threshold in watched))
            for threshold in watched:
                due = threshold.due(await self._number(moment, threshold, at), day_of(at))
                if due is not None:
                    await self._book(due)

    async def _number(self, moment: Moment, threshold: Threshold, at: datetime) -> Any:
        """The figure as its audience sees it now; None where it says no number to them."""
        question, audience = question_of(threshold, day_of(at)), Audience(threshold.audience)
        try:
            found = await answer(moment, self._catalogue, question, audience, at)
        except Unavailable:
            raise
        except Problem as refused:
            # The catalogue has changed since: a person has to remove the threshold.
            _log.warning("a threshold cannot be looked at", extra={"code": refused.code})
            ALERT_EVALUATIONS.labels("refused").inc()
            return None
        (cell,) = found.cells
        number = number_of(cell.values[-1])
        ALERT_EVALUATIONS.labels("no_number" if number is None else "compared").inc()
        return number

    async def _book(self, command: RaiseAlert | EndAlert) -> None:
        with suppress(NotNow):  # booked by another process after this one looked
            await self._carry_out(order_of(command))

    async def _go_on(self) -> None:
        while True:
            try:
                await self.round()
                self._trouble = None
            except (SQLAlchemyError, OSError, Problem) as error:
                self._trouble = f"thresholds cannot be looked at: {type(error).__name__}"
                _log.warning("thresholds cannot be looked at: %s", type(error).__name__)
            await asyncio.sleep(_ROUND_SECONDS)


def order_of(command: RaiseAlert | EndAlert) -> Order[RaiseAlert | EndAlert]:
    """The order of the system itself; the same crossing has the same key, whoever orders it and how often."""
    what = "raised" if isinstance(command, RaiseAlert) else "over"
    key = f"{command.threshold_id}/{command.crossing}/{what}"
    return Order(
        command=command,
        actor=ACTOR,
        principal=ACTOR,
        route="alerts",
        idempotency_key=key,
        fingerprint=hashlib.sha256(key.encode()).digest(),
    )


async def _is_alone(connection: AsyncConnection, municipality: str) -> bool:
    """Whether this transaction is the one that looks, until it ends."""
    return bool((await connection.execute(_LOCK, {"municipality": municipality})).scalar())
