"""Routes of the clerk's pages. They work without scripts; a form that is sent twice books once."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated
from uuid import uuid4

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import RedirectResponse

from registration.access import BOOK, READ, RegistrationDesk, Registry, reading
from registration.commands import Command, Pseudonym, RegisterResidence, ResidenceForm
from registration.domain.rules import inquired_until
from registration.domain.trials import day_of
from registration.domain.views import get_residence, time_line
from registration.pages.choices import Choices, area_choices, nationality_choices, state_choices
from registration.pages.steps import ADDRESS, STEPS, Step, steps_in
from registration.pages.typed import FormT, Sheet, Typed
from registration.pages.wording import LABELS, WORDING
from registration.store.reading import (
    get_resident_at,
    list_doubts,
    list_residences,
    read_persons,
    read_vault,
)
from verbund.desk.orders import Answer, Order
from verbund.errors import Conflict, NotFound, Problem
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

_REGISTER = Sheet(
    ResidenceForm,
    (
        *("family_name", "given_names", "birth_date", "sex", "nationality"),
        *("moved_in_on", "residence_kind", "arrival_kind", "previous_state", "previous_municipality"),
        *ADDRESS,
    ),
    frozenset({"family_name", "given_names", "birth_date", "sex"}),
    {"residence_kind": "main"},
)


async def _pages(request: Request) -> Pages:
    pages = request.app.state.pages
    assert isinstance(pages, Pages)
    return pages


ClerksPages = Annotated[Pages, Depends(_pages)]


def _municipality(request: Request) -> str:
    return kit_of(request.scope).settings.municipality


def _choices(request: Request) -> dict[str, Choices]:
    language = language_of(request)
    return {
        "area": area_choices(_municipality(request), language),
        "nationality": nationality_choices(language),
        "previous_state": state_choices(language),
    }


def _options(request: Request) -> dict[str, list[tuple[str, str]]]:
    """What can be chosen by a button, in the reader's words; what a clerk cannot book is left out."""
    words = words_for(language_of(request))
    return {
        name: [(code, words.gettext(text)) for code, text in texts.items() if code != "opening"]
        for name, texts in WORDING.items()
    }


async def _typed(request: Request) -> dict[str, str]:
    """The fields of the form that was sent; files have no place in it."""
    return {name: value for name, value in (await request.form()).items() if isinstance(value, str)}


async def _step(step: str) -> Step:
    """The step that the address names."""
    if step not in STEPS:
        raise NotFound("no_such_page", "There is no such page.")
    return STEPS[step]


AskedStep = Annotated[Step, Depends(_step)]
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


@router.get("/clerk/doubts")
async def show_doubts(
    request: Request, pages: ClerksPages, principal: Reader, registry: Registry, asked: AskedPage
) -> Response:
    """The addresses in doubt, with names; that they were read is recorded."""
    after = asked.expect(str, int)
    rows = await list_doubts(registry, after=(str(after[0]), int(after[1])) if after else None, limit=asked.size + 1)
    last = rows[asked.size - 1] if len(rows) > asked.size else None
    page = asked.page(rows, (str(last.doubted_on), last.number) if last else None)
    shown = [row.residence_id for row in page.items]
    municipality = _municipality(request)
    return pages.show(
        request,
        "doubts.html",
        residences=page.items,
        persons=await read_persons(registry, shown, reading(principal, READ, "list of doubts")),
        inquired_until={
            row.residence_id: inquired_until(row.doubted_on, municipality) for row in page.items if row.doubted_on
        },
        today=day_of(datetime.now(UTC)),
        next_page=f"/clerk/doubts?cursor={page.next_cursor}" if page.next_cursor else None,
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
    just_booked, residence = resident.find_entry(booked), get_residence(resident, residence_id)
    return pages.show(
        request,
        "residence.html",
        residence=residence,
        steps=[] if residence.status == "cancelled" else steps_in(residence.status),
        inquired_until=residence.doubted_on and inquired_until(residence.doubted_on, _municipality(request)),
        person=person,
        lines=list(time_line(resident, residence_id)),
        addresses=addresses,
        just_booked=just_booked,
        number=number,
        choices=_choices(request),
    )


@router.get("/clerk/residences/{residence_id}/{step}", dependencies=[permit(BOOK)])
async def show_step(
    request: Request, pages: ClerksPages, registry: Registry, residence_id: Pseudonym, step: AskedStep
) -> Response:
    """An empty form to book something about the residence."""
    await get_resident_at(registry, residence_id)
    return _show_form(request, pages, "step.html", _blank(request, step.sheet), residence_id=residence_id, step=step)


@router.post("/clerk/residences/{residence_id}/{step}", dependencies=[permit(BOOK)])
async def book_step(
    request: Request,
    pages: ClerksPages,
    desk: RegistrationDesk,
    residence_id: Pseudonym,
    step: AskedStep,
    fields: TypedFields,
) -> Response:
    """Book it, or show the form again with what is wrong."""
    typed = Typed(step.sheet, fields, words_for(language_of(request)))
    form = typed.fill(_choices(request))
    answer = form and await _book(request, desk, step.filed(form, residence_id), typed)
    if answer:
        return _booked(answer)
    return _show_form(request, pages, "step.html", typed, residence_id=residence_id, step=step)


def _blank(request: Request, sheet: Sheet[FormT]) -> Typed[FormT]:
    """A form as it is first shown, under a key of its own: whatever happens on the way, it books once."""
    return Typed(sheet, {**sheet.defaults, "idempotency_key": str(uuid4())}, words_for(language_of(request)))


def _show_form(request: Request, pages: Pages, template: str, typed: Typed[FormT], **shown: object) -> Response:
    wrong = typed.errors or typed.others
    return pages.show(
        request,
        template,
        status=HTTPStatus.UNPROCESSABLE_ENTITY if wrong else HTTPStatus.OK,
        typed=typed,
        choices=_choices(request),
        options=_options(request),
        label={name: typed.words.gettext(text) for name, text in LABELS.items()},
        **shown,
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
