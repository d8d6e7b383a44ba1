"""The public's doors: what is released, open to everybody, and the same for whoever looks.

Nobody is signed in here, whatever token is shown: what somebody passes on from these pages is what all may have.
"""

import asyncio
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Request, Response
from fastapi.concurrency import run_in_threadpool

from reporting.access import AskedCatalogue, AskedImage
from reporting.exports import OUTLETS, headers_of
from reporting.figures import as_released
from reporting.pages.public_words import Looker, fields_of, public_indicator_of
from reporting.wording import Phrases
from verbund.service.pages import Pages
from verbund.service.permissions import PUBLIC, permit
from verbund.service.words import language_of

router = APIRouter(prefix="/public", include_in_schema=False, dependencies=[permit(PUBLIC)])

IndicatorId = Annotated[str, Path(max_length=64)]


@router.get("")
async def show_released(request: Request, catalogue: AskedCatalogue, image: AskedImage) -> Response:
    """All that is released, by field of action."""
    phrases = Phrases(language_of(request))
    async with image.moment() as moment:
        found = await Looker(moment, catalogue, datetime.now(UTC)).every_series()
    return _show(request, "public.html", fields=fields_of(found, catalogue, phrases))


@router.get("/indicators/{indicator_id}")
async def show_released_indicator(
    request: Request, indicator_id: IndicatorId, catalogue: AskedCatalogue, image: AskedImage
) -> Response:
    """One released indicator; what is not released is not there."""
    phrases = Phrases(language_of(request))
    released = as_released(catalogue, catalogue.get_indicator(indicator_id))
    async with image.moment() as moment:
        looker = Looker(moment, catalogue, datetime.now(UTC))
        series, breakdowns = await looker.series(indicator_id), await looker.breakdowns(released)
    return await run_in_threadpool(
        lambda: _show(
            request,
            "public_indicator.html",
            page=public_indicator_of(released, series, breakdowns, catalogue, phrases),
        )
    )


@router.get("/figures/{indicator_id}.{kind}")
async def read_released_file(
    request: Request,
    indicator_id: IndicatorId,
    kind: Literal["csv", "xlsx", "jsonstat"],
    catalogue: AskedCatalogue,
    image: AskedImage,
) -> Response:
    """The released series as a file."""
    async with image.moment() as moment:
        found = await Looker(moment, catalogue, datetime.now(UTC)).series(indicator_id)
    outlet = next(outlet for outlet in OUTLETS if outlet.address == kind)
    body = await asyncio.to_thread(outlet.make, found, catalogue, language_of(request))
    return Response(body, headers=headers_of(found, outlet))


def _show(request: Request, template: str, **context: Any) -> Response:
    pages = request.app.state.pages
    assert isinstance(pages, Pages)
    answer = pages.show(request, template, home="/public", **context)
    answer.headers["Vary"] = "Accept-Language, Cookie"
    return answer
