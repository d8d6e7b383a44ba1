"""Deliveries as files: a table (CSV or XLSX) becomes one form; what is wrong is told with its line and column."""

import csv
import io
import re
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any, get_args

from openpyxl import load_workbook
from openpyxl.utils.exceptions import InvalidFileException

from reporting.commands.deliveries import MOST_ROWS, MOST_SHEETS, FileForm, RowForm, SheetForm
from reporting.deliveries.series import Period
from reporting.deliveries.spec import Spec
from verbund.errors import Finding, RowsRefused, RuleBroken
from verbund.events.reporting.deliveries import DataState, Precision, RevisionReason
from verbund.service.words import message_id

CSV, XLSX = "text/csv", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "from": ("from", "von"),
    "to": ("to", "bis"),
    "unit": ("unit", "einheit"),
    "value": ("value", "wert"),
    "not_available": ("not_available", "nicht_verfügbar", "nicht verfügbar"),
    "state": ("state", "stand", "datenstand"),
    "precision": ("precision", "genauigkeit"),
    "restated": ("restated", "berichtigt"),
    "source": ("source", "quelle"),
}
"""By what each is called here, what stands above it in a file; breakdowns stand under their own names."""
_NEEDED = ("to", "unit", "value")
_STATES = {"vorläufig": "provisional", "endgültig": "final"}
_PRECISIONS = {"genau": "exact", "gerundet": "rounded", "geschätzt": "estimated"}
_YES, _NO = ("yes", "ja", "true", "1", "x"), ("", "no", "nein", "false", "0")
TOTAL = ("", "total", "insgesamt")
"""What stands under a breakdown in the row of its total."""

_ISO, _GERMAN = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}"), re.compile(r"([0-9]{1,2})\.([0-9]{1,2})\.([0-9]{4})")
_LARGEST_UNPACKED = 64 * 1024 * 1024  # a workbook is an archive: a small one may hold very much


@dataclass
class FileOfFigures:
    """A file as a form, and where in the file each of its rows stands."""

    form: FileForm
    lines: Mapping[tuple[int, int], int]
    """By sheet and row of the form, the line (the first one of a file is 1)."""

    def placed(self, refusal: RowsRefused) -> RowsRefused:
        """The same refusal, told with the lines of the file."""
        return RowsRefused(
            refusal.code, refusal.message, findings=[self._placed(each) for each in refusal.findings], **refusal.values
        )

    def _placed(self, finding: Finding) -> Finding:
        found = re.match(r"/sheets/([0-9]+)(?:/rows/([0-9]+))?/?(.*)", finding.pointer)
        if found is None:
            return finding
        sheet, row = int(found[1]), int(found[2] or 0)
        column = {"from_on": "from", "to_on": "to"}.get(found[3], found[3].removeprefix("breakdown/")) or "value"
        return _finding(self.lines[sheet, row], column, finding.code, finding.message, **finding.values)


def read_figures(body: bytes, kind: str, spec: Spec, reason: RevisionReason | None) -> FileOfFigures:
    """The form in a file; raises `RowsRefused` with all lines that cannot be read, or `RuleBroken`."""
    rows = list(_rows_of_workbook(body) if kind == XLSX else _rows_of_csv(body))
    if not rows:
        raise RuleBroken("file_empty", "The file is empty. Take the template of the indicator and fill it in.")
    head = _Head.read(rows[0], spec)
    reading = _Reading(spec, head)
    for line, cells in enumerate(rows[1:], start=2):
        if any(str(cell).strip() for cell in cells if cell is not None):
            reading.take(line, cells)
    return reading.file(reason)


def _rows_of_csv(body: bytes) -> Iterator[Sequence[Any]]:
    """Semicolons or commas, as the first line has them; UTF-8, with or without the mark of it."""
    try:
        told = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise RuleBroken(
            "file_not_utf8", "The file is not written in UTF-8. Save it as “CSV UTF-8”, or send the workbook (XLSX)."
        ) from error
    first = told.partition("\n")[0]
    try:
        yield from csv.reader(io.StringIO(told, newline=""), delimiter=";" if ";" in first else ",", strict=True)
    except csv.Error as error:
        raise RuleBroken("file_malformed", "The file is no table: {error}.", error=str(error)) from error


def _rows_of_workbook(body: bytes) -> Iterator[Sequence[Any]]:
    """The first sheet of a workbook; of formulas their values, as they were saved."""
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            if sum(part.file_size for part in archive.infolist()) > _LARGEST_UNPACKED:
                raise RuleBroken(
                    "file_too_large", "The workbook is too large when it is unpacked. Leave out what is not asked."
                )
        book = load_workbook(io.BytesIO(body), read_only=True, data_only=True)
    except (zipfile.BadZipFile, InvalidFileException, KeyError, ValueError, OSError) as error:
        raise RuleBroken(
            "file_malformed", "The file is no Excel workbook (XLSX).", error=type(error).__name__
        ) from error
    try:
        yield from (tuple(row) for row in book.worksheets[0].iter_rows(values_only=True))
    finally:
        book.close()


@dataclass(frozen=True, slots=True)
class _Head:
    """Which column of the file says what."""

    places: Mapping[str, int]

    @classmethod
    def read(cls, cells: Sequence[Any], spec: Spec) -> "_Head":
        known = {said: name for name, names in COLUMNS.items() for said in names} | {
            name: name for name in spec.breakdowns
        }
        places: dict[str, int] = {}
        findings = []
        for place, cell in enumerate(cells):
            said = str(cell or "").strip().lower()
            name = known.get(said)
            if name is not None and name not in places:
                places[name] = place
            elif said and not said.endswith("_name"):  # names beside codes are for people alone
                message = message_id(
                    "The file has a column {name} that is not asked for, or twice. There are: {allowed}."
                )
                code, allowed = "no_such_column", ", ".join([*COLUMNS, *spec.breakdowns])
                findings.append(_finding(1, said[:40], code, message, name=said[:40], allowed=allowed))
        for name in _NEEDED if spec.is_about_days else ("from", *_NEEDED):
            if name not in places:
                findings.append(
                    _finding(
                        1,
                        name,
                        "column_missing",
                        message_id("The file has no column {name}. Take the template."),
                        name=name,
                    )
                )
        if findings:
            raise _refused(findings)
        return cls(places)

    def cell(self, cells: Sequence[Any], name: str) -> Any:
        place = self.places.get(name)
        return None if place is None or place >= len(cells) else cells[place]


@dataclass
class _Reading:
    """Collects rows by day or period, and what cannot be read."""

    spec: Spec
    head: _Head
    sheets: dict[Period, dict[str, Any]] = field(default_factory=dict)
    lines: dict[Period, list[int]] = field(default_factory=dict)
    units: set[str] = field(default_factory=set)
    findings: list[Finding] = field(default_factory=list)

    def take(self, line: int, cells: Sequence[Any]) -> None:
        known = len(self.findings)
        first, last = self._day(line, cells, "from"), self._day(line, cells, "to")
        if last is None and len(self.findings) == known:
            self._find(line, "to", "date_needed", message_id("A date is needed here, such as 2018-12-31."))
        told = {
            "state": self._word(line, cells, "state", _STATES, get_args(DataState)) or "provisional",
            "precision": self._word(line, cells, "precision", _PRECISIONS, get_args(Precision)) or "exact",
            "restated": self._is_yes(line, cells, "restated"),
            "source": self._text(cells, "source") or None,
        }
        unit = self._text(cells, "unit")
        if unit and unit != self.spec.unit:
            message = message_id("This indicator counts {unit}. Two units are never mixed up.")
            self._find(line, "unit", "wrong_unit", message, unit=self.spec.unit)
        row = {
            "breakdown": {
                name: code for name in self.spec.breakdowns if (code := self._text(cells, name)).lower() not in TOTAL
            },
            "value": _number(self.head.cell(cells, "value")),
            "not_available": self._is_yes(line, cells, "not_available"),
        }
        if len(self.findings) > known or last is None:
            return
        period = Period(first, last)
        sheet = self.sheets.setdefault(period, {**told, "rows": []})
        for name, said in told.items():
            if said != sheet[name]:
                message = message_id(
                    "The rows of one day or period say it in one way. The first of them says: {other}."
                )
                self._find(line, name, "rows_differ", message, other=sheet[name] or "–")
        sheet["rows"].append(row)
        self.lines.setdefault(period, []).append(line)

    def file(self, reason: RevisionReason | None) -> FileOfFigures:
        """The form of everything that was taken; raises `RowsRefused`."""
        if not self.findings:
            if not self.sheets:
                raise RuleBroken("file_empty", "The file is empty. Take the template of the indicator and fill it in.")
            if len(self.sheets) > MOST_SHEETS or any(len(sheet["rows"]) > MOST_ROWS for sheet in self.sheets.values()):
                message = message_id(
                    "That is more than {sheets} days or periods, or than {rows} rows in one. Send several files."
                )
                raise RuleBroken("file_too_large", message, sheets=MOST_SHEETS, rows=MOST_ROWS)
        forms = [self._form(period, sheet) for period, sheet in self.sheets.items()]
        if self.findings:
            raise _refused(self.findings)
        return FileOfFigures(
            FileForm(
                indicator=self.spec.indicator,
                unit=self.spec.unit,
                sheets=tuple(form for form in forms if form is not None),
                reason=reason,
            ),
            {(place, row): line for place, lines in enumerate(self.lines.values()) for row, line in enumerate(lines)},
        )

    def _form(self, period: Period, sheet: Mapping[str, Any]) -> SheetForm | None:
        rows = []
        for line, row in zip(self.lines[period], sheet["rows"], strict=True):
            try:
                rows.append(RowForm(**row))
            except ValueError:
                self._find(
                    line,
                    "value",
                    "not_readable",
                    message_id("This row has a code or a number that is too long or has odd signs."),
                )
        try:
            return SheetForm(
                from_on=period.from_on,
                to_on=period.to_on,
                rows=tuple(rows),
                **{name: sheet[name] for name in ("state", "precision", "restated", "source")},
            )
        except ValueError:
            if len(rows) == len(sheet["rows"]):
                message = message_id("The source is too long: 400 signs are enough to find the numbers again.")
                self._find(self.lines[period][0], "source", "source_too_long", message)
            return None

    def _day(self, line: int, cells: Sequence[Any], name: str) -> date | None:
        cell = self.head.cell(cells, name)
        if isinstance(cell, datetime):
            return cell.date()
        told = str(cell or "").strip()
        german = _GERMAN.fullmatch(told)
        try:
            if german is not None:
                return date(int(german[3]), int(german[2]), int(german[1]))
            if _ISO.fullmatch(told):
                return date.fromisoformat(told)
        except ValueError:
            pass
        if told:
            self._find(line, name, "date_needed", message_id("A date is needed here, such as 2018-12-31."))
        return None

    def _word(
        self, line: int, cells: Sequence[Any], name: str, german: Mapping[str, str], words: Sequence[str]
    ) -> str | None:
        told = self._text(cells, name).lower()
        found = german.get(told, told)
        if found and found not in words:
            self._find(
                line,
                name,
                "no_such_value",
                message_id("There is no such value here. There are: {allowed}."),
                allowed=", ".join(words),
            )
        return found or None

    def _is_yes(self, line: int, cells: Sequence[Any], name: str) -> bool:
        told = self._text(cells, name).lower()
        if told not in (*_YES, *_NO):
            message = message_id("There is no such value here. There are: {allowed}.")
            self._find(line, name, "no_such_value", message, allowed="yes, no")
        return told in _YES

    def _text(self, cells: Sequence[Any], name: str) -> str:
        cell = self.head.cell(cells, name)
        if isinstance(cell, float) and cell.is_integer():
            cell = int(cell)  # a workbook knows no codes, only numbers: 125 is no 125.0
        return "" if cell is None else str(cell).strip()

    def _find(self, line: int, column: str, code: str, message: str, **values: object) -> None:
        self.findings.append(_finding(line, column, code, message, **values))


def _number(cell: Any) -> str | None:
    """A number as it would be typed: a workbook keeps binary fractions, of which fifteen digits were meant."""
    if cell is None or isinstance(cell, bool):
        return None if cell is None else str(cell)
    if isinstance(cell, float):
        number = Decimal(format(cell, ".15g"))
        return format(number.normalize() if number % 1 else number.quantize(Decimal(1)), "f")
    return str(cell).strip() or None


def _finding(line: int, column: str, code: str, message: str, **values: object) -> Finding:
    return Finding(f"/lines/{line}/{column}", code, message, {**values, "line": line})


def _refused(findings: Iterable[Finding]) -> RowsRefused:
    found = list(findings)
    message = message_id("Nothing was booked: {n} entries are not right. Mend them, then send everything again.")
    return RowsRefused("rows_refused", message, findings=found, n=len(found))
