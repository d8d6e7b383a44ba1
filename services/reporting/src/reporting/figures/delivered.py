"""Answers about what is delivered: the numbers as their body reported them, with what it said of them."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from itertools import product, zip_longest

from reporting.audiences import Audience
from reporting.delivered import Standing, read_standing
from reporting.figures.answer import Answer, Cell, Delivery, Mark, Point
from reporting.figures.describing import described, difference, key_of
from reporting.figures.plan import Plan, Sheets, plan_of
from reporting.figures.question import Question
from reporting.figures.remarks import read_remarks
from reporting.figures.sources import read_freshness
from reporting.figures.spans import check_days, compared_with, every_of
from reporting.figures.values import NOT_REPORTED, Value, value_of
from reporting.image import Moment
from reporting.indicators import Catalogue, Indicator, Span, period_around

BySpan = Mapping[Span, Standing]
Points = tuple[tuple[Span, ...], tuple[Span, ...]]


async def plan_delivered(
    moment: Moment, catalogue: Catalogue, question: Question, audience: Audience, at: datetime
) -> Plan:
    """The checked question with what stands delivered; raises as `plan_of` does."""
    sheets = Sheets(await _read(moment, question, question.known_on))
    if question.compare_known_on is not None:
        sheets = replace(sheets, before=await _read(moment, question, question.compare_known_on))
    return replace(
        plan_of(catalogue, question, audience, at, points_of=_points_among(sheets.standing)), delivered=sheets
    )


async def answer_delivered(moment: Moment, plan: Plan, sheets: Sheets, at: datetime) -> Answer:
    """The answer to a question that was checked."""
    found = described(
        moment,
        plan,
        points=tuple(_points(plan)),
        cells=tuple(_cells(plan, sheets)),
        adds_up=not plan.by,  # whether rows add up is what findings tell
        freshness=await read_freshness(moment.connection, plan.catalogue, plan.indicator.source_office, at),
        at=at,
        deliveries=tuple(_deliveries(plan, sheets.standing)),
    )
    return (await read_remarks(moment.connection, plan)).beside(found)


async def _read(moment: Moment, question: Question, known_on: date | None) -> tuple[Standing, ...]:
    found = await read_standing(moment.connection, moment.municipality, [question.indicator], known_on)
    wanted = question.version
    return tuple(
        each for each in found.get(question.indicator, ()) if wanted is None or each.definition_version == wanted
    )


def _points_among(standing: Sequence[Standing]) -> Callable[[Indicator, Question, date], Points]:
    """What a question is about, where only these days and periods have numbers."""

    def points_of(indicator: Indicator, question: Question, today: date) -> Points:
        check_days(question)
        spans = tuple(_spans(indicator, question, [_span(each) for each in standing], today)) or (
            _unreported(indicator, question.to_on or max(question.as_of, default=today)),
        )
        return spans, compared_with(indicator, question, spans)

    return points_of


def _spans(indicator: Indicator, question: Question, there: Sequence[Span], today: date) -> Iterator[Span]:
    """A time as a whole is asked for exactly; a day means the last number of its day or before it."""
    every = every_of(indicator, question)
    wanted = (every,) if every is not None else indicator.every
    regular = [
        span
        for span in there
        if span.from_on is None or any(period_around(span.to_on, each) == span for each in wanted)
    ] or there
    first, last = question.from_on, question.to_on
    if first is not None and last is not None:
        if indicator.is_about_days or every is not None:
            yield from (span for span in regular if first <= (span.from_on or span.to_on) and span.to_on <= last)
        else:
            yield Span(last, first)
        return
    found = {
        max((span for span in regular if span.to_on <= day), key=lambda span: span.to_on, default=None)
        for day in question.as_of or (today,)
    } - {None}
    yield from sorted((span for span in found if span is not None), key=lambda span: span.to_on)


def _unreported(indicator: Indicator, day: date) -> Span:
    """What is said to be not reported, where there is nothing at all."""
    return Span(day) if indicator.is_about_days else Span(day, period_around(day, indicator.every[0]).from_on)


def _points(plan: Plan) -> Iterator[Point]:
    for span, compared in zip_longest(plan.spans, plan.compared):
        yield Point(
            to_on=span.to_on,
            from_on=span.from_on,
            compared_to_on=None if compared is None else compared.to_on,
            compared_from_on=None if compared is None else compared.from_on,
        )


def _cells(plan: Plan, sheets: Sheets) -> Iterator[Cell]:
    """The rows that something was delivered for; the total is always one."""
    now = {_span(each): each for each in sheets.standing}
    before = now if sheets.before is None else {_span(each): each for each in sheets.before}
    for row in plan.rows:
        told = [_value(plan, now.get(span), row) for span in plan.spans]
        compared = [_value(plan, before.get(span), row) for span in plan.compared]
        if plan.by and not any(is_there for _, _, is_there in (*told, *compared)):
            continue
        values, earlier = [value for value, _, _ in told], [value for value, _, _ in compared]
        yield Cell(
            keys=tuple(key_of(plan, name, code) for name, code in zip(plan.by, row, strict=True)),
            values=tuple(values),
            marks=tuple(marks for _, marks, _ in told),
            compared=tuple(earlier),
            changes=tuple(map(difference, values, earlier)),
        )


def _value(plan: Plan, standing: Standing | None, row: tuple[str, ...]) -> tuple[Value, tuple[Mark, ...], bool]:
    """What stands in a row, what is known of it, and whether the row was delivered at all."""
    if standing is None:
        return NOT_REPORTED, (), False
    numbers = {tuple(sorted(each.breakdown.items())): each.value for each in standing.sheet.rows}
    places = list(_places(plan, row))
    found = [numbers[place] for place in places if place in numbers]
    if not found or len(found) < len(places):
        return NOT_REPORTED, (), False
    known = [Decimal(number) for number in found if number is not None]
    if len(known) < len(found):
        return NOT_REPORTED, ("not_available",), True
    total = sum(known, Decimal(0))
    places_after_point = plan.indicator.decimals or 0
    return value_of(total if places_after_point else int(total)), tuple(_marks(standing)), True


def _places(plan: Plan, row: tuple[str, ...]) -> Iterator[tuple[tuple[str, str], ...]]:
    """Where the number of a row stands in a table: at several places where several values are filtered by."""
    asked: list[tuple[str, tuple[str, ...]]] = [(name, (code,)) for name, code in zip(plan.by, row, strict=True)]
    asked += [(name, tuple(sorted(codes))) for name, codes in plan.chosen.items()]
    names = [name for name, _ in asked]
    for codes in product(*(codes for _, codes in asked)):
        yield tuple(sorted(zip(names, codes, strict=True)))


def _marks(standing: Standing) -> Iterator[Mark]:
    if standing.sheet.state == "provisional":
        yield "provisional"
    if standing.is_revised or standing.sheet.restated:
        yield "revised"
    if standing.sheet.precision != "exact":
        yield "estimated" if standing.sheet.precision == "estimated" else "rounded"
    if standing.kept_from is not None:
        yield "kept"


def _deliveries(plan: Plan, standing: Sequence[Standing]) -> Iterator[Delivery]:
    """What stands behind the points, and whatever else in their time has something that does not fit."""
    first = min(span.from_on or span.to_on for span in plan.spans)
    last = max(span.to_on for span in plan.spans)
    for each in standing:
        span = _span(each)
        touches = span.to_on >= first and (span.from_on or span.to_on) <= last
        if span in plan.spans or (touches and each.findings):
            yield Delivery(
                from_on=span.from_on,
                to_on=span.to_on,
                number=each.number,
                recorded_at=each.recorded_at,
                body=plan.catalogue.frame.offices[each.body],
                source=each.source,
                reason=each.reason,
                findings=each.findings,
            )


def _span(standing: Standing) -> Span:
    return Span(standing.sheet.to_on, standing.sheet.from_on)
