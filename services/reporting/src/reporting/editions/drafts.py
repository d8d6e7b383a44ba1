"""Drafts: files are stored before anything is booked, so that sealing them is one short transaction at the desk.

A draft that was never sealed, as after a crash, is nobody's: it shows nowhere, and after a day it is cleared.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from logging import getLogger
from types import TracebackType

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from reporting.editions.rendering import Rendered

_log = getLogger(__name__)

KEPT_FOR = timedelta(days=1)
_ROUND_SECONDS = 3_600.0

_DRAFT = text("insert into editions.draft (municipality, draft_id) values (:municipality, :draft_id)")
_FILE = text("""
    insert into editions.file (municipality, draft_id, question, kind, name, sha256, body)
    values (:municipality, :draft_id, :question, :kind, :name, :sha256, :body)
""")
_CLEAR = text("""
    delete from editions.draft
    where municipality = :municipality and begun_at < now() - :kept_for
    and not exists (
        select from editions.edition
        where edition.municipality = draft.municipality and edition.draft_id = draft.draft_id
    )
""")


async def store_draft(
    books: AsyncEngine, municipality: str, draft_id: str, files: Sequence[Sequence[Rendered]]
) -> None:
    """Keep the files of each question under a fresh number, in a transaction of its own."""
    place = {"municipality": municipality, "draft_id": draft_id}
    async with books.begin() as connection:
        await connection.execute(_DRAFT, place)
        for number, of_question in enumerate(files, start=1):
            await connection.execute(
                _FILE,
                [
                    {
                        **place,
                        "question": number,
                        "kind": file.kind,
                        "name": file.name,
                        "sha256": bytes.fromhex(file.sha256),
                        "body": file.body,
                    }
                    for file in of_question
                ],
            )


async def clear_drafts(books: AsyncEngine, municipality: str) -> int:
    """Remove drafts that nobody has sealed for a day; returns how many."""
    async with books.begin() as connection:
        done = await connection.execute(_CLEAR, {"municipality": municipality, "kept_for": KEPT_FOR})
        return done.rowcount


class DraftClearing:
    """Part of the process: clears every hour."""

    def __init__(self, books: AsyncEngine, municipality: str) -> None:
        self._books = books
        self._municipality = municipality
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> "DraftClearing":
        self._task = asyncio.create_task(self._go_on())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def _go_on(self) -> None:
        while True:
            try:
                await clear_drafts(self._books, self._municipality)
            except (SQLAlchemyError, OSError) as error:
                _log.warning("drafts of editions cannot be cleared: %s", type(error).__name__)
            await asyncio.sleep(_ROUND_SECONDS)
