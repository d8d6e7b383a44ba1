"""How far the second cube is: which slices of which ledgers are folded in it, and whether they meet."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import psycopg

from reporting.rebuild.ledgers import History
from reporting.rebuild.marks import Marks, ends_in
from verbund.feeds.rebuild import Begin, CannotRebuild
from verbund.feeds.sift import Position
from verbund.feeds.slices import Unreadable
from verbund.ledger.record import GENESIS

SLICE = 10_000
"""Records folded at once: about 10 MB of them, some 50 MB as models. The more, the more changes add up to one."""

# Whoever was here before and still lives waits for nobody: its next slice finds another epoch.
_TAKE_OVER = "update rebuild.build set epoch = gen_random_uuid() returning epoch, versions = %s::jsonb and source = %s"
_BEGIN = "insert into rebuild.build (versions, source) values (%s, %s) returning epoch"
_FORGET = (
    "delete from rebuild.build",
    "delete from rebuild.slice",
    "delete from rebuild.parked",
)
_EMPTY = "truncate cube_next.delta, cube_next.cell, cube_next.batch, cube_next.batch_head"
# Sorted once at the end they cost a fraction of what they do row by row. As in the migration: cubes have one shape.
_WITHOUT_INDEXES = "drop index if exists cube_next.delta_by_batch, cube_next.delta_by_effective_on"
_INDEXES = (
    "create index if not exists delta_by_batch on cube_next.delta (municipality, batch)",
    """
    create index if not exists delta_by_effective_on on cube_next.delta (municipality, measure, effective_on)
        include (cell, recorded_on, n)
    """,
)
_SLICES = 'select ledger, first, last, previous, hash, batch from rebuild.slice order by ledger collate "C", first'
_DROP = (
    """
    delete from cube_next.delta using rebuild.slice
    where slice.ledger = %(ledger)s and slice.last > %(after)s
    and delta.municipality = slice.municipality and delta.batch = slice.batch
    """,
    "delete from rebuild.slice where ledger = %(ledger)s and last > %(after)s",
    "delete from rebuild.parked where ledger = %(ledger)s and number > %(after)s",
)


@dataclass(frozen=True, slots=True)
class Stretch:
    """Records `first` to `last` of a ledger, which are folded at once."""

    ledger: str
    first: int
    last: int

    @property
    def records(self) -> int:
        return self.last - self.first + 1


@dataclass(frozen=True, slots=True)
class _Folded:
    first: int
    last: int
    previous: bytes
    hash: bytes
    batch: UUID | None


class Build:
    """The second cube while it is made. Everything here is committed at once, but what changes over."""

    def __init__(self, connection: psycopg.Connection[Any], epoch: UUID) -> None:
        self._connection = connection
        self.epoch = epoch

    def batches(self) -> set[UUID]:
        """The batches that are in it."""
        return {one.batch for slices in self._slices().values() for one in slices if one.batch is not None}

    def folded(self) -> dict[str, int]:
        """How many records of each ledger are in it."""
        return {ledger: sum(one.last - one.first + 1 for one in found) for ledger, found in self._slices().items()}

    def keep_what_leads(self, goals: Mapping[str, Position], ledgers: History, marks: Marks) -> None:
        """Drop what an earlier run folded and does not lead to these ends: other histories, and what lies beyond them.

        So is a slice dropped that goes beyond the mark of an edition which was frozen since.
        """
        for ledger, slices in self._slices().items():
            goal = goals.get(ledger)
            if goal is None:
                self._drop(ledger, after=0)
                continue
            ends = [*ends_in(marks, ledger), goal.number]
            beyond = [one.first - 1 for one in slices if any(one.first <= end < one.last for end in ends)]
            beyond += [one.first - 1 for one in slices if one.first > goal.number]
            hashes = ledgers.hashes(ledger, [one.last for one in slices])
            is_another = any(hashes.get(one.last) != one.hash for one in slices if one.last <= goal.number)
            if is_another or beyond:
                self._drop(ledger, after=0 if is_another else min(beyond))

    def missing(self, goals: Iterable[Position], marks: Marks) -> list[Stretch]:
        """What is still to be folded up to these ends, in slices; none goes beyond a mark."""
        slices = self._slices()
        return [
            stretch
            for goal in goals
            for stretch in _gaps(goal, slices.get(goal.ledger, ()), ends_in(marks, goal.ledger))
        ]

    def met(self, marks: Marks) -> Marks:
        """Those at which slices end. What was asked before a run and sealed after it had folded may lie within one."""
        slices = self._slices()
        return [
            mark
            for mark in marks
            if not any(one.first <= mark.end(ledger) < one.last for ledger, found in slices.items() for one in found)
        ]

    def prove(self, goals: Iterable[Position]) -> None:
        """Check that slices meet and end as they should; drops those of a ledger that do not, and raises."""
        slices = self._slices()
        for goal in goals:
            number, last_hash = 0, GENESIS
            for one in slices.get(goal.ledger, ()):
                if one.first != number + 1 or one.previous != last_hash:
                    self._give_up(goal.ledger, number, "chain_broken")
                number, last_hash = one.last, one.hash
            if number != goal.number or last_hash != goal.hash:
                self._give_up(goal.ledger, number, "other_hash" if number == goal.number else "hole")

    def make_quick(self) -> None:
        """Indexes and statistics: from the first question on it is as quick as the one that stands."""
        make_quick(self._connection)

    def _give_up(self, ledger: str, number: int, reason: str) -> None:
        self._drop(ledger, after=0)
        raise CannotRebuild(f"{Unreadable(ledger, number, reason)}: `verbund verify` names what is wrong.")

    def _drop(self, ledger: str, after: int) -> None:
        with self._connection.transaction():
            for statement in _DROP:
                self._connection.execute(statement, {"ledger": ledger, "after": after})

    def _slices(self) -> dict[str, list[_Folded]]:
        found: dict[str, list[_Folded]] = {}
        for ledger, *rest in self._connection.execute(_SLICES):
            found.setdefault(ledger, []).append(_Folded(*rest))
        return found


def take_over(
    connection: psycopg.Connection[Any],
    versions: Mapping[str, int],
    source: str,
    begin: Begin,
) -> Build:
    """The build that an earlier run left, fenced off from it; a new one where there is none, or none of this kind."""
    given = (json.dumps(versions), source)
    if begin == "where it was":
        row = connection.execute(_TAKE_OVER, given).fetchone()
        if row is not None and row[1]:
            return Build(connection, row[0])
    with connection.transaction():
        forget(connection)
        clear(connection)
        row = connection.execute(_BEGIN, given).fetchone()
    assert row is not None
    return Build(connection, row[0])


def forget(connection: psycopg.Connection[Any]) -> bool:
    """Remove what was built so far; False where there was nothing. In the caller's transaction."""
    was_there = connection.execute("select from rebuild.build for update").fetchone() is not None
    for statement in (*_FORGET, _EMPTY):
        connection.execute(statement)
    _add_indexes(connection)
    return was_there


def clear(connection: psycopg.Connection[Any]) -> None:
    """Empty the second cube, to be filled with many rows. In the caller's transaction."""
    connection.execute(_EMPTY)
    connection.execute(_WITHOUT_INDEXES)


def make_quick(connection: psycopg.Connection[Any]) -> None:
    """Give the second cube its indexes and statistics."""
    _add_indexes(connection)
    connection.execute("analyze cube_next.delta, cube_next.cell")


def _add_indexes(connection: psycopg.Connection[Any]) -> None:
    for statement in _INDEXES:
        connection.execute(statement)


def _gaps(goal: Position, slices: Sequence[_Folded], ends: Sequence[int]) -> list[Stretch]:
    stretches, number = [], 0
    folded = [(one.first, one.last) for one in slices]
    for first, last in [*folded, (goal.number + 1, goal.number)]:
        while number < first - 1:
            until = min([number + SLICE, first - 1, *(end for end in ends if end > number)])
            stretches.append(Stretch(goal.ledger, number + 1, until))
            number = until
        number = max(number, last)
    return stretches
