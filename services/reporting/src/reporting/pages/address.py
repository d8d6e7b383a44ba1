"""What a page shows stands in its address: a link shows a colleague the same view."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from urllib.parse import urlencode

from reporting.wording import Phrases
from verbund.service.words import message_id

_EARLIEST = date(1950, 1, 1)


@dataclass(frozen=True, slots=True)
class View:
    """One view: as of a day, as known on a day, of one field of action."""

    today: date
    as_of: date
    known_on: date | None = None
    field_of_action: str | None = None
    typed: Mapping[str, str] = field(default_factory=dict)
    """What was typed, right or wrong: it is never lost."""
    errors: Mapping[str, str] = field(default_factory=dict)
    """What is wrong with it, by parameter; such a view falls back to today."""

    @property
    def is_today(self) -> bool:
        """Whether this is the present, that moves while one looks at it."""
        return self.as_of == self.today and self.known_on is None

    @property
    def is_canonical(self) -> bool:
        """Whether the address leaves today unnamed, so that tomorrow it shows that day."""
        said = {name for name, text in self.typed.items() if text}
        return said == self.parameters().keys() & self.typed.keys()

    def parameters(self) -> dict[str, str]:
        """For the address of another page with the same view."""
        given = {
            "field": self.field_of_action,
            "as_of": None if self.as_of == self.today else self.as_of.isoformat(),
            "known_on": None if self.known_on is None else self.known_on.isoformat(),
        }
        return {name: value for name, value in given.items() if value is not None}


def view_of(query: Mapping[str, str], today: date, phrases: Phrases) -> View:
    """The view that an address asks for; what is wrong in it is said, and today is shown instead."""
    typed = {name: query.get(name, "").strip() for name in ("as_of", "known_on")}
    days: dict[str, date] = {}
    errors: dict[str, str] = {}
    for name, text in typed.items():
        if not text:
            continue
        try:
            day = date.fromisoformat(text)
        except ValueError:
            errors[name] = phrases.say(message_id("Enter a date that exists, such as 2018-12-31."))
            continue
        if day > today:
            errors[name] = phrases.say(message_id("This day has not come yet. Choose today or an earlier day."))
        elif day < _EARLIEST:
            errors[name] = phrases.say(message_id("There are no figures that old. Choose a later day."))
        else:
            days[name] = day
    known_on = days.get("known_on")
    return View(
        today=today,
        as_of=days.get("as_of", today),
        known_on=None if known_on == today else known_on,  # what is known by the end of today is what is known now
        field_of_action=query.get("field") or None,
        typed=typed,
        errors=errors,
    )


def address(path: str, parameters: Mapping[str, str], **more: str) -> str:
    """A path with its parameters."""
    query = urlencode({**parameters, **more})
    return f"{path}?{query}" if query else path
