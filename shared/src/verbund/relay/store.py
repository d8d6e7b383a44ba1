"""How far each ledger was sent, and which relay may move that: in the office's own database, without a lock held.

A relay has the lease while its epoch is the highest. Positions carry the epoch of who took over last, and move by
compare-and-set only: from where the relay believed them to be, under its own epoch. Whoever was overtaken, by another
relay or by a person who set a position back, finds out there and has changed nothing.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from verbund.ledger.record import GENESIS, Beat, Head

SILENT_SECONDS = 10.0
"""A relay that has not said for so long that it lives may be succeeded by one that stands by."""

_TAKE_OVER = """
    insert into relay.lease as lease (office, epoch, holder, alive_at)
    values (:office, 1, :holder, clock_timestamp())
    on conflict (office) do update
    set epoch = lease.epoch + 1, holder = excluded.holder, alive_at = excluded.alive_at
"""
_TAKE_OVER_NOW = text(f"{_TAKE_OVER} returning epoch")
_TAKE_OVER_FROM_THE_SILENT = text(
    f"{_TAKE_OVER} where lease.alive_at < clock_timestamp() - make_interval(secs => :seconds) returning epoch"
)
_STAMP = text("update relay.position set epoch = :epoch where split_part(ledger, '/', 3) = :office")
_STAY = text("""
    update relay.lease set alive_at = clock_timestamp() where office = :office and epoch = :epoch returning epoch
""")
_LEAVE = text("update relay.lease set alive_at = 'epoch' where office = :office and epoch = :epoch")
# The lease is locked against a relay that takes over: it stamps what it sees, and must not miss this position.
_OPEN = text("""
    insert into relay.position (ledger, number, hash, epoch)
    select :ledger, 0, :genesis, lease.epoch from relay.lease where office = :office and epoch = :epoch for share
    on conflict do nothing
""")
_LOOK = text("""
    select head.ledger, head.number as head_number, head.hash as head_hash, head.time,
           position.number, position.hash, position.epoch, position.moved_at, position.stop_reason
    from ledger.head left join relay.position on position.ledger = head.ledger
    where split_part(head.ledger, '/', 3) = :office
    order by head.ledger collate "C"
""")
_POSITION = text("""
    select number, hash, moved_at, stop_reason, epoch from relay.position where ledger = :ledger
""")
_MOVE = text("""
    update relay.position set number = :number, hash = :hash, moved_at = clock_timestamp()
    where ledger = :ledger and number = :from_number and hash = :from_hash and epoch = :epoch
    returning ledger
""")
_STOP = text("""
    update relay.position set stop_reason = :reason, stopped_at = clock_timestamp()
    where ledger = :ledger and number = :number and epoch = :epoch and stop_reason is null
    returning ledger
""")
# One statement of the relay that has the lease, with the time at which it began, before it saw the head: whoever takes
# over says a later time of a later head, and a beat that was held up on its way can be told by its time.
_BEAT = text("""
    select head.number, head.hash, beat.at, statement_timestamp()
    from ledger.head
    join relay.lease on lease.office = :office and lease.epoch = :epoch
    left join ledger.beat on beat.office = :office
    where head.ledger = :ledger
""")


class Fenced(Exception):
    """Another relay of this office has taken over: this one may neither send nor move anything."""


@dataclass(frozen=True, slots=True)
class Position:
    """Up to where a ledger was acknowledged by Kafka."""

    number: int
    hash: bytes
    moved_at: datetime | None = None
    stop_reason: str | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a ledger ends, and how far it was sent."""

    head: Head
    position: Position

    @property
    def unsent(self) -> int:
        return max(self.head.number - self.position.number, 0)


class Store:
    """The positions of one office as one relay sees them; every call is a transaction of its own."""

    def __init__(self, engine: AsyncEngine, office: str) -> None:
        self._engine = engine
        self.office = office
        self.epoch = 0
        """Under which this relay took over last; 0 before it did."""

    async def take_over(self, holder: str) -> None:
        """Take the lease from whoever has it; from now on nobody else moves a position. `holder`: for people."""
        assert await self._take_over(_TAKE_OVER_NOW, holder)

    async def succeed(self, holder: str) -> bool:
        """Take the lease where its holder has been silent for `SILENT_SECONDS`; says whether that was so."""
        return await self._take_over(_TAKE_OVER_FROM_THE_SILENT, holder, seconds=SILENT_SECONDS)

    async def _take_over(self, statement: object, holder: str, **more: float) -> bool:
        async with self._engine.begin() as connection:
            words = {"office": self.office, "holder": holder, **more}
            epoch = (await connection.execute(statement, words)).scalar_one_or_none()  # type: ignore[call-overload]
            if epoch is None:
                return False
            await connection.execute(_STAMP, {"office": self.office, "epoch": epoch})
        self.epoch = epoch
        return True

    async def stay(self) -> None:
        """Say that this relay lives; raises `Fenced` where it has not got the lease any more."""
        async with self._engine.begin() as connection:
            stayed = await connection.execute(_STAY, {"office": self.office, "epoch": self.epoch})
            if stayed.first() is None:
                raise Fenced

    async def leave(self) -> None:
        """Give the lease up, so that who stands by need not wait; nothing happens where another one has it."""
        async with self._engine.begin() as connection:
            await connection.execute(_LEAVE, {"office": self.office, "epoch": self.epoch})

    async def look(self) -> list[Standing]:
        """Every ledger of the office; one that was never sent gets a position. Raises `Fenced`."""
        async with self._engine.begin() as connection:
            rows = (await connection.execute(_LOOK, {"office": self.office})).all()
            for row in rows:
                if row.epoch is None:
                    words = {"ledger": row.ledger, "genesis": GENESIS, "office": self.office, "epoch": self.epoch}
                    await connection.execute(_OPEN, words)
                elif row.epoch != self.epoch:
                    raise Fenced
        return [
            Standing(
                Head(row.ledger, row.head_number, row.head_hash, row.time),
                Position(0, GENESIS)
                if row.epoch is None
                else Position(row.number, row.hash, row.moved_at, row.stop_reason),
            )
            for row in rows
        ]

    async def position(self, ledger: str) -> Position:
        """Up to where one ledger was sent; raises `Fenced`."""
        async with self._engine.connect() as connection:
            row = (await connection.execute(_POSITION, {"ledger": ledger})).first()
        if row is None or row.epoch != self.epoch:
            raise Fenced
        return Position(row.number, row.hash, row.moved_at, row.stop_reason)

    async def move(self, ledger: str, before: Position, number: int, new_hash: bytes) -> bool:
        """Move a position from `before`; False where it is not there any more, or not this relay's to move."""
        words = {
            "ledger": ledger,
            "number": number,
            "hash": new_hash,
            "from_number": before.number,
            "from_hash": before.hash,
            "epoch": self.epoch,
        }
        async with self._engine.begin() as connection:
            return (await connection.execute(_MOVE, words)).first() is not None

    async def stop(self, ledger: str, number: int, reason: str) -> bool:
        """Send nothing more of a ledger whose position is `number` until a person decides; False as in `move`."""
        words = {"ledger": ledger, "number": number, "reason": reason, "epoch": self.epoch}
        async with self._engine.begin() as connection:
            return (await connection.execute(_STOP, words)).first() is not None

    async def beat(self, ledger: str) -> Beat:
        """Where a ledger ends and as of when, by one clock; raises `Fenced` where this relay has not got the lease."""
        words = {"ledger": ledger, "office": self.office, "epoch": self.epoch}
        async with self._engine.connect() as connection:
            row = (await connection.execute(_BEAT, words)).first()
        if row is None:
            raise Fenced
        number, own_hash, at, as_of = row
        return Beat(ledger, number, own_hash, at, as_of)
