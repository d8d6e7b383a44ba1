"""Answers as CSV: for programs (RFC 4180), and as the German Excel opens it with a double click."""

import csv
import io
from collections.abc import Iterable, Iterator
from datetime import date
from decimal import Decimal

from reporting.exports.signs import sign_of
from reporting.figures import Answer, number_of

_FORMULAS = ("=", "+", "-", "@", "\t", "\r")  # what begins like this a spreadsheet carries out (CWE-1236)


def as_csv(answer: Answer) -> bytes:
    """RFC 4180 in UTF-8: a line for each row and point. Days as ISO 8601, decimals with a point."""
    file = io.StringIO()
    csv.writer(file).writerows([map(guarded, line) for line in _lines(answer)])
    return file.getvalue().encode()


def as_german_csv(answer: Answer) -> bytes:
    """With semicolons, decimal commas, German days and words, and the mark by which Excel knows UTF-8."""
    file = io.StringIO()
    csv.writer(file, delimiter=";").writerows([map(_german, line) for line in _german_lines(answer)])
    return b"\xef\xbb\xbf" + file.getvalue().encode()


def _lines(answer: Answer) -> Iterator[list[object]]:
    """What it is about, the value, and what stands beside every value."""
    keys = [column for name in answer.by for column in (name, f"{name}_name")]
    yield [
        *("indicator", "version", "unit", *keys, "from", "to", "value", "status", "sign"),
        *("source", "known_on", "data_state", "is_exact", "ticked_at", "generation", "batch"),
    ]
    for cell in answer.cells:
        codes = [column for key in cell.keys for column in (key.code, key.name.en)]
        for point, value in zip(answer.points, cell.values, strict=True):
            yield [
                *(answer.indicator, answer.version, answer.unit.many.en, *codes, point.from_on, point.to_on),
                *(number_of(value), value.kind, sign_of(answer, value)),
                *(answer.source_office, answer.known_on, answer.data_state, str(answer.is_exact).lower()),
                *(None if answer.ticked_at is None else answer.ticked_at.isoformat(), answer.generation, answer.batch),
            ]


def _german_lines(answer: Answer) -> Iterable[list[object]]:
    keys = [column for name in answer.by for column in (name, f"{name} (Name)")]
    yield ["Kennzahl", "Fassung", "Einheit", *keys, "von", "bis", "Wert", "Zeichen", "genau", "Kenntnisstand"]
    for cell in answer.cells:
        codes = [column for key in cell.keys for column in (key.code, key.name.de)]
        for point, value in zip(answer.points, cell.values, strict=True):
            yield [
                *(answer.title.de, answer.version, answer.unit.many.de, *codes, point.from_on, point.to_on),
                *(number_of(value), sign_of(answer, value), "ja" if answer.is_exact else "nein", answer.known_on),
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
