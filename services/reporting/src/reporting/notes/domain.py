"""The rules of the book of notes, pure: `decide` says what is booked, `evolve` what is true after it."""

import hashlib
import json
from dataclasses import dataclass, replace
from datetime import date, datetime

from reporting.audiences import Audience
from reporting.commands.forms import BothLanguages
from reporting.commands.notes import ReviseNote, WithdrawNote, WriteNote
from reporting.figures import check_scope, is_exact_to
from reporting.indicators import Catalogue
from verbund.errors import Forbidden, NotFound, NotNow, RuleBroken
from verbund.events.envelope import Data
from verbund.events.reporting.notes import AuthorRole, NoteRevised, NoteWithdrawn, NoteWritten

Command = WriteNote | ReviseNote | WithdrawNote


@dataclass(frozen=True, slots=True)
class Note:
    """A note as it stands; its words stand in the table."""

    note_id: str
    version: int
    indicator: str
    breakdown: str | None
    value: str | None
    from_on: date
    to_on: date | None
    author_role: AuthorRole
    recorded_at: datetime
    """When this version was booked."""
    is_withdrawn: bool = False


def decide(state: Note | None, command: Command, catalogue: Catalogue) -> Data:
    """The event that the command leads to; raises what refuses it."""
    if isinstance(command, WriteNote):
        return _written(command, catalogue)
    note = _standing(state, command, catalogue)
    if isinstance(command, WithdrawNote):
        return NoteWithdrawn()
    form = command.form
    _check_time(form.from_on, form.to_on)
    check_scope(catalogue, note.indicator, note.breakdown, note.value, form.to_on or form.from_on)
    return NoteRevised(
        from_on=form.from_on,
        to_on=form.to_on,
        author_role=command.author_role,
        words_digest=words_digest(form.words),
    )


def evolve(state: Note | None, note_id: str, event: Data, at: datetime) -> Note:
    """The note after an event that was booked at this instant."""
    match event:
        case NoteWritten():
            scope = (event.indicator, event.breakdown, event.value)
            return Note(note_id, 1, *scope, event.from_on, event.to_on, event.author_role, at)
        case NoteRevised() if state is not None:
            return replace(
                state,
                from_on=event.from_on,
                to_on=event.to_on,
                author_role=event.author_role,
                version=state.version + 1,
                recorded_at=at,
            )
        case NoteWithdrawn() if state is not None:
            return replace(state, version=state.version + 1, recorded_at=at, is_withdrawn=True)
    raise AssertionError(f"{type(event).__name__} is no event of this note")


def words_digest(words: BothLanguages) -> str:
    """SHA-256 of the words in both languages, as one JSON array: proves them, and says nothing."""
    return hashlib.sha256(json.dumps([words.de, words.en], ensure_ascii=False).encode()).hexdigest()


def _written(command: WriteNote, catalogue: Catalogue) -> NoteWritten:
    form = command.form
    _check_time(form.from_on, form.to_on)
    on = form.to_on or form.from_on
    indicator = check_scope(catalogue, form.indicator, form.breakdown, form.value, on)
    if not is_exact_to(catalogue, indicator, form.breakdown, form.value, on, Audience(command.seen_by)):
        raise Forbidden(
            "cell_not_exact",
            "This is finer than you see exactly. Note it at the whole, or ask the statistics office.",
        )
    return NoteWritten(
        indicator=form.indicator,
        breakdown=form.breakdown,
        value=form.value,
        from_on=form.from_on,
        to_on=form.to_on,
        author_role=command.author_role,
        words_digest=words_digest(form.words),
    )


def _standing(state: Note | None, command: ReviseNote | WithdrawNote, catalogue: Catalogue) -> Note:
    """The note that a command is about, as far as who orders it can see it."""
    if state is None or not may_see(state, Audience(command.seen_by), catalogue):
        raise NotFound("no_such_note", "There is no such note.")
    if state.is_withdrawn:
        raise NotNow("note_withdrawn", "This note was withdrawn. Write a new one.", allowed=("WriteNote",))
    return state


def may_see(note: Note, audience: Audience, catalogue: Catalogue) -> bool:
    """Whether an audience may be told of a note: where it sees the cell exactly."""
    indicator = catalogue.indicators.get(note.indicator)
    on = note.to_on or note.from_on
    return indicator is not None and is_exact_to(catalogue, indicator, note.breakdown, note.value, on, audience)


def _check_time(from_on: date, to_on: date | None) -> None:
    if to_on is not None and from_on > to_on:
        raise RuleBroken("from_after_to", "The first day lies after the last one.", pointer="/from_on")
