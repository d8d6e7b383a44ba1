"""Proof that nothing of an edition was changed, lost or put in: all hashes made anew and held against the book.

Whether the book itself is whole is what `verbund verify` proves.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg
from psycopg.rows import namedtuple_row

from reporting.editions.domain import files_in, manifest_hash, words_hash
from reporting.editions.reading import parsed
from verbund.events.envelope import decode
from verbund.events.ledger_ids import book_of
from verbund.events.reporting.editions import EVENTS, EditionFrozen, EditionWithdrawn
from verbund.events.reporting.office import OFFICE

_EVENTS = """
    select number, body from ledger.record where ledger = %(ledger)s
    and (position('edition-frozen'::bytea in body) > 0 or position('edition-withdrawn'::bytea in body) > 0)
    order by number
"""
_MUNICIPALITIES = """
    select split_part(ledger, '/', 2) from ledger.head where ledger like %(books)s
    union select municipality from editions.edition order by 1
"""
_EDITIONS = """
    select edition_id::text, draft_id, number, title_de, title_en, frozen_for_de, frozen_for_en, audience, frozen_at,
           encode(sha256, 'hex') as sha256, manifest, withdrawn_at, withdrawn_reason, withdrawn_words
    from editions.edition where municipality = %(municipality)s order by number
"""
_FILES = """
    select question, kind, name, encode(file.sha256, 'hex') as sha256, body from editions.file as file
    where municipality = %(municipality)s and draft_id = %(draft_id)s order by question, kind
"""


@dataclass(frozen=True, slots=True)
class Verified:
    """One edition and everything that is wrong with it, in sentences."""

    municipality: str
    edition_id: str
    files: int
    wrong: tuple[str, ...]


def verify(connection: psycopg.Connection[Any], edition_id: str | None = None) -> Iterator[Verified]:
    """Look all editions through, or this one, of every municipality in the database."""
    books = {"books": f"/%/{OFFICE}/book"}
    for (municipality,) in connection.execute(_MUNICIPALITIES, books).fetchall():
        frozen, withdrawn = _booked(connection, municipality)
        with connection.cursor(row_factory=namedtuple_row) as cursor:
            listed: list[Any] = cursor.execute(_EDITIONS, {"municipality": municipality}).fetchall()
        rows = {row.edition_id: row for row in listed}
        for each in sorted(rows.keys() | frozen.keys()):
            if edition_id is None or each == edition_id:
                row = rows.get(each)
                files = [] if row is None else _read_files(connection, municipality, row.draft_id)
                wrong = _wrong(row, frozen.get(each), withdrawn.get(each), files)
                yield Verified(municipality, each, len(files), tuple(wrong))


def _booked(
    connection: psycopg.Connection[Any], municipality: str
) -> tuple[Mapping[str, tuple[int, EditionFrozen]], Mapping[str, EditionWithdrawn]]:
    """What the book says of editions, by their id."""
    known = {model.type: model for model in EVENTS}
    frozen: dict[str, tuple[int, EditionFrozen]] = {}
    withdrawn: dict[str, EditionWithdrawn] = {}
    for number, body in connection.execute(_EVENTS, {"ledger": book_of(municipality, OFFICE)}):
        data = decode(bytes(body), known).data
        if isinstance(data, EditionFrozen):
            frozen[data.edition_id] = (number, data)
        elif isinstance(data, EditionWithdrawn):
            withdrawn[data.edition_id] = data
    return frozen, withdrawn


def _read_files(connection: psycopg.Connection[Any], municipality: str, draft_id: object) -> Sequence[Any]:
    with connection.cursor(row_factory=namedtuple_row) as cursor:
        return cursor.execute(_FILES, {"municipality": municipality, "draft_id": draft_id}).fetchall()


def _wrong(
    row: Any, booked: tuple[int, EditionFrozen] | None, withdrawn: EditionWithdrawn | None, files: Sequence[Any]
) -> Iterator[str]:
    if row is None:
        yield "it stands in the book, and is not there"
        return
    if booked is None:
        yield "it is there, and does not stand in the book"
        return
    number, event = booked
    manifest = bytes(row.manifest)
    if row.number != number:
        yield f"its number is {row.number}, and the book has it under {number}"
    if row.sha256 != event.manifest_sha256:
        yield "its hash is another one than that in the book"
    if manifest_hash(manifest) != event.manifest_sha256:
        yield "its manifest is not the one whose hash stands in the book"
        return  # what it says of the files proves nothing
    said = parsed(manifest)
    yield from _wrong_head(row, said)
    yield from _wrong_files(said, files)
    yield from _wrong_withdrawal(row, withdrawn)


def _wrong_head(row: Any, said: Mapping[str, Any]) -> Iterator[str]:
    """What stands beside the manifest, for lists, has to say the same."""
    told = {
        "edition_id": said["edition_id"],
        "title_de": said["title"]["de"],
        "title_en": said["title"]["en"],
        "frozen_for_de": said["frozen_for"]["de"],
        "frozen_for_en": said["frozen_for"]["en"],
        "audience": said["audience"],
        "frozen_at": datetime.fromisoformat(said["asked_at"]),
    }
    for name, value in told.items():
        if getattr(row, name) != value:
            yield f"{name} is another one than in its manifest"


def _wrong_files(said: Mapping[str, Any], files: Sequence[Any]) -> Iterator[str]:
    there = {(file.question, file.kind): file for file in files}
    named = {(file.question, file.kind): file for file in files_in(dict(said))}
    names = {
        (number, file["kind"]): file["name"]
        for number, question in enumerate(said["questions"], start=1)
        for file in question["files"]
    }
    for place, file in named.items():
        question, kind = place
        found = there.get(place)
        if found is None:
            yield f"question {question}, {kind}: the file is missing"
        elif hashlib.sha256(bytes(found.body)).hexdigest() != file.sha256 or found.sha256 != file.sha256:
            yield f"question {question}, {kind}: the file was changed"
        elif found.name != names[place]:
            yield f"question {question}, {kind}: the file has another name"
    for question, kind in sorted(there.keys() - named.keys()):
        yield f"question {question}, {kind}: the file is not one of this edition"


def _wrong_withdrawal(row: Any, withdrawn: EditionWithdrawn | None) -> Iterator[str]:
    if withdrawn is None:
        if row.withdrawn_at is not None:
            yield "it is marked as withdrawn, and the book does not say so"
    elif row.withdrawn_at is None or row.withdrawn_reason != withdrawn.reason:
        yield "the book says why it was withdrawn, and it does not"
    elif words_hash(row.withdrawn_words) != withdrawn.words_sha256:
        yield "the words about its withdrawal were changed"
