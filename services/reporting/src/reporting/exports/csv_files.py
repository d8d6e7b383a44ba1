"""Answers as CSV: for programs (RFC 4180), and as the German Excel opens it with a double click.

A file is a head and lines for each row of the answer, so that a large one can be written row by row.
"""

import asyncio
import csv
import io
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from reporting.exports.signs import marks_of, sign_of
from reporting.figures import Answer, AnswerInParts, Cell, Point, Value, number_of

_FORMULAS = ("=", "+", "-", "@", "\t", "\r")  # what begins like this a spreadsheet carries out (CWE-1236)

Columns = list[object]


@dataclass(frozen=True, slots=True)
class Table:
    """How answers are written as lines."""

    delimiter: str
    mark: bytes
    """What the file begins with."""
    head: Callable[[Answer], Columns]
    lines: Callable[[Answer, Iterable[Cell]], Iterator[Columns]]
    field: Callable[[object], object]

    def top(self, answer: Answer) -> bytes:
        """The line of names; `answer` may be without rows."""
        return self.mark + self._written([self.head(answer)])

    def rows(self, answer: Answer, cells: Iterable[Cell]) -> bytes:
        """The lines of some rows of the answer."""
        return self._written(self.lines(answer, cells))

    def _written(self, lines: Iterable[Columns]) -> bytes:
        file = io.StringIO()
        csv.writer(file, delimiter=self.delimiter).writerows([map(self.field, line) for line in lines])
        return file.getvalue().encode()


async def in_lines(table: Table, answer: AnswerInParts) -> AsyncIterator[bytes]:
    """The file of an answer that comes in parts, written part by part."""
    yield table.top(answer.first) + table.rows(answer.first, answer.first.cells)
    async for part in answer.rest:
        # In a thread: a part of a large answer takes its time, and others ask meanwhile.
        yield await asyncio.to_thread(table.rows, part, part.cells)


def as_csv(answer: Answer) -> bytes:
    """RFC 4180 in UTF-8: a line for each row and point. Days as ISO 8601, decimals with a point."""
    return RFC_4180.top(answer) + RFC_4180.rows(answer, answer.cells)


def as_german_csv(answer: Answer) -> bytes:
    """With semicolons, decimal commas, German days and words, and the mark by which Excel knows UTF-8."""
    return EXCEL_DE.top(answer) + EXCEL_DE.rows(answer, answer.cells)


def is_compared(answer: Answer) -> bool:
    """Whether each value stands beside another one."""
    return any(point.compared_to_on is not None for point in answer.points)


def _head(answer: Answer) -> Columns:
    keys = [column for name in answer.by for column in (name, f"{name}_name")]
    compared = [
        *("compared_from", "compared_to", "compared_known_on", "compared_value", "compared_sign"),
        *("change", "change_sign"),
    ]
    return [
        *("indicator", "version", "unit", *keys, "from", "to", "value", "status", "sign", "estimated", "marks"),
        *(compared if is_compared(answer) else ()),
        *("source", "known_on", "data_state", "is_exact", "ticked_at", "generation", "batch", "areas_on", "breaks"),
    ]


def _lines(answer: Answer, cells: Iterable[Cell]) -> Iterator[Columns]:
    """What it is about, the value, and what stands beside every value."""
    breaks = " ".join(one.changed_on.isoformat() for one in answer.breaks)
    for cell in cells:
        codes = [column for key in cell.keys for column in (key.code, key.name.en)]
        for at, (point, value) in enumerate(zip(answer.points, cell.values, strict=True)):
            yield [
                *(answer.indicator, answer.version, answer.unit.many.en, *codes, point.from_on, point.to_on),
                *(number_of(value), value.kind, sign_of(answer, value), str(at in cell.estimated).lower()),
                " ".join(cell.marks[at] if cell.marks else ()),
                *_compared(answer, point, cell, at),
                *(answer.source_office, answer.known_on, answer.data_state, str(answer.is_exact).lower()),
                *(None if answer.ticked_at is None else answer.ticked_at.isoformat(), answer.generation, answer.batch),
                *(answer.areas_on, breaks),
            ]


def _compared(answer: Answer, point: Point, cell: Cell, at: int) -> Columns:
    if not is_compared(answer):
        return []
    return [
        *(point.compared_from_on, point.compared_to_on, answer.compared_known_on),
        *_number_and_sign(answer, cell.compared[at]),
        *_number_and_sign(answer, cell.changes[at]),
    ]


def _number_and_sign(answer: Answer, value: Value) -> Columns:
    return [number_of(value), sign_of(answer, value)]


def _german_head(answer: Answer) -> Columns:
    keys = [column for name in answer.by for column in (name, f"{name} (Name)")]
    compared = [
        *("Vergleich von", "Vergleich bis", "Vergleich nach Kenntnisstand", "Vergleichswert", "Zeichen (Vergleich)"),
        *("Veränderung", "Zeichen (Veränderung)"),
    ]
    return [
        *("Kennzahl", "Fassung", "Einheit", *keys, "von", "bis", "Wert", "Zeichen", "geschätzt", "Kennzeichen"),
        *(compared if is_compared(answer) else ()),
        *("genau", "Kenntnisstand", "Gebietsstand", "Gebietsänderungen"),
    ]


def _german_lines(answer: Answer, cells: Iterable[Cell]) -> Iterator[Columns]:
    breaks = " ".join(f"{one.changed_on:%d.%m.%Y}" for one in answer.breaks)
    for cell in cells:
        codes = [column for key in cell.keys for column in (key.code, key.name.de)]
        for at, (point, value) in enumerate(zip(answer.points, cell.values, strict=True)):
            yield [
                *(answer.title.de, answer.version, answer.unit.many.de, *codes, point.from_on, point.to_on),
                *(
                    number_of(value),
                    sign_of(answer, value),
                    "ja" if at in cell.estimated else "nein",
                    marks_of(cell, at),
                ),
                *_compared(answer, point, cell, at),
                *("ja" if answer.is_exact else "nein", answer.known_on, answer.areas_on, breaks),
            ]


def guarded(cell: object) -> object:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULAS) else cell


def _german(cell: object) -> object:
    match cell:
        case Decimal():
            return str(cell).replace(".", ",")
        case date():
            return f"{cell:%d.%m.%Y}"
        case _:
            return guarded(cell)


RFC_4180 = Table(",", b"", _head, _lines, guarded)
EXCEL_DE = Table(";", b"\xef\xbb\xbf", _german_head, _german_lines, _german)
