"""The in-tray: what other offices told this one is handed to its desk, one after another as it came.

The desk marks a row in the very transaction in which it carries it out: nothing that was carried out waits still, and
nothing is marked that was never carried out. After a crash anywhere the rows tell what is left to do.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from hashlib import sha256
from logging import getLogger
from time import monotonic
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

import psycopg
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from verbund import metrics
from verbund.desk.desk import Desk
from verbund.desk.orders import Order
from verbund.desk.tray_rows import (
    CHANNEL,
    Settlement,
    WaitingRow,
    list_waiting,
    read_backlog,
    settle,
    settlement_of,
)
from verbund.errors import Problem
from verbund.events.envelope import Data, Event, Undecodable, decode
from verbund.events.ledger_ids import office_of
from verbund.settings import DatabaseSettings

_log = getLogger(__name__)

C = TypeVar("C")
S = TypeVar("S")

ROUTE = "in-tray"
"""Instead of a route: where the orders came in."""

_AT_ONCE = 200  # well below what the desk lets wait, so that a full in-tray turns no clerk away
_POLL_SECONDS = 1.0  # a lost notification costs a second, not a matter
_COUNT_SECONDS = 2.0  # how often it is said how much waits: under backlog counting costs as much as a batch
_SLOWEST_RETRY_SECONDS = 5.0


class InTray(Generic[C, S]):
    """Hands the rows of the in-tray to the desk; an async context manager that runs until it is left.

    While the office's initial load is open everything waits. Any number of processes may do this at the same time.
    """

    def __init__(
        self,
        desk: Desk[C, S],
        engine: AsyncEngine,
        database: DatabaseSettings,
        command_for: Callable[[Event[Any]], C | None],
        known_events: Mapping[str, type[Data]],
    ) -> None:
        """`command_for`: what an event asks of this office, or None where it asks nothing. `database`: of `engine`."""
        self._desk = desk
        self._engine = engine
        self._database = database
        self._command_for = command_for
        self._known = known_events
        self._wake = asyncio.Event()
        self._stopping = False
        self._counted_at = 0.0
        self._tasks: list[asyncio.Task[None]] = []
        self._trouble: str | None = "starting"

    async def __aenter__(self) -> Self:
        self._tasks = [
            asyncio.create_task(self._work(), name="in-tray"),
            asyncio.create_task(self._listen(), name="ear for the in-tray"),
        ]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping = True
        self._wake.set()
        working, listening = self._tasks
        listening.cancel()
        with suppress(asyncio.CancelledError):
            await listening
        await working

    async def trouble(self) -> str | None:
        """What keeps the in-tray from being worked off, or None: for `/readyz`. An open initial load is no trouble."""
        if self._tasks and self._tasks[0].done():
            return "the in-tray has ended"
        return self._trouble

    async def _work(self) -> None:
        pause = 0.1
        while not self._stopping:
            self._wake.clear()
            try:
                more = await self._round()
            except (SQLAlchemyError, OSError, TimeoutError) as error:
                self._trouble = f"database: {type(error).__name__}"
                _log.warning("a round of the in-tray failed", extra={"error": repr(error)[:300]})
                await self._wait(pause)
                pause = min(pause * 2, _SLOWEST_RETRY_SECONDS)
                continue
            pause, self._trouble = 0.1, None
            if not more:
                await self._wait(_POLL_SECONDS)

    async def _wait(self, seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._wake.wait(), seconds)

    async def _round(self) -> bool:
        """Take up what has waited longest; returns whether to look again at once."""
        async with self._engine.connect() as connection:
            if monotonic() - self._counted_at >= _COUNT_SECONDS:
                backlog = await read_backlog(connection)
                metrics.DESK_TRAY_WAITING.set(backlog.waiting)
                metrics.DESK_TRAY_OLDEST.set(backlog.oldest_seconds)
                self._counted_at = monotonic()
            rows = await list_waiting(connection, _AT_ONCE)
        if not rows or await self._desk.initial_load_closed_at() is None:
            return False
        orders: list[tuple[WaitingRow, Order[C]]] = []
        aside: list[Settlement] = []
        for row in rows:
            made = self._order_or_settlement(row)
            if isinstance(made, Order):
                orders.append((row, made))
            else:
                aside.append(made)
        await self._settle(aside)
        came_of_it = await self._hand_over(orders)
        return came_of_it or bool(aside)

    def _order_or_settlement(self, row: WaitingRow) -> Order[C] | Settlement:
        """What the row asks of the desk; or what becomes of it where it asks nothing, or cannot be understood."""
        try:
            command = self._command_for(decode(row.body, self._known))
        except Undecodable as error:
            return _fault(row, error.reason)
        except Exception as error:  # noqa: BLE001 - a fault about this row alone: it is set aside with an alarm
            return _fault(row, type(error).__name__)
        if command is None:
            return Settlement(row.place, "ignored")
        return Order(
            command=command,
            actor=f"office:{office_of(row.place.ledger)}",
            principal=row.place.ledger,
            route=ROUTE,
            idempotency_key=row.event_id,
            fingerprint=sha256(row.body).digest(),
            place=row.place,
        )

    async def _hand_over(self, orders: Sequence[tuple[WaitingRow, Order[C]]]) -> bool:
        """Let the desk carry these out together, in this order; returns whether anything came of it."""
        outcomes = await asyncio.gather(*(self._desk.carry_out(order) for _, order in orders), return_exceptions=True)
        faults: list[Settlement] = []
        settled = False
        for (row, _), outcome in zip(orders, outcomes, strict=True):
            settlement = settlement_of(row.place, outcome)
            if settlement is not None:
                metrics.DESK_TRAY_EVENTS.labels(settlement.state).inc()
                settled = True
            elif not isinstance(outcome, Problem):
                faults.append(_fault(row, type(outcome).__name__))
        await self._settle(faults)
        return settled or bool(faults)

    async def _settle(self, settlements: Sequence[Settlement]) -> None:
        """Mark rows with which the desk had nothing to do, or could do nothing."""
        if not settlements:
            return
        async with self._engine.begin() as connection:
            await settle(connection, settlements)
        for settlement in settlements:
            metrics.DESK_TRAY_EVENTS.labels(settlement.state).inc()

    async def _listen(self) -> None:
        """Wake up when something was laid in; without this it still looks once a second."""
        while True:
            try:
                async with await psycopg.AsyncConnection.connect(
                    self._database.conninfo(), autocommit=True
                ) as connection:
                    await connection.execute(f"listen {CHANNEL}".encode())
                    async for _ in connection.notifies():
                        self._wake.set()
            except (psycopg.Error, OSError) as error:
                _log.info("not listening to the in-tray for now", extra={"error": type(error).__name__})
            await asyncio.sleep(_POLL_SECONDS)


def _fault(row: WaitingRow, code: str) -> Settlement:
    """A row that cannot be carried out, through no fault of the other office: others go on, somebody has to look."""
    _log.error(
        "an event from an in-tray failed: somebody has to look at it",
        extra={"ledger": row.place.ledger, "number": row.number, "reason": code},
    )
    return Settlement(row.place, "failed", code)
