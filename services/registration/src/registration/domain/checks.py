"""Rules about one booking by itself: its codes, its days, and what has to be said with it."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import assert_never

from registration.commands import ResidenceForm
from registration.domain.bookings import (
    Booking,
    Clarification,
    Deregistration,
    Doubt,
    KindChange,
    Move,
    NationalityChange,
    Registration,
)
from registration.domain.lists import Lists
from registration.domain.rules import days
from verbund.errors import RuleBroken
from verbund.events.registration import LandlordConfirmation, Sex

Pointers = Callable[[str], str]
"""From the name of a field of a booking to the JSON pointer of the field that said it."""

EARLIEST_BIRTH_YEAR = 1880  # as `BirthYear` of the events: nobody alive was born before


def check_booking(booking: Booking, lists: Lists, today: date, pointers: Pointers) -> None:
    """Refuse codes that no list has, days in the future, and what is missing; raises `RuleBroken`."""
    match booking:
        case Registration():
            _check_day(booking.effective_on, today, pointers)
            _check_area(booking.area, lists, pointers)
            _check_nationality(booking.nationality, lists, pointers)
            _check_previous_place(booking, lists, pointers)
            if booking.arrival_kind not in ("birth", "opening"):
                check_confirmation(booking.landlord_confirmation, pointers)
        case Move():
            _check_day(booking.effective_on, today, pointers)
            _check_area(booking.area, lists, pointers)
        case Deregistration():
            ahead = days("deregistration_ahead", today) if booking.reason == "abroad" else 0
            _check_day(booking.effective_on - timedelta(days=ahead), today, pointers)
        case NationalityChange():
            _check_day(booking.effective_on, today, pointers)
            _check_nationality(booking.nationality, lists, pointers)
        case KindChange() | Doubt() | Clarification():
            _check_day(booking.effective_on, today, pointers)
        case _:
            assert_never(booking)


def check_birth_date(birth_date: date, today: date, pointer: str) -> None:
    """Refuse a day of birth that cannot be."""
    if birth_date > today or birth_date.year < EARLIEST_BIRTH_YEAR:
        raise RuleBroken("impossible_birth_date", "Nobody living was born on this day. Check it.", pointer=pointer)


def check_new_person(form: ResidenceForm, today: date) -> tuple[date, Sex]:
    """Day of birth and sex of a person whom the office did not know; raises `RuleBroken` where something is missing."""
    for field in ("family_name", "given_names", "birth_date", "sex"):
        if getattr(form, field) is None:
            raise RuleBroken("missing", "Fill in this field.", pointer=f"/{field}")
    if form.birth_date is None or form.sex is None:
        raise AssertionError("checked above")
    check_birth_date(form.birth_date, today, "/birth_date")
    return form.birth_date, form.sex


def check_birth_and_moving_in(form: ResidenceForm) -> None:
    """Nobody moves in before they are born, and who is born here moved in on that day."""
    if form.birth_date is None:
        return
    if form.moved_in_on < form.birth_date:
        raise RuleBroken(
            "before_birth",
            "This day lies before the birth. Check the day and the day of birth.",
            pointer="/moved_in_on",
        )
    if form.arrival_kind == "birth" and form.moved_in_on != form.birth_date:
        raise RuleBroken(
            "birth_on_another_day",
            "A birth is registered from the day of birth on. Check both days.",
            pointer="/moved_in_on",
        )


def check_confirmation(confirmation: LandlordConfirmation | None, pointers: Pointers) -> LandlordConfirmation:
    """§ 19 BMG: the office asks for the confirmation of who provides the dwelling, and books that it is missing."""
    if confirmation is None:
        raise RuleBroken(
            "landlord_confirmation_not_stated",
            "Say whether the landlord's confirmation is present, missing or refused.",
            pointer=pointers("landlord_confirmation"),
        )
    return confirmation


def _check_day(on: date, today: date, pointers: Pointers) -> None:
    if on > today:
        raise RuleBroken(
            "day_in_future", "This day lies in the future. Book it when it has come.", pointer=pointers("effective_on")
        )


def _check_area(area: str, lists: Lists, pointers: Pointers) -> None:
    if area not in lists.areas:
        raise RuleBroken(
            "unknown_area",
            "There is no such area. Choose one from the list, or “unplaced”.",
            pointer=pointers("area"),
        )


def _check_nationality(nationality: str, lists: Lists, pointers: Pointers) -> None:
    if nationality not in lists.nationalities:
        raise RuleBroken(
            "unknown_nationality",
            "There is no such nationality. Choose one from the list.",
            pointer=pointers("nationality"),
        )


def _check_previous_place(booking: Registration, lists: Lists, pointers: Pointers) -> None:
    """The previous place fits what was said of the arrival: a state, a municipality, or none."""
    state, municipality = booking.previous_state, booking.previous_municipality
    if booking.arrival_kind == "abroad":
        if state is None:
            raise RuleBroken("missing", "Fill in this field.", pointer=pointers("previous_state"))
        if state not in lists.states:
            raise RuleBroken(
                "unknown_state",
                "There is no such state abroad. Choose one from the list.",
                pointer=pointers("previous_state"),
            )
    elif state is not None:
        raise _not_asked(pointers("previous_state"))
    if booking.arrival_kind == "other_municipality":
        if municipality is None:
            raise RuleBroken("missing", "Fill in this field.", pointer=pointers("previous_municipality"))
        if municipality == lists.municipality:
            raise RuleBroken(
                "own_municipality",
                "This is our own municipality. Book a move instead.",
                pointer=pointers("previous_municipality"),
            )
    elif municipality is not None:
        raise _not_asked(pointers("previous_municipality"))


def _not_asked(pointer: str) -> RuleBroken:
    return RuleBroken("not_asked", "This does not fit the kind of arrival. Leave it empty.", pointer=pointer)
