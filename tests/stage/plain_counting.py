"""Counting as a patient person does: a list of facts, gone through for every single value. Nothing is kept or shared.

`facts` are what a city's office has told, in order; a correction is a fact with a minus.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any


@dataclass(frozen=True)
class Fact:
    """`n` units (fewer, where it is negative) changed from `before` to `after`, as known from `known_on` on."""

    kind: str
    on: date
    known_on: date
    n: int
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None


@dataclass(frozen=True)
class Counted:
    """Units that count for an indicator; `origin`: where who moved came from."""

    on: date
    n: int
    facts: Mapping[str, Any]
    origin: Mapping[str, Any] | None = None


Place = Callable[[str, str, date], str]
"""From an area, a kind of areas and a day to the area of that kind."""
IsThere = Callable[[str, str, date], bool]

AREA_DIMENSIONS = ("district", "area", "quarter")
BANDS = {"0-5": (0, 5), "6-17": (6, 17), "18-24": (18, 24), "25-44": (25, 44), "45-64": (45, 64), "65plus": (65, 200)}


def units(indicator: str, fact: Fact) -> Iterator[Counted]:
    """What one fact adds to an indicator of the registration office."""
    before, after, n = fact.before, fact.after, fact.n
    if fact.kind == "recorded":
        is_counted = indicator == "registrations" or (indicator == "late_registrations" and after and after["late"])
        if after is not None and is_counted:
            yield Counted(fact.on, n, after)
        return
    if indicator in ("population", "population_change"):
        if before is not None:
            yield Counted(fact.on, -n, before)
        if after is not None:
            yield Counted(fact.on, n, after)
    elif indicator in ("arrivals", "net_movements") and fact.kind == "arrival" and after is not None:
        yield Counted(fact.on, n, after)
    elif indicator in ("departures", "net_movements") and fact.kind == "departure" and before is not None:
        yield Counted(fact.on, n if indicator == "departures" else -n, before)
    elif indicator == "moves" and fact.kind == "move" and after is not None:
        yield Counted(fact.on, n, after, before)


def is_of_the_population(facts: Mapping[str, Any]) -> bool:
    return facts.get("nationality", "125") in ("125", "154") and facts["residence_kind"] == "main"


class Counting:
    """Counts one indicator over the areas of a city."""

    def __init__(self, facts: Iterable[Fact], place: Place, is_there: IsThere) -> None:
        self._facts = list(facts)
        self._place = place
        self._is_there = is_there

    def code(self, facts: Mapping[str, Any], dimension: str, on: date) -> str:
        if dimension in AREA_DIMENSIONS:
            return self._place(facts["area"], dimension, on)
        if dimension == "age_band":
            age = on.year - facts["birth_year"]
            return next((code for code, (low, high) in BANDS.items() if low <= age <= high), "other")
        return str(facts[dimension])

    def count(
        self,
        indicator: str,
        first: date | None,
        last: date,
        wanted: Mapping[str, Sequence[str]],
        known_on: date | None,
    ) -> int | None:
        """The units in `first`..`last` (from ever, where it is a stock); None where no wanted area was there."""
        days = (
            [last] if first is None else [date.fromordinal(d) for d in range(first.toordinal(), last.toordinal() + 1)]
        )
        for dimension in AREA_DIMENSIONS:
            codes = wanted.get(dimension, ())
            if codes and not any(self._is_there(dimension, code, day) for code in codes for day in days):
                return None
        total = 0
        for fact in self._facts:
            if known_on is not None and fact.known_on > known_on:
                continue
            for unit in units(indicator, fact):
                if unit.on > last or (first is not None and unit.on < first):
                    continue
                total += unit.n if self._is_wanted(unit, wanted, last if first is None else unit.on) else 0
        return total

    def _is_wanted(self, unit: Counted, wanted: Mapping[str, Sequence[str]], on: date) -> bool:
        if not (unit.facts.get("late") is not None or is_of_the_population(unit.facts)):
            return False
        for dimension, codes in wanted.items():
            if self.code(unit.facts, dimension, on) not in codes:
                return False
            if unit.origin is not None and dimension in AREA_DIMENSIONS:
                came_from = self.code(unit.origin, dimension, on)
                if came_from == self.code(unit.facts, dimension, on):
                    return False
        return True
