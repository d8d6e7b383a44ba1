"""Whether two cubes say the same: sums and record keys of every place, of some of the batches of each."""

from collections.abc import Collection, Mapping
from typing import Any
from uuid import UUID

import psycopg

from reporting.deltas import measures_of
from verbund.disclosure import KEY_MODULUS
from verbund.events.offices import find_offices
from verbund.feeds.rebuild import Difference, Differences, Place

Numbers = Mapping[str, int]
"""By municipality, the number of a batch of the first cube."""

_SHOWN = 10

# Both are added up in one go, with the signs of the first one turned round: what is the same leaves nothing.
_DIFFERING = """
    create temporary table differing on commit drop as
    with living as materialized (
        select municipality, batch from cube.batch
        join unnest(%(municipalities)s::text[], %(numbers)s::bigint[]) as until (municipality, until)
        using (municipality)
        left join unnest(%(known)s::text[], %(known_numbers)s::bigint[]) as behind (municipality, behind)
        using (municipality)
        where number <= until and number > coalesce(behind, 0)
    )
    select municipality, measure, cell, effective_on, recorded_on, cause, sum(before) as before, sum(after) as after
    from (
        select municipality, measure, cell, effective_on, recorded_on, cause, n as before, 0 as after, -key as key
        from cube.delta join living using (municipality, batch)
        union all
        select municipality, measure, cell, effective_on, recorded_on, cause, 0, n, key
        from cube_next.delta where batch = any(%(after)s)
    ) as both_cubes
    group by municipality, measure, cell, effective_on, recorded_on, cause
    having sum(before) <> sum(after) or mod(sum(key), %(modulus)s) <> 0
"""
_SUMS = """
    select municipality, measure, count(*), sum(before), sum(after) from differing
    group by municipality, measure order by municipality, measure
"""
_PLACES = """
    select municipality, measure, cell, effective_on::text, recorded_on::text, cause, before::bigint, after::bigint
    from differing
    order by municipality, measure, effective_on, recorded_on, cause, cell limit %s
"""


def compare(
    connection: psycopg.Connection[Any], behind: Numbers, until: Numbers, batches: Collection[UUID]
) -> Differences:
    """In what the first cube's batches behind these numbers, up to those ones, differ from batches of the second."""
    living: dict[str, Any] = {"modulus": KEY_MODULUS, "known": list(behind), "known_numbers": list(behind.values())}
    living |= {"municipalities": list(until), "numbers": list(until.values())}
    with connection.transaction():
        connection.execute(_DIFFERING, {**living, "after": list(batches)})
        sums = tuple(
            Difference(municipality, _office_of(measure), measure, places, int(stood), int(stands))
            for municipality, measure, places, stood, stands in connection.execute(_SUMS)
        )
        places = tuple(Place(*row) for row in connection.execute(_PLACES, (_SHOWN,)))
        connection.execute("drop table differing")  # within a larger transaction it would stay
    return Differences(sums, places)


def _office_of(measure: str) -> str:
    """Whose measure it is; one that a further release counted is nobody's here."""
    found = measures_of(find_offices()).get(measure)
    return "–" if found is None else found.office


def together(one: Differences, other: Differences) -> Differences:
    """What two comparisons of different batches found."""
    sums = {(each.municipality, each.measure): each for each in one.sums}
    for each in other.sums:
        known = sums.get((each.municipality, each.measure))
        sums[each.municipality, each.measure] = each if known is None else _added(known, each)
    return Differences(tuple(sums[key] for key in sorted(sums)), (*one.places, *other.places)[:_SHOWN])


def _added(one: Difference, other: Difference) -> Difference:
    return Difference(
        one.municipality,
        one.office,
        one.measure,
        one.places + other.places,
        one.before + other.before,
        one.after + other.after,
    )
