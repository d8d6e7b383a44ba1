"""Doors of the book of notes."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Body, Query, Request, Response
from pydantic import BaseModel

from reporting.access import READ_REMARKS, WRITE_NOTES, AskedCatalogue, Books, ReportingDesk, author_role_of, eyes_of
from reporting.api.examples import NOTES, REVISIONS
from reporting.audiences import audience_of
from reporting.commands.forms import EmptyForm, Pseudonym
from reporting.commands.notes import NoteForm, ReviseNote, RevisionForm, WithdrawNote, WriteNote
from reporting.notes import ListedNote, get_note, list_notes
from reporting.notes.rules import etag_of
from verbund.events.reporting.scopes import IndicatorId
from verbund.service.orders import OrderForm, answer_response
from verbund.service.paging import AskedPage
from verbund.service.permissions import permit
from verbund.service.principals import Principal

router = APIRouter(tags=["notes"])

Reader = Annotated[Principal, permit(READ_REMARKS)]
Author = Annotated[Principal, permit(WRITE_NOTES)]

_REFUSALS: dict[int | str, dict[str, object]] = {
    409: {"description": "Does not fit what is booked; `allowed` names the commands that would"},
    412: {"description": "Changed since the caller looked (`If-Match`)"},
    422: {"description": "A rule of the office refuses it; `errors` points at the fields"},
}


class NoteReceipt(BaseModel):
    """Under which numbers something was booked."""

    note_id: str
    number: int
    """In the book of reporting."""


@router.get("/notes", summary="Notes that stand, the newest first")
async def read_notes(
    request: Request,
    response: Response,
    reader: Reader,
    books: Books,
    catalogue: AskedCatalogue,
    asked: AskedPage,
    indicator: Annotated[IndicatorId | None, Query()] = None,
) -> list[ListedNote]:
    """As far as the reader sees the figures exactly that they are about."""
    after, audience = asked.expect(int), audience_of(reader.roles)
    below = int(after[0]) if after else None
    rows = await list_notes(books, catalogue, audience, below=below, limit=asked.size + 1, indicator=indicator)
    page = asked.page(rows, (rows[asked.size - 1].number,) if len(rows) > asked.size else None)
    response.headers.update(page.link(request))
    return list(page.items)


@router.get("/notes/{note_id}", summary="One note in its latest version")
async def read_note(
    note_id: Pseudonym, response: Response, reader: Reader, books: Books, catalogue: AskedCatalogue
) -> ListedNote:
    """Also one that was withdrawn: then without words."""
    found = await get_note(books, catalogue, audience_of(reader.roles), note_id)
    response.headers["ETag"] = etag_of(found.version)
    return found


@router.post(
    "/notes",
    status_code=HTTPStatus.CREATED,
    response_model=NoteReceipt,
    summary="Put a note to a series",
    responses=_REFUSALS,
)
async def write_note(
    body: Annotated[NoteForm, Body(openapi_examples=NOTES)], author: Author, form: OrderForm, desk: ReportingDesk
) -> Response:
    """Shown in every chart, table and file that touches its time, to whom sees that figure exactly."""
    command = WriteNote(form=body, author_role=author_role_of(author), seen_by=eyes_of(author))
    return answer_response(await desk.carry_out(form.order(command)))


@router.post(
    "/notes/{note_id}/revisions",
    status_code=HTTPStatus.CREATED,
    response_model=NoteReceipt,
    summary="Change the time or the words of a note",
    responses=_REFUSALS,
)
async def revise_note(
    note_id: Pseudonym,
    body: Annotated[RevisionForm, Body(openapi_examples=REVISIONS)],
    author: Author,
    form: OrderForm,
    desk: ReportingDesk,
) -> Response:
    """What it said before stays known: a question as known on an earlier day shows it so."""
    command = ReviseNote(form=body, author_role=author_role_of(author), seen_by=eyes_of(author), note_id=note_id)
    return answer_response(await desk.carry_out(form.order(command)))


@router.post(
    "/notes/{note_id}/withdrawals",
    status_code=HTTPStatus.CREATED,
    response_model=NoteReceipt,
    summary="Take a note back",
    responses=_REFUSALS,
)
async def withdraw_note(
    note_id: Pseudonym, _: EmptyForm, author: Author, form: OrderForm, desk: ReportingDesk
) -> Response:
    """It is shown no longer, but where it is asked what was known before."""
    return answer_response(await desk.carry_out(form.order(WithdrawNote(seen_by=eyes_of(author), note_id=note_id))))
