"""The book of notes at the desk: loads notes, decides by its rules, keeps every version."""

import json
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from reporting.commands.notes import ReviseNote, WithdrawNote, WriteNote
from reporting.deltas import day_of
from reporting.indicators import Catalogue
from reporting.notes.domain import Command, Note, decide, evolve
from verbund.desk.orders import Answer, Draft, Kept, Loaded
from verbund.events.envelope import Data
from verbund.events.reporting import notes as booked

_LOAD = text("""
    select distinct on (note_id) note_id::text, version, indicator, breakdown, value, from_on, to_on, author_role,
           recorded_at, is_withdrawn
    from notes.note where municipality = :municipality and note_id = any(cast(:note_ids as uuid[]))
    order by note_id, version desc
""")
_KEEP = text("""
    insert into notes.note
    select :municipality, note_id, version, number, recorded_at, recorded_on, indicator, breakdown, value, from_on,
           to_on, author_role, de, en, is_withdrawn
    from jsonb_to_recordset(cast(:rows as jsonb)) as kept (
        note_id uuid, version integer, number bigint, recorded_at timestamptz, recorded_on date, indicator text,
        breakdown text, value text, from_on date, to_on date, author_role text, de text, en text, is_withdrawn boolean)
""")

KeptNote = Kept[Command, Note]


class NotesBook:
    """What the desk of reporting has to know of notes."""

    commands: tuple[type, ...] = (WriteNote, ReviseNote, WithdrawNote)
    events: tuple[type[Data], ...] = booked.EVENTS

    def __init__(self, municipality: str, catalogue: Catalogue) -> None:
        self._municipality = municipality
        self._catalogue = catalogue

    async def load(self, connection: AsyncConnection, commands: Sequence[Command]) -> Loaded[Note]:
        """The notes that these commands are about."""
        keys = [command.note_id for command in commands]
        given = {"municipality": self._municipality, "note_ids": keys}
        return Loaded(keys, {row.note_id: Note(*row) for row in await connection.execute(_LOAD, given)})

    def decide(self, state: Note | None, command: Command, at: datetime) -> tuple[Draft, ...]:
        return (Draft(command.note_id, decide(state, command, self._catalogue)),)

    def evolve(self, state: Note | None, draft: Draft, at: datetime) -> Note:
        return evolve(state, draft.subject, draft.data, at)

    def etag(self, state: Note) -> str:
        return etag_of(state.version)

    def answer(self, kept: KeptNote) -> Answer:
        """Where the note is found."""
        receipt = {"note_id": kept.state.note_id, "number": kept.number}
        return Answer(201, f"/notes/{kept.state.note_id}", self.etag(kept.state), receipt)

    async def keep(self, connection: AsyncConnection, kept: Sequence[KeptNote]) -> None:
        """A row for each version; one that was withdrawn says nothing any more."""
        rows = json.dumps([_row(one) for one in kept], default=str, ensure_ascii=False)
        await connection.execute(_KEEP, {"municipality": self._municipality, "rows": rows})


def etag_of(version: int) -> str:
    """Names one version of a note."""
    return f'"{version}"'


def _row(kept: KeptNote) -> dict[str, object]:
    note, command = kept.state, kept.command
    words = None if isinstance(command, WithdrawNote) else command.form.words
    return {
        **{name: getattr(note, name) for name in Note.__slots__},
        "number": kept.number,
        "recorded_on": day_of(note.recorded_at),
        "de": words and words.de,
        "en": words and words.en,
    }
