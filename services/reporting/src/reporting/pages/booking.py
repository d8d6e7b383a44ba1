"""The doors of people to notes, targets and thresholds of an indicator: forms that work without scripts.

They order what the doors for programs order, and show the same refusals; sent twice, they book once.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import RedirectResponse

from reporting.access import (
    READ_REMARKS,
    SET_TARGETS,
    WATCH_FIGURES,
    WRITE_NOTES,
    AskedCatalogue,
    Books,
    ReportingDesk,
    author_role_of,
    eyes_of,
)
from reporting.alerts import list_thresholds
from reporting.audiences import Audience, audience_of
from reporting.commands.alerts import RemoveThreshold, SetThreshold
from reporting.commands.forms import Pseudonym
from reporting.commands.notes import ReviseNote, WithdrawNote, WriteNote
from reporting.commands.targets import SetTarget, WithdrawTarget
from reporting.deltas import day_of
from reporting.indicators import Catalogue
from reporting.notes import get_note, list_notes
from reporting.notes.rules import etag_of
from reporting.pages.book_forms import Typed, blank, cells_of_indicator, of_note, sent
from reporting.pages.remarks_words import note_words, target_words, threshold_words
from reporting.targets import list_targets
from reporting.wording import Phrases
from verbund.errors import Conflict, NotFound, NotNow, Problem
from verbund.service.orders import fill_form_from_fields
from verbund.service.pages import Pages
from verbund.service.permissions import Permission, permit
from verbund.service.principals import Principal
from verbund.service.words import language_of, message_id

_MOST = 200  # of one indicator; more of them nobody reads

Place = Annotated[str, Path(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
Reader = Annotated[Principal, permit(READ_REMARKS)]
Author = Annotated[Principal, permit(WRITE_NOTES)]
Setter = Annotated[Principal, permit(SET_TARGETS)]
Watcher = Annotated[Principal, permit(WATCH_FIGURES)]

router = APIRouter(prefix="/indicators/{indicator_id}", include_in_schema=False)


@router.get("/remarks")
async def show_remarks(
    request: Request, indicator_id: Place, reader: Reader, books: Books, catalogue: AskedCatalogue
) -> Response:
    """What stands booked about an indicator, as far as the reader may be told, and what they may do with it."""
    indicator, phrases = catalogue.get_indicator(indicator_id), Phrases(language_of(request))
    audience = audience_of(reader.roles)
    asked: dict[str, Any] = {"below": None, "limit": _MOST, "indicator": indicator_id}
    thresholds = await list_thresholds(books, catalogue.city.municipality, audience, below=None, limit=_MOST)
    return _show(
        request,
        "remarks.html",
        indicator=indicator,
        booked=request.query_params.get("booked", ""),
        notes=[note_words(one, catalogue, phrases) for one in await list_notes(books, catalogue, audience, **asked)],
        targets=[
            target_words(one, catalogue, phrases) for one in await list_targets(books, catalogue, audience, **asked)
        ],
        thresholds=[threshold_words(one, catalogue, phrases) for one in thresholds if one.indicator == indicator_id],
        may={name: bool(found.roles & reader.roles) for name, found in _MAY.items()},
        key=lambda: blank("note", phrases.language).value("idempotency_key"),
    )


_MAY: Mapping[str, Permission] = {"note": WRITE_NOTES, "target": SET_TARGETS, "threshold": WATCH_FIGURES}


@router.get("/notes/new")
async def show_new_note(request: Request, indicator_id: Place, author: Author, catalogue: AskedCatalogue) -> Response:
    """An empty form for a note."""
    return _form(request, "note", indicator_id, catalogue, author, blank("note", language_of(request)))


@router.post("/notes/new")
async def write_typed_note(
    request: Request, indicator_id: Place, author: Author, catalogue: AskedCatalogue, desk: ReportingDesk
) -> Response:
    """Book it, or show it again with what is wrong."""
    typed = await _sent(request, "note")
    if (form := typed.note(indicator_id)) is not None:
        command = WriteNote(form=form, author_role=author_role_of(author), seen_by=eyes_of(author))
        if (done := await _booked(request, indicator_id, typed, desk, command)) is not None:
            return done
    return _form(request, "note", indicator_id, catalogue, author, typed)


@router.get("/notes/{note_id}")
async def show_note_to_correct(
    request: Request, indicator_id: Place, note_id: Pseudonym, author: Author, catalogue: AskedCatalogue, books: Books
) -> Response:
    """The form with what the note says."""
    note = await get_note(books, catalogue, audience_of(author.roles), note_id)
    if note.indicator != indicator_id or note.is_withdrawn:
        raise NotFound("no_such_note", "There is no such note.")
    typed = of_note(note, etag_of(note.version), language_of(request))
    return _form(request, "note", indicator_id, catalogue, author, typed, note_id=note_id)


@router.post("/notes/{note_id}")
async def revise_typed_note(
    request: Request,
    indicator_id: Place,
    note_id: Pseudonym,
    author: Author,
    catalogue: AskedCatalogue,
    desk: ReportingDesk,
) -> Response:
    """Correct it, unless somebody has since it was shown."""
    typed = await _sent(request, "note")
    if (form := typed.revision()) is not None:
        command = ReviseNote(form=form, author_role=author_role_of(author), seen_by=eyes_of(author), note_id=note_id)
        if (done := await _booked(request, indicator_id, typed, desk, command)) is not None:
            return done
    return _form(request, "note", indicator_id, catalogue, author, typed, note_id=note_id)


@router.post("/notes/{note_id}/withdraw")
async def withdraw_shown_note(
    request: Request, indicator_id: Place, note_id: Pseudonym, author: Author, desk: ReportingDesk
) -> Response:
    """Take a note back."""
    return await _taken_back(request, indicator_id, desk, WithdrawNote(seen_by=eyes_of(author), note_id=note_id))


@router.get("/targets/new")
async def show_new_target(request: Request, indicator_id: Place, setter: Setter, catalogue: AskedCatalogue) -> Response:
    """An empty form for a target."""
    typed = blank("target", language_of(request), aim="at_least")
    return _form(request, "target", indicator_id, catalogue, setter, typed)


@router.post("/targets/new")
async def set_typed_target(
    request: Request, indicator_id: Place, setter: Setter, catalogue: AskedCatalogue, desk: ReportingDesk
) -> Response:
    """Book it, or show it again with what is wrong."""
    typed = await _sent(request, "target")
    if (form := typed.target(indicator_id)) is not None:
        command = SetTarget(form=form, seen_by=eyes_of(setter))
        if (done := await _booked(request, indicator_id, typed, desk, command)) is not None:
            return done
    return _form(request, "target", indicator_id, catalogue, setter, typed)


@router.post("/targets/{target_id}/withdraw")
async def withdraw_shown_target(
    request: Request, indicator_id: Place, target_id: Pseudonym, setter: Setter, desk: ReportingDesk
) -> Response:
    """Take a target back."""
    return await _taken_back(request, indicator_id, desk, WithdrawTarget(seen_by=eyes_of(setter), target_id=target_id))


@router.get("/thresholds/new")
async def show_new_threshold(
    request: Request, indicator_id: Place, watcher: Watcher, catalogue: AskedCatalogue
) -> Response:
    """An empty form to watch a figure."""
    today = day_of(datetime.now(UTC)).isoformat()
    known = {"audience": eyes_of(watcher), "side": "over", "valid_from": today}
    typed = blank("threshold", language_of(request), **known)
    return _form(request, "threshold", indicator_id, catalogue, watcher, typed)


@router.post("/thresholds/new")
async def set_typed_threshold(
    request: Request, indicator_id: Place, watcher: Watcher, catalogue: AskedCatalogue, desk: ReportingDesk
) -> Response:
    """Book it, or show it again with what is wrong."""
    typed = await _sent(request, "threshold")
    if (form := typed.threshold(indicator_id)) is not None:
        command = SetThreshold(form=form, seen_by=eyes_of(watcher))
        if (done := await _booked(request, indicator_id, typed, desk, command)) is not None:
            return done
    return _form(request, "threshold", indicator_id, catalogue, watcher, typed)


@router.post("/thresholds/{threshold_id}/remove")
async def remove_shown_threshold(
    request: Request, indicator_id: Place, threshold_id: Pseudonym, watcher: Watcher, desk: ReportingDesk
) -> Response:
    """Watch it no longer."""
    command = RemoveThreshold(seen_by=eyes_of(watcher), threshold_id=threshold_id)
    return await _taken_back(request, indicator_id, desk, command)


async def _sent(request: Request, matter: str) -> Typed:
    return sent(matter, language_of(request), dict(await request.form()))


async def _booked(
    request: Request, indicator_id: str, typed: Typed, desk: ReportingDesk, command: object
) -> Response | None:
    """The way back with the number of what was booked; None where it was refused (`typed` says why)."""
    try:
        filled = fill_form_from_fields(request, typed.values)
        seen = typed.value("seen") or None
        answer = await desk.carry_out(replace(filled, if_match=seen).order(command))
    except Problem as problem:
        if isinstance(problem, Conflict) and problem.code == "request_under_way":  # the second of two clicks
            return _back(request, indicator_id)
        typed.refuse(problem)
        return None
    return _back(request, indicator_id, booked=answer.receipt["number"])


async def _taken_back(request: Request, indicator_id: str, desk: ReportingDesk, command: object) -> Response:
    """Back to the list, also where somebody else was first."""
    typed = await _sent(request, "note")
    try:
        answer = await desk.carry_out(fill_form_from_fields(request, typed.values).order(command))
    except NotNow:
        return _back(request, indicator_id)
    except Conflict as conflict:
        if conflict.code != "request_under_way":
            raise
        return _back(request, indicator_id)
    return _back(request, indicator_id, booked=answer.receipt["number"])


def _back(request: Request, indicator_id: str, booked: object = None) -> Response:
    number = "" if booked is None else f"&booked={booked}"
    place = f"/indicators/{indicator_id}/remarks?lang={language_of(request)}{number}"
    return RedirectResponse(place, HTTPStatus.SEE_OTHER)


_TITLES = {
    "note": message_id("Write a note"),
    "target": message_id("Set a target"),
    "threshold": message_id("Watch this figure"),
}


def _form(
    request: Request,
    matter: str,
    indicator_id: str,
    catalogue: Catalogue,
    principal: Principal,
    typed: Typed,
    note_id: str = "",
) -> Response:
    indicator, phrases = catalogue.get_indicator(indicator_id), Phrases(language_of(request))
    audience, today = Audience(eyes_of(principal)), day_of(datetime.now(UTC))
    return _show(
        request,
        f"{matter}_form.html",
        status=HTTPStatus.UNPROCESSABLE_ENTITY if typed.is_wrong else HTTPStatus.OK,
        indicator=indicator,
        title=phrases.say(message_id("Correct the note") if note_id else _TITLES[matter]),
        typed=typed,
        cells=[] if note_id else list(cells_of_indicator(catalogue, indicator, audience, today, phrases)),
        periods=[] if indicator.is_about_days else [(each, phrases.say(_PERIODS[each])) for each in indicator.every],
        sees_all=audience is Audience.STATISTICS,
        is_new=not note_id,
    )


_PERIODS = {
    "day": message_id("day"),
    "month": message_id("month"),
    "quarter": message_id("quarter"),
    "half_year": message_id("half-year"),
    "year": message_id("year"),
    "school_year": message_id("school year"),
    "rolling_year": message_id("last twelve months"),
}


def _show(request: Request, template: str, status: int = HTTPStatus.OK, **context: Any) -> Response:
    pages = request.app.state.pages
    assert isinstance(pages, Pages)
    answer = pages.show(request, template, status=status, **context)
    answer.headers["Vary"] = "Accept-Language, Cookie"
    return answer
