"""Why figures moved: what was booked between two moments, by its cause, counted by the same terms as the figures.

For restatements only. Amounts by cause are exact: whoever shows them has to know that the audience sees exact figures.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import text

from reporting.cube import Head
from reporting.figures.evaluation import Amounts, evaluate
from reporting.figures.plan import Plan
from reporting.image import Moment
from reporting.image.columns import Columns, Taken
from reporting.indicators import Span, parts_of

_MEMORY = "256MB"  # what was booked in a quarter is little; what does not fit fails, and nobody else is hindered
_MOST_ROWS = 500_000  # beyond it half the city was booked anew, and no list of reasons says anything any more
_ALL = 2**62
_BATCH = UUID(int=1)

# The number of the batch narrows first, by its index, wherever knowledge is not narrowed by days.
_BETWEEN = text("""
    select measure, dims, effective_on, cause, cast(sum(case when in_later then n else -n end) as bigint) as n
    from (
        select delta.measure, delta.cell, effective_on, cause, n,
               batch.number <= :later and recorded_on <= cast(:later_on as date) as in_later,
               batch.number <= :earlier and recorded_on <= cast(:earlier_on as date) as in_earlier
        from cube.batch as batch join cube.delta as delta using (municipality, batch)
        where municipality = :municipality and delta.measure = any(:measures) and batch.number > :least
    ) as seen
    join cube.cell as cell using (cell, measure)
    where municipality = :municipality and in_later <> in_earlier
    group by measure, cell, dims, effective_on, cause
    limit :most
""")


@dataclass(frozen=True, slots=True)
class Knowledge:
    """What an answer was made of: batches of the present cube up to a number, booked by the end of a day."""

    number: int | None
    """None where the cube was made anew since: then the day alone says what was known."""
    known_on: date | None = None
    """None is everything in these batches."""


class Booked(NamedTuple):
    """So many in a cell, of one cause, that one moment knows and the other one does not."""

    measure: str
    facts: Mapping[str, str]
    effective_on: date
    cause: str
    n: int


async def read_between(
    moment: Moment, measures: Collection[str], earlier: Knowledge, later: Knowledge
) -> Sequence[Booked] | None:
    """What `later` knows and `earlier` does not (less what it is the other way round); None where it is too much."""
    by_number = earlier.known_on is None and later.known_on is None
    numbers = [_ALL if each.number is None else each.number for each in (earlier, later)]
    rows = await moment.connection.execute(
        _BETWEEN,
        {
            "municipality": moment.municipality,
            "measures": list(measures),
            "earlier": numbers[0],
            "later": numbers[1],
            "earlier_on": _day(earlier.known_on),
            "later_on": _day(later.known_on),
            "least": min(numbers) if by_number else 0,
            "most": _MOST_ROWS + 1,
        },
    )
    booked = [Booked(*row) for row in rows]
    return None if len(booked) > _MOST_ROWS else booked


def measures_of(plan: Plan) -> frozenset[str]:
    """The measures that an indicator counts."""
    return frozenset(count.measure for part in plan.indicator.parts for count in part.counts)


async def amounts_by_cause(
    moment: Moment, plan: Plan, spans: Sequence[Span], booked: Sequence[Booked]
) -> Mapping[str, Amounts]:
    """What each cause adds to the rows of a plan in these spans, as `evaluate` counts it."""
    everything = replace(plan, sight=replace(plan.sight, known_on=None))
    by_cause: defaultdict[str, list[Booked]] = defaultdict(list)
    for one in booked:
        by_cause[one.cause].append(one)
    found = {}
    for cause, of_cause in by_cause.items():
        alone = replace(moment, head=_head(moment, 1), columns=_columns(moment, of_cause))
        found[cause] = await evaluate(alone, everything, spans)
    return found


def causes_of_indicator(plan: Plan, spans: Sequence[Span], booked: Sequence[Booked]) -> frozenset[str]:
    """The causes of anything booked that counts in the whole indicator in these spans, whatever it adds up to."""
    terms = [term for span in spans for part in parts_of(plan.catalogue, plan.indicator, span, {}) for term in part]
    return frozenset(
        one.cause
        for one in booked
        if any(term.matches(one.measure, tuple(one.facts.items()), one.effective_on) for term in terms)
    )


def _columns(moment: Moment, booked: Sequence[Booked]) -> Columns:
    """An image of these alone."""
    columns = Columns(moment.head.generation, _MEMORY, threads=1)
    taken = [Taken(1, one.measure, one.facts, one.effective_on, one.effective_on, one.n, 0) for one in booked]
    columns.take_in(_head(moment, 0), _head(moment, 1), {1: _BATCH}, taken)
    return columns


def _head(moment: Moment, number: int) -> Head:
    return Head(moment.head.generation, number, None)


def _day(day: date | None) -> str:
    return "infinity" if day is None else day.isoformat()
