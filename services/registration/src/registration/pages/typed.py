"""What was typed into a page's form: read into the fields of the office's form, kept as typed to be shown again."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from pydantic import ValidationError

from registration.commands import Form
from registration.pages.choices import Choices
from registration.pages.wording import WORDING
from verbund.errors import Finding, Problem
from verbund.service.problems import findings_of
from verbund.service.words import Words, message_id

FormT = TypeVar("FormT", bound=Form)

_GERMAN_DATE = re.compile(r"^(\d{1,2})\.(\d{1,2})\.(\d{4})$")
_DATES = ("_on", "_date")
_NOT_IN_LIST = message_id("Choose an entry from the list, or type its name or code.")
_EMPTY = message_id("Fill in this field.")
_NOT_CHOSEN = message_id("Choose one of these.")


@dataclass(frozen=True)
class Sheet(Generic[FormT]):
    """A form as it stands on a page."""

    form: type[FormT]
    fields: Sequence[str]
    """In the order of the page."""
    asked: frozenset[str] = frozenset()
    """Required on this page, where the office itself would take less."""
    defaults: Mapping[str, str] = field(default_factory=dict)

    def requires(self, name: str) -> bool:
        return name in self.asked or self.form.model_fields[name].is_required()


@dataclass
class Typed(Generic[FormT]):
    """What stands in the fields of a sheet, and what is wrong with it."""

    sheet: Sheet[FormT]
    values: Mapping[str, str]
    words: Words
    others: list[str] = field(default_factory=list)
    """What is wrong with no field in particular."""
    _errors: dict[str, str] = field(default_factory=dict)

    @property
    def errors(self) -> dict[str, str]:
        """What is wrong, by field, in the order of the page."""
        return {name: self._errors[name] for name in self.sheet.fields if name in self._errors}

    def summary(self, labels: Mapping[str, str]) -> dict[str, str]:
        """As `errors`, each with the name of its field, for the list on top of the page."""
        return {name: f"{labels[name]}: {sentence}" for name, sentence in self.errors.items()}

    def value(self, name: str) -> str:
        """What to show in a field: what was typed, never anything else."""
        return self.values.get(name, "")

    def fill(self, choices: Mapping[str, Choices]) -> FormT | None:
        """The form as filled in; None where something is missing or cannot be read (then `errors` say what)."""
        fields = self._read(choices)
        try:
            filled = self.sheet.form.model_validate(fields)
        except ValidationError as error:
            self._note(findings_of(error))
            return None
        return None if self._errors else filled

    def refuse(self, problem: Problem) -> None:
        """Note why the office refuses what could be read."""
        if not self._note(problem.findings):
            self.others.append(self.words.say(problem.message, problem.values))

    def _read(self, choices: Mapping[str, Choices]) -> dict[str, Any]:
        fields: dict[str, Any] = {}
        for name in self.sheet.fields:
            typed = self.value(name).strip()
            if not typed:
                if self.sheet.requires(name):
                    self._errors[name] = self.words.gettext(_NOT_CHOSEN if name in WORDING else _EMPTY)
                continue
            if name in choices:
                code = choices[name].find(typed)
                if code is None:
                    self._errors[name] = self.words.gettext(_NOT_IN_LIST)
                fields[name] = code or typed
            else:
                fields[name] = _iso(typed) if name.endswith(_DATES) else typed
        return fields

    def _note(self, findings: Sequence[Finding]) -> bool:
        """Note findings at their fields; tells whether each of them has one on this page."""
        at_fields = bool(findings)
        for finding in findings:
            name = finding.pointer.removeprefix("/")
            if name in self.sheet.fields:
                self._errors.setdefault(name, self.words.say(finding.message, finding.values))
            else:
                at_fields = False
        return at_fields


def _iso(typed: str) -> str:
    """Dates may be typed the German way where a browser has no field for dates."""
    found = _GERMAN_DATE.match(typed)
    return f"{found[3]}-{int(found[2]):02d}-{int(found[1]):02d}" if found else typed
