"""Rebuilding what a reader made: emptied and folded anew from the ledgers, in one transaction, while no reader works.

Whoever looks meanwhile sees what stood before; killed at any point, it has not happened and can be repeated.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from verbund.events.envelope import Data
from verbund.events.ledger_ids import office_of
from verbund.feeds.batch import Batch
from verbund.feeds.ledger_view import LedgerView, Source
from verbund.feeds.positions import hear, list_positions
from verbund.feeds.reader import Effect, EffectRefused, Reader
from verbund.ledger.record import GENESIS, Beat
from verbund.settings import DatabaseSettings

_LARGEST_BATCH = 10_000  # records held at a time: about 10 MB; the more at once, the more changes add up to one
_LOCK = 0x5265667564  # rebuilds of one database exclude each other; the database lets go of it with the transaction

_BE_THE_ONLY_ONE = text("select pg_try_advisory_xact_lock(:key)")
_READERS = text("select count(*) from pg_stat_activity where datname = current_database() and usename = :role")
# A reader that starts meanwhile fails and tries again; whoever only looks is not hindered.
_SHUT = text("lock table feed.position in exclusive mode nowait")
_FORGET = (text("delete from feed.position"), text("delete from feed.parked"))

Progress = Callable[[str, int, int], None]
"""`progress(ledger, done, total)`: how many of how many records are folded."""
Empty = Callable[[AsyncConnection], Awaitable[None]]
"""Removes, in the caller's transaction, everything that the effect ever made."""


@dataclass(frozen=True, slots=True)
class RebuildContext:
    """What a rebuild is given."""

    reader: str
    """The office that reads."""
    reader_role: str
    """The database role of its reader: while somebody is logged in under it, a reader is at work."""
    database: DatabaseSettings
    """The office's own, under its owner's role: a reader may not remove anything."""
    sources: Sequence[Source]
    hash_key_file: Path
    progress: Progress


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """A ledger that was folded anew."""

    ledger: str
    before: int
    """How far it had been read; 0 where it never was."""
    number: int
    """How far it is read now; 0 where its office has it no more."""


Rebuild = Callable[[RebuildContext], Sequence[Rebuilt]]
"""What `Office.rebuild` names. Raises `CannotRebuild`."""


class CannotRebuild(Exception):
    """Nothing was changed; the message says why, and what to do."""


async def rebuild(
    engine: AsyncEngine, context: RebuildContext, effect: Effect, known_events: Mapping[str, type[Data]], empty: Empty
) -> list[Rebuilt]:
    """Empty everything, and fold each ledger of the sources up to where it ends now. Raises `CannotRebuild`."""
    now: dict[str, int] = {}
    async with AsyncExitStack() as opened, engine.begin() as connection:
        await _shut_out_others(connection, context.reader_role)
        before = {standing.position.ledger: standing.position.number for standing in await list_positions(connection)}
        _refuse_to_lose(before, context.sources)
        for statement in _FORGET:
            await connection.execute(statement)
        await empty(connection)
        reader = Reader(engine, effect, known_events)
        for source in context.sources:
            view = LedgerView(source, context.reader)
            opened.push_async_callback(view.close)
            beats = await view.beats()
            for beat in beats:
                now[beat.ledger] = await _fold(connection, reader, view, beat, context.progress)
            await hear(connection, beats)
    return [Rebuilt(ledger, before.get(ledger, 0), now.get(ledger, 0)) for ledger in sorted(before | now)]


async def _shut_out_others(connection: AsyncConnection, reader_role: str) -> None:
    if not (await connection.execute(_BE_THE_ONLY_ONE, {"key": _LOCK})).scalar_one():
        raise CannotRebuild("Another rebuild is under way; one that was killed lets go within seconds.")
    if (await connection.execute(_READERS, {"role": reader_role})).scalar_one():
        raise CannotRebuild(f"A reader is at work (logged in as {reader_role}): stop it first.")
    try:
        await connection.execute(_SHUT)
    except SQLAlchemyError as error:
        raise CannotRebuild("Somebody is writing positions at this moment: stop the reader first.") from error


def _refuse_to_lose(ledgers: Iterable[str], sources: Sequence[Source]) -> None:
    """What an office booked would vanish from the figures without a word where nobody says how to reach it."""
    lost = {office_of(ledger) for ledger in ledgers} - {source.office for source in sources}
    if lost:
        raise CannotRebuild(f"Ledgers of {', '.join(sorted(lost))} were read, and there is no such office here now.")


async def _fold(connection: AsyncConnection, reader: Reader, view: LedgerView, beat: Beat, progress: Progress) -> int:
    """Fold one ledger from its first record up to the given end; returns how far it was read."""
    number, last_hash = 0, GENESIS
    progress(beat.ledger, number, beat.number)
    while number < beat.number:
        records = await view.records(beat.ledger, number, min(_LARGEST_BATCH, beat.number - number))
        try:
            taken = await reader.take_within(connection, Batch(records))
        except (EffectRefused, LookupError) as error:
            raise CannotRebuild(f"{beat.ledger} cannot be folded behind number {number}: {error}") from error
        if taken.holes or beat.ledger not in taken.positions:
            raise _unreadable(beat.ledger, number, taken.alarms.get(beat.ledger, "hole"))
        number, last_hash = taken.positions[beat.ledger], records[-1].hash
        progress(beat.ledger, number, beat.number)
    if last_hash != beat.hash:
        raise _unreadable(beat.ledger, number, "other_hash")
    return number


def _unreadable(ledger: str, number: int, reason: str) -> CannotRebuild:
    return CannotRebuild(
        f"{ledger} cannot be read on from number {number} ({reason}): `verbund verify` names what is wrong."
    )
