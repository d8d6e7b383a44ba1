"""Ticks: when figures finer than the city's totals move for those who do not see them exactly and live.

A cell that is redrawn the moment a person leaves the counter tells on that person. So such figures stand still until
enough units have changed and a set time has passed; then a tick is written, and everybody answers from it. What is
protected moves Stadtbezirk by Stadtbezirk; what is released to the public when a period is over.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from verbund.disclosure import KEY_MODULUS

_LATEST = text("""
    select distinct on (district) district, number, ticked_at from figures.tick
    where municipality = :municipality and indicator = :indicator and audience = :audience
    and generation = :generation and number <= :number
    order by district, number desc, ticked_at desc
""")
_FORMER = text("""
    select max(ticked_at) from figures.tick
    where municipality = :municipality and indicator = :indicator and audience = :audience
    and generation < :generation
""")
_HEADS = "select municipality, generation, number from cube.batch_head order by municipality"
_LIST_HEADS = text(_HEADS)
# Whoever appends a batch waits, and the number is that of a commit.
_LOCK_HEADS = text(f"{_HEADS} for update")
_TICK = text("""
    insert into figures.tick (municipality, indicator, audience, district, generation, number, ticked_at)
    values (:municipality, :indicator, :audience, :district, :generation, :number, :at)
""")
# A row of one unit has the record key of that unit, whatever its sign.
_CHANGED = text("""
    select cell.measure, cell.dims,
        case delta.n when 1 then delta.key when -1 then mod(:modulus - delta.key, :modulus) end as unit,
        abs(delta.n) as units, max(batch.number) as number
    from cube.batch as batch
    join cube.delta as delta using (municipality, batch)
    join cube.cell as cell using (municipality, cell)
    where municipality = :municipality and delta.measure = any(:measures) and batch.number > :after
    and batch.number <= :until
    group by 1, 2, 3, 4 order by number desc limit :most
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
    units_per_district: int = 40
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


MARGINS = ""
"""In the place of a Stadtbezirk: an indicator's exact margins; or all that is released."""


@dataclass(frozen=True, slots=True)
class LastTicks:
    """The last ticks of an indicator for an audience."""

    of_margins: Tick
    by_district: Mapping[str, Tick] = field(default_factory=dict)
    """By Stadtbezirk, as of when protected figures of what is placed there are shown."""


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
    number: int
    """Of the last batch in which they changed there."""


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


async def read_ticks(connection: AsyncConnection, head: Head, indicator: str, audience: str) -> LastTicks | None:
    """The last ticks of an indicator up to a head; None before the first one of this generation."""
    given = {**_place(head, indicator, audience), "number": head.number}
    found = {row.district: Tick(row.number, row.ticked_at) for row in await connection.execute(_LATEST, given)}
    of_margins = found.pop(MARGINS, None)
    return None if of_margins is None else LastTicks(of_margins, found)


async def read_former(connection: AsyncConnection, head: Head, indicator: str, audience: str) -> datetime | None:
    """When an indicator ticked last before its cube was rebuilt; None where it was not."""
    found: datetime | None = (await connection.execute(_FORMER, _place(head, indicator, audience))).scalar_one()
    return found


def _place(head: Head, indicator: str, audience: str) -> dict[str, str | int]:
    place: dict[str, str | int] = {"municipality": head.municipality, "generation": head.generation}
    return {**place, "indicator": indicator, "audience": audience}


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


async def write_ticks(
    connection: AsyncConnection, head: Head, indicator: str, audience: str, districts: Collection[str], at: datetime
) -> None:
    """Say that from now on this audience sees an indicator as of the head, in these Stadtbezirke (or `MARGINS`).

    Commits nothing.
    """
    for district in districts:
        given = {**_place(head, indicator, audience), "district": district, "number": head.number, "at": at}
        await connection.execute(_TICK, given)


def units_wanted(
    tick: Tick | None, pace: Pace, head: Head, at: datetime, former_at: datetime | None = None
) -> int | None:
    """How many units have to have changed since the last tick for another one; None where there is none to come.

    `former_at`: when it ticked last before the cube was rebuilt. How many have changed since is not known, so the
    first tick of a rebuilt cube waits the whole time.
    """
    if head.number <= (0 if tick is None else tick.number):
        return None
    if tick is not None:
        return pace.asks_for(at - tick.ticked_at)
    return pace.units if former_at is None or at - former_at >= pace.time else None


async def has_many_changes(connection: AsyncConnection, head: Head, after: int, most: int) -> bool:
    """Whether so many changes stand behind a batch, whatever they count."""
    given = {"municipality": head.municipality, "after": after, "most": most}
    found: int = (await connection.execute(_ROWS, given)).scalar_one()
    return found >= most
