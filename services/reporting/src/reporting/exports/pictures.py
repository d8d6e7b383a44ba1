"""Answers as pictures: a series as a line or bars, a breakdown as bars, with all words that a number needs."""

from collections import Counter
from collections.abc import Iterator
from textwrap import wrap

from reporting import charts
from reporting.exports.notes import notes_of, state_of
from reporting.exports.signs import ESTIMATED, MEANINGS, sign_of
from reporting.figures import Answer, Cell, Point, Value, number_of
from reporting.indicators import IndicatorKind
from reporting.wording import Phrases
from verbund.errors import RuleBroken
from verbund.service.words import message_id

_MOST_MARKS = 80
_LINE_LENGTH = 115  # characters of the words above a picture that its width has room for


def as_svg(answer: Answer, language: str) -> bytes:
    """The picture in lines. It is never a ranking: rows stand in the order of the catalogue, and all in one colour.

    Raises `RuleBroken`: `no_picture` where there is neither a series alone nor one breakdown alone, `too_many_marks`.
    """
    return _picture(answer, language).encode()


def as_png(answer: Answer, language: str) -> bytes:
    """The same in points; raises as `as_svg`."""
    return charts.as_png(_picture(answer, language))


def is_line(kind: IndicatorKind, point: Point) -> bool:
    """What stands on a day is drawn as a line; what happened in a period, and every difference, as bars."""
    return kind != "change" and point.from_on is None


def drawable(value: Value) -> float | None:
    """The number of a value as a drawing takes it."""
    number = number_of(value)
    return number if number is None or isinstance(number, int) else float(number)


def _picture(answer: Answer, language: str) -> str:
    phrases = Phrases(language)
    marks = list(_marks(answer, phrases))
    if len(marks) > _MOST_MARKS:
        raise RuleBroken(
            "too_many_marks",
            "A picture shows {most} values at most. Ask for fewer rows or days.",
            pointer="/by",
            most=_MOST_MARKS,
        )
    if answer.by:
        spec = charts.with_signs(charts.rows_chart(marks, answer.decimals), "x")
    else:
        draw = charts.series_chart if is_line(answer.kind, answer.points[0]) else charts.bars_chart
        spec = charts.with_signs(draw(marks, answer.decimals), "y")
    title, words = answer.title.say(language), list(_words(answer, phrases))
    lines = [line for sentence in words for line in wrap(sentence, _LINE_LENGTH)]
    description = "\n".join([*words, *(f"{mark.label}: {mark.words}" for mark in marks)])
    return charts.as_picture(charts.captioned(spec, title, lines), language, title, description)


def _marks(answer: Answer, phrases: Phrases) -> Iterator[charts.Point]:
    if not answer.by:
        (cell,) = answer.cells
        for at, (point, value) in enumerate(zip(answer.points, cell.values, strict=True)):
            yield charts.Point(phrases.short(point), drawable(value), _said(answer, cell, at, phrases))
        return
    if len(answer.by) > 1 or len(answer.points) > 1:
        raise RuleBroken(
            "no_picture", "A picture shows a series without breakdown, or one breakdown at one time.", pointer="/by"
        )
    names = Counter(cell.keys[0].name.say(phrases.language) for cell in answer.cells)
    for cell in answer.cells:
        name = cell.keys[0].name.say(phrases.language)
        name = name if names[name] == 1 else f"{name} ({cell.keys[0].code})"  # one bar for each
        yield charts.Point(name, drawable(cell.values[0]), _said(answer, cell, 0, phrases))


def _said(answer: Answer, cell: Cell, at: int, phrases: Phrases) -> str:
    value = cell.values[at]
    said = sign_of(answer, value) or phrases.value(value, answer.kind)
    return f"{said} {ESTIMATED}" if at in cell.estimated else said


def _words(answer: Answer, phrases: Phrases) -> Iterator[str]:
    """The lines above a picture, and the description of it."""
    language = phrases.language
    first, last = answer.points[0], answer.points[-1]
    when = phrases.point(first) if first == last else phrases.span(first.from_on or first.to_on, last.to_on)
    yield f"{phrases.unit(answer)}, {when}. {answer.population.say(language)}."
    filters = ", ".join(key.name.say(language) for keys in answer.filters.values() for key in keys)
    if filters:
        yield phrases.say(message_id("Only: {filters}."), filters=filters)
    yield answer.cut_off.say(language)
    sources = ", ".join(source.name.say(language) for source in answer.sources)
    yield phrases.say(message_id("Source: {source}, {state}."), source=sources, state=state_of(answer, phrases))
    yield from notes_of(answer, phrases)
    signs = dict.fromkeys(sign_of(answer, value) for cell in answer.cells for value in cell.values)
    said = [f"{sign} = {MEANINGS[sign].say(language)}" for sign in MEANINGS if sign in signs]
    if said:
        yield "; ".join(said)
