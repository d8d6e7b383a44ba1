"""Lists that a clerk types into: what they show in the reader's language, and which code was meant."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache

from babel import Locale

from registration.places import UNPLACED, areas, nationalities
from verbund.service.words import message_id, words_for

_CODE_AT_END = re.compile(r"\((\w{1,16})\)$")

_WITHOUT_STATE = {
    "997": message_id("stateless"),
    "998": message_id("nationality not clarified"),
    "999": message_id("nationality not stated"),
}


@dataclass(frozen=True)
class Choices:
    """Codes with their words; clerks see `Nordmarkt (05)` and may type that, the name or the code."""

    words: Mapping[str, str]
    beside: Mapping[str, str] = field(default_factory=dict)
    """Further words beside an entry."""

    @property
    def options(self) -> list[tuple[str, str]]:
        """What is offered, and the words beside it, in order of the words."""
        in_order = sorted(self.words, key=lambda code: self.words[code].casefold())
        return [(self.show(code), self.beside.get(code, "")) for code in in_order]

    def show(self, code: str) -> str:
        """An entry as it is offered; a code that is not in the list as it is."""
        return f"{self.words[code]} ({code})" if code in self.words else code

    def name(self, code: str) -> str:
        """The words of a code, or the code itself."""
        return self.words.get(code, code)

    def find(self, typed: str) -> str | None:
        """The code that was meant; None where nothing or more than one thing fits."""
        typed = typed.strip()
        at_end = _CODE_AT_END.search(typed)
        if at_end is not None and at_end[1] in self.words:
            return at_end[1]
        if typed in self.words:
            return typed
        return _only(code for code, words in self.words.items() if words.casefold() == typed.casefold())


def _only(codes: Iterable[str]) -> str | None:
    found = list(codes)
    return found[0] if len(found) == 1 else None


@cache
def area_choices(municipality: str, language: str) -> Choices:
    """The statistische Bezirke with their Stadtbezirk beside them, and the place of what cannot be placed."""
    known = areas(municipality)
    districts = {code: area for code, area in known.items() if area.level == "statistischer_bezirk"}
    unplaced = words_for(language).gettext(message_id("cannot be placed"))
    return Choices(
        {code: area.name for code, area in districts.items()} | {UNPLACED: unplaced},
        {code: known[area.parent].name for code, area in districts.items() if area.parent is not None},
    )


@cache
def nationality_choices(language: str) -> Choices:
    """States and nationalities, named in the language."""
    territories = Locale.parse(language).territories
    words = words_for(language)
    named = {
        key: words.gettext(_WITHOUT_STATE[key])
        if key in _WITHOUT_STATE
        else str(territories.get(entry.iso2 or "", entry.name_de))
        for key, entry in nationalities().items()
    }
    return Choices(named)


@cache
def state_choices(language: str) -> Choices:
    """States that somebody can come from abroad."""
    known = nationalities()
    everything = nationality_choices(language).words
    return Choices(
        {key: name for key, name in everything.items() if known[key].iso2 is not None and known[key].iso2 != "DE"}
    )
