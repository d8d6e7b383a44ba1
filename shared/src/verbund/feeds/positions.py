"""Positions and parked records in the reader's own database. Nothing here commits: the reader does."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from verbund.feeds.batch import Hint
from verbund.feeds.sift import Position
from verbund.kafka.messages import Stray
from verbund.ledger.record import GENESIS, Beat, Record

_OPEN = text("""
    insert into feed.position (ledger, hash)
    select ledger, :genesis from unnest(cast(:ledgers as text[])) as wanted (ledger)
    on conflict do nothing
""")
_LOCK = text("""
    select ledger, number, hash, stop_reason, beat_at from feed.position
    where ledger = any(cast(:ledgers as text[])) order by ledger collate "C" for update
""")
_MOVE = text("""
    update feed.position as position
    set number = new.number, hash = new.hash,
        recorded_at = coalesce(new.recorded_at, position.recorded_at), moved_at = now()
    from unnest(cast(:ledgers as text[]), cast(:numbers as bigint[]), cast(:hashes as bytea[]),
                cast(:times as timestamptz[])) as new (ledger, number, hash, recorded_at)
    where position.ledger = new.ledger
""")
_STOP = text("""
    update feed.position set stop_reason = :reason, stopped_at = now()
    where ledger = :ledger and stop_reason is null
""")
_RESUME = text("""
    update feed.position set stop_reason = null, stopped_at = null
    where ledger = :ledger and stop_reason is not null returning ledger
""")
_HEAR = text("""
    update feed.position as position
    set heard_at = greatest(position.heard_at, new.at), head_number = new.number,
        beat_at = greatest(position.beat_at, new.as_of)
    from unnest(cast(:ledgers as text[]), cast(:numbers as bigint[]), cast(:times as timestamptz[]),
                cast(:as_of as timestamptz[])) as new (ledger, number, at, as_of)
    where position.ledger = new.ledger
""")
_PARK = text("""
    insert into feed.parked (ledger, number, reason, detail, body, hash)
    select * from unnest(
        cast(:ledgers as text[]), cast(:numbers as bigint[]), cast(:reasons as text[]), cast(:details as text[]),
        cast(:bodies as bytea[]), cast(:hashes as bytea[]))
    on conflict do nothing
""")
_LIST = text("select ledger, number, hash, stop_reason, beat_at from feed.position order by ledger")
# Sorted, so that two readers write them in one order. Of two places in one topic the later one is right.
_NOTE = text("""
    insert into feed.hint as hint (topic, partition, topic_id, next_offset)
    select * from unnest(cast(:topics as text[]), cast(:partitions as int[]), cast(:topic_ids as uuid[]),
                         cast(:offsets as bigint[]))
    on conflict (topic, partition) do update
    set topic_id = excluded.topic_id, noted_at = now(),
        next_offset = case when hint.topic_id = excluded.topic_id
                           then greatest(hint.next_offset, excluded.next_offset) else excluded.next_offset end
""")
_HINTS = text(
    "select topic, partition, topic_id, next_offset from feed.hint where topic = any(cast(:topics as text[]))"
)


@dataclass(frozen=True, slots=True)
class Standing:
    """A position together with what stopped the ledger, if anything did."""

    position: Position
    stop_reason: str | None
    beat_at: datetime | None
    """As of when its last beat was heard, where beats travel."""


@dataclass(frozen=True, slots=True)
class Parked:
    """Something that could not be taken, kept with its bytes until a person decides."""

    ledger: str
    """Or the topic, where nobody can say of which ledger it is."""
    number: int | None
    reason: str
    detail: str
    body: bytes
    hash: bytes

    @classmethod
    def of_record(cls, record: Record, reason: str, detail: str = "") -> Self:
        return cls(record.ledger, record.number, reason, detail, record.body, record.hash)

    @classmethod
    def of_stray(cls, stray: Stray) -> Self:
        return cls(stray.topic, None, stray.reason, stray.detail, stray.value, stray.hash)


def _standing(row: Any) -> Standing:
    return Standing(Position(row.ledger, row.number, row.hash), row.stop_reason, row.beat_at)


async def open_positions(connection: AsyncConnection, ledgers: Sequence[str]) -> None:
    """Make sure that each ledger has a position; an existing one stays as it is."""
    await connection.execute(_OPEN, {"ledgers": sorted(ledgers), "genesis": GENESIS})


async def lock_positions(connection: AsyncConnection, ledgers: Sequence[str]) -> dict[str, Standing]:
    """The positions of these ledgers, locked in order until the transaction ends.

    Two readers of one ledger meet here: whoever comes second finds higher numbers and skips.
    """
    rows = await connection.execute(_LOCK, {"ledgers": list(ledgers)})
    return {row.ledger: _standing(row) for row in rows}


async def move_positions(connection: AsyncConnection, moves: Sequence[tuple[Position, datetime | None]]) -> None:
    """Write new positions, each with the time at which the office booked the record there (None where unreadable)."""
    await connection.execute(
        _MOVE,
        {
            "ledgers": [position.ledger for position, _ in moves],
            "numbers": [position.number for position, _ in moves],
            "hashes": [position.hash for position, _ in moves],
            "times": [recorded_at for _, recorded_at in moves],
        },
    )


async def list_positions(connection: AsyncConnection) -> list[Standing]:
    """All positions, not locked."""
    rows = await connection.execute(_LIST)
    return [_standing(row) for row in rows]


async def stop_ledger(connection: AsyncConnection, ledger: str, reason: str) -> None:
    """Take nothing more of this ledger until a person has mended it and resumes it."""
    await connection.execute(_STOP, {"ledger": ledger, "reason": reason})


async def resume_ledger(connection: AsyncConnection, ledger: str) -> bool:
    """Read a stopped ledger on; False where it was not stopped. A fault that is still there stops it again."""
    return (await connection.execute(_RESUME, {"ledger": ledger})).first() is not None


async def hear(connection: AsyncConnection, beats: Sequence[Beat]) -> None:
    """Keep the signs of life of these ledgers."""
    await connection.execute(
        _HEAR,
        {
            "ledgers": [beat.ledger for beat in beats],
            "numbers": [beat.number for beat in beats],
            "times": [beat.at for beat in beats],
            "as_of": [beat.as_of for beat in beats],
        },
    )


async def note_hints(connection: AsyncConnection, hints: Sequence[Hint]) -> None:
    """Keep where to go on reading."""
    ordered = sorted(hints, key=lambda hint: (hint.topic, hint.partition))
    await connection.execute(
        _NOTE,
        {
            "topics": [hint.topic for hint in ordered],
            "partitions": [hint.partition for hint in ordered],
            "topic_ids": [hint.topic_id for hint in ordered],
            "offsets": [hint.next_offset for hint in ordered],
        },
    )


async def list_hints(connection: AsyncConnection, topics: Sequence[str]) -> list[Hint]:
    """Where to go on reading these topics."""
    rows = await connection.execute(_HINTS, {"topics": list(topics)})
    return [Hint(row.topic, row.partition, row.topic_id, row.next_offset) for row in rows]


async def park(connection: AsyncConnection, parked: Sequence[Parked]) -> None:
    """Keep what could not be taken, with its bytes and the reason; the same thing is kept once."""
    await connection.execute(
        _PARK,
        {
            "ledgers": [item.ledger for item in parked],
            "numbers": [item.number for item in parked],
            "reasons": [item.reason for item in parked],
            "details": [item.detail for item in parked],
            "bodies": [item.body for item in parked],
            "hashes": [item.hash for item in parked],
        },
    )
