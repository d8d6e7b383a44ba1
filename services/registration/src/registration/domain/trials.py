"""Trying an event out on a resident's history: is it possible, and what does it change in what is counted."""

from datetime import date, datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from registration.domain.bookings import Booking, Clarification, Doubt, Life, Resident, life_of
from registration.domain.doubts import Doubts, difference_of_doubts, fold_doubts
from registration.domain.evolution import evolve
from registration.domain.history import History, Impossible, difference, fold, in_order
from registration.domain.lists import Lists
from registration.domain.refusals import refusal
from registration.domain.rules import inquired_until
from registration.domain.states import State
from verbund.events.registration import (
    AddressConfirmed,
    AddressDoubted,
    NationalityChanged,
    RegistrationCorrected,
    ResidenceDeregistered,
    ResidenceKindChanged,
    ResidenceMoved,
    ResidenceRegistered,
)
from verbund.events.transitions import Cause

BERLIN = ZoneInfo("Europe/Berlin")
NOBODY = Life(0, "unknown", ())

BookedData = (
    ResidenceRegistered
    | ResidenceMoved
    | ResidenceDeregistered
    | NationalityChanged
    | ResidenceKindChanged
    | AddressDoubted
    | AddressConfirmed
    | RegistrationCorrected
)


class Booked(NamedTuple):
    """An event about a resident, to be appended to the office's book."""

    subject: str
    """The resident's pseudonym."""
    data: BookedData


class Told(NamedTuple):
    """What holds of a resident, and what it changes in what is counted."""

    life: Life
    history: History
    doubts: Doubts


class Trial(NamedTuple):
    """A resident without and with an event."""

    without: Told
    with_it: Told


def day_of(at: datetime) -> date:
    """The office's day at this instant."""
    return at.astimezone(BERLIN).date()


def try_out(
    resident: Resident | None, subject: str, data: BookedData, pointer: str, booking_id: str, lists: Lists
) -> Trial:
    """What is told with this event; raises what refuses it.

    `pointer`: the field that says when it was so. `booking_id`: the booking that the event makes or corrects.
    """
    without = tell(subject, NOBODY if resident is None else life_of(resident))
    try:
        with_it = tell(subject, life_of(evolve(resident, subject, data)))
        _check_inquiries(with_it.doubts, lists)
    except Impossible as impossible:
        state: State = "doubtful" if without.doubts.open else "registered"
        raise refusal(impossible, booking_id, pointer, state) from None
    return Trial(without, with_it)


def tell(subject: str, life: Life) -> Told:
    """What a life tells; raises `Impossible`."""
    return Told(life, fold(subject, life), fold_doubts(life.bookings))


def _check_inquiries(doubts: Doubts, lists: Lists) -> None:
    """§ 6 BMG: nobody is deregistered ex officio before the office has inquired for the set time."""
    for booking, doubted_on in doubts.ex_officio:
        until = inquired_until(doubted_on, lists.municipality)
        if booking.booked_on < until:
            raise Impossible("inquiry_running", booking, until=f"{until:%d.%m.%Y}")


def booked(subject: str, data: BookedData, trial: Trial, cause: Cause) -> Booked:
    """The event with what it changes in what is counted."""
    without, with_it = trial
    transitions = difference(without.history.changes, with_it.history.changes, cause)
    doubts = difference_of_doubts(without.doubts, with_it.doubts, cause)
    return Booked(subject, data.model_copy(update={"transitions": transitions, "doubts": doubts}))


def cause_of(booking: Booking, trial: Trial) -> Cause:
    """`late` for what was so before something that is booked already, `booked` otherwise."""
    if isinstance(booking, Doubt | Clarification):
        return "booked"  # the office's own matter, which waits for nobody
    place = in_order(booking)
    others = (other for other in trial.without.life.bookings if not isinstance(other, Doubt | Clarification))
    return "late" if any(in_order(other) > place for other in others) else "booked"
