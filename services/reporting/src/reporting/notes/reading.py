"""Notes as lists and single ones show them, as far as an audience may be told."""

from dataclasses import asdict, dataclass
from datetime import date, datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from reporting.audiences import Audience
from reporting.indicators import Catalogue
from reporting.notes.domain import Note, may_see
from verbund.errors import NotFound
from verbund.events.reporting.notes import AuthorRole

# The newest first: in order of the first booking, so that a revision does not move between two pages.
_LIST = text("""
    select note_id::text, version, indicator, breakdown, value, from_on, to_on, author_role, recorded_at, is_withdrawn,
           de, en, first
    from (
        select distinct on (note_id) note.*, first.number as first
        from notes.note as note
        join notes.note as first on first.municipality = note.municipality and first.note_id = note.note_id
            and first.version = 1
        where note.municipality = :municipality and first.number < coalesce(:below, first.number + 1)
          and note.indicator = coalesce(:indicator, note.indicator)
          and note.note_id = coalesce(cast(:note_id as uuid), note.note_id)
        order by note_id, note.version desc
    ) as latest
    where not is_withdrawn or cast(:note_id as uuid) is not null
    order by first desc limit :limit
""")


_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class ListedNote:
    """One note in its latest version."""

    note_id: str
    version: int
    indicator: str
    breakdown: str | None
    value: str | None
    from_on: date
    to_on: date | None
    author_role: AuthorRole
    recorded_at: datetime
    is_withdrawn: bool
    de: str | None
    """None for a note that was withdrawn."""
    en: str | None
    number: int
    """Of its first booking, in the book of reporting."""


async def list_notes(
    engine: AsyncEngine,
    catalogue: Catalogue,
    audience: Audience,
    *,
    below: int | None,
    limit: int,
    indicator: str | None = None,
) -> list[ListedNote]:
    """The notes that stand and may be told, newest first, at most `limit` with numbers below `below`.

    Reads on until there are enough: a short page would say that something is hidden.
    """
    told: list[ListedNote] = []
    while len(told) < limit:
        rows = await _read(engine, catalogue, below=below, limit=_AT_ONCE, indicator=indicator, note_id=None)
        told += [row for row in rows if _may_see(row, audience, catalogue)]
        if len(rows) < _AT_ONCE:
            break
        below = rows[-1].number
    return told[:limit]


async def get_note(engine: AsyncEngine, catalogue: Catalogue, audience: Audience, note_id: str) -> ListedNote:
    """One note, also one that was withdrawn; raises `NotFound`."""
    for row in await _read(engine, catalogue, below=None, limit=1, indicator=None, note_id=note_id):
        if _may_see(row, audience, catalogue):
            return row
    raise NotFound("no_such_note", "There is no such note.")


async def _read(engine: AsyncEngine, catalogue: Catalogue, **asked: object) -> list[ListedNote]:
    async with engine.connect() as connection:
        rows = await connection.execute(_LIST, {"municipality": catalogue.city.municipality, **asked})
        return [ListedNote(*row) for row in rows]


def _may_see(row: ListedNote, audience: Audience, catalogue: Catalogue) -> bool:
    said = asdict(row)
    return may_see(Note(**{name: said[name] for name in Note.__slots__}), audience, catalogue)
