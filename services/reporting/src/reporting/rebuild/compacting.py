"""`verbund compact`: rows of the cube that differ in nothing but their batch become one. No answer changes.

They are added up in the second cube, which then takes the place of the first one, as a rebuilt one does.
"""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import psycopg

from reporting.rebuild.build import clear, make_quick
from reporting.rebuild.changing import change_places, empty_the_former, shut
from reporting.rebuild.comparing import compare
from reporting.rebuild.sessions import alone
from verbund.disclosure import KEY_MODULUS
from verbund.feeds.compaction import CannotCompact, Compacted, CompactionContext
from verbund.feeds.rebuild import CannotRebuild

ADD_UP, COMPARE, CHANGE_OVER = "adding up", "comparing both cubes", "changing over"

_IS_BUILT_UPON = "select exists (select from rebuild.build)"
_HEADS = "select municipality, number from cube.batch_head where number > 0 order by municipality"
# A stretch is what becomes one batch: those behind `after` up to `until`.
_STRETCHES = """
    create temporary table stretch (
        municipality text, number bigint, after bigint, until bigint, batch uuid default gen_random_uuid()
    )
"""
_STRETCH = "insert into stretch (municipality, number, after, until) values (%s, %s, %s, %s) returning batch"
_BATCH = """
    insert into cube_next.batch (municipality, number, batch, taken_at)
    select municipality, stretch.number, stretch.batch, max(batch.taken_at)
    from stretch join cube.batch as batch using (municipality)
    where stretch.batch = %(batch)s and batch.number > after and batch.number <= until
    group by municipality, stretch.number, stretch.batch
"""
# What adds up to nothing is kept: the day of a source's first fact is asked too, whatever became of that fact.
_SUMS = """
    insert into cube_next.delta (municipality, batch, measure, cell, effective_on, recorded_on, cause, n, key)
    select municipality, %(batch)s, measure, cell, effective_on, recorded_on, cause, sum(n), mod(sum(key), %(modulus)s)
    from cube.delta join cube.batch using (municipality, batch) join stretch using (municipality)
    where stretch.batch = %(batch)s and batch.number > after and batch.number <= until
    group by municipality, measure, cell, effective_on, recorded_on, cause
"""
_MEMORY = "set local work_mem = '256MB'"  # sums of millions of rows; this is the only session that does such things
_CELLS = "insert into cube_next.cell select * from cube.cell on conflict do nothing"
# What came behind the last stretch while they were added up keeps its rows and follows with its numbers.
_MADE = """
    create temporary table made as
    select municipality, max(until) as until, max(number) as number from stretch group by municipality
"""
_LATER_DELTAS = """
    insert into cube_next.delta (municipality, batch, measure, cell, effective_on, recorded_on, cause, n, key)
    select municipality, batch, measure, cell, effective_on, recorded_on, cause, n, key
    from cube.delta join cube.batch using (municipality, batch) left join made using (municipality)
    where batch.number > coalesce(made.until, 0)
"""
_LATER_BATCHES = """
    insert into cube_next.batch (municipality, number, batch, taken_at)
    select municipality, batch.number - coalesce(made.until, 0) + coalesce(made.number, 0), batch, taken_at
    from cube.batch as batch left join made using (municipality) where batch.number > coalesce(made.until, 0)
"""
_NEXT_HEADS = """
    insert into cube_next.batch_head (municipality, generation, number, versions)
    select municipality, generation + 1, head.number - coalesce(made.until, 0) + coalesce(made.number, 0), versions
    from cube.batch_head as head left join made using (municipality)
"""
_TICKS = """
    select distinct municipality, tick.number
    from figures.tick as tick join cube.batch_head as head using (municipality, generation)
    where tick.number > 0
"""
# What was shown stays what is shown: a tick goes on under the number that its batch has now.
_CARRIED_TICKS = """
    insert into figures.tick (municipality, indicator, audience, district, generation, number, ticked_at)
    select tick.municipality, indicator, audience, district, generation + 1,
           coalesce(stretch.number, tick.number - made.until + made.number), ticked_at
    from (
        select distinct on (municipality, indicator, audience, district) tick.*
        from figures.tick as tick join cube.batch_head as head using (municipality, generation)
        order by municipality, indicator, audience, district, tick.number desc, ticked_at desc
    ) as tick
    join made using (municipality)
    left join stretch on stretch.municipality = tick.municipality and stretch.until = tick.number
"""
# Batches that answers of editions stand at. A rebuild makes other batches: there nothing can be carried over.
_EDITIONS = """
    select distinct municipality, cut.number
    from editions.cut as cut join cube.batch_head as head using (municipality, generation)
    where cut.number > 0
"""
# One that was frozen while they were added up may stand at a batch that is none any more: it keeps its old place.
_CARRIED_EDITIONS = """
    update editions.cut as cut
    set generation = cut.generation + 1,
        number = case when cut.number = 0 then 0
                      else coalesce(stretch.number, cut.number - made.until + made.number) end
    from cube.batch_head as head
    join made using (municipality)
    left join editions.cut as at on at.municipality = head.municipality and at.generation = head.generation
    left join stretch on stretch.municipality = at.municipality and stretch.until = at.number
    where cut.municipality = head.municipality and cut.generation = head.generation
    and at.edition_id = cut.edition_id and at.frozen_generation = cut.frozen_generation
    and at.frozen_number = cut.frozen_number
    and (cut.number = 0 or stretch.number is not null or cut.number >= made.until)
"""
_ROWS = """
    select head.municipality, head.generation,
           (select count(*) from cube_next.delta as before where before.municipality = head.municipality),
           (select count(*) from cube.delta as after where after.municipality = head.municipality)
    from cube.batch_head as head order by head.municipality
"""

Stretches = dict[str, dict[int, int]]
"""By municipality, where stretches end, and the numbers of the batches that they become."""


def compact(context: CompactionContext) -> Sequence[Compacted]:
    """Add up, compare, change over. Raises `CannotCompact`, and then what stood stands."""
    try:
        with alone(context.database) as connection:
            if connection.execute(_IS_BUILT_UPON).fetchone() == (True,):
                raise CannotCompact("A rebuild has not come to its end: go on with it, or `verbund rebuild --abandon`.")
            made, batches = _add_up(connection, context)
            _check(connection, context, made, batches)
            _change_over(connection, context)
            outcome = [
                Compacted(municipality, generation, before, after, made.get(municipality, {}))
                for municipality, generation, before, after in connection.execute(_ROWS)
            ]
            empty_the_former(connection)
            return outcome
    except CannotRebuild as error:
        raise CannotCompact(str(error)) from error


def _add_up(connection: psycopg.Connection[Any], context: CompactionContext) -> tuple[Stretches, list[UUID]]:
    """The sums in the second cube. Nobody waits: readers and pages go on with the first one."""
    with connection.transaction():
        connection.execute("set transaction isolation level repeatable read")
        connection.execute(_MEMORY)
        clear(connection)
        made: Stretches = {}
        cuts = {place: set(numbers) for place, numbers in context.cuts.items()}
        for municipality, number in (*connection.execute(_TICKS), *connection.execute(_EDITIONS)):
            cuts.setdefault(municipality, set()).add(number)
        for municipality, number in connection.execute(_HEADS).fetchall():
            made[municipality] = _numbered(municipality, number, cuts.get(municipality, ()))
        batches = _stretches(connection, made)
        for done, batch in enumerate(batches):
            context.progress(ADD_UP, done, len(batches))
            connection.execute(_BATCH, {"batch": batch})
            connection.execute(_SUMS, {"batch": batch, "modulus": KEY_MODULUS})
        connection.execute(_CELLS)
        make_quick(connection)
        context.progress(ADD_UP, len(batches), len(batches))
    return made, batches


def _numbered(municipality: str, number: int, cuts: Any) -> dict[int, int]:
    """Where stretches end that lead to the batch with this number, each with the number that it becomes."""
    beyond = [cut for cut in cuts if not 0 < cut <= number]
    if beyond:
        raise CannotCompact(f"{municipality} has no batch {min(beyond)}: it has {number}.")
    return {until: new for new, until in enumerate(sorted({*cuts, number}), start=1)}


def _stretches(connection: psycopg.Connection[Any], made: Mapping[str, Mapping[int, int]]) -> list[UUID]:
    connection.execute(_STRETCHES)
    batches = []
    for municipality, numbers in made.items():
        after = 0
        for until, number in numbers.items():
            row = connection.execute(_STRETCH, (municipality, number, after, until)).fetchone()
            assert row is not None
            batches.append(row[0])
            after = until
    connection.execute(_MADE)
    return batches


def _check(
    connection: psycopg.Connection[Any], context: CompactionContext, made: Stretches, batches: Sequence[UUID]
) -> None:
    context.progress(COMPARE, 0, 1)
    if compare(connection, {}, {municipality: max(numbers) for municipality, numbers in made.items()}, batches):
        raise CannotCompact("What was added up is not what stands.")
    context.progress(COMPARE, 1, 1)


def _change_over(connection: psycopg.Connection[Any], context: CompactionContext) -> None:
    """While nobody reads on: take over what came meanwhile, and take the place."""
    context.progress(CHANGE_OVER, 0, 1)
    with connection.transaction():
        shut(connection)
        for statement in (_LATER_DELTAS, _LATER_BATCHES, _CELLS, _NEXT_HEADS, _CARRIED_TICKS, _CARRIED_EDITIONS):
            connection.execute(statement)
        change_places(connection)
    context.progress(CHANGE_OVER, 1, 1)
