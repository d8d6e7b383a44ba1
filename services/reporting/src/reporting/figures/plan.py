"""Checks a question and plans its answer: which days or periods, which rows, which sums."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from itertools import product

from reporting.audiences import Audience, Sight, sight_of
from reporting.deltas import day_of
from reporting.figures.question import Question
from reporting.figures.spans import points_of
from reporting.indicators import (
    DIMENSIONS,
    OTHER,
    UNPLACED,
    Catalogue,
    Chosen,
    Indicator,
    Span,
    Term,
    codes_of,
    terms_of,
)
from verbund.errors import RuleBroken

_MOST_ROWS = 20_000
_MOST_VALUES = 100_000  # beyond it an answer is a download, not a figure


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
    audience: Audience
    sight: Sight
    today: date

    @cached_property
    def rows(self) -> tuple[tuple[str, ...], ...]:
        """The codes of each row. Those of the rest of a breakdown come last: an answer may leave them out together."""
        return tuple(sorted(product(*self.codes), key=lambda row: OTHER in row))

    def terms_of(self, row: int, point: int) -> tuple[Term, ...]:
        """The terms whose sum stands in this row of `Answer.cells` at this place of its values."""
        return self._terms(self.rows[row], self.spans[point])

    def compared_terms_of(self, row: int, point: int) -> tuple[Term, ...]:
        """The terms whose sum this value is compared with."""
        return self._terms(self.rows[row], self.compared[point])

    def _terms(self, row: tuple[str, ...], span: Span) -> tuple[Term, ...]:
        narrowed = {name: frozenset((code,)) for name, code in zip(self.by, row, strict=True)}
        return terms_of(self.catalogue, self.indicator, span, {**self.chosen, **narrowed})


def plan_of(catalogue: Catalogue, question: Question, audience: Audience, at: datetime) -> Plan:
    """Check a question that is asked at the instant `at`.

    Raises `NotFound` for an unknown indicator, `RuleBroken` (422) with a pointer into the question for what cannot be
    asked, `Forbidden` for what the audience may not see.
    """
    indicator = catalogue.get_indicator(question.indicator)
    _check_breakdowns(indicator, question.by)
    spans, compared = points_of(indicator, question, day_of(at))
    filters: dict[str, frozenset[str]] = {}
    for name, wanted in _filters(catalogue, indicator, question, spans):
        if name in filters:
            raise RuleBroken("twice_the_same", "Filter by the same thing only once.", pointer=f"/filters/{name}")
        filters[name] = wanted
    codes = tuple(_row_codes(catalogue, indicator, name, filters, spans) for name in question.by)
    broken_down = {DIMENSIONS[name] for name in question.by}
    chosen = {name: values for name, values in filters.items() if DIMENSIONS[name] not in broken_down}
    shown = {**chosen, **{name: frozenset(values) for name, values in zip(question.by, codes, strict=True)}}
    sight = sight_of(audience, shown, _margins(catalogue, indicator, audience, spans), question.known_on, at)
    plan = Plan(catalogue, indicator, question.by, codes, filters, chosen, spans, compared, audience, sight, day_of(at))
    rows = 1
    for values in codes:
        rows *= len(values)
    if rows > _MOST_ROWS or rows * len(spans) > _MOST_VALUES:
        raise RuleBroken(
            "too_many_values", "That is too much for one answer. Ask for fewer rows or days.", pointer="/by"
        )
    return plan


def _check_breakdowns(indicator: Indicator, by: Sequence[str]) -> None:
    for name in by:
        if name not in indicator.breakdowns:
            raise _no_breakdown(indicator, "/by")
    facts = [DIMENSIONS[name] for name in by]
    if len(set(facts)) < len(facts):
        raise RuleBroken("twice_the_same", "A figure can be broken down by the same fact only once.", pointer="/by")


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
        if DIMENSIONS[name] == "area":
            if codes != (catalogue.city.municipality,):
                yield _level_of(catalogue, question, codes, pointer), frozenset(codes)
            continue
        known = codes_of(catalogue, indicator, name, spans)
        for code in codes:
            if code not in known:
                raise _no_value(pointer)
        yield name, frozenset(codes)


def _level_of(catalogue: Catalogue, question: Question, codes: Sequence[str], pointer: str) -> str:
    """The breakdown that all of these areas belong to; `unplaced` belongs to both."""
    levels = set()
    for code in codes:
        level = catalogue.city.level_of(code)
        if level is None and code != UNPLACED:
            raise _no_value(pointer)
        if level is not None:
            levels.add(level)
    if len(levels) > 1 or "city" in levels:
        raise RuleBroken("mixed_levels", "Choose areas of one level: districts, or statistical areas.", pointer=pointer)
    level = levels.pop() if levels else ("area" if "area" in question.by else "district")
    if level == "area" and "district" in question.by:
        raise RuleBroken(
            "filter_finer_than_breakdown",
            "The areas chosen are finer than the breakdown. Break down by area, or choose districts.",
            pointer=pointer,
        )
    return level


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
    if name == "area" and "district" in filters:
        wanted = filters["district"]
        parts = {part for code in wanted - {UNPLACED} for part in catalogue.city.parts_of(code)}
        return tuple(code for code in codes if code in parts | (wanted & {UNPLACED}))
    return codes


def _margins(
    catalogue: Catalogue, indicator: Indicator, audience: Audience, spans: Sequence[Span]
) -> dict[str, frozenset[str]]:
    """The breakdowns that are declared exact for an audience."""
    declared = indicator.exact_margins.get("coordination", ()) if audience is Audience.COORDINATION else ()
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
