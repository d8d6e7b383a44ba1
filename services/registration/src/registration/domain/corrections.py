"""Correcting what was booked: from the day on which it was so, as if it had been booked rightly at once."""

from datetime import date
from typing import Any

from registration.commands import CorrectRegistration, TrueValues
from registration.domain.bookings import Booking, Correction, Entry, Resident, is_cancelled, life_of
from registration.domain.checks import check_birth_date, check_booking
from registration.domain.evolution import evolve
from registration.domain.lists import Lists
from registration.domain.refusals import CORRECT
from registration.domain.trials import Booked, Trial, booked, try_out
from verbund.errors import NotFound, NotNow, RuleBroken
from verbund.events.registration import Amendment, RegistrationCorrected
from verbund.events.transitions import Cause


def correct(resident: Resident, command: CorrectRegistration, today: date, lists: Lists) -> Booked:
    """The correction of a booking of this residence, or of a correction of one."""
    form = command.form
    entry = resident.find_entry(form.booking_id)
    behind = resident.booking_behind(entry) if entry is not None else None
    if entry is None or behind is None or behind.residence_id != command.residence_id:
        raise NotFound("no_such_booking", "This residence has no such booking.")
    if is_cancelled(resident, entry):
        raise NotNow(
            "booking_cancelled",
            "This booking was cancelled. If that is wrong, cancel the cancellation.",
            allowed=CORRECT,
            pointer="/booking_id",
        )
    amendment = None if form.amendment is None else _amendment(behind, entry, form.amendment, today)
    data = RegistrationCorrected(
        booking_id=command.booking_id,
        booked_on=today,
        transitions=(),
        corrected_booking_id=form.booking_id,
        reason=form.reason,
        amendment=amendment,
    )
    _check_corrected_bookings(resident, data, form.amendment, lists, today)
    day = "/booking_id" if amendment is None else "/amendment/effective_on"
    trial = try_out(resident, resident.resident_id, data, day, behind.booking_id, lists)
    if form.amendment is not None and form.amendment.nationality is not None:
        _check_nationality_is_heard(behind, trial)
    return booked(resident.resident_id, data, trial, _cause(data))


def _cause(data: RegistrationCorrected) -> Cause:
    return "cancelled" if data.amendment is None else f"corrected:{data.reason}"


def _amendment(behind: Booking, entry: Entry, values: TrueValues, today: date) -> Amendment:
    """The facts among the true values; raises `RuleBroken` for a field that the booking does not have."""
    stated = values.stated()
    facts: dict[str, Any] = {name: value for name, value in stated.items() if name not in TrueValues.VAULT_ONLY}
    if not stated or (not facts and isinstance(entry, Correction)):
        raise RuleBroken("nothing_stated", "Enter what is true instead, or cancel the booking.", pointer="/amendment")
    birth_date = facts.pop("birth_date", None)
    if birth_date is not None:
        check_birth_date(birth_date, today, "/amendment/birth_date")
        facts["birth_year"] = birth_date.year
    for name in facts.keys() - behind.amendable:
        raise RuleBroken(
            "not_in_this_booking",
            "The booking has no such entry. Choose the booking that has it.",
            pointer=f"/amendment/{'birth_date' if name == 'birth_year' else name}",
        )
    if facts.get("arrival_kind") == "opening":
        raise RuleBroken(
            "only_in_initial_load",
            "Only the initial load books what was there when the office began.",
            pointer="/amendment/arrival_kind",
        )
    return Amendment(**facts)


def _check_corrected_bookings(
    resident: Resident, data: RegistrationCorrected, values: TrueValues | None, lists: Lists, today: date
) -> None:
    """A corrected booking obeys the rules of any booking, and a correction does correct something."""
    before = life_of(resident)
    after = life_of(evolve(resident, resident.resident_id, data))
    only_vault = values is not None and not (values.stated().keys() - TrueValues.VAULT_ONLY)
    if before == after and not only_vault:
        raise _changes_nothing()
    known = set(before.bookings)
    for booking in after.bookings:
        if booking not in known:
            check_booking(booking, lists, today, lambda field: f"/amendment/{field}")


def _check_nationality_is_heard(booking: Booking, trial: Trial) -> None:
    if booking.booking_id in trial.with_it.history.unheard:
        raise RuleBroken(
            "nationality_told_elsewhere",
            "At this registration the resident already had another residence here. "
            "Correct the nationality where it was told first.",
            pointer="/amendment/nationality",
        )


def _changes_nothing() -> RuleBroken:
    return RuleBroken(
        "changes_nothing", "This is what the booking says already. Enter what is true instead.", pointer="/amendment"
    )
