"""Positions and parked records in the reader's own database. Nothing here commits: the reader does."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from verbund.feeds.sift import Position
from verbund.ledger.record import GENESIS, Beat, Record

_OPEN = text("""
    insert into feed.position (ledger, hash)
    select ledger, :genesis from unnest(cast(:ledgers as text[])) as wanted (ledger)
    on conflict do nothing
""")
_LOCK = text("""
    select ledger, number, hash, stop_reason from feed.position
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
    set heard_at = greatest(position.heard_at, new.at), head_number = new.number
    from unnest(cast(:ledgers as text[]), cast(:numbers as bigint[]), cast(:times as timestamptz[]))
        as new (ledger, number, at)
    where position.ledger = new.ledger
""")
_PARK = text("""
    insert into feed.parked (ledger, number, reason, detail, body, hash)
    select * from unnest(
        cast(:ledgers as text[]), cast(:numbers as bigint[]), cast(:reasons as text[]), cast(:details as text[]),
        cast(:bodies as bytea[]), cast(:hashes as bytea[]))
    on conflict do nothing
""")
_LIST = text("select ledger, number, hash, stop_reason from feed.position order by ledger")


@dataclass(frozen=True, slots=True)
class Standing:
    """A position together with what stopped the ledger, if anything did."""

    position: Position
    stop_reason: str | None


@dataclass(frozen=True, slots=True)
class Parked:
    """A record that could not be taken, kept with its bytes until a person decides."""

    record: Record
    reason: str
    detail: str = ""


async def open_positions(connection: AsyncConnection, ledgers: Sequence[str]) -> None:
    """Make sure that each ledger has a position; an existing one stays as it is."""
    await connection.execute(_OPEN, {"ledgers": sorted(ledgers), "genesis": GENESIS})


async def lock_positions(connection: AsyncConnection, ledgers: Sequence[str]) -> dict[str, Standing]:
    """The positions of these ledgers, locked in order until the transaction ends.

    Two readers of one ledger meet here: whoever comes second finds higher numbers and skips.
    """
    rows = await connection.execute(_LOCK, {"ledgers": list(ledgers)})
    return {row.ledger: Standing(Position(row.ledger, row.number, row.hash), row.stop_reason) for row in rows}


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
    return [Standing(Position(row.ledger, row.number, row.hash), row.stop_reason) for row in rows]


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
        },
    )


async def park(connection: AsyncConnection, parked: Sequence[Parked]) -> None:
    """Keep what could not be taken, with its bytes and the reason; the same thing is kept once."""
    await connection.execute(
        _PARK,
        {
            "ledgers": [item.record.ledger for item in parked],
            "numbers": [item.record.number for item in parked],
            "reasons": [item.reason for item in parked],
            "details": [item.detail for item in parked],
            "bodies": [item.record.body for item in parked],
            "hashes": [item.record.hash for item in parked],
        },
    )
