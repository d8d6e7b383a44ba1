"""The relay of one office: sends all its ledgers to Kafka while it has the lease, stands by while another has it."""

import asyncio
import os
import socket
from collections.abc import Sequence
from contextlib import AsyncExitStack, suppress
from logging import getLogger
from time import monotonic
from types import TracebackType
from typing import Self

import psycopg
from sqlalchemy.exc import SQLAlchemyError

from verbund import metrics
from verbund.database import make_engine
from verbund.events.offices import Office
from verbund.kafka.settings import KafkaSettings
from verbund.kafka.topics import topic_of
from verbund.ledger.store import channel_for
from verbund.relay.line import Line
from verbund.relay.reading import Ledgers
from verbund.relay.store import Fenced, Store
from verbund.relay.wire import Wire
from verbund.settings import DatabaseSettings

_log = getLogger(__name__)

_POLL_SECONDS = 1.0  # a lost notification costs a second, not a fact
_STAY_SECONDS = 2.0
_RETRY_SECONDS = 1.0
_DEAD_AFTER_SECONDS = 30.0
_DATABASE_ERRORS = (SQLAlchemyError, psycopg.Error, OSError, TimeoutError)


class Relay:
    """An async context manager that sends until it is left; then it finishes what is on its way, for some seconds."""

    def __init__(self, office: Office, database: DatabaseSettings, kafka: KafkaSettings) -> None:
        """`database`: the office's, under its relay's role."""
        self._office = office
        self._database = database
        self._kafka = kafka
        self._engine = make_engine(database, size=4)
        self._store = Store(self._engine, office.name)
        self._holder = f"{socket.gethostname()}:{os.getpid()}"
        self._wake = asyncio.Event()
        self._ending = asyncio.Event()
        self._lines: dict[str, Line] = {}
        self._wires: dict[str, Wire] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._trouble: str | None = "starting"
        self._looked = monotonic()

    async def __aenter__(self) -> Self:
        self._tasks = [
            asyncio.create_task(self._run(), name=f"relay of {self._office.name}"),
            asyncio.create_task(self._listen(), name=f"ear for {self._office.name}"),
        ]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ending.set()
        self._wake.set()
        for line in self._lines.values():
            line.end()
        relaying, listening = self._tasks
        listening.cancel()
        with suppress(asyncio.CancelledError):
            await listening
        await relaying
        with suppress(*_DATABASE_ERRORS):
            await self._store.leave()
        await self._engine.dispose()

    async def trouble(self) -> str | None:
        """What keeps this relay from sending, or None: for `/readyz`. Whoever stands by has no trouble."""
        if self._tasks and self._tasks[0].done():
            return "the relay has ended"
        if self._trouble is not None:
            return self._trouble
        if monotonic() - self._looked > _DEAD_AFTER_SECONDS:
            return f"nobody has looked for {_DEAD_AFTER_SECONDS:.0f} s"
        troubles = [wire.trouble for wire in self._wires.values()]
        for line in self._lines.values():
            if line.stop_reason is not None:
                troubles.append(f"{line.ledger} is stopped ({line.stop_reason}): mend it, then `verbund relay resume`")
            elif line.waiting_seconds > _DEAD_AFTER_SECONDS:
                troubles.append(f"{line.ledger}: nothing acknowledged for {line.waiting_seconds:.0f} s")
        return "; ".join(trouble for trouble in troubles if trouble) or None

    async def _run(self) -> None:
        try:
            await self._relay()
        except Exception:
            _log.exception("the relay has ended", extra={"office": self._office.name})
            raise

    async def _relay(self) -> None:
        """Take over, and send until another one takes over; then stand by until that one is silent."""
        take_over = True
        while not self._ending.is_set():
            try:
                if take_over:
                    await self._store.take_over(self._holder)
                elif not await self._store.succeed(self._holder):
                    self._trouble, self._looked = None, monotonic()
                    await self._pause(_POLL_SECONDS)
                    continue
                _log.info("sending", extra={"office": self._office.name, "epoch": self._store.epoch})
                await self._reign()
            except* Fenced:
                metrics.RELAY_FENCED.inc()
                _log.warning("another relay has taken over; standing by", extra={"office": self._office.name})
                take_over = False
            except* _DATABASE_ERRORS as errors:
                await self._fail(errors.exceptions[0])

    async def _fail(self, error: BaseException) -> None:
        self._trouble = f"the database of {self._office.name} cannot be used ({type(error).__name__})"
        _log.warning("no way to the ledgers", extra={"office": self._office.name, "error": repr(error)[:300]})
        await self._pause(_RETRY_SECONDS)

    async def _reign(self) -> None:
        """Send everything, until told to end; raises `Fenced` in a group when another relay has taken over."""
        ledgers = Ledgers(self._database)
        async with AsyncExitStack() as closing:
            closing.callback(ledgers.close)
            closing.callback(self._close_wires)
            async with asyncio.TaskGroup() as group:
                group.create_task(self._stay())
                while not self._ending.is_set():
                    try:
                        await self._look(group, ledgers)
                    except _DATABASE_ERRORS as error:
                        await self._fail(error)
                        continue
                    self._trouble, self._looked = None, monotonic()
                    await self._pause(_POLL_SECONDS)

    def _close_wires(self) -> None:
        for wire in self._wires.values():
            wire.close()
        self._wires, self._lines = {}, {}

    async def _look(self, group: asyncio.TaskGroup, ledgers: Ledgers) -> None:
        """Tell every line where its ledger ends; a new ledger gets a line."""
        looked_at = monotonic()
        for standing in await self._store.look():
            ledger = standing.head.ledger
            if ledger not in self._lines:
                topic = topic_of(ledger)
                if topic not in self._wires:
                    self._wires[topic] = Wire(self._kafka, topic, f"{self._office.name}-relay")
                self._lines[ledger] = Line(standing, self._store, ledgers, self._wires[topic])
                group.create_task(self._lines[ledger].run(), name=f"line of {ledger}")
            self._lines[ledger].see(standing, looked_at)
        if self._ending.is_set():
            for line in self._lines.values():
                line.end()

    async def _stay(self) -> None:
        """Say that this relay lives, whether Kafka is there or not: nobody else would find it either."""
        while not self._ending.is_set():
            with suppress(*_DATABASE_ERRORS):
                await self._store.stay()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._ending.wait(), _STAY_SECONDS)

    async def _pause(self, seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._wake.wait(), seconds)
        self._wake.clear()

    async def _listen(self) -> None:
        """Wake the relay when the office books; without this it still looks once a second."""
        channels: Sequence[str] = [channel_for(reader) for reader in self._office.readers]
        while True:
            try:
                async with await psycopg.AsyncConnection.connect(
                    self._database.conninfo(), autocommit=True
                ) as connection:
                    for channel in channels:
                        await connection.execute(f"listen {channel}".encode())
                    async for _ in connection.notifies():
                        self._wake.set()
            except (psycopg.Error, OSError) as error:
                _log.info("not listening for now", extra={"office": self._office.name, "error": type(error).__name__})
            await asyncio.sleep(_POLL_SECONDS)
