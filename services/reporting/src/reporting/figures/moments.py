"""As of when an answer stands, where each Stadtbezirk moves on its own."""

from collections.abc import Collection, Mapping
from datetime import datetime

from reporting.figures.evaluation import Row
from reporting.figures.plan import Plan
from reporting.indicators import UNPLACED


def ticked_at_of(plan: Plan) -> datetime | None:
    """The last tick or release of an answer, of several the earliest one; None where it moves live."""
    return _earliest(plan, plan.filters)


def ticked_at_of_row(plan: Plan, row: Row) -> datetime | None:
    """The same of one row."""
    return _earliest(plan, {**plan.filters, **{name: (code,) for name, code in zip(plan.by, row, strict=True)}})


def _earliest(plan: Plan, narrowed: Mapping[str, Collection[str]]) -> datetime | None:
    if plan.sight.tick is None:
        return None
    ticks = plan.sight.ticks_of_districts
    moments = [ticks[district].ticked_at for district in _districts(plan, narrowed) if district in ticks]
    return min(moments, default=plan.sight.tick.ticked_at)


def _districts(plan: Plan, narrowed: Mapping[str, Collection[str]]) -> Collection[str]:
    """The Stadtbezirke of which something is in what is narrowed so."""
    city = plan.catalogue.city
    found = set(city.districts)
    for name, codes in narrowed.items():
        if plan.catalogue.level_of(name) is not None:
            parts = (part for code in codes if code != UNPLACED for part in city.parts_of(code, plan.today))
            found &= {city.district_of(part) for part in parts} | ({UNPLACED} & {*codes})
    return found
