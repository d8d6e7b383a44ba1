"""The doors to editions for people and, at the same addresses, for programs: the list, one edition, the form."""

from http import HTTPStatus
from typing import Any
from uuid import uuid4

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from reporting.access import (
    FREEZE,
    READ_EDITIONS,
    AskedCatalogue,
    AskedImage,
    AskingAudience,
    Books,
    EditionPath,
    ReportingDesk,
    Restated,
)
from reporting.editions.freezing import edition_id_of, freezing
from reporting.editions.reading import EditionShown, EditionWhole, get_edition, list_editions, parsed, read_manifest
from reporting.editions.restatement import Restatement
from reporting.editions.rules import etag_of
from reporting.pages.edition_form import Typed, audience_options, blank, field_options
from reporting.pages.edition_words import edition_page
from reporting.pages.restatement_words import restatement_page
from reporting.wording import Phrases
from verbund.errors import Problem
from verbund.service.orders import fill_form_from_fields
from verbund.service.pages import Pages
from verbund.service.paging import AskedPage
from verbund.service.permissions import permit, principal_of
from verbund.service.problems import prefers_html
from verbund.service.words import language_of

_HTML: dict[str, Any] = {"text/html": {}}

router = APIRouter(tags=["editions"])


@router.get(
    "/editions",
    summary="All editions, the latest first",
    response_model=list[EditionShown],
    responses={200: {"content": _HTML}},
    dependencies=[permit(READ_EDITIONS)],
)
async def read_editions(
    request: Request, books: Books, catalogue: AskedCatalogue, own: AskingAudience, asked: AskedPage, response: Response
) -> list[EditionShown] | Response:
    """As far as whoever asks may see them; for people (`Accept: text/html`) their page."""
    after = asked.expect(int)
    below = int(after[0]) if after else None
    rows = await list_editions(books, catalogue.city.municipality, own, below=below, limit=asked.size + 1)
    page = asked.page(rows, (rows[asked.size - 1].number,) if len(rows) > asked.size else None)
    if not _wants_page(request):
        response.headers.update(page.link(request))
        response.headers["Vary"] = "Accept"
        return list(page.items)
    next_page = f"/editions?cursor={page.next_cursor}" if page.next_cursor else None
    freezes = bool(FREEZE.roles & principal_of(request.scope).roles)
    return _show(request, "editions.html", editions=page.items, next_page=next_page, freezes=freezes)


@router.get("/editions/new", include_in_schema=False, dependencies=[permit(FREEZE)])
async def show_new_edition(request: Request, catalogue: AskedCatalogue, own: AskingAudience) -> Response:
    """An empty form to freeze an edition, under a key of its own: whatever happens on the way, it freezes once."""
    return _show_form(request, catalogue, own, blank(str(uuid4()), own))


@router.post("/editions/new", include_in_schema=False, dependencies=[permit(FREEZE)])
async def freeze_typed_edition(
    request: Request,
    desk: ReportingDesk,
    books: Books,
    image: AskedImage,
    catalogue: AskedCatalogue,
    own: AskingAudience,
) -> Response:
    """Freeze what was asked for, or show the form again with what is wrong."""
    sent = (await request.form()).multi_items()
    typed = Typed.of([(name, value) for name, value in sent if isinstance(value, str)], language_of(request))
    form = typed.fill()
    if form is not None:
        order = fill_form_from_fields(request, typed.fields())
        try:
            command = await freezing(edition_id_of(order.order(None)), form, own, image, catalogue, books)
            answer = await desk.carry_out(order.order(command))
            return RedirectResponse(f"{answer.location}?frozen=1", HTTPStatus.SEE_OTHER)
        except Problem as problem:
            typed.refuse(problem)
    return _show_form(request, catalogue, own, typed)


@router.get(
    "/editions/{edition_id}",
    summary="One edition with its manifest",
    response_model=EditionWhole,
    responses={200: {"content": _HTML}, 404: {"description": "There is none, or not for this audience"}},
    dependencies=[permit(READ_EDITIONS)],
)
async def read_edition(
    request: Request,
    edition_id: EditionPath,
    books: Books,
    catalogue: AskedCatalogue,
    own: AskingAudience,
    response: Response,
) -> EditionWhole | Response:
    """Definitions, positions of the books, questions, and each file by its hash; for people its page."""
    municipality = catalogue.city.municipality
    edition = await get_edition(books, municipality, edition_id, own)
    manifest = parsed(await read_manifest(books, municipality, edition_id))
    if not _wants_page(request):
        response.headers["ETag"] = etag_of(edition.version)
        response.headers["Vary"] = "Accept"
        return EditionWhole(**edition.model_dump(), manifest=manifest)
    others = [
        each
        for each in await list_editions(books, municipality, own, below=None, limit=200)
        if each.number > edition.number and each.audience == edition.audience
    ]
    page = edition_page(edition, manifest, others, catalogue.frame.dimensions, Phrases(language_of(request)))
    return _show(request, "edition.html", page=page, is_new="frozen" in request.query_params)


@router.get(
    "/editions/{edition_id}/restatement",
    summary="What is different since an edition was frozen, and why",
    response_model=Restatement,
    responses={
        200: {"content": _HTML},
        404: {"description": "There is none, or not for this audience"},
        422: {"description": "These two cannot be compared"},
    },
    dependencies=[permit(READ_EDITIONS)],
)
async def read_restatement(request: Request, found: Restated, response: Response) -> Restatement | Response:
    """Every cell that both know with another value: new data, correction, new definition; for people its page."""
    if not _wants_page(request):
        response.headers["Vary"] = "Accept"
        return found
    return _show(request, "restatement.html", page=restatement_page(found, Phrases(language_of(request))))


def _wants_page(request: Request) -> bool:
    return prefers_html(request.headers.get("accept", ""))


def _show_form(request: Request, catalogue: AskedCatalogue, own: AskingAudience, typed: Typed) -> Response:
    phrases = Phrases(language_of(request))
    return _show(
        request,
        "new_edition.html",
        status=HTTPStatus.UNPROCESSABLE_ENTITY if typed.errors or typed.others else HTTPStatus.OK,
        typed=typed,
        fields=field_options(catalogue, phrases.language),
        audiences=audience_options(own, phrases),
    )


def _show(request: Request, template: str, status: int = HTTPStatus.OK, **context: object) -> Response:
    pages = request.app.state.pages
    assert isinstance(pages, Pages)
    answer = pages.show(request, template, status=status, **context)
    answer.headers["Vary"] = "Accept, Accept-Language, Cookie"
    return answer
