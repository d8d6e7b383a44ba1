"""Answers as an Excel workbook: the values, what they mean, what the signs say, and where they come from."""

import io
from collections.abc import Callable, Sequence
from datetime import UTC
from functools import cache
from typing import NamedTuple

import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from reporting.exports.csv_files import is_compared
from reporting.exports.notes import notes_of
from reporting.exports.signs import MEANINGS, marks_of, sign_of
from reporting.figures import Answer, Value, number_of
from reporting.wording import Phrases, remarks_of, sourced_targets
from verbund.service.words import message_id

_WIDEST = 42


def as_workbook(answer: Answer, language: str) -> bytes:
    """Five sheets in one language. Text stays text, whatever it begins with; numbers stay numbers."""
    phrases, file = Phrases(language), io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(file, options) as book:
        book.set_properties({"title": answer.title.say(language), "created": answer.asked_at.astimezone(UTC)})
        head = book.add_format({"bold": True, "text_wrap": True, "valign": "top", "bottom": 1})
        text = book.add_format({"text_wrap": True, "valign": "top"})
        places = "." + "0" * answer.decimals if answer.decimals else ""

        @cache
        def figure(marks: str) -> Format:
            """Of a number that shows its marks behind it, and stays a number."""
            behind = f'" {marks}"' if marks else ""
            return book.add_format({"num_format": f"#,##0{places}{behind}", "align": "right"})

        values = book.add_worksheet(phrases.say(message_id("Values")))
        _write_values(values, answer, phrases, _Formats(head, figure))
        for name, rows in (
            (message_id("Definition"), _definition(answer, phrases)),
            (message_id("Signs"), [(sign, words.say(language)) for sign, words in MEANINGS.items()]),
            (message_id("Provenance"), _provenance(answer, phrases)),
            (message_id("Notes"), _remarks(answer, phrases)),
        ):
            sheet = book.add_worksheet(phrases.say(name))
            sheet.set_column(0, 0, 24)
            sheet.set_column(1, 1, 90)
            for row, (what, said) in enumerate(rows):
                sheet.write_string(row, 0, what, head)
                sheet.write_string(row, 1, said, text)
    return file.getvalue()


def _write_values(sheet: Worksheet, answer: Answer, phrases: Phrases, formats: "_Formats") -> None:
    """A row for each row of the answer, a column for each day or period; then what they are compared with, if asked."""
    language, keys = phrases.language, 2 * len(answer.by)
    sheet.write_string(0, 0, answer.title.say(language), formats.head)
    sheet.write_string(1, 0, phrases.unit(answer))
    columns = [column for name in answer.by for column in (name, f"{name} ({phrases.say(message_id('name'))})")]
    for column, words in enumerate((*columns, *_columns(answer, phrases))):
        sheet.write_string(3, column, words, formats.head)
    for row, cell in enumerate(answer.cells, start=4):
        for column, words in enumerate(word for key in cell.keys for word in (key.code, key.name.say(language))):
            sheet.write_string(row, column, words)
        for at, value in enumerate((*cell.values, *cell.compared, *cell.changes)):
            marks = marks_of(cell, at) if at < len(cell.values) else ""
            _write_value(sheet, row, keys + at, answer, value, formats.figure(marks))
    sheet.freeze_panes(4, keys)
    sheet.set_column(0, max(keys + len(_columns(answer, phrases)) - 1, 0), 16)


def _columns(answer: Answer, phrases: Phrases) -> list[str]:
    """What stands above the values, those that they are compared with, and the changes."""
    columns = [phrases.point(point) for point in answer.points]
    if not is_compared(answer):
        return columns
    compared = [
        phrases.say(message_id("compared: {period}"), period=phrases.span(point.compared_from_on, point.compared_to_on))
        for point in answer.points
        if point.compared_to_on is not None
    ]
    if answer.compared_known_on is not None:
        known = phrases.say(message_id("as known at the end of {day}"), day=answer.compared_known_on)
        compared = [f"{words}, {known}" for words in compared]
    return [*columns, *compared, *(phrases.say(message_id("change: {period}"), period=words) for words in columns)]


class _Formats(NamedTuple):
    head: Format
    figure: Callable[[str], Format]
    """By the marks of the number."""


def _write_value(sheet: Worksheet, row: int, column: int, answer: Answer, value: Value, figure: Format) -> None:
    sign, number = sign_of(answer, value), number_of(value)
    if sign or number is None:
        sheet.write_string(row, column, sign, figure)
    else:
        sheet.write_number(row, column, float(number), figure)


def _definition(answer: Answer, phrases: Phrases) -> Sequence[tuple[str, str]]:
    language = phrases.language
    return [
        (phrases.say(message_id("What is counted")), answer.definition.say(language)),
        (phrases.say(message_id("Of whom")), answer.population.say(language)),
        (phrases.say(message_id("Unit")), phrases.unit(answer)),
        (phrases.say(message_id("Cut-off")), answer.cut_off.say(language)),
        *((phrases.say(message_id("What the source does not know")), limit.say(language)) for limit in answer.limits),
        (
            phrases.say(message_id("Definition")),
            phrases.say(message_id("version {n}, since {day}"), n=answer.version, day=answer.valid_from),
        ),
    ]


def _remarks(answer: Answer, phrases: Phrases) -> Sequence[tuple[str, str]]:
    """What was noted and agreed, each with the days or periods that it marks."""
    marked = [
        (", ".join(phrases.point(answer.points[place]) for place in remark.points), remark.words)
        for remark in remarks_of(answer, phrases)
    ]
    return [*marked, *((phrases.say(message_id("Target")), target) for target in sourced_targets(answer, phrases))]


def _provenance(answer: Answer, phrases: Phrases) -> Sequence[tuple[str, str]]:
    moment = phrases.formats.moment
    yes, no = phrases.say(message_id("yes")), phrases.say(message_id("no"))
    return [
        (phrases.say(message_id("Source")), ", ".join(source.name.say(phrases.language) for source in answer.sources)),
        (phrases.say(message_id("Asked")), moment(answer.asked_at)),
        (
            phrases.say(message_id("As known on")),
            moment(answer.ticked_at or answer.asked_at)
            if answer.known_on is None
            else phrases.formats.date(answer.known_on),
        ),
        (phrases.say(message_id("Exact")), yes if answer.is_exact else no),
        (phrases.say(message_id("Rows add up")), yes if answer.adds_up else no),
        *((phrases.say(message_id("To be known")), note) for note in notes_of(answer, phrases)),
        (
            phrases.say(message_id("Place in the cube")),
            f"{answer.municipality} {answer.generation}.{answer.batch}",
        ),
    ]
