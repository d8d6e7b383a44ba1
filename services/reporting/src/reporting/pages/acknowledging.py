"""The button beside an alert: a form that works without scripts, and books once however often it is sent."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from reporting.access import ACKNOWLEDGE_ALERTS, ReportingDesk, eyes_of
from reporting.commands.alerts import AcknowledgeAlert
from reporting.commands.forms import Pseudonym
from verbund.errors import Conflict, NotNow
from verbund.service.orders import fill_form_from_fields
from verbund.service.permissions import permit
from verbund.service.principals import Principal
from verbund.service.words import language_of

router = APIRouter(include_in_schema=False)


@router.post("/alerts/{alert_id}/acknowledge")
async def acknowledge_alert(
    request: Request,
    alert_id: Pseudonym,
    acknowledger: Annotated[Principal, permit(ACKNOWLEDGE_ALERTS)],
    desk: ReportingDesk,
) -> Response:
    """Back to the page, which shows how the alert stands: acknowledged, whoever was first, or over."""
    fields = {name: value for name, value in (await request.form()).items() if isinstance(value, str)}
    command = AcknowledgeAlert(seen_by=eyes_of(acknowledger), alert_id=alert_id)
    try:
        await desk.carry_out(fill_form_from_fields(request, fields).order(command))
    except NotNow:
        pass
    except Conflict as conflict:  # the second click of a double click
        if conflict.code != "request_under_way":
            raise
    return RedirectResponse(f"/?lang={language_of(request)}", HTTPStatus.SEE_OTHER)
