"""What an indicator is: data that says what is counted, of whom, when, for whom, and what it does not say."""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Annotated, Literal

from pydantic import Field, model_validator

from reporting.deltas import MEASURES, NEVER_CROSSED
from reporting.indicators.periods import Every
from reporting.indicators.words import Model, Words

IndicatorId = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")]

IndicatorKind = Literal["stock", "flow", "net", "change"]
"""Stock: how many on a day. Flow: how many in a period. Net: difference of flows. Change: stock against a year ago."""

DIMENSIONS: Mapping[str, str] = {
    "district": "area",
    "area": "area",
    "nationality": "nationality",
    "age_band": "birth_year",
    "sex": "sex",
    "residence_kind": "residence_kind",
    "arrival_kind": "arrival_kind",
    "landlord_confirmation": "landlord_confirmation",
    "at_flagged_premises": "at_flagged_premises",
}
"""What figures can be broken down by, and the fact that it is made of."""


class Unit(Model):
    """What one of the counted is called, and several of them."""

    one: Words
    many: Words


class Population(Model):
    """Who is counted. `nationalities` names a dated group of the city; without it, everybody."""

    words: Words
    nationalities: str | None = None


class Count(Model):
    """One stream of changes that goes into the figure; a net figure takes what left with the weight -1."""

    measure: str
    weight: Literal[1, -1] = 1


class Margin(Model):
    """A breakdown that an audience may see exactly, because printed reports publish it: all of its values, or these."""

    dimension: str
    values: Literal["all"] | tuple[str, ...]


class Indicator(Model):
    """One indicator in one version of its definition."""

    id: IndicatorId
    version: Annotated[int, Field(ge=1)]
    valid_from: date
    """Since when this definition holds."""
    field_of_action: str
    source_office: str
    kind: IndicatorKind
    title: Words
    definition: Words
    cut_off: Words
    """To which day or period a value belongs, and when it moves."""
    limits: Annotated[tuple[Words, ...], Field(min_length=1)]
    """What the source does not know; shown beside the number."""
    unit: str
    population: Population
    counts: Annotated[tuple[Count, ...], Field(min_length=1)]
    where: Mapping[str, tuple[str, ...]] = Field(default_factory=dict)
    """Facts that a counted unit has to have, whatever is asked."""
    breakdowns: tuple[str, ...] = ()
    age_bands: str | None = None
    """Name of a set of the city's age bands; age bands differ per office."""
    every: Annotated[tuple[Every, ...], Field(min_length=1)]
    """Periods that can be asked; the first one is taken where none is named."""
    exact_margins: Mapping[Literal["coordination"], tuple[Margin, ...]] = Field(default_factory=dict)
    """By audience; what is not named here is finer than that audience may see."""
    not_comparable_with: tuple[IndicatorId, ...] = ()

    @property
    def is_about_days(self) -> bool:
        """Whether a value belongs to the end of a day, rather than to a period."""
        return self.kind in ("stock", "change")

    @property
    def facts(self) -> frozenset[str]:
        """Every fact that some question about this indicator can touch."""
        fixed = {"nationality"} if self.population.nationalities else set()
        return frozenset({*(DIMENSIONS[name] for name in self.breakdowns), *self.where, *fixed})

    @model_validator(mode="after")
    def _makes_sense(self) -> "Indicator":
        for problem in _problems_of(self):
            raise ValueError(problem)
        return self


def _problems_of(indicator: Indicator) -> Iterator[str]:
    """What does not fit together; each begins with the field to look at."""
    unknown = [name for name in indicator.breakdowns if name not in DIMENSIONS]
    if unknown:
        yield f"breakdowns: there is no {unknown[0]!r}; there are {', '.join(DIMENSIONS)}"
        return
    if indicator.facts >= NEVER_CROSSED:
        yield f"breakdowns: {' and '.join(sorted(NEVER_CROSSED))} may never be crossed"
    yield from _problems_of_counts(indicator)
    if ("age_band" in indicator.breakdowns) != (indicator.age_bands is not None):
        yield "age_bands: a set of bands is needed where age_band is a breakdown, and only there"
    for margins in indicator.exact_margins.values():
        for margin in margins:
            if margin.dimension not in indicator.breakdowns:
                yield f"exact_margins: {margin.dimension!r} is none of the breakdowns"


def _problems_of_counts(indicator: Indicator) -> Iterator[str]:
    for count in indicator.counts:
        measure = MEASURES.get(count.measure)
        if measure is None:
            yield f"counts: there is no measure {count.measure!r}; there are {', '.join(MEASURES)}"
            return
        if measure.office != indicator.source_office:
            yield f"counts: {measure.name} comes from {measure.office}, not from {indicator.source_office}"
        if measure.is_stock != indicator.is_about_days:
            yield f"counts: a {indicator.kind} cannot be made of {measure.name}: stock and flow are never mixed"
        asked = {fact for fact in indicator.facts if not (fact == "area" and "area_to" in measure.dims)}
        if missing := sorted(asked - set(measure.dims)):
            yield f"counts: {measure.name} does not know {', '.join(missing)}"
    if (indicator.kind == "net") != any(count.weight == -1 for count in indicator.counts):
        yield "counts: a net figure, and only that, has something with the weight -1"
    if len({MEASURES[count.measure].unit for count in indicator.counts if count.measure in MEASURES}) > 1:
        yield "counts: two units are never added up"
