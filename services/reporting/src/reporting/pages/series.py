"""A series: its chart, its twin as a table, and the sentence that says what both show."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from reporting import charts
from reporting.exports.pictures import drawable, is_line
from reporting.figures import Answer, Figure, Value, number_of, value_of
from reporting.figures import Point as Day
from reporting.indicators import IndicatorKind
from reporting.pages import sparks
from reporting.pages.sparks import Spark
from reporting.wording import Phrases, Remark, is_year, remarks_of, sourced_targets
from verbund.service.words import message_id


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the twin."""

    name: str
    value: str
    change: str
    marks: str
    """Of what was noted about it."""


@dataclass(frozen=True, slots=True)
class Series:
    """A chart with its twin."""

    id: str
    question: str
    sentence: str
    caption: str
    heading: str
    value_heading: str
    change_heading: str
    rows: tuple[Row, ...]
    remarks: tuple[Remark, ...]
    targets: tuple[str, ...]
    svg: str
    json: str
    """Specification and number format for the browser, safe to stand in a script element."""


Steps = Sequence[tuple[Day, Value]]


def _reported(answer: Answer) -> list[tuple[Day, Value]]:
    """The points of an answer without breakdown, from the first that has a value; gaps in between stay."""
    (cell,) = answer.cells
    steps = list(zip(answer.points, cell.values, strict=True))
    while steps and number_of(steps[0][1]) is None:
        steps.pop(0)
    return steps


def series_of(answer: Answer, phrases: Phrases) -> Series | None:
    """The whole series of an answer without breakdown; None where fewer than two values are reported."""
    steps = _reported(answer)
    if sum(number_of(value) is not None for _, value in steps) < 2:
        return None
    remarks, first = remarks_of(answer, phrases), len(answer.points) - len(steps)
    marks = [" ".join(one.mark for one in remarks if first + at in one.points) for at in range(len(steps))]
    drawn = [
        charts.Point(
            phrases.short(day), drawable(value), phrases.value(value, answer.kind), mark, *_bounds(answer, first + at)
        )
        for at, ((day, value), mark) in enumerate(zip(steps, marks, strict=True))
    ]
    spec = (charts.series_chart if is_line(answer.kind, steps[0][0]) else charts.bars_chart)(drawn, answer.decimals)
    packed = json.dumps(spec, ensure_ascii=False)
    browser = json.dumps({"spec": spec, "locale": charts.number_locale(phrases.language)}, ensure_ascii=False)
    title = answer.title.say(phrases.language)
    return Series(
        id=f"series-{answer.indicator}",
        question=phrases.say(message_id("How has this developed?")),
        sentence=_sentence(answer.kind, steps, phrases),
        caption=title,
        heading=phrases.say(message_id("As of") if steps[0][0].from_on is None else message_id("Period")),
        value_heading=phrases.unit(answer),
        change_heading=phrases.say(message_id("Change")),
        rows=tuple(_rows(answer.kind, steps, marks, phrases)),
        remarks=remarks,
        targets=tuple(sourced_targets(answer, phrases)),
        svg=_drawn(packed, phrases.language),
        json=browser.replace("<", "\\u003c"),
    )


def spark_of(kind: IndicatorKind, steps: Steps, phrases: Phrases) -> Spark | None:
    """The small line of a tile."""
    if not steps:
        return None
    values = [drawable(value) for _, value in steps]
    first = phrases.dated(*steps[0], kind)
    if is_line(kind, steps[0][0]):
        return sparks.line(values, first)
    last = steps[-1][0]
    return sparks.bars(values, first, is_part=last.from_on is not None and not is_year(last))


def _float(number: Figure | None) -> float | None:
    return number if number is None or isinstance(number, int) else float(number)


def _bounds(answer: Answer, place: int) -> tuple[float | None, float | None]:
    """What the first of the targets of a point asks for."""
    for target in answer.targets:
        if place in target.points:
            return _float(target.low), _float(target.high)
    return None, None


def _rows(kind: IndicatorKind, steps: Steps, marks: Sequence[str], phrases: Phrases) -> list[Row]:
    rows = []
    before: Figure | None = None
    for (day, value), mark in zip(steps, marks, strict=True):
        is_whole = day.from_on is None or is_year(day)
        number = number_of(value) if is_whole else None  # part of a year is no change against a whole one
        change = "" if number is None or before is None else phrases.change(value_of(number - before))
        name = phrases.short(day) if day.from_on is not None and is_whole else phrases.point(day)
        rows.append(Row(name, phrases.value(value, kind), change, mark))
        before = number
    return rows[::-1]


def _sentence(kind: IndicatorKind, steps: Steps, phrases: Phrases) -> str:
    reported = [(day, value, number) for day, value in steps if (number := number_of(value)) is not None]
    # What is not over yet has no place in a comparison.
    known = [one for one in reported if one[0].from_on is None or is_year(one[0])] or reported
    first, last, top = known[0], known[-1], max(known, key=lambda one: one[2])
    message = (
        message_id("{first} on {first_day}, {last} on {last_day}. The highest value is {top} ({top_day}).")
        if first[0].from_on is None
        else message_id("{first} in {first_day}, {last} in {last_day}. The highest value is {top} ({top_day}).")
    )
    said = phrases.point if first[0].from_on is None else phrases.short
    return phrases.say(
        message,
        first_day=said(first[0]),
        first=phrases.value(first[1], kind),
        last_day=said(last[0]),
        last=phrases.value(last[1], kind),
        top_day=said(top[0]),
        top=phrases.value(top[1], kind),
    )


@lru_cache(maxsize=64)
def _drawn(packed: str, language: str) -> str:
    """Drawing takes some hundredths of a second; most visitors look at the same chart."""
    return charts.as_svg(json.loads(packed), language)
