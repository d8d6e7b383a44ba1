"""What the office books when it is asked: one event per command, or a refusal that says what to do."""

from datetime import date, datetime

from registration.commands import (
    ChangeNationality,
    ChangeResidenceKind,
    ClarifyAddress,
    Command,
    CorrectRegistration,
    DeregisterResidence,
    DoubtAddress,
    MoveResidence,
    RegisterResidence,
)
from registration.domain.bookings import Resident, life_of
from registration.domain.checks import (
    Pointers,
    check_birth_and_moving_in,
    check_booking,
    check_confirmation,
    check_new_person,
)
from registration.domain.corrections import correct
from registration.domain.evolution import booking_of
from registration.domain.lists import Lists
from registration.domain.rules import is_late
from registration.domain.trials import Booked, BookedData, booked, cause_of, day_of, try_out
from verbund.errors import NotFound, NotNow, RuleBroken
from verbund.events.registration import (
    AddressConfirmed,
    AddressDoubted,
    NationalityChanged,
    ResidenceDeregistered,
    ResidenceKindChanged,
    ResidenceMoved,
    ResidenceRegistered,
    Sex,
)


def decide(resident: Resident | None, command: Command, at: datetime, lists: Lists) -> Booked:
    """The event that carries out the command, known to the office since `at`.

    Raises `NotFound`, `RuleBroken` or `NotNow`; the same arguments always give the same event.
    """
    today = day_of(at)
    if isinstance(command, RegisterResidence):
        return _register(resident, command, today, lists)
    if resident is None:
        raise NotFound("no_such_residence", "There is no such residence.")
    match command:
        case MoveResidence():
            return _move(resident, command, today, lists)
        case DeregisterResidence():
            return _deregister(resident, command, today, lists)
        case ChangeNationality():
            return _change_nationality(resident, command, today, lists)
        case ChangeResidenceKind():
            return _change_residence_kind(resident, command, today, lists)
        case DoubtAddress():
            return _doubt(resident, command, today, lists)
        case ClarifyAddress():
            return _clarify(resident, command, today, lists)
        case CorrectRegistration():
            return correct(resident, command, today, lists)


def _register(resident: Resident | None, command: RegisterResidence, today: date, lists: Lists) -> Booked:
    form, initial = command.form, command.phase == "initial_load"
    if resident is None and form.resident_id is not None and not initial:
        raise NotFound("no_such_resident", "There is no such resident.")
    if form.arrival_kind == "opening" and not initial:
        raise RuleBroken(
            "only_in_initial_load",
            "Only the initial load books what was there when the office began.",
            pointer="/arrival_kind",
        )
    birth_year, sex = _person(resident, command, today)
    check_birth_and_moving_in(form)
    registers = form.arrival_kind not in ("birth", "opening")
    data = ResidenceRegistered(
        booking_id=command.booking_id,
        booked_on=today,
        transitions=(),
        residence_id=command.residence_id,
        moved_in_on=form.moved_in_on,
        area=form.area,
        residence_kind=form.residence_kind,
        nationality=form.nationality,
        birth_year=birth_year,
        sex=sex,
        arrival_kind=form.arrival_kind,
        previous_state=form.previous_state,
        previous_municipality=form.previous_municipality,
        landlord_confirmation=form.landlord_confirmation if registers else None,
        late=registers and is_late(form.moved_in_on, today),
        at_flagged_premises=False,  # the office has no list of flagged addresses yet
    )
    return _book(resident, command.resident_id, data, _pointers("moved_in_on"), today, lists)


def _person(resident: Resident | None, command: RegisterResidence, today: date) -> tuple[int, Sex]:
    """Birth year and sex of who registers; of somebody known, the form may repeat them and must not differ."""
    form = command.form
    if resident is None:
        birth_date, sex = check_new_person(form, today)
        return birth_date.year, sex
    if resident.resident_id != command.resident_id:
        raise NotNow("residence_exists", "This residence is registered already.", pointer="/residence_id")
    known = life_of(resident)
    if form.birth_date is not None and form.birth_date.year != known.birth_year:
        raise _differs("/birth_date")
    if form.sex is not None and form.sex != known.sex:
        raise _differs("/sex")
    return known.birth_year, known.sex


def _move(resident: Resident, command: MoveResidence, today: date, lists: Lists) -> Booked:
    form, pointers = command.form, _pointers("moved_on")
    data = ResidenceMoved(
        booking_id=command.booking_id,
        booked_on=today,
        transitions=(),
        residence_id=command.residence_id,
        moved_on=form.moved_on,
        area=form.area,
        landlord_confirmation=check_confirmation(form.landlord_confirmation, pointers),
        late=is_late(form.moved_on, today),
        at_flagged_premises=False,  # as above
    )
    return _book(resident, resident.resident_id, data, pointers, today, lists)


def _deregister(resident: Resident, command: DeregisterResidence, today: date, lists: Lists) -> Booked:
    data = ResidenceDeregistered(
        booking_id=command.booking_id,
        booked_on=today,
        transitions=(),
        residence_id=command.residence_id,
        deregistered_on=command.form.deregistered_on,
        reason=command.form.reason,
    )
    return _book(resident, resident.resident_id, data, _pointers("deregistered_on"), today, lists)


def _change_nationality(resident: Resident, command: ChangeNationality, today: date, lists: Lists) -> Booked:
    data = NationalityChanged(
        booking_id=command.booking_id,
        booked_on=today,
        transitions=(),
        residence_id=command.residence_id,
        changed_on=command.form.changed_on,
        nationality=command.form.nationality,
    )
    decided = _book(resident, resident.resident_id, data, _pointers("changed_on"), today, lists)
    if not decided.data.transitions:
        raise RuleBroken(
            "same_nationality", "The resident has this nationality on that day already.", pointer="/nationality"
        )
    return decided


def _change_residence_kind(resident: Resident, command: ChangeResidenceKind, today: date, lists: Lists) -> Booked:
    data = ResidenceKindChanged(
        booking_id=command.booking_id,
        booked_on=today,
        transitions=(),
        residence_id=command.residence_id,
        changed_on=command.form.changed_on,
        residence_kind=command.form.residence_kind,
    )
    return _book(resident, resident.resident_id, data, _pointers("changed_on"), today, lists)


def _doubt(resident: Resident, command: DoubtAddress, today: date, lists: Lists) -> Booked:
    data = AddressDoubted(
        booking_id=command.booking_id,
        booked_on=today,
        transitions=(),
        residence_id=command.residence_id,
        doubted_on=command.form.doubted_on,
        reason=command.form.doubt_reason,
    )
    return _book(resident, resident.resident_id, data, _pointers("doubted_on"), today, lists)


def _clarify(resident: Resident, command: ClarifyAddress, today: date, lists: Lists) -> Booked:
    data = AddressConfirmed(
        booking_id=command.booking_id,
        booked_on=today,
        transitions=(),
        residence_id=command.residence_id,
        confirmed_on=command.form.confirmed_on,
    )
    return _book(resident, resident.resident_id, data, _pointers("confirmed_on"), today, lists)


def _book(
    resident: Resident | None, subject: str, data: BookedData, pointers: Pointers, today: date, lists: Lists
) -> Booked:
    booking = booking_of(data)
    check_booking(booking, lists, today, pointers)
    trial = try_out(resident, subject, data, pointers("effective_on"), data.booking_id, lists)
    if trial.with_it.history.unheard - trial.without.history.unheard:
        raise _differs("/nationality")
    return booked(subject, data, trial, cause_of(booking, trial))


def _differs(pointer: str) -> RuleBroken:
    return RuleBroken(
        "differs_from_resident",
        "The office knows this resident with another entry here. Check it, or correct the first registration.",
        pointer=pointer,
    )


def _pointers(day: str) -> Pointers:
    """`day`: what the form calls the day on which it was so."""
    return lambda field: f"/{day}" if field == "effective_on" else f"/{field}"
