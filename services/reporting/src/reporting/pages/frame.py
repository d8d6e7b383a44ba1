"""What stands around every page of figures: the bar, the notices, where the figures come from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from reporting.audiences import Audience
from reporting.figures import Freshness
from reporting.indicators import Catalogue
from reporting.pages.address import View, address
from reporting.wording import Phrases, freshness_in_words, troubles_in_words
from verbund.errors import NotFound
from verbund.service.words import message_id

_BODIES = {
    Audience.COORDINATION: message_id("Coordination group"),
    Audience.STATISTICS: message_id("Statistics office"),
    Audience.PUBLIC: message_id("Public"),
}


@dataclass(frozen=True, slots=True)
class Field:
    """A field of action that has figures."""

    id: str
    title: str
    href: str


@dataclass(frozen=True, slots=True)
class Source:
    """An office and how fresh its figures are."""

    office: str
    title: str
    words: str


@dataclass(frozen=True)
class Frame:
    """The words around a page."""

    path: str
    body: str
    field: Field
    fields: tuple[Field, ...]
    today: str
    days: Mapping[str, str]
    """What stands in the fields: what was typed, or what is shown."""
    errors: Mapping[str, str]
    away: str
    """What the page shows instead of today; empty for today."""
    back: str
    live: str
    """Address of the stream of changes; empty where nothing changes under the reader's eyes."""
    read_at: str
    sources: tuple[Source, ...]
    trouble: tuple[str, ...]

    def freshness_of(self, office: str) -> str:
        return next((source.words for source in self.sources if source.office == office), "")

    def title_of(self, office: str) -> str:
        return next((source.title for source in self.sources if source.office == office), office)


def frame_of(
    path: str,
    view: View,
    catalogue: Catalogue,
    audience: Audience,
    sources: Sequence[Freshness],
    at: datetime,
    phrases: Phrases,
) -> Frame:
    """Raises `NotFound` for a field of action without figures."""
    fields = _fields(catalogue, view, phrases)
    wanted = [field for field in fields if view.field_of_action in (None, field.id)]
    if not wanted:
        raise NotFound(
            "no_such_field", "There are no figures of the field of action {field}.", field=view.field_of_action
        )
    kept = {name: value for name, value in view.parameters().items() if name == "field"}
    return Frame(
        path=path,
        body=phrases.say(_BODIES[audience]),
        field=wanted[0],
        fields=fields,
        today=view.today.isoformat(),
        days=_days(view),
        errors=view.errors,
        away=_away(view, phrases),
        back=address(path, kept, lang=phrases.language),
        live=address("/live", {}, lang=phrases.language) if view.is_today else "",
        read_at=phrases.say(message_id("Read at {time}"), time=phrases.formats.time(at)),
        sources=tuple(
            Source(found.office, found.name.say(phrases.language), freshness_in_words(found, at, phrases))
            for found in sources
        ),
        trouble=tuple(troubles_in_words(sources, phrases)),
    )


def _fields(catalogue: Catalogue, view: View, phrases: Phrases) -> tuple[Field, ...]:
    """The fields of action that have figures, in order of display."""
    filled = {indicator.field_of_action for indicator in catalogue.indicators.values()}
    others = {name: value for name, value in view.parameters().items() if name != "field"}
    return tuple(
        Field(name, words.say(phrases.language), address("/", others, field=name, lang=phrases.language))
        for name, words in catalogue.frame.fields_of_action.items()
        if name in filled
    )


def _days(view: View) -> dict[str, str]:
    shown = {"as_of": view.as_of, "known_on": view.known_on or view.today}
    return {name: view.typed.get(name) or day.isoformat() for name, day in shown.items()}


def _away(view: View, phrases: Phrases) -> str:
    if view.is_today:
        return ""
    if view.known_on is None:
        return phrases.say(message_id("As of {day}, with all that is known today."), day=view.as_of)
    message = message_id("As of {day}, as it was known at the end of {known_on}.")
    return phrases.say(message, day=view.as_of, known_on=view.known_on)
