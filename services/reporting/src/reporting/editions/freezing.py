"""Freezing: all questions answered from one moment of the image, rendered, and stored as a draft to be sealed."""

import asyncio
import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime
from logging import getLogger
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy.ext.asyncio import AsyncEngine

from reporting.audiences import Audience
from reporting.commands.editions import Draft, EditionForm, FreezeEdition, FrozenFile
from reporting.deltas import day_of
from reporting.editions.domain import check_audience
from reporting.editions.drafts import store_draft
from reporting.editions.manifest import Answered, Frozen, manifest_of, read_positions
from reporting.editions.questions import at_question, pinned, questions_of
from reporting.editions.reading import is_there
from reporting.editions.rendering import Rendered, rendered
from reporting.figures import Answer, answer
from reporting.image import Image
from reporting.indicators import Catalogue
from verbund.desk.orders import Order
from verbund.errors import RuleBroken

_log = getLogger(__name__)

_MOST_VALUES = 200_000  # answers are held in memory until the last one is there, and all of it is done in one request


def edition_id_of(order: Order[Any]) -> str:
    """The number of the edition that an order asks for: a repeat under the same key asks for the same one."""
    said = "\0".join((order.principal, order.route, order.idempotency_key))
    return str(UUID(bytes=hashlib.sha256(said.encode()).digest()[:16], version=4))


async def freezing(
    edition_id: str, form: EditionForm, own: Audience, image: Image, catalogue: Catalogue, books: AsyncEngine
) -> FreezeEdition:
    """The command that seals what the form asks for, once all of it is stored; `own`: the audience of who freezes.

    Raises `Forbidden` for a wider audience, and as `prepare` does.
    """
    audience = check_audience(own, form.audience)
    if await is_there(books, catalogue.city.municipality, edition_id):
        return FreezeEdition(edition_id, form, draft=None)
    return FreezeEdition(edition_id, form, await prepare(edition_id, form, audience, image, catalogue, books))


async def prepare(
    edition_id: str, form: EditionForm, audience: Audience, image: Image, catalogue: Catalogue, books: AsyncEngine
) -> Draft:
    """Answer, render and store what the form asks for, as `audience` may see it; nothing is sealed yet.

    Raises `RuleBroken` with a pointer into the form, `Forbidden` for what the audience may not see.
    """
    at = datetime.now(UTC)
    frozen = await answer_all(form, audience, image, catalogue, at)
    _log.info("an edition is rendered", extra={"questions": len(frozen.answered)})
    files = await asyncio.to_thread(_render, [each.answer for each in frozen.answered])
    manifest = manifest_of(edition_id, form, frozen, files, catalogue)
    draft_id = str(uuid4())
    await store_draft(books, catalogue.city.municipality, draft_id, files)
    named = tuple(
        FrozenFile(number, file.kind, file.sha256)
        for number, of_question in enumerate(files, start=1)
        for file in of_question
    )
    return Draft(draft_id, manifest, named, frozen.batches)


async def answer_all(form: EditionForm, audience: Audience, image: Image, catalogue: Catalogue, at: datetime) -> Frozen:
    """All answers, and what was true when they were given: one moment, whatever is booked meanwhile."""
    questions = questions_of(form, catalogue, day_of(at))
    answered: list[Answered] = []
    values = 0
    async with image.moment() as moment:
        for place, question in enumerate(questions):
            with at_question(form, place):
                found = await answer(moment, catalogue, question, audience, at)
            values += sum(len(cell.values) for cell in found.cells)
            if values > _MOST_VALUES:
                raise RuleBroken(
                    "edition_too_large",
                    "That is more than {most} values. Freeze it as several editions.",
                    pointer="/questions",
                    most=_MOST_VALUES,
                )
            answered.append(Answered(question, pinned(question, found), found))
        ledgers = await read_positions(moment.connection, catalogue.city.municipality)
        return Frozen(at, moment.head, ledgers, answered)


def _render(answers: Sequence[Answer]) -> list[list[Rendered]]:
    return [list(rendered(number, found)) for number, found in enumerate(answers, start=1)]
