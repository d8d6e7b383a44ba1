"""The pages' doors: the group's page at `/`, and a page for each indicator."""

from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Path, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import RedirectResponse

from reporting.access import ACKNOWLEDGE_ALERTS, DELIVER
from reporting.audiences import STEERING_ROLES, audience_of
from reporting.deltas import day_of
from reporting.image import Image, Moment
from reporting.indicators import Catalogue, Indicator
from reporting.pages import dashboard, indicator_page
from reporting.pages.address import address, view_of
from reporting.pages.asking import Asker
from reporting.wording import Phrases
from verbund.service.pages import Pages
from verbund.service.permissions import Permission, permit, principal_of
from verbund.service.problems import prefers_html
from verbund.service.words import language_of

OPEN = Permission("open_pages", roles=STEERING_ROLES, purpose="steering")


ARRIVE = Permission("arrive", roles=OPEN.roles | DELIVER.roles, purpose="steering")

home = APIRouter(dependencies=[permit(ARRIVE)])
router = APIRouter(dependencies=[permit(OPEN)])


@home.get("/", include_in_schema=False)
async def show_dashboard(request: Request) -> Response:
    """The first page after signing in; of who delivers figures and may not see those of others, what they deliver."""
    if not OPEN.roles & principal_of(request.scope).roles:
        return RedirectResponse("/deliver", HTTPStatus.SEE_OTHER)
    phrases = Phrases(language_of(request))
    if (short := _shorter(request, phrases)) is not None:
        return short
    async with _image(request).moment() as moment:
        asker = _asker(request, moment, phrases)
        figures = await dashboard.ask_figures(asker)
    return await run_in_threadpool(
        lambda: _show(request, "dashboard.html", asker, dashboard.dashboard_of(figures, asker, phrases))
    )


@router.get(
    "/indicators/{indicator_id}",
    tags=["figures"],
    summary="One indicator: what it counts and what it does not say",
    response_model=Indicator,
    responses={200: {"content": {"text/html": {}}}},
)
async def read_indicator(
    request: Request, indicator_id: Annotated[str, Path(pattern=r"^[a-z][a-z0-9_]{0,63}$", examples=["population"])]
) -> Indicator | Response:
    """Its definition as data; for people (`Accept: text/html`) its page, with the figures themselves."""
    phrases = Phrases(language_of(request))
    indicator = _catalogue(request).get_indicator(indicator_id)
    if not prefers_html(request.headers.get("accept", "")):
        return indicator
    if (short := _shorter(request, phrases)) is not None:
        return short
    async with _image(request).moment() as moment:
        asker = _asker(request, moment, phrases)
        figures = await indicator_page.ask_figures(asker, indicator)
    return await run_in_threadpool(
        lambda: _show(request, "indicator.html", asker, indicator_page.page_of(figures, asker, indicator, phrases))
    )


def _shorter(request: Request, phrases: Phrases) -> Response | None:
    """Sends a form that names today, or names nothing, to the address without it."""
    view = view_of(request.query_params, day_of(datetime.now(UTC)), phrases)
    if view.errors or (view.is_canonical and all(request.query_params.values())):
        return None
    return RedirectResponse(address(request.url.path, view.parameters(), lang=phrases.language), HTTPStatus.SEE_OTHER)


def _asker(request: Request, moment: Moment, phrases: Phrases) -> Asker:
    at = datetime.now(UTC)
    audience, view = audience_of(principal_of(request.scope).roles), view_of(request.query_params, day_of(at), phrases)
    held = request.app.state.held_tiles(view.today)
    may_acknowledge = bool(principal_of(request.scope).roles & ACKNOWLEDGE_ALERTS.roles)
    return Asker(moment, _catalogue(request), audience, at, view, held, may_acknowledge)


def _show(request: Request, template: str, asker: Asker, page: object) -> Response:
    """In a thread: drawing the charts takes its time."""
    pages = request.app.state.pages
    assert isinstance(pages, Pages)
    answer = pages.show(request, template, status=422 if asker.view.errors else 200, page=page)
    answer.headers["Vary"] = "Accept, Accept-Language, Cookie"
    return answer


def _catalogue(request: Request) -> Catalogue:
    catalogue = request.app.state.catalogue
    assert isinstance(catalogue, Catalogue)
    return catalogue


def _image(request: Request) -> Image:
    image = request.app.state.image
    assert isinstance(image, Image)
    return image
