"""Trying an event out on a resident's history: is it possible, and what does it change in what is counted."""

from datetime import date, datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from registration.domain.bookings import Booking, Life, Resident, life_of
from registration.domain.evolution import evolve
from registration.domain.history import History, Impossible, difference, fold, in_order
from registration.domain.refusals import refusal
from verbund.events.registration import (
    NationalityChanged,
    RegistrationCorrected,
    ResidenceDeregistered,
    ResidenceMoved,
    ResidenceRegistered,
)
from verbund.events.transitions import Cause

BERLIN = ZoneInfo("Europe/Berlin")
NOBODY = (Life(0, "unknown", ()), History([], frozenset(), {}))

BookedData = ResidenceRegistered | ResidenceMoved | ResidenceDeregistered | NationalityChanged | RegistrationCorrected


class Booked(NamedTuple):
    """An event about a resident, to be appended to the office's book."""

    subject: str
    """The resident's pseudonym."""
    data: BookedData


class Trial(NamedTuple):
    """A resident's life and history without and with an event."""

    life: Life
    history: History
    life_with: Life
    history_with: History


def day_of(at: datetime) -> date:
    """The office's day at this instant."""
    return at.astimezone(BERLIN).date()


def try_out(resident: Resident | None, subject: str, data: BookedData, pointer: str, booking_id: str) -> Trial:
    """The history with this event in it; raises what refuses it.

    `pointer`: the field that says when it was so. `booking_id`: the booking that the event makes or corrects.
    """
    if resident is None:
        life, history = NOBODY
    else:
        life = life_of(resident)
        history = fold(subject, life)
    life_with = life_of(evolve(resident, subject, data))
    try:
        return Trial(life, history, life_with, fold(subject, life_with))
    except Impossible as impossible:
        raise refusal(impossible, booking_id, pointer) from None


def booked(subject: str, data: BookedData, trial: Trial, cause: Cause) -> Booked:
    """The event with what it changes in what is counted."""
    transitions = difference(trial.history.changes, trial.history_with.changes, cause)
    return Booked(subject, data.model_copy(update={"transitions": transitions}))


def cause_of(booking: Booking, trial: Trial) -> Cause:
    """`late` for what was so before something that is booked already, `booked` otherwise."""
    place = in_order(booking)
    return "late" if any(in_order(other) > place for other in trial.life.bookings) else "booked"
