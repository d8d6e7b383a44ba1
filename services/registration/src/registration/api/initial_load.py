"""The initial load: what the office knew before it began to book here, line by line, as of when it knew it."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any, NamedTuple

from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from registration.access import LOAD, RegistrationDesk
from registration.api.examples import FROM_ABROAD
from registration.commands import (
    ChangeNationality,
    ChangeResidenceKind,
    ClarificationForm,
    ClarifyAddress,
    Command,
    CorrectionForm,
    CorrectRegistration,
    DeregisterResidence,
    DeregistrationForm,
    DoubtAddress,
    DoubtForm,
    Form,
    MoveForm,
    MoveResidence,
    NationalityForm,
    Pseudonym,
    RegisterResidence,
    ResidenceForm,
    ResidenceKindForm,
    new_pseudonym,
)
from registration.domain.states import CommandName
from verbund.desk.orders import Answer, CloseInitialLoad
from verbund.errors import Problem, Unavailable
from verbund.service.orders import FilledForm, OrderForm, answer_response
from verbund.service.permissions import permit
from verbund.service.problems import Invalid, WrongContent, findings_of, problem_of
from verbund.service.strict_json import read_json
from verbund.service.words import Words, language_of, words_for

NDJSON = "application/x-ndjson"
_TOGETHER = 250  # lines that wait at the desk at once; they go into one transaction

router = APIRouter(tags=["initial load"], dependencies=[permit(LOAD)])


_ABOUT_A_RESIDENCE: Mapping[CommandName, tuple[Callable[..., Command], type[Form]]] = {
    "MoveResidence": (MoveResidence, MoveForm),
    "DeregisterResidence": (DeregisterResidence, DeregistrationForm),
    "ChangeNationality": (ChangeNationality, NationalityForm),
    "ChangeResidenceKind": (ChangeResidenceKind, ResidenceKindForm),
    "DoubtAddress": (DoubtAddress, DoubtForm),
    "ClarifyAddress": (ClarifyAddress, ClarificationForm),
    "CorrectRegistration": (CorrectRegistration, CorrectionForm),
}


class _Row(BaseModel):
    """What every line says beside the fields of its form."""

    model_config = ConfigDict(extra="allow")

    command: CommandName
    recorded_at: Annotated[AwareDatetime, Field(strict=True)]  # a number is no moment that somebody wrote down
    residence_id: Pseudonym | None = None


class _Line(NamedTuple):
    number: int
    """In the upload, from 1."""
    body: bytes


_EXAMPLE = {
    "command": "RegisterResidence",
    "recorded_at": "2018-11-12T09:10:00Z",
    "residence_id": "8d6f2f0a-5a0e-4a53-9f0e-0d7a6a1f3b11",
    **FROM_ABROAD,
}
_UPLOAD = {
    "requestBody": {
        "required": True,
        "content": {NDJSON: {"schema": {"type": "string"}, "example": json.dumps(_EXAMPLE, ensure_ascii=False) + "\n"}},
    }
}


@router.post(
    "/initial-load/bookings",
    summary="Book many lines, each at the time when it was known",
    openapi_extra=_UPLOAD,
    response_class=Response,
    responses={200: {"content": {NDJSON: {}}, "description": "One result per line, in order"}},
)
async def load_bookings(request: Request, form: OrderForm, desk: RegistrationDesk) -> StreamingResponse:
    """Lines in order of `recorded_at`. A line that is refused says why, and the others go on.

    Each line has an idempotency key of its own, `<Idempotency-Key>:<number of the line>`: an upload that broke off is
    sent again whole, and nothing is booked twice. Where the office cannot go on, the lines after are not booked
    (status 503) and can be sent again in the same way.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != NDJSON:
        raise WrongContent("content_type_wrong", "Send the body as {content_type}.", content_type=NDJSON)
    lines = [_Line(number, body) for number, body in enumerate((await request.body()).splitlines(), start=1)]
    results = _book(lines, form, desk, request)
    return StreamingResponse(results, media_type=NDJSON)


class InitialLoad(BaseModel):
    """Whether the office still takes in what there was before it began."""

    closed_at: datetime | None
    """Null while the load is open: until then nothing else is booked."""


@router.get("/initial-load", summary="Whether the initial load is closed")
async def get_initial_load(desk: RegistrationDesk) -> InitialLoad:
    """The state of the initial load; a loader that comes back asks here whether anything is left to do."""
    return InitialLoad(closed_at=await desk.initial_load_closed_at())


@router.post("/initial-load/closing", status_code=HTTPStatus.CREATED, summary="End the initial load")
async def close_initial_load(form: OrderForm, desk: RegistrationDesk) -> Response:
    """From here on the office books in real time, and nobody says any more when it knew something."""
    return answer_response(await desk.carry_out(form.order(CloseInitialLoad())))


async def _book(
    lines: Sequence[_Line], form: FilledForm, desk: RegistrationDesk, request: Request
) -> AsyncIterator[bytes]:
    """The results of the lines, in order. Lines go to the desk together, and on only when all of them are answered."""
    words = words_for(language_of(request))
    stopped: Problem | None = None
    for start in range(0, len(lines), _TOGETHER):
        together = lines[start : start + _TOGETHER]
        if stopped is None:
            outcomes: Sequence[Answer | BaseException] = await asyncio.gather(
                *(_book_line(line, form, desk) for line in together), return_exceptions=True
            )
            stopped = next((outcome for outcome in outcomes if isinstance(outcome, Unavailable)), None)
        else:
            # A later line must not be booked before an earlier one: the office's knowledge only grows.
            outcomes = [stopped] * len(together)
        results = (_result(line, outcome, words, request) for line, outcome in zip(together, outcomes, strict=True))
        yield b"".join(json.dumps(result, ensure_ascii=False).encode() + b"\n" for result in results)


async def _book_line(line: _Line, form: FilledForm, desk: RegistrationDesk) -> Answer:
    command, recorded_at = read_row(line.body)
    return await desk.carry_out(form.line(line.number, line.body).order(command, recorded_at))


def read_row(body: bytes) -> tuple[Command, datetime]:
    """The command in one line, and when the office knew it; raises `Problem`."""
    try:
        read_json(body)  # for its refusals only: in JSON a day is a text, which the models know of the bytes alone
        row = _Row.model_validate_json(body)
        command = _command(row, row.model_extra or {})
    except (ValueError, RecursionError) as error:
        if isinstance(error, ValidationError) and error.errors()[0]["type"] != "json_invalid":
            findings = findings_of(error)
            raise Invalid("invalid", "Some fields are missing or not right.", findings=findings) from error
        raise Problem("json_malformed", "The line is not well-formed JSON (RFC 8259).") from error
    return command, row.recorded_at


def _command(row: _Row, fields: dict[str, Any]) -> Command:
    if row.command == "RegisterResidence":
        form = ResidenceForm.model_validate(fields)
        return RegisterResidence(
            form=form,
            residence_id=row.residence_id or new_pseudonym(),
            resident_id=form.resident_id or new_pseudonym(),
            phase="initial_load",
        )
    if row.residence_id is None:
        raise Problem("residence_id_missing", "Say which residence this is about (residence_id).")
    command, form_of = _ABOUT_A_RESIDENCE[row.command]
    return command(form=form_of.model_validate(fields), residence_id=row.residence_id)


def _result(line: _Line, outcome: Answer | BaseException, words: Words, request: Request) -> dict[str, object]:
    if isinstance(outcome, Answer):
        return {"line": line.number, "status": outcome.status, **outcome.receipt}
    if not isinstance(outcome, Exception):
        raise outcome
    problem = problem_of(outcome, request)
    return {
        "line": line.number,
        "status": int(problem.status),
        "code": problem.code,
        "detail": words.say(problem.message, problem.values),
        "errors": [
            {"pointer": finding.pointer, "code": finding.code, "detail": words.say(finding.message, finding.values)}
            for finding in problem.findings
        ],
    }
