"""The embedded feed: reads the ledgers of other offices straight from their databases, through its own view of them.

It is woken by a notification and looks by itself once a second.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from logging import getLogger
from time import monotonic
from types import TracebackType
from typing import Self

import psycopg
from sqlalchemy.exc import SQLAlchemyError

from verbund import metrics
from verbund.feeds.batch import Batch
from verbund.feeds.ledger_view import LedgerView, Source
from verbund.feeds.reader import Reader
from verbund.ledger.record import Beat, Record

_log = getLogger(__name__)

_POLL_SECONDS = 1.0  # a lost notification costs a second, not a fact
_HEAR_SECONDS = 2.0  # how often signs of life are written down
LARGEST_BATCH = 4_000  # records in one transaction under backlog: about 4 MB, a quarter of a second
_TRIES_AT_A_HOLE = 5  # reading again from the position: only a hole that stays is real
_SLOWEST_RETRY_SECONDS = 5.0
_DEAD_AFTER_SECONDS = 30.0


@dataclass(slots=True)
class _State:
    trouble: str | None = "starting"
    alive_at: float = 0.0


class LedgerFeed:
    """Reads all ledgers of one source into the reader; an async context manager that runs until it is left."""

    def __init__(self, source: Source, reader: Reader, reader_name: str) -> None:
        self._source = source
        self._reader = reader
        self._view = LedgerView(source, reader_name)
        self._wake = asyncio.Event()
        self._state = _State()
        self._tasks: list[asyncio.Task[None]] = []
        self._tries: dict[str, tuple[int, int]] = {}  # ledger -> (position, tries in vain)
        self._stopping = False
        self._heard = 0.0

    @property
    def office(self) -> str:
        """Whose ledgers are read."""
        return self._source.office

    async def __aenter__(self) -> Self:
        self._state.alive_at = monotonic()
        self._tasks = [
            asyncio.create_task(self._follow(), name=f"feed of {self._source.office}"),
            asyncio.create_task(self._listen(), name=f"ear for {self._source.office}"),
        ]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping = True
        self._wake.set()
        following, listening = self._tasks
        listening.cancel()
        with suppress(asyncio.CancelledError):
            await listening
        await following
        await self._view.close()

    async def trouble(self) -> str | None:
        """What keeps this feed from reading, or None: for `/readyz`. Progress counts, not the process's life."""
        if self._state.trouble is not None:
            return self._state.trouble
        if monotonic() - self._state.alive_at > _DEAD_AFTER_SECONDS:
            return f"no round finished for {_DEAD_AFTER_SECONDS:.0f} s"
        if self._tasks[0].done():
            return "the feed has ended"
        stopped = await self._reader.stopped()
        own = {ledger: why for ledger, why in stopped.items() if f"/{self._source.office}/" in ledger}
        return "; ".join(f"{ledger} stopped: {why}" for ledger, why in own.items()) or None

    async def _follow(self) -> None:
        pause = 0.1
        while not self._stopping:
            self._wake.clear()
            try:
                more = await self._round()
            except (SQLAlchemyError, OSError, TimeoutError) as error:
                self._state.trouble = f"{self._source.office}: {type(error).__name__}"
                _log.warning(
                    "a round of reading failed",
                    extra={"office": self._source.office, "error": repr(error)[:300]},
                )
                await self._wait(pause)
                pause = min(pause * 2, _SLOWEST_RETRY_SECONDS)
                continue
            pause = 0.1
            self._state.trouble, self._state.alive_at = None, monotonic()
            if not more:
                await self._wait(_POLL_SECONDS)

    async def _wait(self, seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._wake.wait(), seconds)

    async def _round(self) -> bool:
        """Hear where the ledgers end, read what is new; returns whether there is more to read at once."""
        beats = await self._view.beats()
        if not beats:
            return False
        if monotonic() - self._heard >= _HEAR_SECONDS:
            for ledger in await self._reader.hear(beats):
                await self._reader.confirm(ledger, lambda ledger=ledger: self._view.beat(ledger))  # type: ignore[misc]
            self._heard = monotonic()
        positions = await self._reader.positions()
        stopped = await self._reader.stopped()
        more = False
        for beat in beats:
            number = positions[beat.ledger].number if beat.ledger in positions else 0
            if beat.number <= number or beat.ledger in stopped:
                continue
            records = await self._view.records(beat.ledger, number, LARGEST_BATCH)
            more |= await self._take(beat, number, records)
        return more

    async def _take(self, beat: Beat, number: int, records: Sequence[Record]) -> bool:
        """Give records to the reader; a hole is read again, and stops its ledger when it stays."""
        taken = await self._reader.take(Batch(records)) if records else None
        moved = taken is not None and beat.ledger in taken.positions
        metrics.FEED_LAG.labels(beat.ledger).set(
            max(beat.number - (taken.positions[beat.ledger] if taken and moved else number), 0)
        )
        if moved or (taken is not None and taken.repeats):  # repeats: a second reader was faster
            self._tries.pop(beat.ledger, None)
            return True
        if taken is not None and beat.ledger in taken.stopped:
            return False
        # The head says there is more, and nothing of it could be taken.
        at, tries = self._tries.get(beat.ledger, (number, 0))
        self._tries[beat.ledger] = (number, tries + 1 if at == number else 1)
        if self._tries[beat.ledger][1] >= _TRIES_AT_A_HOLE:
            await self._reader.stop(beat.ledger, "hole")
            del self._tries[beat.ledger]
        return False

    async def _listen(self) -> None:
        """Wake the feed when the office books; without this it still looks once a second."""
        while True:
            try:
                async with await psycopg.AsyncConnection.connect(
                    self._source.database.conninfo(), autocommit=True
                ) as connection:
                    await connection.execute(f"listen {self._view.channel}".encode())
                    async for _ in connection.notifies():
                        self._wake.set()
            except (psycopg.Error, OSError) as error:
                _log.info(
                    "not listening for now",
                    extra={"office": self._source.office, "error": type(error).__name__},
                )
            await asyncio.sleep(_POLL_SECONDS)
