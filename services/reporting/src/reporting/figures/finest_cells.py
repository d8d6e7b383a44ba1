"""The finest cells: what everything that is protected is made of, so that nothing is left over between two answers.

A finest cell of a measure differs from the others in some fact that an indicator of the catalogue asks for: the area,
not the Stadtbezirk; the ages between any two borders of age bands, whichever office's they are; for flows the time
between any two borders of periods that may be asked.
"""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from datetime import date, timedelta

from reporting.figures.combining import Label
from reporting.indicators import UNPLACED, Catalogue, Every, Span, Term, facts_of
from reporting.indicators.periods import periods_between

_DAY = timedelta(days=1)


def facts_of_cells(catalogue: Catalogue, measure: str) -> tuple[str, ...]:
    """The facts in which the finest cells of a measure differ: all that some indicator asks for, in order."""
    found: set[str] = set()
    for versions in catalogue.versions.values():
        for indicator in versions:
            if any(count.measure == measure for part in indicator.parts for count in part.counts):
                found |= facts_of(indicator, catalogue.frame) - {indicator.days}
    if "area" in found and "area_to" in catalogue.measures[measure].dims:
        found = (found - {"area"}) | {"area_from", "area_to"}
    return tuple(sorted(found & set(catalogue.measures[measure].dims)))


def cut_at_periods(span: Span, periods: Sequence[Every]) -> tuple[Span, ...]:
    """The parts of a period that differ in one of these kinds of periods; a day as it is."""
    if span.from_on is None:
        return (span,)
    starts = {part.from_on for every in periods for part in periods_between(span.from_on, span.to_on, every)}
    ordered = sorted(start for start in starts if start is not None)
    ends = [*(start - _DAY for start in ordered[1:]), span.to_on]
    return tuple(Span(end, start) for start, end in zip(ordered, ends, strict=True)) or (span,)


class FinestCells:
    """Says in which finest cell of its measure a combination of facts lies."""

    def __init__(self, catalogue: Catalogue, places: Mapping[str, int]) -> None:
        """`places`: by fact, where its value stands in what `label_of` is given."""
        self._city = catalogue.city
        self._places = places
        self._facts: dict[str, tuple[str, ...]] = {}
        self._catalogue = catalogue
        self._ages = sorted(
            {
                border
                for bands in catalogue.city.age_bands.values()
                for band in bands.values()
                for border in (band.from_age, *(() if band.to_age is None else (band.to_age + 1,)))
            }
        )
        self._terms_on = {indicator.overdue_since for versions in catalogue.versions.values() for indicator in versions}
        self._levels = {level for name in catalogue.frame.dimensions if (level := catalogue.level_of(name)) is not None}
        self._around: dict[tuple[str, date], tuple[str, ...]] = {}

    def label_of(self, raw: Sequence[str], term: Term) -> Label:
        """The finest cell of a combination of facts, in a term that is cut at periods."""
        if term.measure not in self._facts:
            self._facts[term.measure] = facts_of_cells(self._catalogue, term.measure)
        since = "" if term.after is None else term.after.isoformat()
        return (since, *(self._value(fact, raw, term) for fact in self._facts[term.measure]))

    def _value(self, fact: str, raw: Sequence[str], term: Term) -> str:
        value = raw[self._places[fact]]
        if fact == "birth_year":
            return str(bisect_right(self._ages, term.until.year - int(value))) if value.isdecimal() else value
        if fact in self._terms_on:
            return str(bool(value) and value < term.until.isoformat())
        if fact == "area_from":
            # By what lies around both places: within it nobody has moved.
            return " ".join(sorted({*self._areas(value, term)} & {*self._areas(raw[self._places["area_to"]], term)}))
        return value

    def _areas(self, place: str, term: Term) -> tuple[str, ...]:
        """The areas around a place, of all levels that can be asked for."""
        on = self._city.drawn_since(term.until)
        if (place, on) not in self._around:
            self._around[place, on] = tuple(
                f"{level}:{code}"
                for level in self._levels
                for code in self._city.codes_at(level, [term.until])
                if (
                    place not in self._city.placed_at(level, term.until)
                    if code == UNPLACED
                    else place in self._city.parts_of(code, term.until)
                )
            )
        return self._around[place, on]
