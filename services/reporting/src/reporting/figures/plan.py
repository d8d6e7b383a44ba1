"""Checks a question and plans its answer: which days or periods, which rows, which sums."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import cached_property
from itertools import product
from math import prod

from reporting.audiences import Audience, Sight, sight_of, sight_of_delivered
from reporting.delivered import Standing
from reporting.deltas import day_of
from reporting.figures.carried import CarriedRows, carried_rows_of
from reporting.figures.protected_spans import at_release, at_tick, check_protected, periods_of
from reporting.figures.question import Question
from reporting.figures.released import get_shown
from reporting.figures.spans import points_of
from reporting.indicators import (
    OTHER,
    UNPLACED,
    Catalogue,
    Chosen,
    Every,
    Indicator,
    Parts,
    Span,
    codes_of,
    parts_of,
)
from reporting.indicators.areas import CITY_LEVEL, LEVEL_OF_FACTS
from reporting.indicators.city import City
from reporting.ticks import LastTicks
from verbund.errors import Forbidden, RuleBroken

_MOST_BREAKDOWNS = 3
_MOST_ROWS = 20_000
MOST_VALUES = 100_000
"""Of an answer that is held as a whole; beyond it there are files alone."""


@dataclass(frozen=True, slots=True)
class Sheets:
    """What stands delivered to one indicator."""

    standing: tuple[Standing, ...]
    """As it is to be known, in order of time."""
    before: tuple[Standing, ...] | None = None
    """As it was known earlier, where that is compared."""


@dataclass(frozen=True)
class Plan:
    """A checked question. Rows and points are in the order of `Answer.cells` and `Answer.points`."""

    catalogue: Catalogue
    indicator: Indicator
    by: tuple[str, ...]
    codes: tuple[tuple[str, ...], ...]
    """For each breakdown in `by`, the values that may have a row."""
    filters: Chosen
    """The codes filtered by; those of areas by the level that they have."""
    chosen: Chosen
    """What is filtered by and not broken down by."""
    spans: tuple[Span, ...]
    compared: tuple[Span, ...]
    """What each span is compared with; empty where no comparison was asked."""
    compared_known_on: date | None
    """The knowledge that is compared with; None is that of the values themselves."""
    audience: Audience
    sight: Sight
    today: date
    """The last day that is shown."""
    periods: tuple[Every, ...]
    """Those for which, and for the ends of which, protected figures are shown."""
    delivered: Sheets | None = None
    """What stands delivered, for what is not counted here."""
    carried: CarriedRows | None = None
    """How rows are carried over changes of areas; None where each value belongs to the areas of its own day."""

    @property
    def moves_on(self) -> date | None:
        """The day that protected figures are about as well, as far as it has come; none for the public."""
        return None if self.audience is Audience.PUBLIC else self.today

    @cached_property
    def to_read(self) -> "Plan":
        """The plan whose rows have to be read for the rows of this one."""
        if self.carried is None:
            return self
        return replace(
            self, catalogue=self.carried.catalogue(self.catalogue), codes=self.carried.codes(self.codes), carried=None
        )

    def as_known_before(self) -> "Plan":
        """The same with the knowledge that is compared with."""
        return replace(self, sight=replace(self.sight, known_on=self.compared_known_on), spans=self.compared)

    @cached_property
    def rows(self) -> tuple[tuple[str, ...], ...]:
        """The codes of each row. Those of the rest of a breakdown come last: an answer may leave them out together."""
        return tuple(sorted(product(*self.codes), key=lambda row: OTHER in row))

    def parts_of(self, row: int, point: int) -> Parts:
        """The parts of the value in this row of `Answer.cells` at this place of its values."""
        narrowed = {name: frozenset((code,)) for name, code in zip(self.by, self.rows[row], strict=True)}
        return parts_of(self.catalogue, self.indicator, self.spans[point], {**self.chosen, **narrowed})


def plan_of(
    catalogue: Catalogue,
    question: Question,
    audience: Audience,
    at: datetime,
    ticks: LastTicks | None = None,
    points_of: Callable[[Indicator, Question, date], tuple[tuple[Span, ...], tuple[Span, ...]]] = points_of,
    most_values: int = MOST_VALUES,
) -> Plan:
    """Check a question that is asked at the instant `at`; `ticks` are the last ones of its indicator for the audience.

    `points_of` says which days or periods a question is about, and what they are compared with.

    Raises `NotFound` for an unknown indicator, `RuleBroken` (422) with a pointer into the question for what cannot be
    asked, `Forbidden` for what the audience may not see.
    """
    indicator = get_shown(catalogue, audience, question.indicator, question.version)
    _check_breakdowns(catalogue, indicator, question.by)
    today = day_of(at)
    spans, compared = points_of(indicator, question, today)
    carried = carried_rows_of(catalogue, indicator, question)
    filters: dict[str, frozenset[str]] = {}
    for name, wanted in _filters(catalogue, indicator, question, spans):
        if name in filters:
            raise RuleBroken("twice_the_same", "Filter by the same thing only once.", pointer=f"/filters/{name}")
        filters[name] = wanted
    _check_together(indicator, {*question.by, *filters})
    drawn = spans if question.areas_on is None else (Span(question.areas_on),)
    codes = tuple(
        _row_codes(catalogue, indicator, name, filters, spans if catalogue.level_of(name) is None else drawn)
        for name in question.by
    )
    broken_down = {catalogue.fact_of(name) for name in question.by}
    chosen = {name: values for name, values in filters.items() if catalogue.fact_of(name) not in broken_down}
    shown = {**chosen, **{name: frozenset(values) for name, values in zip(question.by, codes, strict=True)}}
    if indicator.delivered is not None:
        sight = sight_of_delivered(shown, question.known_on, at)
    else:
        margins = margins_of(catalogue, indicator, audience, (*spans, *drawn))
        sight = sight_of(audience, shown, margins, question.known_on, at, ticks)
    periods = periods_of(indicator, audience)
    if audience is Audience.PUBLIC:
        question, today = at_release(question, periods, today, sight.tick)
    elif not sight.is_live:
        # Today is the day of the tick: what becomes true at midnight would move a single cell, too.
        question, today = at_tick(question, today, sight.tick)
    spans, compared = points_of(indicator, question, today)
    before = question.compare_known_on
    plan = Plan(
        *(catalogue, indicator, question.by, codes, filters, chosen, spans, compared, before, audience, sight, today),
        periods,
        carried=carried,
    )
    if not sight.is_exact:
        for known_on in (question.known_on, question.compare_known_on):
            check_protected(periods, spans, known_on, plan.moves_on)
        _check_fineness(indicator, shown)
    _check_size(plan, most_values)
    return plan


def _check_fineness(indicator: Indicator, shown: Collection[str]) -> None:
    """The finer the cells, the fewer change in each between two ticks."""
    most = indicator.audiences.most_together
    if len(shown) > most:
        raise Forbidden(
            "too_fine",
            "What is protected is shown by {most} things together at most, what is chosen included.",
            most=most,
        )


def _check_size(plan: Plan, most_values: int) -> None:
    rows = prod(map(len, plan.codes))
    if rows > _MOST_ROWS or rows * len(plan.spans) > most_values:
        raise RuleBroken(
            "too_many_values",
            "That is too much for one answer. Ask for fewer rows or days, or for a file (CSV), which may be larger.",
            pointer="/by",
        )


def _check_breakdowns(catalogue: Catalogue, indicator: Indicator, by: Sequence[str]) -> None:
    for name in by:
        if name not in indicator.breakdowns:
            raise _no_breakdown(indicator, "/by")
    if len(by) > _MOST_BREAKDOWNS:
        raise RuleBroken(
            "too_many_breakdowns",
            "A figure can be broken down by {most} things at most.",
            pointer="/by",
            most=_MOST_BREAKDOWNS,
        )
    facts = [catalogue.fact_of(name) for name in by]
    if len(set(facts)) < len(facts):
        raise RuleBroken("twice_the_same", "A figure can be broken down by the same fact only once.", pointer="/by")


def _check_together(indicator: Indicator, shown: Collection[str]) -> None:
    for together in indicator.never_together:
        if set(together) <= set(shown):
            raise RuleBroken(
                "never_together",
                "This indicator is never shown by {names} together. Leave one of them out.",
                pointer="/by",
                names=", ".join(together),
            )


def _filters(
    catalogue: Catalogue, indicator: Indicator, question: Question, spans: Sequence[Span]
) -> Iterator[tuple[str, frozenset[str]]]:
    """The filters by breakdown; those by area at the level that their codes have."""
    for name, codes in question.filters.items():
        pointer = f"/filters/{name}"
        if not codes:
            continue
        if name not in indicator.breakdowns:
            raise _no_breakdown(indicator, pointer)
        if catalogue.level_of(name) is not None:
            if codes != (catalogue.city.municipality,):
                yield _at_level(catalogue, indicator, question, codes, pointer), frozenset(codes)
            continue
        known = codes_of(catalogue, indicator, name, spans)
        for code in codes:
            if code not in known:
                raise _no_value(pointer)
        yield name, frozenset(codes)


def _at_level(
    catalogue: Catalogue, indicator: Indicator, question: Question, codes: Sequence[str], pointer: str
) -> str:
    """The breakdown that all of these areas belong to; `unplaced` belongs to each."""
    by_level = {level: name for name in indicator.breakdowns if (level := catalogue.level_of(name)) is not None}
    levels = set()
    for code in codes:
        level = catalogue.city.level_of(code)
        if code != UNPLACED and (level is None or level not in {*by_level, CITY_LEVEL}):
            raise _no_value(pointer)
        if level is not None:
            levels.add(level)
    if len(levels) > 1 or CITY_LEVEL in levels:
        raise RuleBroken("mixed_levels", "Choose areas of one level: districts, or statistical areas.", pointer=pointer)
    if levels:
        return by_level[levels.pop()]
    return next((name for name in question.by if catalogue.level_of(name) is not None), next(iter(by_level.values())))


def _row_codes(
    catalogue: Catalogue,
    indicator: Indicator,
    name: str,
    filters: Mapping[str, frozenset[str]],
    spans: Sequence[Span],
) -> tuple[str, ...]:
    """The values of a breakdown, as far as the filters let them through."""
    codes = codes_of(catalogue, indicator, name, spans)
    if name in filters:
        return tuple(code for code in codes if code in filters[name])
    if catalogue.level_of(name) is None:
        return codes
    for other, wanted in filters.items():
        if (level := catalogue.level_of(other)) is not None:
            for day in {day for span in spans for day in (span.to_on, span.from_on or span.to_on)}:
                codes = _within(catalogue.city, catalogue.level_of(name) or "", codes, level, wanted, day, other)
    return codes


def _within(
    city: City, level: str, codes: Sequence[str], level_wanted: str, wanted: Collection[str], day: date, filtered: str
) -> tuple[str, ...]:
    """Of the areas of a level those that lie in the wanted ones of another level; raises where one lies half in."""
    inside = _area_set(city, level_wanted, wanted, day)
    kept = []
    for code in codes:
        own = _area_set(city, level, (code,), day)
        if own & inside and not own <= inside:
            raise RuleBroken(
                "filter_finer_than_breakdown",
                "The areas chosen are finer than the breakdown. Break down by area, or choose districts.",
                pointer=f"/filters/{filtered}",
            )
        if own & inside:
            kept.append(code)
    return tuple(kept)


def _area_set(city: City, level: str, codes: Collection[str], day: date) -> frozenset[str]:
    """What these areas are made of on a day, with `UNPLACED` as a place of its own."""
    parts = frozenset[str]().union(*(city.parts_of(code, day) for code in codes if code != UNPLACED))
    if UNPLACED not in codes:
        return parts
    return parts | {UNPLACED} | (city.placed_at(LEVEL_OF_FACTS, day) - city.placed_at(level, day))


def margins_of(
    catalogue: Catalogue, indicator: Indicator, audience: Audience, spans: Sequence[Span]
) -> dict[str, frozenset[str]]:
    """The breakdowns that are declared exact for an audience."""
    declared = indicator.audiences.coordination.exact_margins if audience is Audience.COORDINATION else ()
    return {
        margin.dimension: frozenset(
            codes_of(catalogue, indicator, margin.dimension, spans) if margin.values == "all" else margin.values
        )
        for margin in declared
    }


def _no_breakdown(indicator: Indicator, pointer: str) -> RuleBroken:
    return RuleBroken(
        "no_such_breakdown",
        "This indicator has no such breakdown. It has: {allowed}.",
        pointer=pointer,
        allowed=", ".join(indicator.breakdowns) or "–",
    )


def _no_value(pointer: str) -> RuleBroken:
    return RuleBroken("no_such_value", "There is no such value here.", pointer=pointer)
