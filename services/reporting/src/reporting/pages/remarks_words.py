"""What people have booked about one indicator, in words: its notes, its targets, and how it is watched."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from reporting.alerts import ListedThreshold
from reporting.indicators import Catalogue
from reporting.notes import ListedNote
from reporting.targets import ListedTarget
from reporting.wording import Phrases
from verbund.service.words import message_id


@dataclass(frozen=True, slots=True)
class Booked:
    """One of them: what it is about, when it holds, and what it says."""

    id: str
    about: str
    time: str
    words: str


def note_words(note: ListedNote, catalogue: Catalogue, phrases: Phrases) -> Booked:
    """A note as the list shows it."""
    words = (note.de if phrases.language == "de" else note.en) or ""
    about = _about(note.indicator, note.breakdown, note.value, catalogue, phrases)
    return Booked(note.note_id, about, _time(note.from_on, note.to_on, phrases), words)


def target_words(target: ListedTarget, catalogue: Catalogue, phrases: Phrases) -> Booked:
    """A target as the list shows it, with where it was agreed."""
    low, high = _number(target.low, phrases), _number(target.high, phrases)
    match target.aim:
        case "at_least":
            aim = phrases.say(message_id("at least {low}"), low=low)
        case "at_most":
            aim = phrases.say(message_id("at most {high}"), high=high)
        case "between":
            aim = phrases.say(message_id("{low} to {high}"), low=low, high=high)
    source = target.de if phrases.language == "de" else target.en
    message = message_id("{aim}, agreed on {day}: {source}")
    words = phrases.say(message, aim=aim, day=target.agreed_on, source=source)
    about = _about(target.indicator, target.breakdown, target.value, catalogue, phrases)
    return Booked(target.target_id, about, _time(target.from_on, target.to_on, phrases), words)


def threshold_words(threshold: ListedThreshold, catalogue: Catalogue, phrases: Phrases) -> Booked:
    """A threshold as the list shows it."""
    limit, back = _number(threshold.limit, phrases), _number(threshold.back, phrases)
    message = (
        message_id("alert over {limit}, over again from {back} on")
        if threshold.side == "over"
        else message_id("alert under {limit}, over again from {back} on")
    )
    about = _about(threshold.indicator, threshold.breakdown, threshold.value, catalogue, phrases)
    time = _time(threshold.valid_from, threshold.valid_until, phrases)
    return Booked(threshold.threshold_id, about, time, phrases.say(message, limit=limit, back=back))


def _about(indicator_id: str, breakdown: str | None, value: str | None, catalogue: Catalogue, phrases: Phrases) -> str:
    if breakdown is None or value is None:
        return phrases.say(message_id("The whole city"))
    return catalogue.name_of(breakdown, value, catalogue.get_indicator(indicator_id)).say(phrases.language)


def _time(from_on: date, to_on: date | None, phrases: Phrases) -> str:
    if to_on is None:
        return phrases.say(message_id("since {day}"), day=from_on)
    return phrases.span(from_on, to_on)


def _number(number: Decimal | None, phrases: Phrases) -> str:
    return "" if number is None else phrases.formats.number(number)
