"""A breakdown as bars and table, with the sentence that says what it shows."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from reporting.figures import PROTECTED, Answer, Cell, Figure, number_of, value_of
from reporting.indicators import Catalogue
from reporting.wording import Phrases, Remark, remarks_of, target_in_words
from verbund.disclosure import MAXIMUM_NOISE
from verbund.service.pages.formats import NOTHING, ZERO
from verbund.service.words import message_id

_MANY_ROWS = 20  # from here on a table opens only when it is wanted


@dataclass(frozen=True, slots=True)
class Row:
    """One line; `share` is the length of its bar in percent of the longest one."""

    name: str
    value: str
    change: str
    share: float
    marks: str = ""
    """Of what was noted about it."""


@dataclass(frozen=True, slots=True)
class Breakdown:
    """One value after another along one breakdown."""

    id: str
    question: str
    sentence: str
    caption: str
    heading: str
    value_heading: str
    change_heading: str
    """Empty where no change is shown to this reader in any row."""
    note: str
    """What has to be known of protected figures; empty elsewhere."""
    rows: tuple[Row, ...]
    total: Row | None
    is_long: bool
    remarks: tuple[Remark, ...]
    targets: tuple[str, ...]


def breakdown_of(answer: Answer, catalogue: Catalogue, phrases: Phrases) -> Breakdown:
    """The table of an answer to a question along one breakdown, on one day, compared with a year before."""
    (dimension,), (point,) = answer.by, answer.points
    heading = catalogue.frame.dimensions[dimension].say(phrases.language)
    numbers = [number_of(cell.values[0]) for cell in answer.cells]
    longest = max((abs(float(number)) for number in numbers if number), default=0.0)
    remarks = remarks_of(answer, phrases)
    marks = _marks(remarks)
    rows = tuple(
        _row(answer, cell, longest, marks, phrases) for cell in answer.cells if not _is_empty_rest(cell, answer.cells)
    )
    total = sum((number for number in numbers if number is not None), 0)
    changes = [number_of(cell.changes[0]) for cell in answer.cells if cell.changes]
    change = None if not changes or None in changes else sum((number for number in changes if number is not None), 0)
    since = (
        phrases.say(message_id("since {day}"), day=phrases.span(point.compared_from_on, point.compared_to_on))
        if point.compared_to_on is not None and answer.kind == "stock"
        else phrases.say(message_id("against a year before"))
    )
    return Breakdown(
        id=f"by-{dimension}",
        question=heading,
        sentence=_sentence(answer, total, phrases),
        caption=_caption(answer, phrases),
        heading=heading,
        value_heading=phrases.unit(answer),
        change_heading="" if _hides_changes(answer) else since,
        note=_note(answer, phrases),
        rows=rows,
        total=Row(
            phrases.say(message_id("Total")),
            phrases.value(value_of(total), answer.kind),
            "" if change is None else phrases.formats.signed(change),
            0,
        )
        if answer.adds_up and None not in numbers
        else None,
        is_long=len(rows) > _MANY_ROWS,
        remarks=remarks,
        targets=tuple(_targets(answer, phrases)),
    )


def _marks(remarks: Sequence[Remark]) -> Mapping[str, str]:
    """By code, the marks of the notes on that very value; what is about the whole stands under the table only."""
    marks: dict[str, list[str]] = {}
    for remark in remarks:
        if remark.code is not None:
            marks.setdefault(remark.code, []).append(remark.mark)
    return {code: " ".join(found) for code, found in marks.items()}


def _targets(answer: Answer, phrases: Phrases) -> Iterator[str]:
    """The targets of single rows, each with its verdict."""
    (point,) = answer.points
    values = {cell.keys[0].code: cell.values[0] for cell in answer.cells}
    for target in answer.targets:
        if target.key is not None and target.key.code in values:
            words = target_in_words(answer, target, point, values[target.key.code], phrases)
            name = target.key.name.say(phrases.language)
            yield phrases.say(message_id("{name}: {target}"), name=name, target=words)


def _row(answer: Answer, cell: Cell, longest: float, marks: Mapping[str, str], phrases: Phrases) -> Row:
    number = number_of(cell.values[0])
    return Row(
        name=cell.keys[0].name.say(phrases.language),
        value=phrases.value(cell.values[0], answer.kind, NOTHING if answer.is_exact else ZERO),
        change=phrases.change(cell.changes[0]) if cell.changes else "",
        marks=marks.get(cell.keys[0].code, ""),
        share=round(100 * abs(float(number)) / longest, 1) if number and longest else 0,
    )


def _hides_changes(answer: Answer) -> bool:
    """Of protected figures a change is shown between ends of periods only."""
    return all(change == PROTECTED for cell in answer.cells for change in cell.changes)


def _is_empty_rest(cell: Cell, cells: Sequence[Cell]) -> bool:
    """Whether this is the row of what cannot be placed, with nothing in it now and a year ago."""
    return (
        cell is cells[-1]
        and cell.keys[0].code == "unplaced"
        and not any(map(number_of, (*cell.values, *cell.compared)))
    )


def _sentence(answer: Answer, total: Figure, phrases: Phrases) -> str:
    known = [(number, cell) for cell in answer.cells if (number := number_of(cell.values[0])) is not None]
    if not known or answer.kind not in ("stock", "flow") or not total:
        return ""
    most, cell = max(known, key=lambda pair: pair[0])
    given = {
        "name": cell.keys[0].name.say(phrases.language),
        "most": phrases.formats.number(most),
        "total": phrases.formats.number(total),
        "share": phrases.formats.percent(Decimal(most) / Decimal(total)),
    }
    if not answer.adds_up:
        return phrases.say(message_id("{name} has the highest number: {most}."), **given)
    return phrases.say(message_id("{name} has the highest number: {most} of {total} ({share})."), **given)


def _caption(answer: Answer, phrases: Phrases) -> str:
    title, period = answer.title.say(phrases.language), phrases.point(answer.points[0])
    if answer.known_on is not None:
        message = message_id("{title}, {period}, as known at the end of {day}")
        return phrases.say(message, title=title, period=period, day=answer.known_on)
    if answer.ticked_at is not None:
        message = message_id("{title}, {period}, as counted on {moment}")
        return phrases.say(message, title=title, period=period, moment=phrases.formats.moment(answer.ticked_at))
    return phrases.say(message_id("{title}, {period}"), title=title, period=period)


def _note(answer: Answer, phrases: Phrases) -> str:
    if answer.is_exact:
        return ""
    message = (
        message_id("Protected: each number is a sum of small ones, each off by up to {most}; 1 and 2 are never shown.")
        if answer.kind == "stock" or answer.kind == "flow"
        else message_id(
            "Protected: made of numbers that may each be off by up to {most}; of few units nothing is shown."
        )
    )
    return phrases.say(message, most=phrases.formats.number(MAXIMUM_NOISE))
