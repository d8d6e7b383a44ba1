"""The feed from Kafka as part of a process: started when the brokers are there, watched, and stopped in order."""

import asyncio
import os
import signal
from collections.abc import Callable, Sequence
from contextlib import suppress
from logging import getLogger
from time import monotonic
from types import TracebackType
from typing import Self

from verbund.feeds.kafka.intake import PATIENCE_SECONDS, Intake
from verbund.feeds.kafka.worker import ReaderApp
from verbund.feeds.reader import Reader
from verbund.kafka.settings import KafkaSettings

_log = getLogger(__name__)

_KNOCK_SECONDS = 2.0
_SLOWEST_KNOCK_SECONDS = 5.0
_STOP_SECONDS = 8.0
_DEAD_AFTER_SECONDS = 30.0
_SILENT_AFTER_SECONDS = 15.0


def _end_process() -> None:
    """In order, as whoever looks after it would."""
    os.kill(os.getpid(), signal.SIGTERM)


class KafkaFeed:
    """Reads topics into the reader; an async context manager that runs until it is left.

    Where Faust gives up, the process is asked to end: whoever looks after it starts a new one, which is the only state
    that is known to be good.
    """

    def __init__(
        self,
        kafka: KafkaSettings,
        name: str,
        topics: Sequence[str],
        reader: Reader,
        *,
        patience_seconds: float = PATIENCE_SECONDS,
        give_up: Callable[[], None] = _end_process,
    ) -> None:
        """`name`: the consumer group; all processes of one reader have the same.

        `patience_seconds`: how long what is missing is waited for; `give_up`: what is done where Faust ends by itself.
        """
        self._patience_seconds = patience_seconds
        self._give_up = give_up
        self._kafka = kafka
        self._name = name
        self._topics = topics
        self._reader = reader
        self._app: ReaderApp | None = None
        self._running: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._running = asyncio.create_task(self._run(), name=f"feed of {self._name}")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._running is not None
        self._running.cancel()
        with suppress(asyncio.CancelledError):
            await self._running

    async def trouble(self) -> str | None:
        """What keeps this feed from reading, or None: for `/readyz`. Progress counts, not the process's life."""
        if self._app is None:
            return "waiting for the brokers"
        condition = self._app.condition
        if condition.trouble is not None:
            return condition.trouble
        if monotonic() - condition.round_at > _DEAD_AFTER_SECONDS:
            return f"no round finished for {_DEAD_AFTER_SECONDS:.0f} s"
        if condition.brokers_at is None or monotonic() - condition.brokers_at > _SILENT_AFTER_SECONDS:
            return "the brokers do not answer"
        if self._app.intake.trouble is not None:
            return self._app.intake.trouble
        stopped = await self._reader.stopped()
        return "; ".join(f"{ledger} stopped: {why}" for ledger, why in stopped.items()) or None

    async def _run(self) -> None:
        await self._await_brokers()
        intake = Intake(self._reader, self._patience_seconds)
        app = self._app = ReaderApp(self._name, self._topics, self._kafka, intake)
        try:
            app.finalize()
            await app.start()
            await app.wait_until_stopped()
        except Exception:  # noqa: BLE001 - whatever it is, a new process is the way on
            _log.exception("the feed could not go on")
        finally:
            if asyncio.current_task().cancelling():  # type: ignore[union-attr]
                with suppress(TimeoutError):
                    async with asyncio.timeout(_STOP_SECONDS):
                        await app.stop()
        _log.error("the feed has ended; the process ends, to be started again")
        self._give_up()

    async def _await_brokers(self) -> None:
        """Faust gives up at once where no broker is there yet."""
        pause = 0.2
        while not await self._is_anybody_there():
            await asyncio.sleep(pause)
            pause = min(pause * 2, _SLOWEST_KNOCK_SECONDS)

    async def _is_anybody_there(self) -> bool:
        for broker in self._kafka.brokers:
            host, _, port = broker.rpartition(":")
            with suppress(OSError, TimeoutError):
                async with asyncio.timeout(_KNOCK_SECONDS):
                    _, writer = await asyncio.open_connection(host.strip("[]"), int(port))
                writer.close()
                return True
        return False
