"""The reader: takes batches into its own database, effect and position in one transaction, each record once."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from logging import getLogger
from time import monotonic, time
from typing import Any, ClassVar, Protocol

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from verbund import metrics
from verbund.events.envelope import Data, Event, Undecodable
from verbund.feeds.batch import Batch, Hint
from verbund.feeds.positions import (
    Parked,
    hear,
    list_hints,
    list_positions,
    lock_positions,
    move_positions,
    note_hints,
    open_positions,
    park,
    stop_ledger,
)
from verbund.feeds.sift import Position, sift, sift_beat
from verbund.feeds.slices import understand
from verbund.ledger.record import Beat, Record

_log = getLogger(__name__)

# Events that are made and take effect before the next ones are made: a processor's caches hold so many, and the garbage
# collector has no need to look at them. With all events of a large batch at once it takes half as long again.
_AT_ONCE = 50


class EffectRefused(Exception):
    """The effect does not take a ledger's events in as things are; subclasses say why the ledger is stopped."""

    reason: ClassVar[str]


class Effect(Protocol):
    """What reading does to the reader's own database."""

    async def apply(self, connection: AsyncConnection, events: Sequence[Event[Any]]) -> None:
        """Take these events in; runs in the reader's transaction, with the positions of their ledgers locked.

        Called several times where there are many of them, in the order of each ledger's numbers, before `finish`.
        May raise `EffectRefused`, as may `finish`; everything else that it raises is a fault of its own.
        """
        ...

    async def finish(self, connection: AsyncConnection) -> None:
        """The last statements before the commit: what must follow the order of commits is numbered here."""
        ...


@dataclass(slots=True)
class Taken:
    """What became of a batch."""

    applied: int = 0
    repeats: int = 0
    parked: int = 0
    positions: dict[str, int] = field(default_factory=dict)
    """Positions that moved."""
    reached: dict[str, int] = field(default_factory=dict)
    """Where every ledger of the batch stands now, moved or not."""
    holes: list[str] = field(default_factory=list)
    """Ledgers to be read again from their positions."""
    stopped: list[str] = field(default_factory=list)
    alarms: dict[str, str] = field(default_factory=dict)
    """Ledgers that this batch stopped, and why."""
    set_aside: list[Parked] = field(default_factory=list)

    def add(self, part: "Taken") -> None:
        """What became of a further part of the same batch."""
        self.applied += part.applied
        self.repeats += part.repeats
        self.parked += part.parked
        self.positions.update(part.positions)
        self.reached.update(part.reached)
        self.holes.extend(part.holes)
        self.stopped.extend(part.stopped)


class Reader:
    """Takes batches; safe against repeats, holes, broken chains and a second reader at work."""

    def __init__(self, engine: AsyncEngine, effect: Effect, known_events: Mapping[str, type[Data]]) -> None:
        self._engine = engine
        self._effect = effect
        self._known = known_events
        self._known_until: dict[str, datetime] = {}
        """By ledger, when its office booked what was last taken here."""

    async def take(self, batch: Batch) -> Taken:
        """Take a batch in one transaction; what the database raises passes through and nothing was taken.

        Where the effect itself fails on an event, the batch is taken one by one, and the guilty record's ledger stops.
        """
        try:
            return await self._take(batch)
        except (SQLAlchemyError, OSError, TimeoutError):
            raise
        except Exception:  # noqa: BLE001 - the guilty record is found below, and its ledger stopped
            _log.exception("a batch could not be taken; it is taken one by one")
            return await self._take_one_by_one(batch)

    async def _take_one_by_one(self, batch: Batch) -> Taken:
        whole = Taken()
        for record in batch.records:
            if record.ledger in whole.stopped:
                continue
            try:
                part = await self._take(Batch([record]))
            except (SQLAlchemyError, OSError, TimeoutError):
                raise
            except Exception as error:  # noqa: BLE001 - its ledger is stopped
                _log.exception(
                    "the effect of a record failed", extra={"ledger": record.ledger, "number": record.number}
                )
                await self.stop(record.ledger, error.reason if isinstance(error, EffectRefused) else "effect_failed")
                whole.stopped.append(record.ledger)
                continue
            whole.add(part)
        whole.add(await self._take(replace(batch, records=())))
        return whole

    async def _take(self, batch: Batch) -> Taken:
        begun = monotonic()
        async with self._engine.begin() as connection:
            taken = await self.take_within(connection, batch)
        for ledger, reason in taken.alarms.items():
            self._sound_alarm(ledger, reason)
        self._count(taken, monotonic() - begun)
        for beat in batch.beats:
            self._tell_beat(beat, taken.reached.get(beat.ledger, 0))
        return taken

    async def take_within(self, connection: AsyncConnection, batch: Batch) -> Taken:
        """Take a batch in the caller's transaction; nothing of it has happened until that commits."""
        taken = Taken()
        await open_positions(connection, batch.ledgers)
        standings = await lock_positions(connection, batch.ledgers)
        taken.set_aside.extend(map(Parked.of_stray, batch.strays))
        records = batch.records_by_ledger
        positions = {ledger: standing.position for ledger, standing in standings.items()}
        moves: list[tuple[Position, datetime | None]] = []
        for ledger, standing in standings.items():
            if standing.stop_reason is not None:
                taken.stopped.append(ledger)
                continue
            sifted = sift(standing.position, records.get(ledger, ()))
            taken.repeats += sifted.repeats
            taken.set_aside.extend(Parked.of_record(record, "hash_mismatch") for record in sifted.foreign)
            last = await self._apply(connection, sifted.fresh, taken)
            if sifted.fresh:
                moves.append((sifted.position, last))
                positions[ledger] = sifted.position
                taken.positions[ledger] = sifted.position.number
            if sifted.hole:
                taken.holes.append(ledger)
            if sifted.stop is not None:
                taken.alarms[ledger] = sifted.stop
        if taken.set_aside:
            await park(connection, taken.set_aside)
        if moves:
            await move_positions(connection, moves)
        for beat in batch.beats:
            # Under the locks of the positions: another reader cannot have gone past an older end meanwhile. Against the
            # position in front of the batch: of its records, some may have come behind the beat.
            reason = sift_beat(standings[beat.ledger].position, beat, standings[beat.ledger].beat_at)
            if reason is not None and beat.ledger not in taken.stopped:
                taken.alarms.setdefault(beat.ledger, reason)
        for ledger, reason in taken.alarms.items():
            await stop_ledger(connection, ledger, reason)
            taken.stopped.append(ledger)
        if batch.beats:
            await hear(connection, batch.beats)
        hints = [hint for hint in batch.hints if hint.ledgers.isdisjoint(taken.holes)]
        if hints:
            await note_hints(connection, hints)
        if taken.applied:
            await self._effect.finish(connection)
        taken.parked = len(taken.set_aside)
        self._known_until |= {position.ledger: at for position, at in moves if at is not None}
        taken.reached = {ledger: position.number for ledger, position in positions.items()}
        return taken

    async def _apply(self, connection: AsyncConnection, records: Sequence[Record], taken: Taken) -> datetime | None:
        """Let records take effect, and park those that cannot be understood; returns the time of the last event."""
        last = None
        for begin in range(0, len(records), _AT_ONCE):
            events = self._decode(records[begin : begin + _AT_ONCE], taken.set_aside)
            if events:
                await self._effect.apply(connection, events)
                taken.applied += len(events)
                last = events[-1].time
        return last

    def _decode(self, records: Sequence[Record], parked: list[Parked]) -> list[Event[Any]]:
        """The events in these records, but for what cannot be understood."""
        events = []
        for record in records:
            try:
                event = understand(record.ledger, record.number, record.body, self._known)
            except Undecodable as reason:
                parked.append(Parked.of_record(record, reason.reason, reason.detail))
                continue
            events.append(event)
        return events

    def _count(self, taken: Taken, seconds: float) -> None:
        metrics.FEED_COMMIT_SECONDS.observe(seconds)
        metrics.FEED_BATCH_SIZE.observe(taken.applied)
        metrics.FEED_REPEATS.inc(taken.repeats)
        for item in taken.set_aside:
            metrics.FEED_PARKED.labels(item.reason).inc()
            _log.error(
                "a record was parked: figures miss it until somebody decides",
                extra={"ledger": item.ledger, "number": item.number, "reason": item.reason},
            )
        for ledger, number in taken.positions.items():
            metrics.FEED_POSITION.labels(ledger).set(number)
            metrics.FEED_LAST_PROGRESS.labels(ledger).set(time())
        for ledger in taken.holes:
            metrics.FEED_HOLES.labels(ledger).inc()

    def _tell_beat(self, beat: Beat, position: int) -> None:
        lag = max(beat.number - position, 0)
        metrics.FEED_LAG.labels(beat.ledger).set(lag)
        known_until = self._known_until.get(beat.ledger)
        if lag == 0:
            metrics.FEED_LAG_SECONDS.labels(beat.ledger).set(0)
        elif known_until is not None:
            metrics.FEED_LAG_SECONDS.labels(beat.ledger).set(max(0.0, time() - known_until.timestamp()))
        if beat.at is not None:
            metrics.FEED_HEARD.labels(beat.ledger).set(beat.at.timestamp())

    async def hear(self, beats: Sequence[Beat]) -> list[str]:
        """Keep signs of life that were looked up; returns the ledgers whose end does not fit what was read.

        They are not stopped: `confirm` looks once more. What travels belongs into the batch that it came with.
        """
        async with self._engine.begin() as connection:
            await open_positions(connection, [beat.ledger for beat in beats])
            standings = {s.position.ledger: s for s in await list_positions(connection)}
            await hear(connection, beats)
        doubtful = []
        for beat in beats:
            standing = standings[beat.ledger]
            self._tell_beat(beat, standing.position.number)
            metrics.FEED_STOPPED.labels(beat.ledger).set(standing.stop_reason is not None)
            if sift_beat(standing.position, beat) is not None:
                doubtful.append(beat.ledger)
        return doubtful

    async def confirm(self, ledger: str, read_beat: Callable[[], Awaitable[Beat]]) -> None:
        """Stop a ledger whose head does not fit its position, judged by a head that is read after the position.

        The other way round a second reader, or this one, may have moved the position past an older head.
        """
        async with self._engine.begin() as connection:
            standing = (await lock_positions(connection, [ledger]))[ledger]
            reason = sift_beat(standing.position, await read_beat())
            if reason is None or standing.stop_reason is not None:
                return
            await stop_ledger(connection, ledger, reason)
        self._sound_alarm(ledger, reason)

    async def stop(self, ledger: str, reason: str) -> None:
        """Stop a ledger until a person resumes it."""
        async with self._engine.begin() as connection:
            await open_positions(connection, [ledger])  # its first record may be the one that cannot be taken
            await stop_ledger(connection, ledger, reason)
        self._sound_alarm(ledger, reason)

    def _sound_alarm(self, ledger: str, reason: str) -> None:
        metrics.FEED_STOPPED.labels(ledger).set(1)
        _log.error("a ledger was stopped", extra={"ledger": ledger, "reason": reason})

    async def positions(self) -> dict[str, Position]:
        """How far every ledger was read."""
        async with self._engine.connect() as connection:
            return {s.position.ledger: s.position for s in await list_positions(connection)}

    async def hints(self, topics: Sequence[str]) -> list[Hint]:
        """Where to go on reading these topics."""
        async with self._engine.connect() as connection:
            return await list_hints(connection, topics)

    async def stopped(self) -> dict[str, str]:
        """The stopped ledgers and why."""
        async with self._engine.connect() as connection:
            standings = await list_positions(connection)
        return {s.position.ledger: s.stop_reason for s in standings if s.stop_reason is not None}
