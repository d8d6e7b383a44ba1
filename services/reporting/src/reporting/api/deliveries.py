"""Doors for bodies without a service here: they deliver figures, revise, keep, finalise and withdraw them."""

import asyncio
from collections.abc import Mapping
from datetime import date, datetime
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict

from reporting.access import DELIVER, AskedCatalogue, Books, ReportingDesk, body_of
from reporting.commands.deliveries import (
    DeliverFigure,
    DeliveryForm,
    FileForm,
    FinalisationForm,
    FinaliseFigure,
    KeepFigure,
    KeepingForm,
    ReviseFigure,
    RevisionForm,
    TakeInFigures,
    WithdrawalForm,
    WithdrawFigure,
)
from reporting.delivered import Standing, list_history
from reporting.deliveries import Report, load_series, spec_today, try_out
from reporting.deliveries.files import CSV, XLSX, FileOfFigures, read_figures
from reporting.deliveries.templates import template_as_csv, template_as_workbook
from reporting.indicators import Catalogue
from verbund.errors import RowsRefused
from verbund.events.reporting.deliveries import DeliveryFinding, RevisionReason
from verbund.service.orders import OrderForm, answer_response
from verbund.service.paging import AskedPage
from verbund.service.permissions import Permission, permit
from verbund.service.principals import Principal
from verbund.service.problems import WrongContent
from verbund.service.words import language_of

LOOK = Permission(
    "look_at_deliveries",
    roles=frozenset({"delivering_body", "statistics", "coordination", "chair", "expert_group_reader"}),
    purpose="reporting of the city",
)

IndicatorId = Annotated[str, Path(pattern=r"^[a-z][a-z0-9_]{0,63}$", examples=["tuberculosis_cases"])]
Body = Annotated[Principal, permit(DELIVER)]


class Receipt(BaseModel):
    """What was booked, and what does not fit in it: it was booked as delivered, and is shown beside the figures."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "indicator": "gynaecological_contacts",
                "number": 12,
                "booked": {"delivered": 6},
                "findings": [
                    {
                        "from_on": "2014-01-01",
                        "to_on": "2018-12-31",
                        "code": "sum_over_time_differs",
                        "breakdown": {},
                        "dimension": None,
                        "printed": "6480",
                        "computed": "5732",
                    }
                ],
            }
        }
    )

    indicator: str
    number: int
    """Of the last of it in the book of reporting."""
    booked: Mapping[str, int]
    """How many days or periods were delivered, revised, kept, finalised, withdrawn."""
    findings: list[dict[str, Any]]


class DeliveredThen(BaseModel):
    """One entry of the history of an indicator."""

    number: int
    recorded_at: datetime
    happened: str
    from_on: date | None
    to_on: date
    body: str
    state: str
    precision: str
    source: str | None
    reason: str | None
    findings: tuple[DeliveryFinding, ...]
    rows: list[dict[str, Any]]


router = APIRouter(
    tags=["deliveries"],
    responses={
        403: {"description": "These figures are another body's"},
        404: {"description": "There is no such indicator"},
        409: {"description": "Does not fit what stands delivered; `allowed` names the commands that would"},
        412: {"description": "Changed since the caller looked (`If-Match`)"},
        422: {"description": "Entries are not right; `errors` points at every one of them, and nothing was booked"},
    },
)


@router.post("/deliveries", status_code=HTTPStatus.CREATED, response_model=Receipt, summary="Deliver figures")
async def deliver_figure(
    body: DeliveryForm, form: OrderForm, desk: ReportingDesk, principal: Body, catalogue: AskedCatalogue
) -> Response:
    """Numbers of days or periods for the first time: all of them, or none."""
    command = DeliverFigure(body, body_of(principal, catalogue, body.indicator))
    return answer_response(await desk.carry_out(form.order(command)))


@router.post("/deliveries/revisions", status_code=HTTPStatus.CREATED, response_model=Receipt, summary="Revise figures")
async def revise_figure(
    body: RevisionForm, form: OrderForm, desk: ReportingDesk, principal: Body, catalogue: AskedCatalogue
) -> Response:
    """Other numbers, with the reason; what was known before can still be asked (`known_on`)."""
    command = ReviseFigure(body, body_of(principal, catalogue, body.indicator))
    return answer_response(await desk.carry_out(form.order(command)))


@router.post(
    "/deliveries/keepings", status_code=HTTPStatus.CREATED, response_model=Receipt, summary="Say that nothing changed"
)
async def keep_figure(
    body: KeepingForm, form: OrderForm, desk: ReportingDesk, principal: Body, catalogue: AskedCatalogue
) -> Response:
    """The numbers of an earlier day or period hold for a later one, unchanged."""
    command = KeepFigure(body, body_of(principal, catalogue, body.indicator))
    return answer_response(await desk.carry_out(form.order(command)))


@router.post(
    "/deliveries/finalisations", status_code=HTTPStatus.CREATED, response_model=Receipt, summary="Make figures final"
)
async def finalise_figure(
    body: FinalisationForm, form: OrderForm, desk: ReportingDesk, principal: Body, catalogue: AskedCatalogue
) -> Response:
    command = FinaliseFigure(body, body_of(principal, catalogue, body.indicator))
    return answer_response(await desk.carry_out(form.order(command)))


@router.post(
    "/deliveries/withdrawals", status_code=HTTPStatus.CREATED, response_model=Receipt, summary="Withdraw figures"
)
async def withdraw_figure(
    body: WithdrawalForm, form: OrderForm, desk: ReportingDesk, principal: Body, catalogue: AskedCatalogue
) -> Response:
    """They hold no longer; what was known before can still be asked (`known_on`)."""
    command = WithdrawFigure(body, body_of(principal, catalogue, body.indicator))
    return answer_response(await desk.carry_out(form.order(command)))


_FILE = {
    "requestBody": {
        "required": True,
        "content": {
            CSV: {"schema": {"type": "string"}},
            XLSX: {"schema": {"type": "string", "contentMediaType": XLSX}},
        },
    }
}
Reason = Annotated[
    RevisionReason | None, Query(description="Why numbers differ from those delivered before, where some do.")
]


@router.post(
    "/deliveries/files/{indicator_id}",
    status_code=HTTPStatus.CREATED,
    response_model=Receipt,
    summary="Deliver figures as a file",
    openapi_extra=_FILE,
    responses={415: {"description": "Neither CSV nor XLSX"}},
)
async def take_in_figures(
    request: Request,
    indicator_id: IndicatorId,
    form: OrderForm,
    desk: ReportingDesk,
    principal: Body,
    catalogue: AskedCatalogue,
    reason: Reason = None,
) -> Response:
    """What is new is delivered, what differs is revised, what is the same stays: the same file twice changes nothing.

    Refusals name the line and the column of the file.
    """
    file = await read_file(request, catalogue, indicator_id, reason)
    try:
        command = TakeInFigures(file.form, body_of(principal, catalogue, indicator_id))
        return answer_response(await desk.carry_out(form.order(command)))
    except RowsRefused as refusal:
        raise file.placed(refusal) from refusal


@router.post(
    "/deliveries/files/{indicator_id}/check",
    summary="Look through a file without booking it",
    openapi_extra=_FILE,
    responses={415: {"description": "Neither CSV nor XLSX"}},
)
async def check_file(
    request: Request,
    indicator_id: IndicatorId,
    books: Books,
    principal: Body,
    catalogue: AskedCatalogue,
    reason: Reason = None,
) -> Report:
    """What would be booked, and what does not fit. Refused as the file itself would be."""
    file = await read_file(request, catalogue, indicator_id, reason)
    try:
        return await try_out(books, catalogue, TakeInFigures(file.form, body_of(principal, catalogue, indicator_id)))
    except RowsRefused as refusal:
        raise file.placed(refusal) from refusal


@router.post("/deliveries/check", summary="Look through figures without booking them")
async def check_figures(body: FileForm, books: Books, principal: Body, catalogue: AskedCatalogue) -> Report:
    """What would be booked, and what does not fit. Refused as the delivery itself would be."""
    return await try_out(books, catalogue, TakeInFigures(body, body_of(principal, catalogue, body.indicator)))


@router.get("/indicators/{indicator_id}/deliveries", summary="Everything that was ever delivered to an indicator")
async def list_deliveries(
    request: Request,
    response: Response,
    indicator_id: IndicatorId,
    books: Books,
    catalogue: AskedCatalogue,
    asked: AskedPage,
    _: Annotated[Principal, permit(LOOK)],
) -> list[DeliveredThen]:
    """The last one first."""
    catalogue.get_indicator(indicator_id)
    after, municipality = asked.expect(int), catalogue.city.municipality
    async with books.connect() as connection:
        rows = await list_history(
            connection, municipality, indicator_id, int(after[0]) if after else None, asked.size + 1
        )
    page = asked.page(rows, (rows[asked.size - 1].number,) if len(rows) > asked.size else None)
    response.headers.update(page.link(request))
    return [then(each) for each in page.items]


_TEMPLATES = "/deliveries/templates/{indicator_id}"


@router.get(f"{_TEMPLATES}.csv", summary="An empty table to fill in (CSV)", response_class=Response)
async def get_table_template(
    indicator_id: IndicatorId, books: Books, catalogue: AskedCatalogue, _: Annotated[Principal, permit(LOOK)]
) -> Response:
    """With the rows that were delivered last; a German Excel opens it with a double click."""
    spec = spec_today(catalogue, indicator_id)
    async with books.connect() as connection:
        series = await load_series(connection, catalogue.city.municipality, [indicator_id])
    return _file(template_as_csv(spec, series[indicator_id]), f"{CSV}; charset=utf-8", f"{indicator_id}.csv")


@router.get(f"{_TEMPLATES}.xlsx", summary="An empty table to fill in (XLSX)", response_class=Response)
async def get_workbook_template(
    request: Request,
    indicator_id: IndicatorId,
    books: Books,
    catalogue: AskedCatalogue,
    _: Annotated[Principal, permit(LOOK)],
) -> Response:
    """With the rows that were delivered last, lists to choose from, and what each column means."""
    spec, language = spec_today(catalogue, indicator_id), language_of(request)
    async with books.connect() as connection:
        series = await load_series(connection, catalogue.city.municipality, [indicator_id])
    body = await asyncio.to_thread(template_as_workbook, catalogue, spec, series[indicator_id], language)
    return _file(body, XLSX, f"{indicator_id}.xlsx")


async def read_file(
    request: Request, catalogue: Catalogue, indicator_id: str, reason: RevisionReason | None
) -> FileOfFigures:
    """The form in the file that was sent; in a thread, because a workbook takes its time."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in (CSV, XLSX):
        raise WrongContent("content_type_wrong", "Send the body as {content_type}.", content_type=f"{CSV}, {XLSX}")
    spec = spec_today(catalogue, indicator_id)
    return await asyncio.to_thread(read_figures, await request.body(), kind, spec, reason)


def then(standing: Standing) -> DeliveredThen:
    """An entry of the history as it is told."""
    sheet = standing.sheet
    return DeliveredThen(
        number=standing.number,
        recorded_at=standing.recorded_at,
        happened=standing.happened,
        from_on=sheet.from_on,
        to_on=sheet.to_on,
        body=standing.body,
        state=sheet.state,
        precision=sheet.precision,
        source=standing.source,
        reason=standing.reason,
        findings=standing.findings,
        rows=[{"breakdown": dict(row.breakdown), "value": row.value} for row in sheet.rows],
    )


def _file(body: bytes, kind: str, name: str) -> Response:
    return Response(body, media_type=kind, headers={"Content-Disposition": f'attachment; filename="{name}"'})
