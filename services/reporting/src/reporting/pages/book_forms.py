"""The forms for notes, targets and thresholds: what was typed, what is wrong with it, and what can be chosen.

They know no rule: what they hold goes to the same commands as at the doors for programs, and comes back with the same
refusals, each at its field.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, TypeVar
from uuid import uuid4

from pydantic import BaseModel, ValidationError

from reporting.audiences import Audience
from reporting.commands.alerts import ThresholdForm
from reporting.commands.notes import NoteForm, RevisionForm
from reporting.commands.targets import TargetForm
from reporting.figures import is_exact_to
from reporting.indicators import Catalogue, Indicator, Span, codes_of
from reporting.notes import ListedNote
from reporting.wording import Phrases
from verbund.errors import Finding, Problem
from verbund.service.problems import findings_of
from verbund.service.words import message_id, words_for

ModelT = TypeVar("ModelT", bound=BaseModel)

_PLACES = {"/breakdown": "cell", "/value": "cell"}
"""Where a field of the office's form has another name on the page; elsewhere `/words/de` is `words_de`."""
_NUMBERS = ("low", "high", "limit", "back")


@dataclass
class Typed:
    """What stands in the fields of a page, and what is wrong with it."""

    values: dict[str, str]
    language: str
    errors: dict[str, str] = field(default_factory=dict)
    """By field."""
    others: list[str] = field(default_factory=list)
    """What is wrong with no field in particular."""

    def value(self, name: str) -> str:
        """What to show in a field: what was typed, never anything else."""
        return self.values.get(name, "")

    @property
    def is_wrong(self) -> bool:
        return bool(self.errors or self.others)

    def note(self, indicator: str) -> NoteForm | None:
        """The office's form; None where something is missing or cannot be read (then `errors` say what)."""
        said = {**self._cell(indicator), **self._said("from_on", "to_on"), "words": self._both("words")}
        return self._filled(NoteForm, said)

    def revision(self) -> RevisionForm | None:
        """The same of a note that is corrected."""
        return self._filled(RevisionForm, {**self._said("from_on", "to_on"), "words": self._both("words")})

    def target(self, indicator: str) -> TargetForm | None:
        """The same of a target."""
        said = self._said("from_on", "to_on", "agreed_on", "aim", "low", "high")
        return self._filled(TargetForm, {**self._cell(indicator), **said, "source": self._both("source")})

    def threshold(self, indicator: str) -> ThresholdForm | None:
        """The same of a figure that is to be watched."""
        said = self._said("audience", "period", "side", "limit", "back", "valid_from", "valid_until")
        return self._filled(ThresholdForm, {**self._cell(indicator), **said})

    def refuse(self, problem: Problem) -> None:
        """Note why the office refuses what could be read."""
        self._note(problem.findings or (Finding("", problem.code, problem.message, problem.values),))

    def _filled(self, model: type[ModelT], said: Mapping[str, Any]) -> ModelT | None:
        try:
            return model.model_validate(said)
        except ValidationError as error:
            self._note(findings_of(error))
            return None

    def _said(self, *names: str) -> dict[str, str]:
        """What was typed in these fields; an empty one says nothing. Numbers are typed as they are written here."""
        typed = {name: self.value(name).strip() for name in names}
        numbers = {name: typed[name].replace(",", ".") for name in _NUMBERS if name in typed}
        return {name: text for name, text in {**typed, **numbers}.items() if text}

    def _both(self, name: str) -> dict[str, str]:
        return {language: self.value(f"{name}_{language}") for language in ("de", "en")}

    def _cell(self, indicator: str) -> dict[str, str]:
        breakdown, _, value = self.value("cell").partition(":")
        return {"indicator": indicator, **({"breakdown": breakdown, "value": value} if breakdown else {})}

    def _note(self, findings: Sequence[Finding]) -> None:
        words = words_for(self.language)
        for finding in findings:
            sentence = words.say(finding.message, finding.values)
            name = _PLACES.get(finding.pointer, finding.pointer.strip("/").replace("/", "_"))
            if name in self.values:
                self.errors.setdefault(name, sentence)
            else:
                self.others.append(sentence)


_NOTE = ("cell", "from_on", "to_on", "words_de", "words_en")
_TARGET = ("cell", "from_on", "to_on", "agreed_on", "aim", "low", "high", "source_de", "source_en")
_THRESHOLD = ("cell", "audience", "period", "side", "limit", "back", "valid_from", "valid_until")
FIELDS: Mapping[str, tuple[str, ...]] = {"note": _NOTE, "target": _TARGET, "threshold": _THRESHOLD}
"""The fields of each form."""


def blank(matter: str, language: str, **known: str) -> Typed:
    """A form as it is first shown, under a key of its own: however often it is sent, it books once."""
    return Typed({**dict.fromkeys(FIELDS[matter], ""), **known, "idempotency_key": str(uuid4())}, language)


def sent(matter: str, language: str, fields: Mapping[str, object]) -> Typed:
    """A form as it was sent."""
    typed = {name: text for name, text in fields.items() if isinstance(text, str)}
    return Typed({**dict.fromkeys(FIELDS[matter], ""), **typed}, language)


def of_note(note: ListedNote, etag: str, language: str) -> Typed:
    """A note as it stands, to be corrected."""
    return blank(
        "note",
        language,
        from_on=note.from_on.isoformat(),
        to_on="" if note.to_on is None else note.to_on.isoformat(),
        words_de=note.de or "",
        words_en=note.en or "",
        seen=etag,
    )


def cells_of_indicator(
    catalogue: Catalogue, indicator: Indicator, audience: Audience, today: date, phrases: Phrases
) -> Iterator[tuple[str, str]]:
    """What a note or a target can be about: the whole, and each cell that this audience sees exactly."""
    yield "", phrases.say(message_id("The whole city"))
    for breakdown in indicator.breakdowns:
        heading = catalogue.frame.dimensions[breakdown].say(phrases.language)
        for code in codes_of(catalogue, indicator, breakdown, [Span(today)]):
            if is_exact_to(catalogue, indicator, breakdown, code, today, audience):
                name = catalogue.name_of(breakdown, code, indicator).say(phrases.language)
                yield f"{breakdown}:{code}", phrases.say(message_id("{heading}: {name}"), heading=heading, name=name)
