"""Doors for editions: freezing, reading what was frozen to the byte, and withdrawing."""

import asyncio
from http import HTTPStatus
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Body, Path, Request, Response
from pydantic import BaseModel

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
from reporting.api.edition_examples import EDITIONS, WITHDRAWALS
from reporting.commands.editions import EditionForm, WithdrawalForm, WithdrawEdition
from reporting.editions.freezing import edition_id_of, freezing
from reporting.editions.reading import as_archive, get_edition, get_file, read_files, read_manifest
from reporting.editions.rendering import KINDS, Kind
from reporting.editions.restatement import Restatement
from reporting.editions.restatement_files import restatement_csv, restatement_workbook
from verbund.service.orders import OrderForm, answer_response
from verbund.service.pages.formats import TIME_ZONE
from verbund.service.permissions import permit
from verbund.service.words import language_of

_KEPT = {"Cache-Control": "private, max-age=31536000, immutable"}
"""What was frozen never changes; only who may see it may keep it."""

FileKind = Literal["json", "csv", "csv_de", "xlsx", "xlsx_en", "jsonstat", "jsonstat_en"]
QuestionNumber = Annotated[str, Path(pattern=r"^[1-9][0-9]{0,3}$", examples=["1"], description="From 1 on.")]
_FILES: dict[int | str, dict[str, Any]] = {200: {"content": {kind.media_type: {} for kind in KINDS.values()}}}
_NOT_THERE: dict[int | str, dict[str, Any]] = {404: {"description": "There is none, or not for this audience"}}


class FrozenReceipt(BaseModel):
    """Under which number and hash an edition was booked."""

    edition_id: str
    number: int
    sha256: str
    files: int


class WithdrawnReceipt(BaseModel):
    """Under which number a withdrawal was booked."""

    edition_id: str
    number: int


router = APIRouter(tags=["editions"], responses=_NOT_THERE)


@router.post(
    "/editions",
    status_code=HTTPStatus.CREATED,
    response_model=FrozenReceipt,
    summary="Freeze an edition",
    dependencies=[permit(FREEZE)],
    responses={
        403: {"description": "More than this audience, or whoever freezes, may see"},
        409: {"description": "Does not fit what is booked"},
        422: {"description": "A question cannot be asked so; `errors` points at it"},
    },
)
async def freeze_edition(
    body: Annotated[EditionForm, Body(openapi_examples=EDITIONS)],
    form: OrderForm,
    desk: ReportingDesk,
    books: Books,
    image: AskedImage,
    catalogue: AskedCatalogue,
    own: AskingAudience,
) -> Response:
    """All questions are answered from one moment, as the audience may see them, and kept as they were rendered."""
    edition_id = edition_id_of(form.order(None))
    command = await freezing(edition_id, body, own, image, catalogue, books)
    return answer_response(await desk.carry_out(form.order(command)))


@router.post(
    "/editions/{edition_id}/withdrawals",
    status_code=HTTPStatus.CREATED,
    response_model=WithdrawnReceipt,
    summary="Withdraw an edition",
    dependencies=[permit(FREEZE)],
    responses={409: {"description": "It is withdrawn already"}, 412: {"description": "Changed since (`If-Match`)"}},
)
async def withdraw_edition(
    edition_id: EditionPath,
    body: Annotated[WithdrawalForm, Body(openapi_examples=WITHDRAWALS)],
    form: OrderForm,
    desk: ReportingDesk,
    own: AskingAudience,
) -> Response:
    """It is marked and not removed: what was shown stays known, and its addresses still answer."""
    command = WithdrawEdition(edition_id, body, own.value)
    return answer_response(await desk.carry_out(form.order(command)))


@router.get(
    "/editions/{edition_id}/manifest",
    summary="The manifest of an edition, to the byte",
    response_class=Response,
    responses={200: {"content": {"application/json": {}}}},
    dependencies=[permit(READ_EDITIONS)],
)
async def read_edition_manifest(
    request: Request, edition_id: EditionPath, books: Books, catalogue: AskedCatalogue, own: AskingAudience
) -> Response:
    """Canonical bytes (RFC 8785); their SHA-256 is the edition's hash, and stands in the office's book."""
    edition = await get_edition(books, catalogue.city.municipality, edition_id, own)
    body = await read_manifest(books, catalogue.city.municipality, edition_id)
    return _kept(request, body, edition.sha256, "application/json", f"edition_{edition.number}_manifest.json")


@router.get(
    "/editions/{edition_id}/figures/{number}.{kind}",
    summary="One answer of an edition as a file",
    response_class=Response,
    responses=_FILES,
    dependencies=[permit(READ_EDITIONS)],
)
async def read_edition_file(
    request: Request,
    edition_id: EditionPath,
    number: QuestionNumber,
    kind: FileKind,
    books: Books,
    catalogue: AskedCatalogue,
    own: AskingAudience,
) -> Response:
    """The very bytes that were rendered when it was frozen, whoever asks in whichever language."""
    return await _file(request, edition_id, number, kind, books, catalogue.city.municipality, own)


@router.get(
    "/editions/{edition_id}/figures/{number}",
    summary="One answer of an edition",
    response_class=Response,
    responses={200: {"content": {"application/json": {}}}},
    dependencies=[permit(READ_EDITIONS)],
)
async def read_edition_figures(
    request: Request,
    edition_id: EditionPath,
    number: QuestionNumber,
    books: Books,
    catalogue: AskedCatalogue,
    own: AskingAudience,
) -> Response:
    """As `GET /figures/{indicator_id}` answered at the moment of freezing."""
    return await _file(request, edition_id, number, "json", books, catalogue.city.municipality, own)


@router.get(
    "/editions/{edition_id}.zip",
    summary="An edition whole: its manifest and all of its files",
    response_class=Response,
    responses={200: {"content": {"application/zip": {}}}},
    dependencies=[permit(READ_EDITIONS)],
)
async def read_edition_archive(
    request: Request, edition_id: EditionPath, books: Books, catalogue: AskedCatalogue, own: AskingAudience
) -> Response:
    """Always the same bytes."""
    municipality = catalogue.city.municipality
    edition = await get_edition(books, municipality, edition_id, own)
    manifest = await read_manifest(books, municipality, edition_id)
    body = await asyncio.to_thread(as_archive, manifest, await read_files(books, municipality, edition_id))
    name = f"edition_{edition.number}_{edition.frozen_at:%Y-%m-%d}.zip"
    return _kept(request, body, f"zip-{edition.sha256}", "application/zip", name)


@router.get(
    "/editions/{edition_id}/restatement.csv",
    summary="A restatement as a table (CSV)",
    response_class=Response,
    responses={200: {"content": {"text/csv": {}}}, 422: {"description": "These two cannot be compared"}},
    dependencies=[permit(READ_EDITIONS)],
)
async def read_restatement_table(found: Restated) -> Response:
    """A line for each cell that changed, came or went."""
    return _made(found, await asyncio.to_thread(restatement_csv, found), KINDS["csv"])


@router.get(
    "/editions/{edition_id}/restatement.xlsx",
    summary="A restatement as a workbook, in the language of whoever asks",
    response_class=Response,
    responses={
        200: {"content": {KINDS["xlsx"].media_type: {}}},
        422: {"description": "These two cannot be compared"},
    },
    dependencies=[permit(READ_EDITIONS)],
)
async def read_restatement_workbook(request: Request, found: Restated) -> Response:
    """What changed and why; and what only one of the two knows."""
    body = await asyncio.to_thread(restatement_workbook, found, language_of(request))
    return _made(found, body, KINDS["xlsx"])


def _made(found: Restatement, body: bytes, kind: Kind) -> Response:
    against = "now" if found.against is None else str(found.against.number)
    day = f"{found.against_at.astimezone(TIME_ZONE):%Y-%m-%d}"
    name = f"restatement_{found.edition.number}_against_{against}_{day}.{kind.suffix.rpartition('.')[2]}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(body, media_type=kind.media_type, headers=headers)


async def _file(
    request: Request, edition_id: str, number: str, kind: FileKind, books: Books, municipality: str, own: AskingAudience
) -> Response:
    await get_edition(books, municipality, edition_id, own)
    file = await get_file(books, municipality, edition_id, int(number), kind)
    return _kept(request, file.body, file.sha256, KINDS[kind].media_type, file.name)


def _kept(request: Request, body: bytes, tag: str, media_type: str, name: str) -> Response:
    """What never changes: kept as long as a browser likes, and not sent again to whoever has it."""
    headers = {**_KEPT, "ETag": f'"{tag}"', "Content-Disposition": f'attachment; filename="{name}"'}
    asked = {each.strip().removeprefix("W/") for each in request.headers.get("if-none-match", "").split(",")}
    if f'"{tag}"' in asked:
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    return Response(body, media_type=media_type, headers=headers)
