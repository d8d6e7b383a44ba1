"""The form in which a body delivers one day or period: what was typed, what is wrong with it, which rows there are.

It knows no rule: what it holds goes to the same command as a file does, and comes back with the same refusals.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import uuid4

from pydantic import ValidationError

from reporting.commands.deliveries import FileForm
from reporting.deliveries import Series, Spec, breakdowns_offered
from reporting.indicators import Catalogue
from reporting.wording import Phrases
from verbund.errors import Finding, Problem
from verbund.events.reporting.deliveries import DeliveredSheet
from verbund.service.problems import findings_of
from verbund.service.words import message_id, words_for

MOST_ROWS = 100
"""On a page; beyond it a file is easier."""
_ROW = re.compile(r"/sheets/0/rows/([0-9]+)(?:/.*)?")
_FIELDS = ("from_on", "to_on", "state", "precision", "restated", "source", "reason")


@dataclass(frozen=True, slots=True)
class Row:
    """One number that can be typed."""

    breakdown: Mapping[str, str]
    label: str


@dataclass
class Typed:
    """What stands in the fields of the page, and what is wrong with it."""

    values: dict[str, str]
    rows: Sequence[Row]
    language: str
    errors: dict[str, str] = field(default_factory=dict)
    """By field; those of numbers are `value_0`, `value_1` and so on."""
    others: list[str] = field(default_factory=list)
    """What is wrong with no field in particular."""

    def value(self, name: str) -> str:
        """What to show in a field: what was typed, never anything else."""
        return self.values.get(name, "")

    @property
    def is_wrong(self) -> bool:
        return bool(self.errors or self.others)

    def filled(self, spec: Spec) -> FileForm | None:
        """The office's form; None where something cannot be read (then `errors` say what)."""
        said = {name: self.value(name).strip() for name in _FIELDS}
        sheet: dict[str, Any] = {name: said[name] for name in ("from_on", "to_on", "source") if said[name]}
        sheet |= {"state": said["state"] or "provisional", "precision": said["precision"] or "exact"}
        sheet |= {"restated": bool(said["restated"]), "rows": [row for _, row in self._told()]}
        form = {"indicator": spec.indicator, "unit": spec.unit, "sheets": [sheet], "reason": said["reason"] or None}
        if not sheet["rows"]:
            self.errors["value_0"] = words_for(self.language).gettext(message_id("Enter at least one number."))
            return None
        try:
            return FileForm.model_validate(form)
        except ValidationError as error:
            self.note(findings_of(error))
            return None

    def refuse(self, problem: Problem) -> None:
        """Note why the office refuses what could be read."""
        self.note(problem.findings or (Finding("", problem.code, problem.message, problem.values),))

    def note(self, findings: Sequence[Finding]) -> None:
        """Note findings at their fields."""
        words, places = words_for(self.language), [place for place, _ in self._told()]
        for finding in findings:
            sentence = words.say(finding.message, finding.values)
            row = _ROW.fullmatch(finding.pointer)
            name = f"value_{places[int(row[1])]}" if row else finding.pointer.rpartition("/")[2]
            if row or name in _FIELDS:
                self.errors.setdefault(name, sentence)
            else:
                self.others.append(sentence)

    def _told(self) -> Iterator[tuple[int, dict[str, Any]]]:
        """The numbers that were typed, each with its place on the page; a row that was left empty says nothing."""
        for place, row in enumerate(self.rows):
            number, missing = self.value(f"value_{place}").strip(), bool(self.value(f"missing_{place}"))
            if number or missing:
                told = {"breakdown": dict(row.breakdown), "not_available": missing}
                yield place, {**told, **({"value": number} if number else {})}


def rows_of(catalogue: Catalogue, spec: Spec, series: Series, phrases: Phrases) -> list[Row]:
    """The numbers that a delivery has: those of the last one, or those that there can be."""
    indicator = catalogue.get_indicator(spec.indicator)

    def label(breakdown: Mapping[str, str]) -> str:
        names = [catalogue.name_of(name, code, indicator).say(phrases.language) for name, code in breakdown.items()]
        return ", ".join(names) or phrases.say(message_id("Total"))

    offered = list(breakdowns_offered(spec, series))[:MOST_ROWS]
    return [Row(breakdown, label(breakdown)) for breakdown in offered]


def blank(rows: Sequence[Row], language: str) -> Typed:
    """A form as it is first shown, under a key of its own: however often it is sent, it books once."""
    return Typed({"state": "provisional", "precision": "exact", "idempotency_key": str(uuid4())}, rows, language)


def of_sheet(sheet: DeliveredSheet, source: str, rows: Sequence[Row], language: str) -> Typed:
    """The form with what stands delivered for a day or period, to be revised."""
    typed = blank(rows, language)
    days: tuple[tuple[str, date | None], ...] = (("from_on", sheet.from_on), ("to_on", sheet.to_on))
    typed.values |= {name: day.isoformat() for name, day in days if day is not None}
    typed.values |= {"state": sheet.state, "precision": sheet.precision, "source": source}
    typed.values |= {"restated": "true"} if sheet.restated else {}
    told = {tuple(sorted(row.breakdown.items())): row.value for row in sheet.rows}
    for place, row in enumerate(rows):
        key = tuple(sorted(row.breakdown.items()))
        if key in told:
            number = told[key]
            typed.values |= {f"missing_{place}": "true"} if number is None else {f"value_{place}": number}
    return typed
