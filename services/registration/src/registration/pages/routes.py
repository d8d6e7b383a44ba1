"""Routes of the clerk's pages. They work without scripts; a form that is sent twice books once."""

import asyncio
from collections.abc import Mapping
from http import HTTPStatus
from typing import Annotated
from uuid import uuid4

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import RedirectResponse

from registration.access import BOOK, READ, RegistrationDesk, Registry, reading
from registration.commands import (
    Command,
    DeregisterResidence,
    DeregistrationForm,
    MoveForm,
    MoveResidence,
    Pseudonym,
    RegisterResidence,
    ResidenceForm,
)
from registration.domain.views import get_residence, time_line
from registration.pages.choices import Choices, area_choices, nationality_choices, state_choices
from registration.pages.typed import FormT, Sheet, Typed
from registration.pages.wording import LABELS, WORDING
from registration.store.reading import get_resident_at, list_residences, read_persons, read_vault
from verbund.desk.orders import Answer, Order
from verbund.errors import Conflict, Problem
from verbund.service.kit import kit_of
from verbund.service.orders import fill_form_from_fields
from verbund.service.pages import Pages
from verbund.service.paging import AskedPage
from verbund.service.permissions import permit
from verbund.service.principals import Principal
from verbund.service.words import language_of, words_for

router = APIRouter(include_in_schema=False)

Reader = Annotated[Principal, permit(READ)]
_SEE_OTHER = HTTPStatus.SEE_OTHER

_ADDRESS = ("area", "street", "house_number", "postal_code", "landlord_confirmation", "landlord")
_REGISTER = Sheet(
    ResidenceForm,
    (
        *("family_name", "given_names", "birth_date", "sex", "nationality"),
        *("moved_in_on", "residence_kind", "arrival_kind", "previous_state", "previous_municipality"),
        *_ADDRESS,
    ),
    frozenset({"family_name", "given_names", "birth_date", "sex"}),
    {"residence_kind": "main"},
)
_MOVE = Sheet(MoveForm, ("moved_on", *_ADDRESS), frozenset({"landlord_confirmation"}))
_DEREGISTER = Sheet(DeregistrationForm, ("deregistered_on", "reason"))


async def _pages(request: Request) -> Pages:
    pages = request.app.state.pages
    assert isinstance(pages, Pages)
    return pages


ClerksPages = Annotated[Pages, Depends(_pages)]


def _choices(request: Request) -> dict[str, Choices]:
    language = language_of(request)
    return {
        "area": area_choices(kit_of(request.scope).settings.municipality, language),
        "nationality": nationality_choices(language),
        "previous_state": state_choices(language),
    }


def _options(request: Request) -> dict[str, list[tuple[str, str]]]:
    """What can be chosen by a button, in the reader's words; what a clerk cannot book is left out."""
    words = words_for(language_of(request))
    return {
        name: [(code, words.gettext(text)) for code, text in texts.items() if code not in ("opening", "ex_officio")]
        for name, texts in WORDING.items()
    }


async def _typed(request: Request) -> dict[str, str]:
    """The fields of the form that was sent; files have no place in it."""
    return {name: value for name, value in (await request.form()).items() if isinstance(value, str)}


TypedFields = Annotated[Mapping[str, str], Depends(_typed)]


@router.get("/", dependencies=[permit(READ)])
async def show_home() -> Response:
    """The first page after signing in."""
    return RedirectResponse("/clerk", _SEE_OTHER)


@router.get("/clerk")
async def show_list(
    request: Request, pages: ClerksPages, principal: Reader, registry: Registry, asked: AskedPage
) -> Response:
    """The latest registrations, with names; that they were read is recorded."""
    after = asked.expect(int)
    rows = await list_residences(registry, below=int(after[0]) if after else None, limit=asked.size + 1)
    page = asked.page(rows, (rows[asked.size - 1].number,) if len(rows) > asked.size else None)
    shown = [row.residence_id for row in page.items]
    persons = await read_persons(registry, shown, reading(principal, READ, "list of residences"))
    return pages.show(
        request,
        "residences.html",
        residences=page.items,
        persons=persons,
        next_page=f"/clerk?cursor={page.next_cursor}" if page.next_cursor else None,
        choices=_choices(request),
    )


@router.get("/clerk/register", dependencies=[permit(BOOK)])
async def show_registration(request: Request, pages: ClerksPages) -> Response:
    """An empty form to register a residence."""
    return _show_form(request, pages, "register.html", _blank(request, _REGISTER))


@router.post("/clerk/register", dependencies=[permit(BOOK)])
async def register_residence(
    request: Request, pages: ClerksPages, desk: RegistrationDesk, fields: TypedFields
) -> Response:
    """Book the registration, or show the form again with what is wrong."""
    typed = Typed(_REGISTER, fields, words_for(language_of(request)))
    form = typed.fill(_choices(request))
    answer = form and await _book(request, desk, RegisterResidence(form=form), typed)
    return _booked(answer) if answer else _show_form(request, pages, "register.html", typed)


@router.get("/clerk/residences/{residence_id}")
async def show_residence(
    request: Request,
    pages: ClerksPages,
    principal: Reader,
    registry: Registry,
    residence_id: Pseudonym,
    booked: str = "",
    number: int | None = None,
) -> Response:
    """One residence with its time line; `booked` and `number` name what was booked just now."""
    resident = await get_resident_at(registry, residence_id)
    person, addresses = await read_vault(registry, residence_id, reading(principal, READ, "residence"))
    just_booked = resident.find_entry(booked)
    return pages.show(
        request,
        "residence.html",
        residence=get_residence(resident, residence_id),
        person=person,
        lines=list(time_line(resident, residence_id)),
        addresses=addresses,
        just_booked=just_booked,
        number=number,
        choices=_choices(request),
    )


@router.get("/clerk/residences/{residence_id}/move", dependencies=[permit(BOOK)])
async def show_move(request: Request, pages: ClerksPages, registry: Registry, residence_id: Pseudonym) -> Response:
    """An empty form to book a move."""
    await get_resident_at(registry, residence_id)
    return _show_form(request, pages, "move.html", _blank(request, _MOVE), residence_id)


@router.post("/clerk/residences/{residence_id}/move", dependencies=[permit(BOOK)])
async def move_residence(
    request: Request, pages: ClerksPages, desk: RegistrationDesk, residence_id: Pseudonym, fields: TypedFields
) -> Response:
    """Book the move, or show the form again with what is wrong."""
    typed = Typed(_MOVE, fields, words_for(language_of(request)))
    form = typed.fill(_choices(request))
    answer = form and await _book(request, desk, MoveResidence(form=form, residence_id=residence_id), typed)
    return _booked(answer) if answer else _show_form(request, pages, "move.html", typed, residence_id)


@router.get("/clerk/residences/{residence_id}/deregister", dependencies=[permit(BOOK)])
async def show_deregistration(
    request: Request, pages: ClerksPages, registry: Registry, residence_id: Pseudonym
) -> Response:
    """An empty form to book a deregistration."""
    await get_resident_at(registry, residence_id)
    return _show_form(request, pages, "deregister.html", _blank(request, _DEREGISTER), residence_id)


@router.post("/clerk/residences/{residence_id}/deregister", dependencies=[permit(BOOK)])
async def deregister_residence(
    request: Request, pages: ClerksPages, desk: RegistrationDesk, residence_id: Pseudonym, fields: TypedFields
) -> Response:
    """Book the deregistration, or show the form again with what is wrong."""
    typed = Typed(_DEREGISTER, fields, words_for(language_of(request)))
    form = typed.fill({})
    answer = form and await _book(request, desk, DeregisterResidence(form=form, residence_id=residence_id), typed)
    return _booked(answer) if answer else _show_form(request, pages, "deregister.html", typed, residence_id)


def _blank(request: Request, sheet: Sheet[FormT]) -> Typed[FormT]:
    """A form as it is first shown, under a key of its own: whatever happens on the way, it books once."""
    return Typed(sheet, {**sheet.defaults, "idempotency_key": str(uuid4())}, words_for(language_of(request)))


def _show_form(
    request: Request, pages: Pages, template: str, typed: Typed[FormT], residence_id: str | None = None
) -> Response:
    wrong = typed.errors or typed.others
    return pages.show(
        request,
        template,
        status=HTTPStatus.UNPROCESSABLE_ENTITY if wrong else HTTPStatus.OK,
        typed=typed,
        residence_id=residence_id,
        choices=_choices(request),
        options=_options(request),
        label={name: typed.words.gettext(text) for name, text in LABELS.items()},
    )


async def _book(request: Request, desk: RegistrationDesk, command: Command, typed: Typed[FormT]) -> Answer | None:
    """The desk's answer; None where it refuses, then the form says why."""
    try:
        return await _carry_out(desk, fill_form_from_fields(request, typed.values).order(command))
    except Problem as problem:
        typed.refuse(problem)
        return None


async def _carry_out(desk: RegistrationDesk, order: Order[Command]) -> Answer:
    """As the desk does; the second click of a double click waits for the answer to the first."""
    for _ in range(50):
        try:
            return await desk.carry_out(order)
        except Conflict as conflict:
            if conflict.code != "request_under_way":
                raise
        await asyncio.sleep(0.1)
    return await desk.carry_out(order)


def _booked(answer: Answer) -> Response:
    """On to what was booked: reloading that page books nothing."""
    receipt = answer.receipt
    return RedirectResponse(
        f"/clerk{answer.location}?booked={receipt['booking_id']}&number={receipt['number']}", _SEE_OTHER
    )
