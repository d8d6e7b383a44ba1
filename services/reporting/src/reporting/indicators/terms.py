"""Figures as sums: every value of every figure is a linear combination of terms, each a sum over the cube.

Whoever evaluates terms, at once in the database or bit by bit as deltas come in, gets the same figure.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta

from reporting.deltas import MEASURES, Dims
from reporting.indicators.catalogue import OTHER, Catalogue
from reporting.indicators.city import UNPLACED, AgeBand, City
from reporting.indicators.definition import DIMENSIONS, Indicator
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


Values = OneOf | NoneOf
Where = Mapping[str, Values]


@dataclass(frozen=True, slots=True)
class Term:
    """`weight` times the sum of n of the deltas of `measure` that match `where`, with after < effective_on <= until."""

    measure: str
    until: date
    after: date | None = None
    weight: int = 1
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
    raise AssertionError("there are two kinds of values")


Chosen = Mapping[str, frozenset[str]]
"""Codes asked for, by dimension; a dimension that is not named is not narrowed."""


def terms_of(catalogue: Catalogue, indicator: Indicator, span: Span, chosen: Chosen) -> tuple[Term, ...]:
    """The terms whose sum is the value of an indicator for one span, narrowed to `chosen`.

    An age is the year minus the year of birth: at the end of the day for stocks, in the year of the event for flows.
    None where nobody belonged to the indicator's population in the span.
    """
    return terms_for_rows(catalogue, indicator, span, chosen, ())


def terms_for_rows(
    catalogue: Catalogue, indicator: Indicator, span: Span, chosen: Chosen, by: Collection[str]
) -> tuple[Term, ...]:
    """As `terms_of`, for all rows of a breakdown together: each term can be narrowed along `by` by `where_of`."""
    terms = list(_whole_terms(catalogue.city, indicator, span, {*chosen, *by}))
    for dimension, codes in chosen.items():
        terms = [
            term.narrowed(where) for term in terms for where in where_of(catalogue, indicator, dimension, codes, term)
        ]
    return tuple(terms)


def _whole_terms(city: City, indicator: Indicator, span: Span, dimensions: Collection[str]) -> Iterator[Term]:
    """The terms of a span before any narrowing, cut so that each can be narrowed along `dimensions`."""
    for count in indicator.counts:
        for cut, sign in _cuts(city, indicator, span, dimensions):
            after = None if cut.from_on is None else cut.from_on - _DAY
            if (population := _population(city, indicator, cut.to_on)) is not None:
                where = both({name: OneOf(frozenset(codes)) for name, codes in indicator.where.items()}, population)
                yield Term(count.measure, cut.to_on, after, count.weight * sign, where)


def is_defined_on(city: City, indicator: Indicator, day: date) -> bool:
    """Whether anybody could belong to the indicator's population on that day."""
    group = indicator.population.nationalities
    return group is None or bool(city.members(group, day))


def codes_of(catalogue: Catalogue, indicator: Indicator, dimension: str, spans: Collection[Span]) -> tuple[str, ...]:
    """The values of a breakdown in the order of display; together they take every fact, the last one the rest."""
    city, group = catalogue.city, indicator.population.nationalities
    match dimension:
        case "district" | "area":
            return city.codes_at(dimension)
        case "nationality" if group is not None:
            days = {day for span in spans for day in (span.to_on, span.from_on or span.to_on)}
            members = frozenset[str]().union(*(city.members(group, day) for day in days))
            return tuple(key for key in city.nationalities if key in members)
        case "nationality":
            return (*city.nationalities, OTHER)
        case "age_band":
            return (*city.age_bands[indicator.age_bands or ""], OTHER)
        case _:
            return (*catalogue.frame.values[dimension], OTHER)


def where_of(
    catalogue: Catalogue, indicator: Indicator, dimension: str, codes: Collection[str], term: Term
) -> list[dict[str, Values]]:
    """The conditions under which a delta of `term` belongs to one of these codes; no delta meets two of them.

    The fact that the code is made of comes first.
    """
    city, fact = catalogue.city, DIMENSIONS[dimension]
    if fact == "area" and "area_to" in MEASURES[term.measure].dims:
        # Who moves within an area has not moved at the level asked.
        return [
            {"area_to": _in_areas(city, (code,)), "area_from": _outside(_in_areas(city, (code,)))} for code in codes
        ]
    match dimension:
        case "district" | "area":
            return [{fact: _in_areas(city, codes)}]
        case "age_band":
            return [{fact: _of_age(city.age_bands[indicator.age_bands or ""], codes, term.until.year)}]
        case "nationality":
            return [{fact: _listed(frozenset(city.nationalities), codes)}]
        case _:
            return [{fact: _listed(frozenset(catalogue.frame.values[dimension]), codes)}]


def _cuts(city: City, indicator: Indicator, span: Span, dimensions: Collection[str]) -> Iterator[tuple[Span, int]]:
    """The parts of a span in which who is counted and who is how old stays the same, each with its sign."""
    if span.from_on is None:
        yield span, 1
        if indicator.kind == "change":
            yield span_year_before(span), -1
        return
    second = span.from_on + _DAY
    group = indicator.population.nationalities
    starts = {span.from_on}
    if group is not None:
        starts |= city.changes_of(group, second, span.to_on)
    if "age_band" in dimensions:
        starts |= {date(year, 1, 1) for year in range(span.from_on.year + 1, span.to_on.year + 1)}
    ordered = sorted(starts)
    for start, following in zip(ordered, [*ordered[1:], span.to_on + _DAY], strict=True):
        yield Span(following - _DAY, start), 1


def _population(city: City, indicator: Indicator, on: date) -> Where | None:
    """Who is counted on a day; None where nobody could be."""
    group = indicator.population.nationalities
    if group is None:
        return {}
    members = city.members(group, on)
    return {"nationality": OneOf(members)} if members else None


def _in_areas(city: City, codes: Collection[str]) -> Values:
    parts = frozenset[str]().union(*(city.parts_of(code) for code in codes if code != UNPLACED))
    if UNPLACED not in codes:
        return OneOf(parts)
    return NoneOf(city.parts_of(city.municipality) - parts)


def _outside(values: Values) -> Values:
    return NoneOf(values.codes) if isinstance(values, OneOf) else OneOf(values.codes)


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
