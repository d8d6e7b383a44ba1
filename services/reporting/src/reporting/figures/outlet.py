"""Answers questions: reads one snapshot of the cube and puts everything beside the numbers that belongs there."""

from collections.abc import Iterator
from datetime import datetime
from itertools import zip_longest

from reporting.audiences import Audience
from reporting.figures.answer import Answer, Cell, Point
from reporting.figures.breaks import are_there, lacks_areas
from reporting.figures.combining import Content, combined
from reporting.figures.delivered import answer_delivered, plan_delivered
from reporting.figures.describing import described, difference, key_of
from reporting.figures.evaluation import Amounts, Row, evaluate
from reporting.figures.moments import ticked_at_of_row
from reporting.figures.plan import MOST_VALUES, Plan, plan_of
from reporting.figures.protected_spans import is_shown_protected
from reporting.figures.protection import protected
from reporting.figures.question import Question
from reporting.figures.remarks import read_remarks
from reporting.figures.sources import Begin, read_begin, read_freshness
from reporting.figures.values import NOT_REPORTED, PROTECTED, Value
from reporting.image import Moment
from reporting.indicators import OTHER, RATIOS, UNPLACED, Catalogue, Span, is_defined_on, span_year_before
from reporting.ticks import Head, read_ticks

_NOTHING: Content = {}


async def answer(moment: Moment, catalogue: Catalogue, question: Question, audience: Audience, at: datetime) -> Answer:
    """The answer as of a moment of the cube; `at` is now.

    Raises `NotFound` for an unknown indicator, `RuleBroken` (422, with a pointer into the question) for what the
    indicator does not have, `Forbidden` for what the audience may not see.
    """
    return await answer_plan(moment, await plan(moment, catalogue, question, audience, at), at)


async def plan(
    moment: Moment,
    catalogue: Catalogue,
    question: Question,
    audience: Audience,
    at: datetime,
    *,
    most_values: int = MOST_VALUES,
) -> Plan:
    """The checked question, with the last tick of its indicator, or what was delivered; raises as `answer` does."""
    if catalogue.get_indicator(question.indicator, question.version).delivered is not None:
        return await plan_delivered(moment, catalogue, question, audience, at)
    head = Head(catalogue.city.municipality, moment.head.generation, moment.head.number)
    ticks = (
        None
        if audience is Audience.STATISTICS
        else await read_ticks(moment.connection, head, question.indicator, audience)
    )
    return plan_of(catalogue, question, audience, at, ticks, most_values=most_values)


async def answer_plan(moment: Moment, plan: Plan, at: datetime) -> Answer:
    """The answer to a question that was checked already."""
    if plan.delivered is not None:
        return await answer_delivered(moment, plan, plan.delivered, at)
    seen = moment if plan.sight.is_live else moment.back_at(0 if plan.sight.tick is None else plan.sight.tick.number)
    begin, amounts = await measure(seen, plan)
    if plan.compared_known_on is None:
        return await answer_with(seen, plan, begin, amounts, at)
    _, before = await measure(seen, plan.as_known_before())
    return await answer_with(seen, plan, begin, amounts, at, before)


async def answer_with(
    moment: Moment, plan: Plan, begin: Begin, amounts: Amounts, at: datetime, before: Amounts | None = None
) -> Answer:
    """The answer to a question whose amounts were read, at the same moment; `before`: as they were known earlier."""
    cells = tuple(cells_of(plan, amounts, before))
    found = described(
        moment,
        plan,
        points=tuple(_points(plan, begin)),
        cells=cells,
        adds_up=_adds_up(plan) and not lacks_areas(plan, cells),
        freshness=await read_freshness(moment.connection, plan.catalogue, plan.indicator.source_office, at),
        at=at,
    )
    return (await read_remarks(moment.connection, plan)).beside(found)


async def measure(moment: Moment, plan: Plan) -> tuple[Begin, Amounts]:
    """Since when the source reports, and what the rows of a plan hold in each span that is reported at all."""
    measures = [name for name, one in plan.catalogue.measures.items() if one.office == plan.indicator.source_office]
    begin = await read_begin(moment, measures, plan.sight.known_on)
    wanted = dict.fromkeys((*plan.spans, *plan.compared))
    reported = [span for span in wanted if _is_reported(plan, begin, span)]
    return begin, await evaluate(moment, plan.to_read, reported) if reported else {}


def _is_reported(plan: Plan, begin: Begin, span: Span) -> bool:
    """Whether the source had begun, the day has come, and somebody could be counted."""
    city, indicator = plan.catalogue.city, plan.indicator
    first = begin.stock_on if indicator.is_about_days else begin.flow_on
    if first is None:
        return False
    if span.from_on is None:
        days = [span.to_on, *([span_year_before(span).to_on] if indicator.kind == "change" else [])]
        return all(first <= day <= plan.today and is_defined_on(city, indicator, day) for day in days)
    somebody = is_defined_on(city, indicator, span.from_on) or is_defined_on(city, indicator, span.to_on)
    return somebody and first <= span.to_on <= plan.today


def _points(plan: Plan, begin: Begin) -> Iterator[Point]:
    for span, compared in zip_longest(plan.spans, plan.compared):
        begins_within = (
            span.from_on is not None and begin.flow_on is not None and span.from_on < begin.flow_on <= span.to_on
        )
        yield Point(
            to_on=span.to_on,
            from_on=span.from_on,
            compared_to_on=None if compared is None else compared.to_on,
            compared_from_on=None if compared is None else compared.from_on,
            reported_from=begin.flow_on if begins_within else None,
        )


def cells_of(plan: Plan, amounts: Amounts, before: Amounts | None = None) -> Iterator[Cell]:
    """The rows of an answer, from what they hold; a span that is not in `amounts` is not reported.

    `before`: what is compared with, where that is an earlier knowledge.
    """
    # The rest of a breakdown has rows only where there is something in it; in protected tables always, or the row
    # itself would say that somebody is there.
    has_rest = not plan.sight.is_exact or any(
        OTHER in row and any(amount.n for amount in content.values())
        for of_span in (*amounts.values(), *(() if before is None else before.values()))
        for part in of_span
        for row, content in part.items()
    )
    for row in plan.rows:
        if OTHER in row and not has_rest:
            continue
        found = [_value(plan, amounts, span, row) for span in plan.spans]
        values = tuple(value for value, _ in found)
        compared = tuple(_value(plan, amounts if before is None else before, span, row)[0] for span in plan.compared)
        yield Cell(
            keys=tuple(key_of(plan, name, code) for name, code in zip(plan.by, row, strict=True)),
            values=values,
            compared=compared,
            changes=tuple(map(difference, values, compared)),
            ticked_at=ticked_at_of_row(plan, row),
            estimated=tuple(at for at, (_, is_estimate) in enumerate(found) if is_estimate),
        )


def _value(plan: Plan, amounts: Amounts, span: Span, row: Row) -> tuple[Value, bool]:
    """The value in a row for a span, and whether it is an estimate."""
    if span not in amounts:
        return NOT_REPORTED, False
    if plan.carried is None:
        return _own_value(plan, amounts, span, row), False
    if not plan.sight.is_exact and not is_shown_protected(plan.periods, span, plan.moves_on):
        return PROTECTED, False
    return plan.carried.value(plan.indicator, amounts[span], row, span, is_exact=plan.sight.is_exact)


def _own_value(plan: Plan, amounts: Amounts, span: Span, row: Row) -> Value:
    """The value of areas of its own day."""
    if not are_there(plan, row, span):
        return NOT_REPORTED
    contents = [part.get(row, _NOTHING) for part in amounts[span]]
    if plan.sight.is_exact:
        return combined(plan.indicator, contents)
    # What an answer is compared with may be any day: the same day a year before is no end of a period.
    return protected(plan.indicator, contents) if is_shown_protected(plan.periods, span, plan.moves_on) else PROTECTED


def _adds_up(plan: Plan) -> bool:
    """Neither do ratios and medians, nor who moved within an area: he has not moved at the level asked."""
    indicator, measures = plan.indicator, plan.catalogue.measures
    if not plan.sight.is_exact:
        return False
    if indicator.kind in RATIOS or indicator.days is not None:
        return not plan.by
    by_area = any(plan.catalogue.level_of(name) is not None for name in plan.by)
    counted = (count.measure for part in indicator.parts for count in part.counts)
    overlapping = any(
        plan.catalogue.level_of(name) is not None
        and sum(len(plan.catalogue.city.parts_of(code, span.to_on)) for code in codes if code != UNPLACED)
        > len(plan.catalogue.city.placed_at(plan.catalogue.level_of(name) or "", span.to_on))
        for name, codes in zip(plan.by, plan.codes, strict=True)
        for span in plan.spans
    )
    return not overlapping and not (by_area and any("area_to" in measures[name].dims for name in counted))
