"""What an indicator is: data that says what is counted, of whom, when, for whom, and what it does not say."""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Annotated, Literal

from pydantic import Field, model_validator

from reporting.indicators.audience_rules import Audiences
from reporting.indicators.periods import TOO_SHORT, Every
from reporting.indicators.words import Model, Words

IndicatorId = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")]

IndicatorKind = Literal["stock", "flow", "net", "change", "share", "rate", "mean", "percentile", "age", "delivered"]
"""How a value is made.

stock: how many on a day. flow: how many in a period. net: difference of flows. change: stock against a year ago.
share: of a hundred. rate: of `per`. mean: one unit for each of another. percentile: of durations that ended in a
period (50: the median). age: the same of what is open on a day, by how long it has been. delivered: not made here,
but reported by an office or a carrier that has no service here.
"""

RATIOS = frozenset({"share", "rate", "mean"})
_OF_DAYS = frozenset({"stock", "change", "age"})
_WITH_DECIMALS = RATIOS | {"percentile", "age"}


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


class Part(Model):
    """What is added up: streams of changes, as far as a counted unit has these facts."""

    counts: Annotated[tuple[Count, ...], Field(min_length=1)]
    where: Mapping[str, tuple[str, ...]] = Field(default_factory=dict)


class Delivered(Model):
    """What a body reports, and what is looked at when it does."""

    measure: Literal["count", "amount", "share"] = "count"
    """count: whole units. amount: a decimal, such as money. share: of a hundred units."""
    bodies: tuple[str, ...] = ()
    """Who may deliver besides the source office."""
    cut_offs: tuple[Annotated[str, Field(pattern=r"^(0[1-9]|1[0-2])-[0-3][0-9]$")], ...] = ()
    """Days of the year (MM-DD) that a stock is taken on; any day where none is named."""
    adds_up: tuple[str, ...] = ()
    """Breakdowns whose values add up to the total, or to a hundred for shares."""
    adds_up_over_time: bool = True
    """Whether periods add up to a longer one: not so where somebody counts in each of them."""
    may_be_negative: bool = False
    due_within_days: Annotated[int, Field(ge=1, le=1_000)] = 180
    """How long after the end of a day or period it is expected."""


class Indicator(Model):
    """One indicator in one version of its definition."""

    id: IndicatorId
    version: Annotated[int, Field(ge=1)]
    valid_from: date
    """Since when this definition holds."""
    valid_until: date | None = None
    """The last day before the next version of the definition; None for the one that holds."""
    field_of_action: str
    source_office: str
    kind: IndicatorKind
    title: Words
    definition: Words
    cut_off: Words
    """To which day or period a value belongs, and when it moves."""
    cut_off_rule: Literal["end_of_day", "in_period"] | None = None
    """Whether a share, rate or mean is one of a day or of a period; every other kind says so itself."""
    limits: Annotated[tuple[Words, ...], Field(min_length=1)]
    """What the source does not know; shown beside the number."""
    unit: str
    per_unit: str | None = None
    """The unit that a mean is taken over: one of `unit` for each of these."""
    per: Annotated[int, Field(gt=1)] | None = None
    """Of how many a rate is."""
    population: Population
    counts: tuple[Count, ...] = ()
    """What is counted; a share, rate or mean has a numerator and a denominator instead."""
    numerator: Part | None = None
    denominator: Part | None = None
    where: Mapping[str, tuple[str, ...]] = Field(default_factory=dict)
    """Facts that a counted unit has to have, whatever is asked."""
    overdue_since: str | None = None
    """A fact that is a day: what counts is open, and this day lies before the day asked for."""
    delivered: Delivered | None = None
    days: str | None = None
    """The fact that durations are taken from: a number of days (percentile), or the day it began (age)."""
    percent: Annotated[int, Field(ge=1, le=99)] = 50
    decimals: Annotated[int, Field(ge=0, le=3)] | None = None
    """To how many decimals a value is rounded (half away from zero); counts have none."""
    breakdowns: tuple[str, ...] = ()
    never_together: tuple[tuple[str, ...], ...] = ()
    """Breakdowns that no question may ask for together."""
    age_bands: str | None = None
    """Name of a set of the city's age bands; age bands differ per office."""
    every: Annotated[tuple[Every, ...], Field(min_length=1)]
    """Periods that can be asked; the first one is taken where none is named."""
    audiences: Audiences = Audiences()
    """What each audience may see of it."""
    minimum_base: Annotated[int, Field(ge=1)] = 20
    """In protected tables no share, mean or median is shown of fewer units than these."""
    not_comparable_with: tuple[IndicatorId, ...] = ()

    @property
    def is_about_days(self) -> bool:
        """Whether a value belongs to the end of a day, rather than to a period."""
        return self.cut_off_rule == "end_of_day" or self.kind in _OF_DAYS

    @property
    def delivered_by(self) -> tuple[str, ...]:
        """Who may deliver its figures; nobody where they are counted here."""
        return () if self.delivered is None else (self.source_office, *self.delivered.bodies)

    @property
    def parts(self) -> tuple[Part, ...]:
        """The sums that a value is made of: one, or what is counted and what is taken away, or numerator and
        denominator; none of what is delivered."""
        if self.numerator is not None and self.denominator is not None:
            return tuple(
                Part(counts=part.counts, where={**self.where, **part.where})
                for part in (self.numerator, self.denominator)
            )
        if self.delivered is not None:
            return ()
        weights = (1, -1) if self.kind == "net" else (1,)
        counts = (tuple(count for count in self.counts if count.weight == weight) for weight in weights)
        return tuple(Part(counts=found, where=self.where) for found in counts)

    @model_validator(mode="after")
    def _makes_sense(self) -> "Indicator":
        for problem in _problems_of(self):
            raise ValueError(problem)
        return self


def _problems_of(indicator: Indicator) -> Iterator[str]:
    """What does not fit together; each begins with the field to look at."""
    kind, is_ratio = indicator.kind, indicator.kind in RATIOS
    yield from _problems_of_counts(indicator)
    rules = is_ratio or kind == "delivered"
    yield from _needed("cut_off_rule", indicator.cut_off_rule, rules, "a share, a rate, a mean or what is delivered")
    yield from _needed("delivered", indicator.delivered, kind == "delivered", "what is delivered")
    yield from _needed("days", indicator.days, kind in ("percentile", "age"), "a percentile or an age")
    yield from _needed("per_unit", indicator.per_unit, kind == "mean", "a mean")
    yield from _needed("per", indicator.per, kind == "rate", "a rate")
    if kind != "delivered":
        what = "a share, rate, mean, percentile or age"
        yield from _needed("decimals", indicator.decimals, kind in _WITH_DECIMALS, what)
    if indicator.overdue_since is not None and kind != "stock":
        yield "overdue_since: only a stock can be overdue"
    if kind == "mean" and not (" je " in indicator.title.de and " per " in indicator.title.en):
        yield "title: a mean says in its name what it is taken over ('… je …', '… per …')"
    if ("age_band" in indicator.breakdowns) != (indicator.age_bands is not None):
        yield "age_bands: a set of bands is needed where age_band is a breakdown, and only there"
    yield from _problems_of_audiences(indicator)
    for together in indicator.never_together:
        if len(set(together)) < 2:
            yield "never_together: two or more breakdowns are named together"
        for name in together:
            if name not in indicator.breakdowns:
                yield f"never_together: {name!r} is none of the breakdowns"
    if indicator.valid_until is not None and indicator.valid_until < indicator.valid_from:
        yield "valid_until: lies before valid_from"


def _problems_of_audiences(indicator: Indicator) -> Iterator[str]:
    group, public = indicator.audiences.coordination, indicator.audiences.public
    for margin in group.exact_margins:
        if margin.dimension not in indicator.breakdowns:
            yield f"audiences.coordination.exact_margins: {margin.dimension!r} is none of the breakdowns"
    for name in () if public is None else public.breakdowns:
        if name not in indicator.breakdowns:
            yield f"audiences.public.breakdowns: {name!r} is none of the breakdowns"
    for audience, rule in (("coordination", group), ("public", public)):
        # What stands for a group that nobody wrote a rule for is taken as far as the indicator has it.
        is_named = rule is not None and (audience == "public" or "every" in rule.model_fields_set)
        for every in rule.every if rule is not None and is_named else ():
            if every in TOO_SHORT:
                yield f"audiences.{audience}.every: from one {every} to the next single persons could be seen"
            elif every not in indicator.every:
                yield f"audiences.{audience}.every: {every!r} is none of the periods of the indicator (every)"


def _needed(field: str, value: object, is_needed: bool, what: str) -> Iterator[str]:  # noqa: FBT001
    if (value is not None) != is_needed:
        yield f"{field}: {what} needs it, and only that"


def _problems_of_what_is_delivered(indicator: Indicator, delivered: Delivered) -> Iterator[str]:
    for field in ("counts", "numerator", "denominator", "where"):
        if getattr(indicator, field):
            yield f"{field}: what is delivered is not counted here"
    if indicator.audiences.public is not None:
        yield "audiences: what is delivered is published by its body, not released here"
    if delivered.measure == "count" and indicator.decimals:
        yield "decimals: counts have none; money is an amount"
    if unknown := [name for name in delivered.adds_up if name not in indicator.breakdowns]:
        yield f"delivered: adds_up names {unknown[0]!r}, which is none of the breakdowns"
    if delivered.cut_offs and indicator.cut_off_rule != "end_of_day":
        yield "delivered: cut_offs are for days; a period ends with the period"


def _problems_of_counts(indicator: Indicator) -> Iterator[str]:
    if indicator.delivered is not None:
        yield from _problems_of_what_is_delivered(indicator, indicator.delivered)
        return
    if indicator.kind not in RATIOS:
        for field in ("numerator", "denominator"):
            if getattr(indicator, field) is not None:
                yield f"{field}: only a share, a rate or a mean has it"
        if not indicator.counts:
            yield "counts: say what is counted"
        if {count.weight for count in indicator.counts} != ({1, -1} if indicator.kind == "net" else {1}):
            yield "counts: a net figure, and only that, has something with the weight -1, beside what it is taken from"
        return
    if indicator.counts:
        yield "counts: a share, a rate or a mean has a numerator and a denominator instead"
    for field in ("numerator", "denominator"):
        part: Part | None = getattr(indicator, field)
        if part is None:
            yield f"{field}: a share, a rate or a mean needs it"
            return
        if any(count.weight == -1 for count in part.counts):
            yield f"{field}: nothing is taken away here"
        if twice := sorted(set(part.where) & set(indicator.where)):
            yield f"{field}: {twice[0]} stands under where already"
