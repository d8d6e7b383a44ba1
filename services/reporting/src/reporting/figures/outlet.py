"""Answers questions: reads one snapshot of the cube and puts everything beside the numbers that belongs there."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from itertools import zip_longest

from reporting.audiences import Audience
from reporting.deltas import MEASURES
from reporting.figures.answer import Answer, Cell, Key, Point
from reporting.figures.evaluation import Row, evaluate
from reporting.figures.plan import Plan, plan_of
from reporting.figures.question import Question
from reporting.figures.sources import Begin, read_begin, read_freshness
from reporting.figures.values import NOT_REPORTED, Value, number_of, value_of
from reporting.image import Moment
from reporting.indicators import DIMENSIONS, OTHER, Catalogue, Span, is_defined_on, span_year_before


async def answer(moment: Moment, catalogue: Catalogue, question: Question, audience: Audience, at: datetime) -> Answer:
    """The answer as of a moment of the cube; `at` is now.

    Raises `NotFound` for an unknown indicator, `RuleBroken` (422, with a pointer into the question) for what the
    indicator does not have, `Forbidden` for what the audience may not see.
    """
    return await answer_plan(moment, plan_of(catalogue, question, audience, at), at)


async def answer_plan(moment: Moment, plan: Plan, at: datetime) -> Answer:
    """The answer to a question that was checked already."""
    municipality, indicator = plan.catalogue.city.municipality, plan.indicator
    assert municipality == moment.municipality, "the image is another city's"
    begin = await read_begin(moment, indicator.source_office, plan.sight.known_on)
    wanted = dict.fromkeys((*plan.spans, *plan.compared))
    reported = [span for span in wanted if _is_reported(plan, begin, span)]
    sums = await evaluate(moment, plan, reported) if reported else {}
    office = indicator.source_office
    freshness = await read_freshness(moment.connection, municipality, office, plan.catalogue.frame.offices[office], at)
    return Answer(
        municipality=municipality,
        indicator=indicator.id,
        version=indicator.version,
        valid_from=indicator.valid_from,
        kind=indicator.kind,
        field_of_action=indicator.field_of_action,
        title=indicator.title,
        definition=indicator.definition,
        cut_off=indicator.cut_off,
        limits=indicator.limits,
        unit=plan.catalogue.unit_of(indicator),
        population=indicator.population.words,
        source_office=office,
        not_comparable_with=indicator.not_comparable_with,
        by=plan.by,
        filters={name: tuple(_key(plan, name, code) for code in sorted(codes)) for name, codes in plan.filters.items()},
        points=tuple(_points(plan, begin)),
        cells=tuple(_cells(plan, sums)),
        adds_up=_adds_up(plan),
        audience=plan.audience,
        data_state=plan.sight.data_state,
        known_on=plan.sight.known_on,
        asked_at=at,
        sources=(freshness,),
        batch=moment.head.number,
        generation=moment.head.generation,
    )


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


def _cells(plan: Plan, sums: Mapping[Span, Mapping[Row, int]]) -> Iterator[Cell]:
    # The rest of a breakdown has rows only where there is something in it.
    has_rest = any(n and OTHER in row for of_span in sums.values() for row, n in of_span.items())
    for row in plan.rows:
        if OTHER in row and not has_rest:
            continue
        values = tuple(_value(sums, span, row) for span in plan.spans)
        compared = tuple(_value(sums, span, row) for span in plan.compared)
        yield Cell(
            keys=tuple(_key(plan, name, code) for name, code in zip(plan.by, row, strict=True)),
            values=values,
            compared=compared,
            changes=tuple(map(_difference, values, compared)),
        )


def _value(sums: Mapping[Span, Mapping[Row, int]], span: Span, row: Row) -> Value:
    return value_of(sums[span].get(row, 0)) if span in sums else NOT_REPORTED


def _difference(value: Value, compared: Value) -> Value:
    number, before = number_of(value), number_of(compared)
    return NOT_REPORTED if number is None or before is None else value_of(number - before)


def _key(plan: Plan, dimension: str, code: str) -> Key:
    return Key(code=code, name=plan.catalogue.name_of(dimension, code, plan.indicator))


def _adds_up(plan: Plan) -> bool:
    """Who moved within an area has not moved at the level asked: such rows are less than the whole."""
    by_area = any(DIMENSIONS[name] == "area" for name in plan.by)
    return not (by_area and any("area_to" in MEASURES[count.measure].dims for count in plan.indicator.counts))
