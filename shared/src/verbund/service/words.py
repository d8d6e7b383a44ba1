"""Words in the caller's language: English message ids, German in `<package>/locales/de.po`.

Messages stand in the code where they are used, as the arguments of problems and findings, or marked by `message_id`;
`untranslated` finds those that have no German yet.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from importlib.resources import as_file, files
from logging import getLogger
from types import MappingProxyType

from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from verbund.service.pages.languages import DEFAULT, LANGUAGES, language_of

__all__ = ["LANGUAGES", "Words", "language_of", "load_words", "message_id", "messages_of", "untranslated", "words_for"]

_log = getLogger(__name__)

_PLACE = re.compile(r"\{([a-z_]+)\}")

# Where messages stand: the number of the argument, per callable (babel's notation).
_KEYWORDS = {
    "message_id": None,
    "gettext": None,
    "_": None,
    "ngettext": (1, 2),
    "Finding": (3,),
    **dict.fromkeys(
        (
            "Problem",
            "Unauthenticated",
            "Forbidden",
            "NotFound",
            "Stale",
            "TooLarge",
            "RuleBroken",
            "Conflict",
            "NotNow",
            "KeyReused",
            "Unavailable",
            "Internal",
            "Invalid",
            "NotAllowed",
            "WrongContent",
        ),
        (2,),
    ),
}
_METHODS = [("**.py", "python"), ("**/templates/**.html", "jinja2.ext:babel_extract")]


def message_id(message: str) -> str:
    """Marks an English sentence that is translated later, where it is shown."""
    return message


@dataclass(frozen=True, slots=True)
class Words:
    """The sentences of one language."""

    language: str
    _catalogue: dict[str, str] = field(default_factory=dict)

    def gettext(self, message: str) -> str:
        """The sentence in this language, or the English one where there is no translation."""
        return self._catalogue.get(message) or message

    def say(self, message: str, values: Mapping[str, object] = MappingProxyType({})) -> str:
        """The sentence with its {placeholders} filled in; a place without a value stays as it is."""
        return _PLACE.sub(
            lambda place: _spell(values[place[1]]) if place[1] in values else place[0], self.gettext(message)
        )


_WORDS = {language: Words(language) for language in LANGUAGES}
_LOADED: set[str] = set()


def words_for(language: str) -> Words:
    """The sentences of `language`, or of the default language where it is not spoken here."""
    return _WORDS.get(language, _WORDS[DEFAULT])


def load_words(package: str) -> None:
    """Add the translations of a package (`<package>/locales/<language>.po`); `build_service` does."""
    if package in _LOADED:
        return
    for words in _WORDS.values():
        words._catalogue.update(_read(package, words.language))
    _LOADED.add(package)


def messages_of(package: str) -> frozenset[str]:
    """Every English message in a package's code and templates."""
    with as_file(files(package)) as folder:
        found = extract_from_dir(
            folder, method_map=_METHODS, keywords=_KEYWORDS, options_map={"**/templates/**.html": {"silent": "false"}}
        )
        return frozenset(message for _, _, texts, _, _ in found for message in _flat(texts))


def untranslated(package: str, *, language: str = DEFAULT, also: Iterable[str] = ()) -> list[str]:
    """Messages of a package without a translation in its own catalogue or those of the packages `also`."""
    known: set[str] = set()
    for home in (package, *also):
        known |= {message for message, text in _read(home, language).items() if text}
    return sorted(messages_of(package) - known)


def _read(package: str, language: str) -> dict[str, str]:
    file = files(package).joinpath("locales", f"{language}.po")
    if not file.is_file():
        return {}
    with file.open("rb") as source:
        catalogue = read_po(source, locale=language)
    return {
        message: text
        for entry in catalogue
        if not entry.fuzzy
        for message, text in zip(_flat(entry.id), _flat(entry.string), strict=False)
        if message
    }


def _flat(texts: object) -> tuple[str, ...]:
    """Singular and plural alike; babel gives a string or a tuple of them."""
    if isinstance(texts, str):
        return (texts,)
    return tuple(text for text in texts if isinstance(text, str)) if isinstance(texts, Sequence) else ()


def _spell(value: object) -> str:
    if isinstance(value, date):
        return f"{value:%d.%m.%Y}"
    if isinstance(value, list | tuple | set | frozenset):
        return ", ".join(str(part) for part in value)
    return str(value)
