"""Doors of the book of thresholds and alerts."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Body, Request, Response
from pydantic import BaseModel

from reporting.access import (
    ACKNOWLEDGE_ALERTS,
    READ_REMARKS,
    WATCH_FIGURES,
    AskedCatalogue,
    Books,
    ReportingDesk,
    eyes_of,
)
from reporting.alerts import (
    ListedAlert,
    ListedThreshold,
    get_alert,
    get_threshold,
    list_alerts,
    list_thresholds,
)
from reporting.alerts.reading import audiences_told
from reporting.alerts.rules import etag_of
from reporting.api.examples import THRESHOLDS
from reporting.audiences import audience_of
from reporting.commands.alerts import AcknowledgeAlert, RemoveThreshold, SetThreshold, ThresholdForm
from reporting.commands.forms import EmptyForm, Pseudonym
from verbund.service.orders import OrderForm, answer_response
from verbund.service.paging import AskedPage
from verbund.service.permissions import permit
from verbund.service.principals import Principal

router = APIRouter(tags=["alerts"])

Reader = Annotated[Principal, permit(READ_REMARKS)]
Watcher = Annotated[Principal, permit(WATCH_FIGURES)]
Acknowledger = Annotated[Principal, permit(ACKNOWLEDGE_ALERTS)]

_REFUSALS: dict[int | str, dict[str, object]] = {
    409: {"description": "Does not fit what is booked; `allowed` names the commands that would"},
    412: {"description": "Changed since the caller looked (`If-Match`)"},
    422: {"description": "A rule of the office refuses it; `errors` points at the fields"},
}


class ThresholdReceipt(BaseModel):
    """Under which numbers something was booked."""

    threshold_id: str
    number: int
    """In the book of reporting."""


class AlertReceipt(ThresholdReceipt):
    """The same of an alert."""

    alert_id: str


@router.get("/thresholds", summary="Figures that are watched, the last one first")
async def read_thresholds(
    request: Request, response: Response, reader: Reader, books: Books, catalogue: AskedCatalogue, asked: AskedPage
) -> list[ListedThreshold]:
    """Those that are watched with the reader's own eyes; the statistics office sees all."""
    after, municipality = asked.expect(int), catalogue.city.municipality
    below = int(after[0]) if after else None
    rows = await list_thresholds(books, municipality, audience_of(reader.roles), below=below, limit=asked.size + 1)
    page = asked.page(rows, (rows[asked.size - 1].number,) if len(rows) > asked.size else None)
    response.headers.update(page.link(request))
    return list(page.items)


@router.get("/thresholds/{threshold_id}", summary="One figure that is watched")
async def read_threshold(
    threshold_id: Pseudonym, response: Response, reader: Reader, books: Books, catalogue: AskedCatalogue
) -> ListedThreshold:
    """Also one that is watched no longer."""
    found = await get_threshold(books, catalogue.city.municipality, audience_of(reader.roles), threshold_id)
    response.headers["ETag"] = etag_of(found.version)
    return found


@router.post(
    "/thresholds",
    status_code=HTTPStatus.CREATED,
    response_model=ThresholdReceipt,
    summary="Watch a figure",
    responses=_REFUSALS,
)
async def set_threshold(
    body: Annotated[ThresholdForm, Body(openapi_examples=THRESHOLDS)],
    watcher: Watcher,
    form: OrderForm,
    desk: ReportingDesk,
) -> Response:
    """Beyond `limit` an alert is raised, from `back` on it is over; seen with the eyes of the audience."""
    return answer_response(await desk.carry_out(form.order(SetThreshold(form=body, seen_by=eyes_of(watcher)))))


@router.post(
    "/thresholds/{threshold_id}/removals",
    status_code=HTTPStatus.CREATED,
    response_model=ThresholdReceipt,
    summary="Watch it no longer",
    responses=_REFUSALS,
)
async def remove_threshold(
    threshold_id: Pseudonym, _: EmptyForm, watcher: Watcher, form: OrderForm, desk: ReportingDesk
) -> Response:
    """An alert that is open is over."""
    command = RemoveThreshold(seen_by=eyes_of(watcher), threshold_id=threshold_id)
    return answer_response(await desk.carry_out(form.order(command)))


@router.get("/alerts", summary="Alerts, the last raised first")
async def read_alerts(
    request: Request, response: Response, reader: Reader, books: Books, catalogue: AskedCatalogue, asked: AskedPage
) -> list[ListedAlert]:
    """They name the threshold's numbers, and never the figure: that is asked where figures are asked."""
    after, municipality = asked.expect(int), catalogue.city.municipality
    below = int(after[0]) if after else None
    rows = await list_alerts(books, municipality, audience_of(reader.roles), below=below, limit=asked.size + 1)
    page = asked.page(rows, (rows[asked.size - 1].number,) if len(rows) > asked.size else None)
    response.headers.update(page.link(request))
    return list(page.items)


@router.get("/alerts/{alert_id}", summary="One alert")
async def read_alert(
    alert_id: Pseudonym, response: Response, reader: Reader, books: Books, catalogue: AskedCatalogue
) -> ListedAlert:
    """Raised, acknowledged or over."""
    async with books.connect() as connection:
        told = audiences_told(audience_of(reader.roles))
        found = await get_alert(connection, catalogue.city.municipality, told, alert_id)
    response.headers["ETag"] = etag_of(found.version)
    return found


@router.post(
    "/alerts/{alert_id}/acknowledgements",
    status_code=HTTPStatus.CREATED,
    response_model=AlertReceipt,
    summary="Take note of an alert",
    responses=_REFUSALS,
)
async def acknowledge_alert(
    alert_id: Pseudonym, _: EmptyForm, acknowledger: Acknowledger, form: OrderForm, desk: ReportingDesk
) -> Response:
    """Somebody sees to it; it stays open until the figure is back."""
    command = AcknowledgeAlert(seen_by=eyes_of(acknowledger), alert_id=alert_id)
    return answer_response(await desk.carry_out(form.order(command)))
