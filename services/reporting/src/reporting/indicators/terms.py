"""Figures as sums: every value is made of one or two parts, each the sum of terms, each a sum over the cube.

Whoever evaluates terms, at once in the database or bit by bit as deltas come in, gets the same figure.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta

from reporting.deltas import Dims
from reporting.indicators.catalogue import OTHER, Catalogue
from reporting.indicators.city import UNPLACED, AgeBand, City
from reporting.indicators.definition import Indicator, Part
from reporting.indicators.periods import Span, span_year_before

_DAY = timedelta(days=1)
_FIRST_BIRTH_YEAR = 1850  # nobody counted here was born before


@dataclass(frozen=True, slots=True)
class OneOf:
    """Takes these values of a fact."""

    codes: frozenset[str]

    def __contains__(self, value: str) -> bool:
        return value in self.codes


@dataclass(frozen=True, slots=True)
class NoneOf:
    """Takes every value of a fact but these, also values that nobody has heard of."""

    codes: frozenset[str]

    def __contains__(self, value: str) -> bool:
        return value not in self.codes


@dataclass(frozen=True, slots=True)
class Before:
    """Takes the days (as facts say them) before this one, and nothing that is no day."""

    day: date

    def __contains__(self, value: str) -> bool:
        return bool(value) and value < self.day.isoformat()


Values = OneOf | NoneOf | Before
Where = Mapping[str, Values]


@dataclass(frozen=True, slots=True)
class Term:
    """The sum of n of the deltas of `measure` that match `where`, with after < effective_on <= until."""

    measure: str
    until: date
    after: date | None = None
    where: Where = field(default_factory=dict)

    def matches(self, measure: str, dims: Dims, effective_on: date) -> bool:
        """Whether a delta counts in this term."""
        if measure != self.measure or effective_on > self.until:
            return False
        if self.after is not None and effective_on <= self.after:
            return False
        facts = dict(dims)
        return all(facts.get(name, "") in values for name, values in self.where.items())

    def narrowed(self, where: Where) -> "Term":
        """This term with further conditions."""
        return replace(self, where=both(self.where, where))


def both(one: Where, other: Where) -> dict[str, Values]:
    """Conditions that hold where each of the two holds."""
    joined = dict(one)
    for name, values in other.items():
        joined[name] = _intersection(joined[name], values) if name in joined else values
    return joined


def _intersection(one: Values, other: Values) -> Values:
    match one, other:
        case OneOf(a), OneOf(b):
            return OneOf(a & b)
        case OneOf(a), NoneOf(b):
            return OneOf(a - b)
        case NoneOf(a), OneOf(b):
            return OneOf(b - a)
        case NoneOf(a), NoneOf(b):
            return NoneOf(a | b)
    raise AssertionError("days before another one are asked for by no breakdown")


Chosen = Mapping[str, frozenset[str]]
"""Codes asked for, by dimension; a dimension that is not named is not narrowed."""


Parts = tuple[tuple[Term, ...], ...]
"""For each part of a value the terms that it is the sum of; see `Indicator.parts`."""


def parts_of(catalogue: Catalogue, indicator: Indicator, span: Span, chosen: Chosen) -> Parts:
    """The parts of the value of an indicator for one span, narrowed to `chosen`.

    A change has two parts, now and a year before. An age is the year minus the year of birth: at the end of the day
    for stocks, in the year of the event for flows. Without terms where nobody belonged to the indicator's population
    in the span.
    """
    return parts_for_rows(catalogue, indicator, span, chosen, ())


def parts_for_rows(
    catalogue: Catalogue, indicator: Indicator, span: Span, chosen: Chosen, by: Collection[str]
) -> Parts:
    """As `parts_of`, for all rows of a breakdown together: each term can be narrowed along `by` by `where_of`."""
    return tuple(
        tuple(_narrowed(catalogue, indicator, _whole_terms(catalogue, indicator, part, one, {*chosen, *by}), chosen))
        for one in spans_of(indicator, span)
        for part in indicator.parts
    )


def spans_of(indicator: Indicator, span: Span) -> tuple[Span, ...]:
    """The spans that the parts of a value are about: for each of them all parts of the indicator, in this order."""
    return (span, span_year_before(span)) if indicator.kind == "change" else (span,)


def _narrowed(catalogue: Catalogue, indicator: Indicator, terms: Iterator[Term], chosen: Chosen) -> Sequence[Term]:
    found = list(terms)
    for dimension, codes in chosen.items():
        found = [
            term.narrowed(where) for term in found for where in where_of(catalogue, indicator, dimension, codes, term)
        ]
    return found


def _whole_terms(
    catalogue: Catalogue, indicator: Indicator, part: Part, span: Span, dimensions: Collection[str]
) -> Iterator[Term]:
    """The terms of a part in a span before any narrowing, cut so that each can be narrowed along `dimensions`."""
    city, fixed = catalogue.city, {name: OneOf(frozenset(codes)) for name, codes in part.where.items()}
    for count in part.counts:
        for cut in _cuts(catalogue, indicator, span, dimensions):
            after = None if cut.from_on is None else cut.from_on - _DAY
            if (population := _population(city, indicator, cut.to_on)) is not None:
                where = both(fixed, population)
                if indicator.overdue_since is not None:
                    where[indicator.overdue_since] = Before(cut.to_on)
                yield Term(count.measure, cut.to_on, after, where)


def is_defined_on(city: City, indicator: Indicator, day: date) -> bool:
    """Whether anybody could belong to the indicator's population on that day."""
    group = indicator.population.nationalities
    return group is None or bool(city.members(group, day))


def codes_of(catalogue: Catalogue, indicator: Indicator, dimension: str, spans: Collection[Span]) -> tuple[str, ...]:
    """The values of a breakdown in the order of display; together they take every fact, the last one the rest."""
    city, group = catalogue.city, indicator.population.nationalities
    days = {day for span in spans for day in (span.to_on, span.from_on or span.to_on)}
    if (level := catalogue.level_of(dimension)) is not None:
        return city.codes_at(level, days)
    match catalogue.fact_of(dimension):
        case "nationality" if group is not None:
            members = frozenset[str]().union(*(city.members(group, day) for day in days))
            return tuple(key for key in city.nationalities if key in members)
        case "nationality":
            return (*city.nationalities, OTHER)
        case "birth_year":
            return (*city.age_bands[indicator.age_bands or ""], OTHER)
        case _:
            return (*catalogue.frame.values[dimension], OTHER)


def where_of(
    catalogue: Catalogue, indicator: Indicator, dimension: str, codes: Collection[str], term: Term
) -> list[dict[str, Values]]:
    """The conditions under which a delta of `term` belongs to one of these codes; no delta meets two of them.

    The fact that the code is made of comes first.
    """
    city, fact = catalogue.city, catalogue.fact_of(dimension)
    if (level := catalogue.level_of(dimension)) is not None:
        places = _Places(city, level, term.until)
        if "area_to" not in catalogue.measures[term.measure].dims:
            return [{fact: places.take(codes)}]
        # Who moves within an area has not moved at the level asked.
        return [{"area_to": places.take((code,)), "area_from": _outside(places.take((code,)))} for code in codes]
    match fact:
        case "birth_year":
            return [{fact: _of_age(city.age_bands[indicator.age_bands or ""], codes, term.until.year)}]
        case "nationality":
            return [{fact: _listed(frozenset(city.nationalities), codes)}]
        case _:
            return [{fact: _listed(frozenset(catalogue.frame.values[dimension]), codes)}]


def _cuts(catalogue: Catalogue, indicator: Indicator, span: Span, dimensions: Collection[str]) -> Iterator[Span]:
    """The parts of a span in which who is counted, who is how old and which areas there are stays the same."""
    if span.from_on is None:
        yield span
        return
    second = span.from_on + _DAY
    group = indicator.population.nationalities
    starts = {span.from_on}
    if group is not None:
        starts |= catalogue.city.changes_of(group, second, span.to_on)
    facts = {catalogue.fact_of(dimension) for dimension in dimensions}
    if "birth_year" in facts:
        starts |= {date(year, 1, 1) for year in range(span.from_on.year + 1, span.to_on.year + 1)}
    if "area" in facts:
        starts |= catalogue.city.redrawn(second, span.to_on)
    ordered = sorted(starts)
    for start, following in zip(ordered, [*ordered[1:], span.to_on + _DAY], strict=True):
        yield Span(following - _DAY, start)


def _population(city: City, indicator: Indicator, on: date) -> Where | None:
    """Who is counted on a day; None where nobody could be."""
    group = indicator.population.nationalities
    if group is None:
        return {}
    members = city.members(group, on)
    return {"nationality": OneOf(members)} if members else None


@dataclass(frozen=True, slots=True)
class _Places:
    """The areas of one level as they are on a day."""

    city: City
    level: str
    on: date

    def take(self, codes: Collection[str]) -> Values:
        parts = frozenset[str]().union(*(self.city.parts_of(code, self.on) for code in codes if code != UNPLACED))
        return NoneOf(self.city.placed_at(self.level, self.on) - parts) if UNPLACED in codes else OneOf(parts)


def _outside(values: Values) -> Values:
    match values:
        case OneOf(codes):
            return NoneOf(codes)
        case NoneOf(codes):
            return OneOf(codes)
    raise AssertionError("places are named, or all but those that are named")


def _of_age(bands: Mapping[str, AgeBand], codes: Collection[str], year: int) -> Values:
    years = {code: _birth_years(band, year) for code, band in bands.items()}
    wanted = frozenset[str]().union(*(years[code] for code in codes if code in years))
    if OTHER not in codes:
        return OneOf(wanted)
    return NoneOf(frozenset[str]().union(*years.values()) - wanted)


def _birth_years(band: AgeBand, year: int) -> frozenset[str]:
    first = _FIRST_BIRTH_YEAR if band.to_age is None else year - band.to_age
    return frozenset(str(born) for born in range(first, year - band.from_age + 1))


def _listed(listed: frozenset[str], codes: Collection[str]) -> Values:
    wanted = frozenset(codes) & listed
    return NoneOf(listed - wanted) if OTHER in codes else OneOf(wanted)
