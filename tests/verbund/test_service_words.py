"""Words: every sentence of the platform is there in German, and in the language the reader asks for."""

from datetime import date
from importlib.resources import files
from pathlib import Path
from string import Formatter

import pytest
from babel.messages.pofile import read_po

from verbund.service import words
from verbund.service.words import load_words, messages_of, untranslated, words_for

PAGES = "verbund.service.pages"


def test_every_sentence_of_the_platform_is_there_in_german() -> None:
    assert untranslated("verbund", also=[PAGES]) == []


def test_a_sentence_without_german_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "strange_office"
    (package / "templates").mkdir(parents=True)
    (package / "locales").mkdir()
    (package / "__init__.py").write_text(
        'raise RuleBroken(\n    "too_early",\n    "This comes "\n    "too early.",\n)\n'
        'Finding("/a", "wrong", "This is wrong.")\n'
        'message_id("A title")\n'
        'NotNow("gone", f"not {found}")\n'
        'print("no message")\n'
    )
    (package / "templates" / "page.html").write_text(
        "<p>{{ _('On a page') }}</p>{% trans %}A block{% endtrans %}<p>plain</p>"
    )
    (package / "locales" / "de.po").write_text(
        'msgid ""\nmsgstr "Content-Type: text/plain; charset=utf-8\\n"\n\n'
        'msgid "A title"\nmsgstr "Ein Titel"\n\nmsgid "A block"\nmsgstr ""\n'
    )
    monkeypatch.syspath_prepend(tmp_path)
    # The package raises when it is run: its messages are read, not executed.
    monkeypatch.setattr(words, "files", lambda _: package)
    monkeypatch.setattr(words, "as_file", lambda folder: _Open(folder))
    assert untranslated("strange_office") == ["A block", "On a page", "This comes too early.", "This is wrong."]


class _Open:
    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __enter__(self) -> Path:
        return self.folder

    def __exit__(self, *_: object) -> None:
        return None


def test_nothing_is_translated_that_nobody_says() -> None:
    with files("verbund").joinpath("locales", "de.po").open("rb") as source:
        known = {entry.id for entry in read_po(source, locale="de") if entry.id}
    assert known - messages_of("verbund") == set()


def test_a_translation_fills_the_same_places() -> None:
    with files("verbund").joinpath("locales", "de.po").open("rb") as source:
        for entry in read_po(source, locale="de"):
            assert _places(str(entry.string)) == _places(str(entry.id)), entry.id


def _places(sentence: str) -> set[str | None]:
    return {name for _, name, _, _ in Formatter().parse(sentence) if name is not None}


def test_a_sentence_nobody_translated_stays_english() -> None:
    assert words_for("de").gettext("Nobody has said this before.") == "Nobody has said this before."


def test_places_are_filled_as_people_write() -> None:
    values = {"day": date(2018, 12, 31), "roles": ("clerk", "office_lead"), "n": 7}
    assert words_for("en").say("{day}: {roles}, {n}, {lost}", values) == "31.12.2018: clerk, office_lead, 7, {lost}"


@pytest.mark.parametrize("sentence", ["{", "}", "{0}", "{}", "{a.b}", "{a[0]}", "{a!r:>5}"])
def test_no_sentence_is_an_error(sentence: str) -> None:
    assert isinstance(words_for("en").say(sentence, {"a": "b"}), str)


def test_a_language_that_is_not_spoken_here_is_answered_in_german() -> None:
    load_words("verbund")
    assert words_for("fr").gettext("Not found") == "Nicht gefunden"
    assert words_for("en").gettext("Not found") == "Not found"
