"""Doors of the book of targets."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Body, Query, Request, Response
from pydantic import BaseModel

from reporting.access import READ_REMARKS, SET_TARGETS, AskedCatalogue, Books, ReportingDesk, eyes_of
from reporting.api.examples import TARGETS
from reporting.audiences import audience_of
from reporting.commands.forms import EmptyForm, Pseudonym
from reporting.commands.targets import SetTarget, TargetForm, WithdrawTarget
from reporting.targets import ListedTarget, get_target, list_targets
from reporting.targets.rules import etag_of
from verbund.events.reporting.scopes import IndicatorId
from verbund.service.orders import OrderForm, answer_response
from verbund.service.paging import AskedPage
from verbund.service.permissions import permit
from verbund.service.principals import Principal

router = APIRouter(tags=["targets"])

Reader = Annotated[Principal, permit(READ_REMARKS)]
Setter = Annotated[Principal, permit(SET_TARGETS)]

_REFUSALS: dict[int | str, dict[str, object]] = {
    409: {"description": "Does not fit what is booked; `allowed` names the commands that would"},
    412: {"description": "Changed since the caller looked (`If-Match`)"},
    422: {"description": "A rule of the office refuses it; `errors` points at the fields"},
}


class TargetReceipt(BaseModel):
    """Under which numbers something was booked."""

    target_id: str
    number: int
    """In the book of reporting."""


@router.get("/targets", summary="Targets that stand, the newest first")
async def read_targets(
    request: Request,
    response: Response,
    reader: Reader,
    books: Books,
    catalogue: AskedCatalogue,
    asked: AskedPage,
    indicator: Annotated[IndicatorId | None, Query()] = None,
) -> list[ListedTarget]:
    """As far as the reader sees the figures exactly that they are for."""
    after, audience = asked.expect(int), audience_of(reader.roles)
    below = int(after[0]) if after else None
    rows = await list_targets(books, catalogue, audience, below=below, limit=asked.size + 1, indicator=indicator)
    page = asked.page(rows, (rows[asked.size - 1].number,) if len(rows) > asked.size else None)
    response.headers.update(page.link(request))
    return list(page.items)


@router.get("/targets/{target_id}", summary="One target")
async def read_target(
    target_id: Pseudonym, response: Response, reader: Reader, books: Books, catalogue: AskedCatalogue
) -> ListedTarget:
    """Also one that was withdrawn."""
    found = await get_target(books, catalogue, audience_of(reader.roles), target_id)
    response.headers["ETag"] = etag_of(found.withdrawn_at)
    return found


@router.post(
    "/targets",
    status_code=HTTPStatus.CREATED,
    response_model=TargetReceipt,
    summary="Set a target",
    responses=_REFUSALS,
)
async def set_target(
    body: Annotated[TargetForm, Body(openapi_examples=TARGETS)], setter: Setter, form: OrderForm, desk: ReportingDesk
) -> Response:
    """What a figure should come to; shown beside it, to whom sees that figure exactly."""
    return answer_response(await desk.carry_out(form.order(SetTarget(form=body, seen_by=eyes_of(setter)))))


@router.post(
    "/targets/{target_id}/withdrawals",
    status_code=HTTPStatus.CREATED,
    response_model=TargetReceipt,
    summary="Take a target back",
    responses=_REFUSALS,
)
async def withdraw_target(
    target_id: Pseudonym, _: EmptyForm, setter: Setter, form: OrderForm, desk: ReportingDesk
) -> Response:
    """It is shown no longer, but where it is asked what was known before."""
    command = WithdrawTarget(seen_by=eyes_of(setter), target_id=target_id)
    return answer_response(await desk.carry_out(form.order(command)))
