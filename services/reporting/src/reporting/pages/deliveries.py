"""The doors of people who deliver figures: their list, one indicator, the form for a day or period, files.

They order what the doors for programs order, and show the same refusals; sent twice, they book once. Without scripts.
"""

import asyncio
from collections.abc import Callable, Mapping
from datetime import date
from hashlib import sha256
from http import HTTPStatus
from typing import Annotated, Any, NamedTuple
from urllib.parse import urlencode
from uuid import uuid4

from fastapi import APIRouter, Depends, Path, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import ValidationError
from starlette.datastructures import UploadFile

from reporting.access import DELIVER, AskedCatalogue, Books, ReportingDesk, body_of
from reporting.commands.deliveries import (
    DeliveryCommand,
    FinalisationForm,
    FinaliseFigure,
    KeepFigure,
    KeepingForm,
    TakeInFigures,
    WithdrawalForm,
    WithdrawFigure,
)
from reporting.delivered import Standing, read_standing
from reporting.deliveries import Period, Series, Spec, load_series, spec_today, try_out
from reporting.deliveries.files import CSV, XLSX, FileOfFigures, read_figures
from reporting.indicators import Catalogue, Indicator
from reporting.pages.delivery_form import Typed, blank, of_sheet, rows_of
from reporting.pages.delivery_words import (
    PRECISIONS,
    REASONS,
    STATES,
    deliverable_words,
    delivered_words,
    report_words,
)
from reporting.wording import Phrases
from verbund.errors import Conflict, Problem, RowsRefused
from verbund.service.orders import fill_form_from_fields
from verbund.service.pages import Pages
from verbund.service.permissions import permit
from verbund.service.principals import Principal
from verbund.service.problems import findings_of
from verbund.service.words import language_of, message_id, words_for

Place = Annotated[str, Path(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
Deliverer = Annotated[Principal, permit(DELIVER)]

router = APIRouter(prefix="/deliver", include_in_schema=False)


class Asked(NamedTuple):
    """The indicator that an address names, as who delivers sees it."""

    indicator: Indicator
    spec: Spec
    body: str
    phrases: Phrases


async def _asked(request: Request, indicator_id: Place, deliverer: Deliverer, catalogue: AskedCatalogue) -> Asked:
    spec = spec_today(catalogue, indicator_id)
    body = body_of(deliverer, catalogue, indicator_id)
    return Asked(catalogue.get_indicator(indicator_id), spec, body, Phrases(language_of(request)))


AskedIndicator = Annotated[Asked, Depends(_asked)]


@router.get("")
async def show_deliverables(
    request: Request, deliverer: Deliverer, catalogue: AskedCatalogue, books: Books
) -> Response:
    """Everything that this body delivers; of the statistics office everything that anybody does."""
    phrases, is_statistics = Phrases(language_of(request)), "statistics" in deliverer.roles
    specs = [
        spec
        for name, indicator in catalogue.indicators.items()
        if indicator.delivered is not None and (is_statistics or deliverer.office in indicator.delivered_by)
        for spec in [spec_today(catalogue, name)]
    ]
    async with books.connect() as connection:
        stands = await read_standing(connection, catalogue.city.municipality, [spec.indicator for spec in specs])
    rows = [deliverable_words(spec, stands.get(spec.indicator, ()), catalogue, phrases) for spec in specs]
    return _show(request, "deliveries.html", rows=rows)


@router.get("/{indicator_id}")
async def show_deliverable(
    request: Request, asked: AskedIndicator, catalogue: AskedCatalogue, books: Books
) -> Response:
    """What stands delivered, and what can be done with it."""
    return await _page(request, asked, catalogue, books)


@router.get("/{indicator_id}/figures")
async def show_figures_form(
    request: Request,
    asked: AskedIndicator,
    catalogue: AskedCatalogue,
    books: Books,
    to_on: date | None = None,
    from_on: date | None = None,
) -> Response:
    """The form for a day or period: empty, or with what stands delivered for it, to be revised."""
    series = await _series(books, catalogue, asked.spec)
    rows, language = rows_of(catalogue, asked.spec, series, asked.phrases), asked.phrases.language
    sheet = series.sheets.get(Period(from_on, to_on)) if to_on is not None else None
    if sheet is None:
        return _form(request, asked, blank(rows, language), series)
    return _form(
        request, asked, of_sheet(sheet, series.sources.get(sheet.source_sha256 or "", ""), rows, language), series
    )


@router.post("/{indicator_id}/figures")
async def book_typed_figures(
    request: Request, asked: AskedIndicator, catalogue: AskedCatalogue, books: Books, desk: ReportingDesk
) -> Response:
    """Book them, or show the form again with what is wrong."""
    series = await _series(books, catalogue, asked.spec)
    rows = rows_of(catalogue, asked.spec, series, asked.phrases)
    typed = Typed(await _fields(request), rows, asked.phrases.language)
    form = typed.filled(asked.spec)
    if form is not None:
        try:
            return await _carried_out(request, asked, desk, typed.values, TakeInFigures(form, asked.body))
        except Problem as problem:
            typed.refuse(problem)
    return _form(request, asked, typed, series)


@router.post("/{indicator_id}/file")
async def take_in_file(
    request: Request, asked: AskedIndicator, catalogue: AskedCatalogue, books: Books, desk: ReportingDesk
) -> Response:
    """Look through a file, or book it: what is wrong with it is shown line by line, and then nothing is booked."""
    async with request.form() as sent:
        fields = {name: value for name, value in sent.items() if isinstance(value, str)}
        upload = sent.get("file")
        body = await upload.read() if isinstance(upload, UploadFile) else b""
        name = (upload.filename or "") if isinstance(upload, UploadFile) else ""
    fields |= {"file": f"{name} {sha256(body).hexdigest()}"}
    shown: dict[str, Any] = {"file_name": name, "reason": fields.get("reason", "")}
    file: FileOfFigures | None = None
    try:
        kind = XLSX if body[:2] == b"PK" else CSV
        reason: Any = fields.get("reason") if fields.get("reason") in REASONS else None
        file = await asyncio.to_thread(read_figures, body, kind, asked.spec, reason)
        command = TakeInFigures(file.form, asked.body)
        if fields.get("act") == "book":
            return await _carried_out(request, asked, desk, fields, command)
        report = await try_out(books, catalogue, command)
        would, noticed = report_words(report, asked.indicator, catalogue, asked.phrases)
        shown |= {"is_checked": True, "would_book": would, "noticed": noticed}
    except Problem as problem:
        placed = file.placed(problem) if file is not None and isinstance(problem, RowsRefused) else problem
        shown |= {"refused": _refusal(placed, asked.phrases), "lines": _lines(placed, asked.phrases)}
    return await _page(
        request,
        asked,
        catalogue,
        books,
        status=HTTPStatus.UNPROCESSABLE_ENTITY if "lines" in shown else HTTPStatus.OK,
        **shown,
    )


@router.post("/{indicator_id}/finalise")
async def finalise_shown(
    request: Request, asked: AskedIndicator, catalogue: AskedCatalogue, books: Books, desk: ReportingDesk
) -> Response:
    """Make a day or period final."""

    def command(fields: Mapping[str, str]) -> DeliveryCommand:
        periods = [_period(fields)]
        form = FinalisationForm.model_validate({"indicator": asked.spec.indicator, "periods": periods})
        return FinaliseFigure(form, asked.body)

    return await _ordered(request, asked, catalogue, books, desk, command)


@router.post("/{indicator_id}/withdraw")
async def withdraw_shown(
    request: Request, asked: AskedIndicator, catalogue: AskedCatalogue, books: Books, desk: ReportingDesk
) -> Response:
    """Take a day or period back."""

    def command(fields: Mapping[str, str]) -> DeliveryCommand:
        said = {"indicator": asked.spec.indicator, "periods": [_period(fields)], "reason": fields.get("reason")}
        return WithdrawFigure(WithdrawalForm.model_validate(said), asked.body)

    return await _ordered(request, asked, catalogue, books, desk, command)


@router.post("/{indicator_id}/keep")
async def keep_shown(
    request: Request, asked: AskedIndicator, catalogue: AskedCatalogue, books: Books, desk: ReportingDesk
) -> Response:
    """Say that the numbers of a day or period hold for a later one, unchanged."""

    def command(fields: Mapping[str, str]) -> DeliveryCommand:
        said = {
            "indicator": asked.spec.indicator,
            "kept_from": _period(fields),
            "period": _period(fields, "new_"),
            "state": fields.get("state") or "provisional",
        }
        return KeepFigure(KeepingForm.model_validate(said), asked.body)

    return await _ordered(request, asked, catalogue, books, desk, command)


async def _ordered(
    request: Request,
    asked: Asked,
    catalogue: Catalogue,
    books: Books,
    desk: ReportingDesk,
    command: Callable[[Mapping[str, str]], DeliveryCommand],
) -> Response:
    """Back to the page with the number of what was booked, or with why it was not."""
    fields = await _fields(request)
    try:
        return await _carried_out(request, asked, desk, fields, command(fields))
    except ValidationError as error:
        words = words_for(asked.phrases.language)
        wrong = [words.say(finding.message, finding.values) for finding in findings_of(error)]
    except Problem as problem:
        wrong = [sentence for _, sentence in _sentences(problem, asked.phrases)]
    return await _page(
        request, asked, catalogue, books, status=HTTPStatus.UNPROCESSABLE_ENTITY, wrong=wrong, typed=fields
    )


def _period(fields: Mapping[str, str], prefix: str = "") -> dict[str, str]:
    names = ("from_on", "to_on")
    return {name: text for name in names if (text := fields.get(f"{prefix}{name}", "").strip())}


async def _carried_out(
    request: Request, asked: Asked, desk: ReportingDesk, fields: Mapping[str, str], command: DeliveryCommand
) -> Response:
    """The way to the page with what was booked; the second of two clicks goes there too."""
    try:
        answer = await desk.carry_out(fill_form_from_fields(request, fields).order(command))
        told = {"booked": str(answer.receipt["number"])}
    except Conflict as conflict:
        if conflict.code != "request_under_way":
            raise
        told = {}
    address = urlencode({"lang": asked.phrases.language, **told})
    return RedirectResponse(f"/deliver/{asked.spec.indicator}?{address}", HTTPStatus.SEE_OTHER)


def _refusal(problem: Problem, phrases: Phrases) -> str:
    return phrases.say(problem.message, **problem.values)


def _sentences(problem: Problem, phrases: Phrases) -> list[tuple[str, str]]:
    """Pointer and sentence of each finding; the problem's own where it has none."""
    found = [(each.pointer, phrases.say(each.message, **each.values)) for each in problem.findings]
    return found or [("", _refusal(problem, phrases))]


def _lines(problem: Problem, phrases: Phrases) -> list[tuple[str, str, str]]:
    """Line, column and what to do, of everything that is wrong with a file."""
    told = []
    for pointer, sentence in _sentences(problem, phrases):
        _, place, line, column = (*pointer.split("/", 3), "", "", "", "")[:4]
        told.append((line if place == "lines" else "", column, sentence))
    return told


async def _fields(request: Request) -> dict[str, str]:
    return {name: value for name, value in (await request.form()).items() if isinstance(value, str)}


async def _series(books: Books, catalogue: Catalogue, spec: Spec) -> Series:
    async with books.connect() as connection:
        return (await load_series(connection, catalogue.city.municipality, [spec.indicator]))[spec.indicator]


async def _page(
    request: Request,
    asked: Asked,
    catalogue: Catalogue,
    books: Books,
    status: int = HTTPStatus.OK,
    **shown: Any,
) -> Response:
    async with books.connect() as connection:
        stands = await read_standing(connection, catalogue.city.municipality, [asked.spec.indicator])
    standing: list[Standing] = list(stands.get(asked.spec.indicator, ()))
    phrases = asked.phrases
    delivered = [delivered_words(each, asked.indicator, catalogue, phrases) for each in reversed(standing)]
    return _show(
        request,
        "delivery.html",
        status=status,
        indicator=asked.indicator,
        spec=asked.spec,
        unit=catalogue.frame.units[asked.spec.unit].many.say(phrases.language),
        delivered=delivered,
        booked=request.query_params.get("booked", ""),
        reasons=_options(REASONS, phrases),
        states=_options(STATES, phrases),
        key=lambda: str(uuid4()),
        **{"wrong": (), "typed": {}, "lines": None, "is_checked": False, "reason": "", **shown},
    )


def _form(request: Request, asked: Asked, typed: Typed, series: Series) -> Response:
    phrases = asked.phrases
    return _show(
        request,
        "delivery_form.html",
        status=HTTPStatus.UNPROCESSABLE_ENTITY if typed.is_wrong else HTTPStatus.OK,
        indicator=asked.indicator,
        spec=asked.spec,
        typed=typed,
        labels={**_labels(phrases), **{f"value_{n}": row.label for n, row in enumerate(typed.rows)}},
        states=_options(STATES, phrases),
        precisions=_options(PRECISIONS, phrases),
        reasons=_options(REASONS, phrases),
        is_first=not series.sheets,
    )


def _labels(phrases: Phrases) -> dict[str, str]:
    return {
        "from_on": phrases.say(message_id("First day")),
        "to_on": phrases.say(message_id("Last day or cut-off day")),
        "state": phrases.say(message_id("State of the data")),
        "precision": phrases.say(message_id("How exact")),
        "source": phrases.say(message_id("Source")),
        "reason": phrases.say(message_id("Why numbers differ from those delivered before")),
    }


def _options(named: Mapping[str, str], phrases: Phrases) -> list[tuple[str, str]]:
    return [(code, phrases.say(words)) for code, words in named.items()]


def _show(request: Request, template: str, status: int = HTTPStatus.OK, **context: Any) -> Response:
    pages = request.app.state.pages
    assert isinstance(pages, Pages)
    answer = pages.show(request, template, status=status, **context)
    answer.headers["Vary"] = "Accept-Language, Cookie"
    return answer
