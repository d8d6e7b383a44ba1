"""The form to freeze an edition: what was typed, what is wrong with it, and what can be chosen."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from reporting.audiences import Audience
from reporting.commands.editions import EditionForm
from reporting.editions.domain import may_see
from reporting.indicators import Catalogue
from reporting.wording import Phrases
from verbund.errors import Finding, Problem
from verbund.service.problems import findings_of
from verbund.service.words import message_id, words_for

AUDIENCES = {
    Audience.COORDINATION: message_id("Coordination group"),
    Audience.STATISTICS: message_id("Statistics office"),
}
_PLACES = {
    "title_de": "/title/de",
    "title_en": "/title/en",
    "frozen_for_de": "/frozen_for/de",
    "frozen_for_en": "/frozen_for/en",
    "audience": "/audience",
    "as_of": "/as_of",
    "fields_of_action": "/fields_of_action",
}
"""The fields of the page, and where they stand in the office's form."""


@dataclass
class Typed:
    """What stands in the fields of the page, and what is wrong with it."""

    values: dict[str, str]
    chosen: Sequence[str]
    """Fields of action."""
    language: str
    errors: dict[str, str] = field(default_factory=dict)
    """By field."""
    others: list[str] = field(default_factory=list)
    """What is wrong with no field in particular."""

    @staticmethod
    def of(sent: Sequence[tuple[str, str]], language: str) -> "Typed":
        """What was sent."""
        chosen = [value for name, value in sent if name == "fields_of_action"]
        return Typed({name: value for name, value in sent if name != "fields_of_action"}, chosen, language)

    def value(self, name: str) -> str:
        """What to show in a field: what was typed, never anything else."""
        return self.values.get(name, "")

    def fields(self) -> dict[str, str]:
        """All of it, as the order form takes it."""
        return {**self.values, "fields_of_action": ",".join(self.chosen)}

    def fill(self) -> EditionForm | None:
        """The office's form; None where something is missing or cannot be read (then `errors` say what)."""
        said: dict[str, Any] = {
            "title": {"de": self.value("title_de"), "en": self.value("title_en")},
            "frozen_for": {"de": self.value("frozen_for_de"), "en": self.value("frozen_for_en")},
            "audience": self.value("audience"),
            "questions": "all",
            "fields_of_action": self.chosen,
            "as_of": self.value("as_of").strip() or None,
        }
        try:
            return EditionForm.model_validate(said)
        except ValidationError as error:
            self._note(findings_of(error))
            return None

    def refuse(self, problem: Problem) -> None:
        """Note why the office refuses what could be read."""
        self._note(problem.findings or (Finding("", problem.code, problem.message, problem.values),))

    def _note(self, findings: Sequence[Finding]) -> None:
        words = words_for(self.language)
        for finding in findings:
            sentence = words.say(finding.message, finding.values)
            place = next((name for name, pointer in _PLACES.items() if finding.pointer.startswith(pointer)), None)
            if place is None:
                self.others.append(sentence)
            else:
                self.errors.setdefault(place, sentence)


def blank(key: str, own: Audience) -> Typed:
    """A form as it is first shown."""
    narrowest = next(audience for audience in AUDIENCES if may_see(own, audience))
    return Typed({"idempotency_key": key, "audience": narrowest.value}, (), "de")


def field_options(catalogue: Catalogue, language: str) -> list[tuple[str, str]]:
    """The fields of action that have figures."""
    filled = {indicator.field_of_action for indicator in catalogue.indicators.values()}
    return [(name, words.say(language)) for name, words in catalogue.frame.fields_of_action.items() if name in filled]


def audience_options(own: Audience, phrases: Phrases) -> list[tuple[str, str]]:
    """The audiences that somebody may freeze for."""
    return [(each.value, phrases.say(words)) for each, words in AUDIENCES.items() if may_see(own, each)]
