"""Restatements as files: CSV for programs (RFC 4180), and a workbook for people."""

import csv
import io
from collections.abc import Iterator, Sequence

import xlsxwriter

from reporting.editions.reason_words import cell_in_words, reason_in_words
from reporting.editions.restatement import CellAt, Changed, Reason, Restatement
from reporting.exports import guarded
from reporting.figures import Value, number_of
from reporting.wording import Phrases
from verbund.service.pages.formats import NOTHING, ZERO
from verbund.service.words import message_id

_HEAD = (
    *("state", "question", "indicator", "cell", "filters", "from", "to"),
    *("before", "before_status", "after", "after_status", "difference", "is_exact", "reasons_of", "reasons"),
)


def restatement_csv(found: Restatement) -> bytes:
    """A line for each cell that changed, came or went. Reasons as `kind:code:amount`, separated by blanks."""
    file = io.StringIO()
    csv.writer(file).writerows([map(guarded, line) for line in (_HEAD, *_lines(found))])
    return file.getvalue().encode()


def _lines(found: Restatement) -> Iterator[Sequence[object]]:
    for changed in found.changed:
        yield [
            *("changed", *_place(changed)),
            *(number_of(changed.before), changed.before.kind, number_of(changed.after), changed.after.kind),
            *(number_of(changed.difference), str(changed.is_exact).lower(), changed.reasons_of),
            " ".join(map(_code, changed.reasons)),
        ]
    for state, cells in (("added", found.added), ("removed", found.removed)):
        for cell in cells:
            value = (number_of(cell.value), cell.value.kind)
            both: Sequence[object] = (None, None, *value) if state == "added" else (*value, None, None)
            yield [state, *_place(cell), *both, None, None, None, None]


def _place(cell: CellAt) -> Sequence[object]:
    filters = (f"{name}={'+'.join(key.code for key in keys)}" for name, keys in cell.filters.items())
    keys = " ".join(key.code for key in cell.keys)
    return [cell.question, cell.indicator, keys, " ".join(filters), cell.from_on, cell.to_on]


def _code(reason: Reason) -> str:
    amount = None if reason.amount is None else f"{reason.amount:+d}"
    return ":".join(part for part in (reason.kind, reason.code, amount) if part is not None)


def restatement_workbook(found: Restatement, language: str) -> bytes:
    """Two sheets: what changed and why; what only one of the two knows."""
    phrases, file = Phrases(language), io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(file, options) as book:
        book.set_properties({"title": found.edition.title.say(language), "created": found.against_at})
        head = book.add_format({"bold": True, "text_wrap": True, "valign": "top", "bottom": 1})
        for name, rows in (
            (message_id("Changed"), _changed_rows(found, phrases)),
            (message_id("In one only"), _one_sided_rows(found, phrases)),
        ):
            sheet = book.add_worksheet(phrases.say(name))
            sheet.set_column(0, 1, 32)
            sheet.set_column(2, 5, 16)
            sheet.set_column(6, 6, 60)
            for row, cells in enumerate(rows):
                for column, cell in enumerate(cells):
                    if isinstance(cell, str):
                        sheet.write_string(row, column, cell, head if row == 0 else None)
                    else:
                        sheet.write_number(row, column, cell)
            sheet.freeze_panes(1, 0)
    return file.getvalue()


def _changed_rows(found: Restatement, phrases: Phrases) -> Iterator[Sequence[str | float]]:
    yield [
        phrases.say(words)
        for words in (
            *(message_id("Figure"), message_id("Of which"), message_id("Day or period"), message_id("Before")),
            *(message_id("After"), message_id("Difference"), message_id("Reasons")),
        )
    ]
    for cell in found.changed:
        yield [
            *_where(cell, phrases),
            *(_written(value, phrases, is_exact=cell.is_exact) for value in (cell.before, cell.after, cell.difference)),
            reasons_in_words(cell, phrases),
        ]


def _one_sided_rows(found: Restatement, phrases: Phrases) -> Iterator[Sequence[str | float]]:
    yield [
        phrases.say(words)
        for words in (
            *(message_id("Figure"), message_id("Of which"), message_id("Day or period"), message_id("Value")),
            message_id("State"),
        )
    ]
    for state, cells in ((message_id("added"), found.added), (message_id("removed"), found.removed)):
        for cell in cells:
            yield [*_where(cell, phrases), _written(cell.value, phrases, is_exact=False), phrases.say(state)]


def reasons_in_words(cell: Changed, phrases: Phrases) -> str:
    """All of them; of a cell that is protected it is said that they are those of the whole figure."""
    said = "; ".join(reason_in_words(reason, phrases) for reason in cell.reasons)
    if cell.reasons_of == "cell":
        return said
    return phrases.say(message_id("of the whole figure: {reasons}"), reasons=said)


def _where(cell: CellAt, phrases: Phrases) -> Sequence[str]:
    return [
        cell.title.say(phrases.language),
        cell_in_words(cell, phrases),
        phrases.span(cell.from_on, cell.to_on),
    ]


def _written(value: Value, phrases: Phrases, *, is_exact: bool) -> str | float:
    """A number as one; a sign in the place of any other value."""
    number = number_of(value)
    return float(number) if number else phrases.value(value, "stock", NOTHING if is_exact else ZERO)
