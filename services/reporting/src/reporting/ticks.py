"""Ticks: when figures finer than the city's totals move for those who do not see them exactly and live.

A cell that is redrawn the moment a person leaves the counter tells on that person. So such figures stand still until
enough units have changed and a set time has passed; then a tick is written, and everybody answers from it.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from reporting.deltas import KEY_MODULUS

_LATEST = text("""
    select number, ticked_at from figures.tick
    where municipality = :municipality and indicator = :indicator and generation = :generation and number <= :number
    order by number desc limit 1
""")
_HEADS = "select municipality, generation, number from cube.batch_head order by municipality"
_LIST_HEADS = text(_HEADS)
# Whoever appends a batch waits, and the number is that of a commit.
_LOCK_HEADS = text(f"{_HEADS} for update")
_TICK = text("""
    insert into figures.tick (municipality, indicator, generation, number, ticked_at)
    values (:municipality, :indicator, :generation, :number, :at)
""")
# A row of one unit has the record key of that unit, whatever its sign.
_CHANGED = text("""
    select distinct cell.measure, cell.dims,
        case delta.n when 1 then delta.key when -1 then mod(:modulus - delta.key, :modulus) end as unit,
        abs(delta.n) as units
    from cube.batch as batch
    join cube.delta as delta using (municipality, batch)
    join cube.cell as cell using (municipality, cell)
    where municipality = :municipality and delta.measure = any(:measures) and batch.number > :after
    and batch.number <= :until
    limit :most
""")
_ROWS = text("""
    select coalesce(sum(abs(n)), 0) from (
        select n from cube.batch as batch join cube.delta as delta using (municipality, batch)
        where municipality = :municipality and batch.number > :after limit :most
    ) as behind
""")
_MOST_CHANGES = 50_000  # that many are enough, whatever they are


@dataclass(frozen=True, slots=True)
class Pace:
    """How often ticks come at the most: when so many units have changed and so much time has passed.

    Where very many have changed, as while a stock is loaded, nobody can be told apart, and it need not take so long.
    """

    units: int
    time: timedelta
    many: int = 500
    soon: timedelta = timedelta(seconds=10)

    def asks_for(self, passed: timedelta) -> int | None:
        """How many units have to have changed after this time; None where it is too early for any."""
        if passed >= self.time:
            return self.units
        return max(self.units, self.many) if passed >= self.soon else None


@dataclass(frozen=True, slots=True)
class Tick:
    """One moment at which an indicator's finer figures moved."""

    number: int
    """Of the last batch that is shown, in the present generation of the cube."""
    ticked_at: datetime


@dataclass(frozen=True, slots=True)
class Head:
    municipality: str
    generation: int
    number: int


@dataclass(frozen=True, slots=True)
class Change:
    """Units that changed in a cell: one, by its record key, or several at once."""

    measure: str
    dims: Mapping[str, str]
    unit: int | None
    units: int


def distinct(changes: Iterable[Change]) -> int:
    """How many units these changes are of, at the least.

    Whoever changes in one cell may change in others too: of those that came several at once, only those of one cell
    are known to be different ones.
    """
    singles: set[int] = set()
    most = 0
    for change in changes:
        if change.unit is None:
            most = max(most, change.units)
        else:
            singles.add(change.unit)
    return max(len(singles), most)


async def read_tick(
    connection: AsyncConnection, municipality: str, indicator: str, generation: int, number: int
) -> Tick | None:
    """The last tick of an indicator up to a batch of a generation; None before the first one."""
    given = {"municipality": municipality, "indicator": indicator, "generation": generation, "number": number}
    row = (await connection.execute(_LATEST, given)).first()
    return None if row is None else Tick(row.number, row.ticked_at)


async def list_heads(connection: AsyncConnection) -> list[Head]:
    """The heads of all cubes."""
    return [Head(*row) for row in await connection.execute(_LIST_HEADS)]


async def lock_heads(connection: AsyncConnection) -> list[Head]:
    """The heads of all cubes, and nobody appends until the transaction ends."""
    return [Head(*row) for row in await connection.execute(_LOCK_HEADS)]


async def list_changes(
    connection: AsyncConnection, head: Head, after: int, measures: Collection[str]
) -> Sequence[Change]:
    """The units that changed in these measures behind a batch, up to the head: all, or very many."""
    given = {"municipality": head.municipality, "measures": list(measures), "after": after, "until": head.number}
    rows = await connection.execute(_CHANGED, {**given, "modulus": KEY_MODULUS, "most": _MOST_CHANGES})
    return [Change(*row) for row in rows]


async def write_tick(connection: AsyncConnection, head: Head, indicator: str, at: datetime) -> None:
    """Say that from now on this indicator is shown as of the head. Commits nothing."""
    given = {"municipality": head.municipality, "indicator": indicator, "generation": head.generation}
    await connection.execute(_TICK, {**given, "number": head.number, "at": at})


def units_wanted(tick: Tick | None, pace: Pace, head: Head, at: datetime) -> int | None:
    """How many units have to have changed since the last tick for another one; None where there is none to come."""
    if head.number <= (0 if tick is None else tick.number):
        return None
    return pace.units if tick is None else pace.asks_for(at - tick.ticked_at)


async def has_many_changes(connection: AsyncConnection, head: Head, after: int, most: int) -> bool:
    """Whether so many changes stand behind a batch, whatever they count."""
    given = {"municipality": head.municipality, "after": after, "most": most}
    found: int = (await connection.execute(_ROWS, given)).scalar_one()
    return found >= most
