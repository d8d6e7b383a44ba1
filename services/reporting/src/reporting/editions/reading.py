"""Looking editions up: what was frozen is read as it lies there; nothing is made a second time."""

import io
import json
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import BaseModel
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from reporting.audiences import Audience
from reporting.editions.domain import may_see, no_such_edition
from reporting.indicators import Words
from verbund.errors import NotFound
from verbund.events.reporting.editions import WithdrawalReason

_COLUMNS = """
    edition_id::text, number, title_de, title_en, frozen_for_de, frozen_for_en, audience, frozen_at,
    encode(sha256, 'hex') as sha256, withdrawn_at, withdrawn_reason, withdrawn_words
"""
_LIST = text(f"""
    select {_COLUMNS} from editions.edition
    where municipality = :municipality and audience = any(:audiences) and number < :below
    order by number desc limit :limit
""")  # noqa: S608 - names of ours
_GET = text(f"""
    select {_COLUMNS} from editions.edition
    where municipality = :municipality and edition_id = cast(:edition_id as uuid) and audience = any(:audiences)
""")  # noqa: S608 - names of ours
_MANIFEST = text("""
    select manifest from editions.edition
    where municipality = :municipality and edition_id = cast(:edition_id as uuid)
""")
_IS_THERE = text("""
    select exists (
        select from editions.edition where municipality = :municipality and edition_id = cast(:edition_id as uuid)
    )
""")
_FILES = """
    select question, kind, name, encode(file.sha256, 'hex') as sha256, body
    from editions.file as file join editions.edition using (municipality, draft_id)
    where municipality = :municipality and edition_id = cast(:edition_id as uuid)
"""
_FILE = text(f"{_FILES} and question = :question and kind = :kind")
_OF_KIND = text(f"{_FILES} and kind = :kind order by question")
_ALL_FILES = text(f"{_FILES} order by question, name")

_BEYOND = 2**62
_ZIP_DATE = (1980, 1, 1, 0, 0, 0)  # the earliest that a zip can say: an archive has no time of its own
_ZIP_MODE = 0o644 << 16
_UNIX = 3


class Withdrawal(BaseModel):
    """That an edition should not be used any more, and why."""

    withdrawn_at: datetime
    reason: WithdrawalReason
    words: str | None


class EditionShown(BaseModel):
    """An edition, without what is in it."""

    edition_id: str
    number: int
    """Of its event in the office's book."""
    title: Words
    frozen_for: Words
    audience: Audience
    frozen_at: datetime
    """The moment that all of its answers are of."""
    sha256: str
    """Of its manifest."""
    withdrawn: Withdrawal | None

    @property
    def version(self) -> int:
        return 1 if self.withdrawn is None else 2


class EditionWhole(EditionShown):
    """An edition with its manifest: definitions, positions, questions, and each file by its hash."""

    manifest: dict[str, Any]


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file as it was frozen."""

    question: int
    kind: str
    name: str
    sha256: str
    body: bytes


def seen_by(reader: Audience) -> list[str]:
    """The audiences whose editions somebody may see."""
    return [audience.value for audience in Audience if may_see(reader, audience)]


async def list_editions(
    books: AsyncEngine, municipality: str, reader: Audience, *, below: int | None, limit: int
) -> list[EditionShown]:
    """The latest first; `below`: a number in the book."""
    given = {"municipality": municipality, "audiences": seen_by(reader), "below": below or _BEYOND, "limit": limit}
    async with books.connect() as connection:
        return [_shown(row) for row in await connection.execute(_LIST, given)]


async def get_edition(books: AsyncEngine, municipality: str, edition_id: str, reader: Audience) -> EditionShown:
    """Raises `NotFound` for what is not there, or not for this reader."""
    given = {"municipality": municipality, "edition_id": edition_id, "audiences": seen_by(reader)}
    async with books.connect() as connection:
        row = (await connection.execute(_GET, given)).first()
    if row is None:
        raise no_such_edition()
    return _shown(row)


async def is_there(books: AsyncEngine, municipality: str, edition_id: str) -> bool:
    """Whether an edition was frozen under this id, whoever may see it."""
    async with books.connect() as connection:
        place = {"municipality": municipality, "edition_id": edition_id}
        return bool((await connection.execute(_IS_THERE, place)).scalar_one())


async def read_manifest(books: AsyncEngine, municipality: str, edition_id: str) -> bytes:
    """The very bytes of an edition that is there."""
    async with books.connect() as connection:
        place = {"municipality": municipality, "edition_id": edition_id}
        return bytes((await connection.execute(_MANIFEST, place)).scalar_one())


async def get_file(books: AsyncEngine, municipality: str, edition_id: str, question: int, kind: str) -> StoredFile:
    """One file of an edition that is there; raises `NotFound` (`no_such_question`)."""
    given = {"municipality": municipality, "edition_id": edition_id, "question": question, "kind": kind}
    async with books.connect() as connection:
        row = (await connection.execute(_FILE, given)).first()
    if row is None:
        raise NotFound("no_such_question", "This edition has no question of that number.")
    return StoredFile(*row)


async def read_files(books: AsyncEngine, municipality: str, edition_id: str) -> Sequence[StoredFile]:
    """All files of an edition that is there, in the order of their names."""
    async with books.connect() as connection:
        place = {"municipality": municipality, "edition_id": edition_id}
        return [StoredFile(*row) for row in await connection.execute(_ALL_FILES, place)]


async def read_of_kind(
    connection: AsyncConnection, municipality: str, edition_id: str, kind: str
) -> Sequence[StoredFile]:
    """The files of one kind, in the order of the questions."""
    given = {"municipality": municipality, "edition_id": edition_id, "kind": kind}
    return [StoredFile(*row) for row in await connection.execute(_OF_KIND, given)]


def as_archive(manifest: bytes, files: Sequence[StoredFile]) -> bytes:
    """All of an edition in one zip: the same bytes whenever it is made, so nothing is compressed and nothing dated."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED) as opened:
        for name, body in (("manifest.json", manifest), *((file.name, file.body) for file in files)):
            entry = zipfile.ZipInfo(name, _ZIP_DATE)
            entry.create_system, entry.external_attr = _UNIX, _ZIP_MODE
            opened.writestr(entry, body)
    return archive.getvalue()


def parsed(manifest: bytes) -> dict[str, Any]:
    """What a manifest says."""
    said: dict[str, Any] = json.loads(manifest)
    return said


def _shown(row: Any) -> EditionShown:
    withdrawn = None
    if row.withdrawn_at is not None:
        withdrawn = Withdrawal(withdrawn_at=row.withdrawn_at, reason=row.withdrawn_reason, words=row.withdrawn_words)
    return EditionShown(
        edition_id=row.edition_id,
        number=row.number,
        title=Words(de=row.title_de, en=row.title_en),
        frozen_for=Words(de=row.frozen_for_de, en=row.frozen_for_en),
        audience=Audience(row.audience),
        frozen_at=row.frozen_at,
        sha256=row.sha256,
        withdrawn=withdrawn,
    )
