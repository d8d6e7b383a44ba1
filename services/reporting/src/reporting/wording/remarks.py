"""Notes, targets and changed definitions in words. "Good" and "bad" exist only against a stated target."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal

from reporting.figures import Answer, Note, Point, Target, Value, number_of
from reporting.wording.phrases import Phrases
from verbund.events.reporting.notes import AuthorRole
from verbund.service.words import message_id

Verdict = Literal["met", "missed", "met_so_far", "not_met_yet"]

_VERDICTS: Mapping[Verdict, str] = {
    "met": message_id("reached"),
    "missed": message_id("not reached"),
    "met_so_far": message_id("reached so far"),
    "not_met_yet": message_id("not reached yet"),
}
_AUTHORS: Mapping[AuthorRole, str] = {
    "statistics": message_id("Statistics office"),
    "chair": message_id("Chair of the coordination group"),
    "coordination": message_id("Coordination group"),
}


@dataclass(frozen=True, slots=True)
class Remark:
    """A note or a changed definition under a series, with the mark that its points carry too."""

    mark: str
    words: str
    points: tuple[int, ...]
    """Places in the points of the answer."""
    code: str | None = None
    """Of the value of a breakdown that it is about; None where it is about the whole."""


def remarks_of(answer: Answer, phrases: Phrases) -> tuple[Remark, ...]:
    """Notes and changed definitions in order of time, numbered as footnotes are."""
    found = [
        *(
            (note.from_on, _note(note, phrases), note.points, None if note.key is None else note.key.code)
            for note in answer.notes
        ),
        *(
            (change.valid_from, _definition(change.version, change.valid_from, phrases), change.points, None)
            for change in answer.definition_changes
        ),
    ]
    numbered = enumerate(sorted(found, key=lambda one: one[0]), start=1)
    return tuple(Remark(f"{number})", words, points, code) for number, (_, words, points, code) in numbered)


def verdict_of(target: Target, point: Point, value: Value) -> Verdict | None:
    """Whether a value comes to a target; None where it says no number, or is only a part of the target's time.

    A period that began with the target's time and is not over says how it stands so far.
    """
    number = number_of(value)
    if number is None:
        return None
    is_met = (target.low is None or number >= target.low) and (target.high is None or number <= target.high)
    if point.from_on is None or (point.from_on, point.to_on) == (target.from_on, target.to_on):
        return "met" if is_met else "missed"
    if point.from_on != target.from_on:
        return None
    return "met_so_far" if is_met else "not_met_yet"


def target_in_words(answer: Answer, target: Target, point: Point, value: Value, phrases: Phrases) -> str:
    """Such as "Target 2018: 40 to 50, reached"; without a verdict where there is none."""
    aim = _aim(answer, target, phrases)
    verdict = verdict_of(target, point, value)
    if verdict is None:
        return aim
    return phrases.say(message_id("{target}, {verdict}"), target=aim, verdict=phrases.say(_VERDICTS[verdict]))


def targets_at(answer: Answer, place: int, phrases: Phrases) -> tuple[str, ...]:
    """The targets of one point of an answer that has one row."""
    (cell,) = answer.cells
    point, value = answer.points[place], cell.values[place]
    return tuple(
        target_in_words(answer, target, point, value, phrases) for target in answer.targets if place in target.points
    )


def sourced_targets(answer: Answer, phrases: Phrases) -> Iterator[str]:
    """Each target with what it is for, and where and when it was agreed."""
    for target in answer.targets:
        aim = _aim(answer, target, phrases)
        if target.key is not None:
            name = target.key.name.say(phrases.language)
            aim = phrases.say(message_id("{name}: {target}"), name=name, target=aim)
        source = target.source.say(phrases.language)
        message = message_id("{target} ({source}, agreed on {day})")
        yield phrases.say(message, target=aim, source=source, day=target.agreed_on)


def _aim(answer: Answer, target: Target, phrases: Phrases) -> str:
    low, high = (None if bound is None else phrases.formats.number(bound) for bound in (target.low, target.high))
    period = _period(target.from_on, target.to_on, phrases)
    match target.aim:
        case "at_least":
            return phrases.say(message_id("Target {period}: at least {low}"), period=period, low=low)
        case "at_most":
            return phrases.say(message_id("Target {period}: at most {high}"), period=period, high=high)
        case "between":
            message = message_id("Target {period}: {low} to {high}")
            return phrases.say(message, period=period, low=low, high=high)


def _note(note: Note, phrases: Phrases) -> str:
    period = (
        phrases.say(message_id("since {day}"), day=note.from_on)
        if note.to_on is None
        else _period(note.from_on, note.to_on, phrases)
    )
    given = {
        "period": period,
        "words": note.words.say(phrases.language),
        "author": phrases.say(_AUTHORS[note.author_role]),
    }
    if note.key is None:
        return phrases.say(message_id("{period}: {words} ({author})"), **given)
    name = note.key.name.say(phrases.language)
    return phrases.say(message_id("{name}, {period}: {words} ({author})"), name=name, **given)


def _definition(version: int, valid_from: date, phrases: Phrases) -> str:
    message = message_id("From {day} on another definition holds (version {n}).")
    return phrases.say(message, day=valid_from, n=version)


def _period(from_on: date, to_on: date, phrases: Phrases) -> str:
    is_year = (from_on.month, from_on.day, to_on.month, to_on.day) == (1, 1, 12, 31) and from_on.year == to_on.year
    return str(from_on.year) if is_year else phrases.span(from_on, to_on)
