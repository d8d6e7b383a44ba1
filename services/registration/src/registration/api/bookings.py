"""Booking: one route for each command of a clerk."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Body, Response
from pydantic import BaseModel, ConfigDict

from registration.access import BOOK, RegistrationDesk
from registration.api.examples import (
    CONFIRMATIONS,
    CORRECTIONS,
    DEREGISTRATIONS,
    DOUBTS,
    KIND_CHANGES,
    MOVES,
    NATIONALITY_CHANGES,
    REGISTRATIONS,
)
from registration.commands import (
    ChangeNationality,
    ChangeResidenceKind,
    ClarificationForm,
    ClarifyAddress,
    CorrectionForm,
    CorrectRegistration,
    DeregisterResidence,
    DeregistrationForm,
    DoubtAddress,
    DoubtForm,
    MoveForm,
    MoveResidence,
    NationalityForm,
    Pseudonym,
    RegisterResidence,
    ResidenceForm,
    ResidenceKindForm,
    new_pseudonym,
)
from verbund.service.orders import OrderForm, answer_response
from verbund.service.permissions import permit


class Receipt(BaseModel):
    """Under which numbers something was booked."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "residence_id": "8d6f2f0a-5a0e-4a53-9f0e-0d7a6a1f3b11",
                "resident_id": "1b1f4c62-6a9e-4a4b-8c1d-7d3f0f6f2c22",
                "booking_id": "c0a8012e-0b56-4f7e-9a52-2f6c1f5b9d33",
                "number": 80412,
            }
        }
    )

    residence_id: str
    resident_id: str
    booking_id: str
    """Corrections name it."""
    number: int
    """In the office's book."""


router = APIRouter(
    tags=["bookings"],
    dependencies=[permit(BOOK)],
    responses={
        409: {"description": "Does not fit what is booked; `allowed` names the commands that would"},
        412: {"description": "Changed since the caller looked (`If-Match`)"},
        422: {"description": "A rule of the office refuses it; `errors` points at the fields"},
    },
)


@router.post(
    "/residences",
    status_code=HTTPStatus.CREATED,
    response_model=Receipt,
    summary="Register a residence",
    responses={404: {"description": "The office knows nobody under this `resident_id`"}},
)
async def register_residence(
    body: Annotated[ResidenceForm, Body(openapi_examples=REGISTRATIONS)], form: OrderForm, desk: RegistrationDesk
) -> Response:
    """Anmeldung (§ 17 (1) BMG) of somebody new, or, with `resident_id`, of somebody whom the office knows."""
    command = RegisterResidence(form=body, resident_id=body.resident_id or new_pseudonym())
    return answer_response(await desk.carry_out(form.order(command)))


@router.post(
    "/residences/{residence_id}/moves",
    status_code=HTTPStatus.CREATED,
    response_model=Receipt,
    summary="Move within the municipality",
)
async def move_residence(
    residence_id: Pseudonym,
    body: Annotated[MoveForm, Body(openapi_examples=MOVES)],
    form: OrderForm,
    desk: RegistrationDesk,
) -> Response:
    """Ummeldung (§ 17 (1) BMG)."""
    command = MoveResidence(form=body, residence_id=residence_id)
    return answer_response(await desk.carry_out(form.order(command)))


@router.post(
    "/residences/{residence_id}/deregistrations",
    status_code=HTTPStatus.CREATED,
    response_model=Receipt,
    summary="Deregister a residence",
)
async def deregister_residence(
    residence_id: Pseudonym,
    body: Annotated[DeregistrationForm, Body(openapi_examples=DEREGISTRATIONS)],
    form: OrderForm,
    desk: RegistrationDesk,
) -> Response:
    """Abmeldung (§ 17 (2), § 33 BMG), ex officio after a doubt and its inquiry (§ 6 BMG), or a death, which ends all
    residences of the resident.
    """
    command = DeregisterResidence(form=body, residence_id=residence_id)
    return answer_response(await desk.carry_out(form.order(command)))


@router.post(
    "/residences/{residence_id}/nationality-changes",
    status_code=HTTPStatus.CREATED,
    response_model=Receipt,
    summary="Change the nationality of a resident",
)
async def change_nationality(
    residence_id: Pseudonym,
    body: Annotated[NationalityForm, Body(openapi_examples=NATIONALITY_CHANGES)],
    form: OrderForm,
    desk: RegistrationDesk,
) -> Response:
    """Naturalisation, loss or gain of a nationality; it holds for all residences of the resident."""
    command = ChangeNationality(form=body, residence_id=residence_id)
    return answer_response(await desk.carry_out(form.order(command)))


@router.post(
    "/residences/{residence_id}/kind-changes",
    status_code=HTTPStatus.CREATED,
    response_model=Receipt,
    summary="Change a main residence into a secondary one, or the other way round",
)
async def change_residence_kind(
    residence_id: Pseudonym,
    body: Annotated[ResidenceKindForm, Body(openapi_examples=KIND_CHANGES)],
    form: OrderForm,
    desk: RegistrationDesk,
) -> Response:
    """§ 22 BMG. Where two residences change places, the one that becomes secondary is booked first."""
    command = ChangeResidenceKind(form=body, residence_id=residence_id)
    return answer_response(await desk.carry_out(form.order(command)))


@router.post(
    "/residences/{residence_id}/doubts",
    status_code=HTTPStatus.CREATED,
    response_model=Receipt,
    summary="Doubt that somebody lives there",
)
async def doubt_address(
    residence_id: Pseudonym,
    body: Annotated[DoubtForm, Body(openapi_examples=DOUBTS)],
    form: OrderForm,
    desk: RegistrationDesk,
) -> Response:
    """§ 6 BMG: the inquiry begins. It ends with a confirmation, a move or a deregistration."""
    command = DoubtAddress(form=body, residence_id=residence_id)
    return answer_response(await desk.carry_out(form.order(command)))


@router.post(
    "/residences/{residence_id}/confirmations",
    status_code=HTTPStatus.CREATED,
    response_model=Receipt,
    summary="Confirm that somebody lives there",
)
async def clarify_address(
    residence_id: Pseudonym,
    body: Annotated[ClarificationForm, Body(openapi_examples=CONFIRMATIONS)],
    form: OrderForm,
    desk: RegistrationDesk,
) -> Response:
    """The inquiry found the resident at the address: the doubt is over."""
    command = ClarifyAddress(form=body, residence_id=residence_id)
    return answer_response(await desk.carry_out(form.order(command)))


@router.post(
    "/residences/{residence_id}/corrections",
    status_code=HTTPStatus.CREATED,
    response_model=Receipt,
    summary="Correct or cancel a booking",
)
async def correct_registration(
    residence_id: Pseudonym,
    body: Annotated[CorrectionForm, Body(openapi_examples=CORRECTIONS)],
    form: OrderForm,
    desk: RegistrationDesk,
) -> Response:
    """What is true instead of what was booked; `amendment: null` cancels the booking. Corrections can be corrected."""
    command = CorrectRegistration(form=body, residence_id=residence_id)
    return answer_response(await desk.carry_out(form.order(command)))
