"""One ledger's way to Kafka: read, send, wait for every record's own acknowledgement, then move the position."""

import asyncio
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from logging import getLogger
from time import monotonic

import psycopg
from sqlalchemy.exc import SQLAlchemyError

from verbund import metrics
from verbund.kafka.messages import beat_message, message_of
from verbund.ledger.record import Head, Record
from verbund.relay.client.connecting import CannotSend, Failure
from verbund.relay.client.sender import Outcome, Sender, Sending
from verbund.relay.reading import Fault, Ledgers, check_head
from verbund.relay.store import Position, Standing, Store
from verbund.relay.wire import Wire

_log = getLogger(__name__)

LARGEST_CHUNK = 1_000  # records: some 2 MB, sent in a tenth of a second
_CHUNKS_AT_ONCE = 2  # one is packed and sent while the next one is read and the one before is noted
_BEAT_SECONDS = 2.0
_POLL_SECONDS = 1.0
_FIRST_WAIT_SECONDS = 0.2
_LONGEST_WAIT_SECONDS = 5.0
_ASK_SECONDS = 5.0  # without an acknowledgement Kafka is asked what is wrong
_GIVE_UP_SECONDS = 60.0  # and when it says that nothing is, the sender has stalled
_LAST_WORDS_SECONDS = 4.0


class _Lost(Exception):
    """The position is not where this line moved it: it begins again from where it is."""


@dataclass(frozen=True, slots=True)
class _Flight:
    """A chunk of records on its way."""

    records: Sequence[Record]
    sending: asyncio.Future[Sending]
    """Made in another thread while this one reads on."""
    sender: Sender

    async def outcome(self) -> Outcome:
        return await (await self.sending).outcome()


class Line:
    """Sends one ledger until it is told to end. Raises `Fenced` out of `run` when another relay has taken over."""

    def __init__(self, standing: Standing, store: Store, ledgers: Ledgers, wire: Wire) -> None:
        self.ledger = standing.head.ledger
        self._standing = standing
        self._store = store
        self._ledgers = ledgers
        self._wire = wire
        self._wake = asyncio.Event()
        self._ending = False
        self._position = standing.position
        self._read = standing.position
        self._flights: deque[_Flight] = deque()
        self._largest = LARGEST_CHUNK
        self._beat: Sending | None = None
        self._beat_due = 0.0
        self._stood_at = 0.0
        self._oldest: Record | None = None
        self._waiting_since: float | None = None
        self._moves = 0

    # What is told from outside -----------------------------------------------------------------------------------

    def see(self, standing: Standing, looked_at: float) -> None:
        """Where the ledger ends now, and what the database says of its position, by a look that began at `looked_at`
        (monotonic clock)."""
        if looked_at < self._stood_at:  # this line has moved it meanwhile
            standing = Standing(standing.head, self._position)
        self._standing = standing
        if not standing.unsent:
            self._waiting_since = None
        elif self._waiting_since is None:
            self._waiting_since = monotonic()
        self._wake.set()
        metrics.RELAY_POSITION.labels(self.ledger).set(standing.position.number)
        metrics.RELAY_UNSENT.labels(self.ledger).set(standing.unsent)
        metrics.RELAY_UNSENT_SECONDS.labels(self.ledger).set(self._age_seconds())
        metrics.RELAY_STOPPED.labels(self.ledger).set(standing.position.stop_reason is not None)

    def end(self) -> None:
        """Wait for what is on its way, for some seconds, and begin nothing more."""
        self._ending = True
        self._wake.set()

    @property
    def stop_reason(self) -> str | None:
        return self._standing.position.stop_reason

    @property
    def waiting_seconds(self) -> float:
        """For how long nothing was acknowledged although there is something to be sent."""
        return monotonic() - self._waiting_since if self._waiting_since and self.stop_reason is None else 0.0

    def _age_seconds(self) -> float:
        """Since when the oldest unsent record waits: since it was booked, or since the one before was acknowledged."""
        if not self._standing.unsent or self._oldest is None:
            return self.waiting_seconds
        headers = dict(message_of(self._oldest).headers)
        booked_at = datetime.fromisoformat(headers["ce_time"].decode()) if "ce_time" in headers else None
        times = [at for at in (booked_at, self._standing.position.moved_at) if at is not None]
        return max((datetime.now(UTC) - max(times)).total_seconds(), 0.0) if times else self.waiting_seconds

    # The work ----------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Send until told to end; what fails is tried again from where the database says."""
        pause = _FIRST_WAIT_SECONDS
        while not self._ending:
            moves = self._moves
            try:
                await self._send_from_position()
                continue
            except CannotSend:
                pass  # the wire says what is wrong
            except _Lost:
                continue
            except (SQLAlchemyError, psycopg.Error, OSError, TimeoutError) as error:
                _log.warning("a ledger cannot be sent", extra={"ledger": self.ledger, "error": type(error).__name__})
            pause = _FIRST_WAIT_SECONDS if self._moves > moves else min(pause * 2, _LONGEST_WAIT_SECONDS)
            await self._sleep(pause)

    async def _send_from_position(self) -> None:
        """From the database's position on; returns when told to end, or to begin again from there."""
        self._flights.clear()
        self._stand_at(await self._store.position(self.ledger))
        self._read = self._position
        if self._standing.unsent and self._oldest is None:
            self._oldest = next(
                iter(await self._ledgers.read(self.ledger, self._read.number, self._read.number + 1)), None
            )
        sender = await self._wire.sender()
        # Before the first record: a beat that another sender left on its way is older, and can be told by its time.
        self._beat, self._beat_due = None, 0.0
        await self._say_alive(sender)
        while self._flights or not (self._ending or self._is_elsewhere()):
            fault = await self._fill(sender)
            if self._flights:
                await self._land()
            elif fault is not None:
                await self._stop_at(fault)
            else:
                await self._idle(sender)

    def _stand_at(self, position: Position) -> None:
        """What was seen before is out of date."""
        self._position, self._stood_at = position, monotonic()
        self._standing = Standing(self._standing.head, position)

    def _is_elsewhere(self) -> bool:
        """Whether somebody else set the position back, or resumed the ledger."""
        seen = self._standing.position
        mine = self._position
        return (seen.number, seen.hash, seen.stop_reason) != (mine.number, mine.hash, mine.stop_reason)

    async def _fill(self, sender: Sender) -> Fault | None:
        """Send chunks until enough are on their way; returns what is wrong with the ledger behind them."""
        if self._position.stop_reason is not None:
            return None
        fault = check_head(self._read, self._standing.head) if not self._flights else None
        while fault is None and not self._ending and len(self._flights) < self._at_once():
            up_to = min(self._read.number + self._largest, self._standing.head.number)
            if up_to <= self._read.number:
                break
            records, fault = await self._ledgers.read_on(self.ledger, self._read, up_to)
            if records:
                self._take_off(sender, records)
        return fault

    def _at_once(self) -> int:
        """One at a time while it is to be found out which record is refused."""
        return _CHUNKS_AT_ONCE if self._largest > 1 else 1

    def _take_off(self, sender: Sender, records: Sequence[Record]) -> None:
        if not self._flights:
            self._oldest = records[0]
        sending = self._wire.send(sender, lambda: [message_of(record) for record in records])
        self._flights.append(_Flight(records, sending, sender))
        self._read = Position(records[-1].number, records[-1].hash)

    async def _land(self) -> None:
        """Wait for the first chunk on its way, and move the position to the last record that Kafka has."""
        flight = self._flights.popleft()
        outcome = await self._await_outcome(flight)
        if outcome.acknowledged:
            await self._move(flight.records[outcome.acknowledged - 1])
            metrics.RELAY_SENDS.labels("acknowledged").inc(outcome.acknowledged)
            self._largest = min(self._largest * 2, LARGEST_CHUNK)
            self._wire.acknowledged()
        if self._flights:
            self._oldest = self._flights[0].records[0]
        if outcome.failure is not None:
            await self._fall_back(flight, outcome, outcome.failure)

    async def _fall_back(self, flight: _Flight, outcome: Outcome, failure: Failure) -> None:
        """Find the guilty record by sending one at a time; stop at it, or try again on a new way."""
        refused = failure.kind == "refused"
        metrics.RELAY_SENDS.labels("refused" if refused else "failed").inc(
            1 if refused else len(flight.records) - outcome.acknowledged
        )
        if flight.sender.failure is not None or not refused:
            self._wire.discard(flight.sender, failure)
        if not refused:
            self._largest = max(self._largest // 4, 1)
            raise CannotSend(failure)
        if len(flight.records) == 1:
            await self._stop(f"refused: {failure.detail}")
        self._largest = 1
        raise _Lost

    async def _await_outcome(self, flight: _Flight) -> Outcome:
        """Wait for Kafka's answers, beat meanwhile, and ask what is wrong where none come."""
        waiting = asyncio.ensure_future(flight.outcome())
        begun = asked = monotonic()
        try:
            while True:
                done, _ = await asyncio.wait([waiting], timeout=_BEAT_SECONDS)
                if done:
                    return waiting.result()
                now = monotonic()
                if self._ending and now - begun > _LAST_WORDS_SECONDS:
                    raise _Lost
                if now - asked > _ASK_SECONDS:
                    asked = now
                    if await self._wire.ask() is None and now - begun > _GIVE_UP_SECONDS:
                        return Outcome(0, Failure("failed", "no answer"))
                await self._say_alive(flight.sender)
        finally:
            waiting.cancel()

    async def _move(self, record: Record) -> None:
        if not await self._store.move(self.ledger, self._position, record.number, record.hash):
            await self._store.position(self.ledger)  # raises `Fenced` where it is not this relay's any more
            raise _Lost
        self._stand_at(Position(record.number, record.hash, datetime.now(UTC)))
        self._moves += 1
        self._waiting_since = monotonic() if self._standing.unsent else None

    async def _stop_at(self, fault: Fault) -> None:
        """Stop where the ledger does not go on, once head and position of this moment say so too."""
        beat = await self._store.beat(self.ledger)
        head = Head(self.ledger, beat.number, beat.hash, self._standing.head.time)
        if fault in ("head_below_position", "other_hash") and check_head(self._position, head) is None:
            raise _Lost
        await self._stop(fault)

    async def _stop(self, reason: str) -> None:
        if await self._store.stop(self.ledger, self._position.number, reason):
            metrics.RELAY_STOPPED.labels(self.ledger).set(1)
            _log.error(
                "a ledger is not sent on",
                extra={"ledger": self.ledger, "number": self._position.number, "reason": reason},
            )
        raise _Lost

    async def _say_alive(self, sender: Sender) -> None:
        """Tell where the ledger ends: read behind everything that was sent, so that it is never behind that."""
        if monotonic() < self._beat_due or (self._beat is not None and not self._beat.is_over):
            return
        beat = await self._store.beat(self.ledger)
        self._beat = await self._wire.send(sender, lambda: [beat_message(beat)])
        self._beat_due = monotonic() + _BEAT_SECONDS

    async def _idle(self, sender: Sender) -> None:
        """Nothing to be sent: wait to be told of something, and show that all is well."""
        self._oldest = None
        if self._beat is not None and self._beat.is_over:
            outcome = await self._beat.outcome()
            if outcome.failure is not None:
                self._wire.discard(sender, outcome.failure)
                raise CannotSend(outcome.failure)
            self._wire.acknowledged()
        await self._sleep(_POLL_SECONDS)
        await self._say_alive(sender)

    async def _sleep(self, seconds: float) -> None:
        if not self._ending:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), seconds)
        self._wake.clear()
