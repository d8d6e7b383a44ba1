"""Commands of clerks about one resident, filled in with what does not matter, and a history made of them."""

from datetime import UTC, date, datetime
from typing import Any

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
    MoveForm,
    MoveResidence,
    NationalityForm,
    RegisterResidence,
    ResidenceForm,
    ResidenceKindForm,
    TrueValues,
)
from registration.domain import Resident, decide, evolve, lists_of

LISTS = lists_of("05913000")
NOW = datetime(2019, 6, 1, 10, tzinfo=UTC)
HOME = "11111111-1111-4111-8111-111111111111"
SECOND = "22222222-2222-4222-8222-222222222222"
SOMEBODY = "33333333-3333-4333-8333-333333333333"
ADDRESS = {"street": "Musterstraße", "house_number": "1", "landlord_confirmation": "present"}


def booking(number: int) -> str:
    return f"{number:08x}-4444-4444-8444-444444444444"


def register(number: int = 1, residence_id: str = HOME, phase: Any = "daily_business", **fields: Any) -> Command:
    person = {"family_name": "Muster", "given_names": "Maria", "birth_date": date(1980, 1, 1), "sex": "f"}
    if "resident_id" in fields:
        person = {}
    form = {
        **person,
        "nationality": "154",
        "moved_in_on": date(2016, 3, 1),
        "area": "05",
        "arrival_kind": "unknown",
        **ADDRESS,
        **fields,
    }
    return RegisterResidence(
        form=ResidenceForm(**form),
        booking_id=booking(number),
        residence_id=residence_id,
        resident_id=SOMEBODY,
        phase=phase,
    )


def move(number: int, on: date, area: str = "04", residence_id: str = HOME, **fields: Any) -> Command:
    form = MoveForm(**{"moved_on": on, "area": area, **ADDRESS, **fields})
    return MoveResidence(form=form, booking_id=booking(number), residence_id=residence_id)


def deregister(number: int, on: date, reason: Any = "abroad", residence_id: str = HOME) -> Command:
    form = DeregistrationForm(deregistered_on=on, reason=reason)
    return DeregisterResidence(form=form, booking_id=booking(number), residence_id=residence_id)


def change(number: int, on: date, nationality: str = "000", residence_id: str = HOME) -> Command:
    form = NationalityForm(changed_on=on, nationality=nationality)
    return ChangeNationality(form=form, booking_id=booking(number), residence_id=residence_id)


def turn(number: int, on: date, kind: Any = "secondary", residence_id: str = HOME) -> Command:
    form = ResidenceKindForm(changed_on=on, residence_kind=kind)
    return ChangeResidenceKind(form=form, booking_id=booking(number), residence_id=residence_id)


def doubt(number: int, on: date, reason: Any = "returned_mail", residence_id: str = HOME) -> Command:
    form = DoubtForm(doubted_on=on, doubt_reason=reason)
    return DoubtAddress(form=form, booking_id=booking(number), residence_id=residence_id)


def confirm(number: int, on: date, residence_id: str = HOME) -> Command:
    form = ClarificationForm(confirmed_on=on)
    return ClarifyAddress(form=form, booking_id=booking(number), residence_id=residence_id)


def correct(number: int, corrected: int, residence_id: str = HOME, **values: Any) -> Command:
    form = CorrectionForm(booking_id=booking(corrected), reason="typing_error", amendment=TrueValues(**values))
    return CorrectRegistration(form=form, booking_id=booking(number), residence_id=residence_id)


def cancel(number: int, corrected: int, residence_id: str = HOME) -> Command:
    form = CorrectionForm(booking_id=booking(corrected), reason="booked_in_error", amendment=None)
    return CorrectRegistration(form=form, booking_id=booking(number), residence_id=residence_id)


def after(*commands: Command, at: datetime = NOW) -> Resident | None:
    resident: Resident | None = None
    for command in commands:
        resident = evolve(resident, *decide(resident, command, at, LISTS))
    return resident
