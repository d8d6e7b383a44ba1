"""The desk of one office: takes all orders that are waiting, carries them out in one transaction, answers after commit.

Natural batching: while one commit is under way the next orders queue, so the load itself sizes the batches and a lonely
order never waits for company. Nobody is answered before the commit, so a crash at any point answers nobody falsely: an
order whose answer was lost is sent again under its idempotency key and gets the answer that was booked with it.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from logging import getLogger
from time import monotonic
from types import TracebackType
from typing import Generic, Self, TypeVar

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncEngine

from verbund import metrics
from verbund.database import is_out_of_room, is_passing, unavailable
from verbund.desk.orders import Answer, Order, Rules
from verbund.desk.transaction import Outcome, Scope, Transaction, scope_of
from verbund.errors import Conflict, Problem, Unavailable
from verbund.ledger.store import beat, open_ledgers, read_heads

_log = getLogger(__name__)

C = TypeVar("C")
S = TypeVar("S")

_KEPT_DAYS = 30  # how long a repeat gets its answer again; a client that comes back later is a new one
_FORGET = text(f"""
    delete from desk.answer where (principal, route, key) in (
        select principal, route, key from desk.answer
        where answered_at < now() - interval '{_KEPT_DAYS} days' order by answered_at limit 1000)
""")  # noqa: S608 - a constant of ours


@dataclass(frozen=True, slots=True)
class DeskLimits:
    """How much waits, how much is done at once, how long."""

    queue: int = 2_000
    """Orders that may wait; one more is answered 503 with `Retry-After`."""
    batch: int = 500
    """Orders in one transaction: beyond a few hundred the fsync no longer weighs, but latency does."""
    deadline_seconds: float = 10.0
    """An order that was not begun by then is withdrawn; one whose outcome is unknown is told so."""
    transaction_seconds: float = 8.0
    """After this the connection is given up, and the batch tried again on a new one."""
    beat_seconds: float = 3.0


@dataclass(slots=True, eq=False)
class _Job(Generic[C]):
    order: Order[C]
    answer: asyncio.Future[Answer]
    due: float
    begun: bool = False


class Desk(Generic[C, S]):
    """Carries out one office's commands; an async context manager that finishes what waits before it closes."""

    def __init__(
        self,
        rules: Rules[C, S],
        engine: AsyncEngine,
        municipality: str,
        limits: DeskLimits | None = None,
    ) -> None:
        self._rules = rules
        self._engine = engine
        self._limits = limits or DeskLimits()
        self._transaction = Transaction(rules, municipality)
        self._waiting: deque[_Job[C]] = deque()
        self._under_way: set[Scope] = set()
        self._wake = asyncio.Event()
        self._closing = False
        self._tasks: list[asyncio.Task[None]] = []
        self._trouble: str | None = "starting"

    async def __aenter__(self) -> Self:
        async with self._engine.begin() as connection:
            await open_ledgers(connection, self._transaction.ledgers)
        self._trouble = None
        self._tasks = [
            asyncio.create_task(self._work(), name=f"desk of {self._rules.office}"),
            asyncio.create_task(self._beat(), name=f"beat of {self._rules.office}"),
        ]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing = True
        self._wake.set()
        worker, beating = self._tasks
        beating.cancel()
        with suppress(asyncio.CancelledError):
            await beating
        await worker
        await self._engine.dispose()

    async def trouble(self) -> str | None:
        """What keeps this desk from booking, or None: for `/readyz`."""
        if self._tasks and self._tasks[0].done():
            return "the desk has ended"
        return self._trouble

    async def initial_load_closed_at(self) -> datetime | None:
        """When this office's initial load was closed; None while it is open, and nothing else can be booked."""
        async with self._engine.connect() as connection:
            return await self._transaction.initial_load_closed_at(connection)

    async def carry_out(self, order: Order[C]) -> Answer:
        """Carry out one order and return its answer, once it is booked.

        Raises what refuses it (`Problem`): a broken rule, `Conflict` while the same key is under way, `Unavailable`
        with `Retry-After` where the queue is full, the deadline has passed or the outcome is not known.
        """
        if self._closing:
            raise Unavailable("stopping", "The office is closing down. Try again in a moment.", retry_after_seconds=5)
        if len(self._waiting) >= self._limits.queue:
            metrics.DESK_COMMANDS.labels(type(order.command).__name__, "overloaded").inc()
            raise Unavailable(
                "overloaded", "Too many requests are waiting. Try again in a moment.", retry_after_seconds=2
            )
        scope = scope_of(order)
        if scope in self._under_way:
            raise Conflict(
                "request_under_way", "A request with this Idempotency-Key is under way. Wait for its answer."
            )
        loop = asyncio.get_running_loop()
        job = _Job(order, loop.create_future(), monotonic() + self._limits.deadline_seconds)
        self._under_way.add(scope)
        self._waiting.append(job)
        self._wake.set()
        timer = loop.call_later(self._limits.deadline_seconds, self._withdraw, job)
        try:
            # A caller that hangs up takes its future along and nothing else: what was ordered is booked all the same.
            return await job.answer
        finally:
            timer.cancel()

    def _withdraw(self, job: _Job[C]) -> None:
        if not job.begun and not job.answer.done():
            self._waiting.remove(job)
            self._settle(job, _too_late())

    async def _work(self) -> None:
        while True:
            if not self._waiting:
                if self._closing:
                    return
                self._wake.clear()
                metrics.DESK_QUEUE.set(0)
                await self._wake.wait()
                continue
            jobs: list[_Job[C]] = []
            while self._waiting and len(jobs) < self._limits.batch:
                job = self._waiting.popleft()
                job.begun = True
                jobs.append(job)
            metrics.DESK_QUEUE.set(len(self._waiting))
            await self._carry_out(jobs)

    async def _carry_out(self, jobs: Sequence[_Job[C]]) -> None:
        """Book these jobs together; where the database refuses the batch, one by one, so that only the guilty fails."""
        pause = 0.05
        while True:
            try:
                outcomes = await self._book([job.order for job in jobs])
            except Exception as error:  # noqa: BLE001 - told to the callers or tried again, never swallowed
                if _passing(error):
                    # Also after a commit whose word was lost: the answers tell, under the head lock, what was booked.
                    self._trouble = f"database: {type(error).__name__}"
                    if is_out_of_room(error):
                        # Trying again makes no room: callers learn at once what is wrong.
                        _log.error("nothing can be booked: the disk of the database is full")
                        for job in jobs:
                            self._settle(job, unavailable(error))
                        return
                    _log.warning("the desk tries its batch again", extra={"error": type(error).__name__})
                    jobs = self._give_up_the_late(jobs)
                    if not jobs:
                        return
                    await asyncio.sleep(pause)
                    pause = min(pause * 2, 1.0)
                    continue
                if len(jobs) == 1:
                    _log.exception("an order could not be booked", exc_info=error)
                    self._settle(jobs[0], error)
                    return
                for job in jobs:
                    await self._carry_out([job])
                return
            self._trouble = None
            for job, outcome in zip(jobs, outcomes, strict=True):
                self._settle(job, outcome)
            return

    async def _book(self, orders: Sequence[Order[C]]) -> list[Outcome]:
        begun = monotonic()
        async with asyncio.timeout(self._limits.transaction_seconds), self._engine.begin() as connection:
            outcomes = await self._transaction.carry_out(connection, orders)
        metrics.DESK_COMMIT_SECONDS.observe(monotonic() - begun)
        metrics.DESK_BATCH_SIZE.observe(len(orders))
        return outcomes

    def _give_up_the_late(self, jobs: Sequence[_Job[C]]) -> list[_Job[C]]:
        now = monotonic()
        for job in jobs:
            if now >= job.due:
                self._settle(
                    job,
                    Unavailable(
                        "outcome_unknown",
                        "Whether this was booked is not known yet. Send it again with the same Idempotency-Key.",
                        retry_after_seconds=5,
                    ),
                )
        return [job for job in jobs if now < job.due]

    def _settle(self, job: _Job[C], outcome: Outcome) -> None:
        self._under_way.discard(scope_of(job.order))
        name = type(job.order.command).__name__
        metrics.DESK_COMMANDS.labels(name, _word_for(outcome)).inc()
        if job.answer.done():
            return
        if isinstance(outcome, Answer):
            job.answer.set_result(outcome)
        else:
            job.answer.set_exception(outcome)
            job.answer.exception()  # retrieved: the caller may have hung up

    async def _beat(self) -> None:
        """Signs of life, and once in a while answers too old to be asked for again."""
        beats = 0
        while True:
            try:
                async with self._engine.begin() as connection:
                    await beat(connection, self._rules.office)
                    if beats % 100 == 0:
                        await connection.execute(_FORGET)
                    for head in await read_heads(connection):
                        metrics.LEDGER_HEAD.labels(head.ledger).set(head.number)
                beats += 1
                # Who is not ready may get no orders any more, and would never find out that the database is well.
                self._trouble = None
            except (DBAPIError, OSError, PoolTimeout) as error:
                _log.warning("no beat: the database does not answer", extra={"error": type(error).__name__})
            await asyncio.sleep(self._limits.beat_seconds)


def _too_late() -> Problem:
    return Unavailable(
        "deadline_passed",
        "The office did not come to this in time; nothing was booked. Try again with the same Idempotency-Key.",
        retry_after_seconds=2,
    )


def _passing(error: Exception) -> bool:
    """Whether the same batch may well succeed in a moment."""
    return is_passing(error) or isinstance(error, TimeoutError | OSError)


def _word_for(outcome: Outcome) -> str:
    if isinstance(outcome, Answer):
        return "replayed" if outcome.replayed else "booked"
    if isinstance(outcome, Unavailable):
        return "unavailable"
    return "refused" if isinstance(outcome, Problem) else "failed"
