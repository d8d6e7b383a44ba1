"""What a clerk sees of a resident: their residences as they stand, and what was booked about one of them."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Literal

from registration.domain.bookings import (
    Booking,
    Correction,
    Deregistration,
    NationalityChange,
    Registration,
    Resident,
    life_of,
)
from registration.domain.doubts import fold_doubts
from registration.domain.history import fold
from registration.domain.states import State
from verbund.events.registration import AreaCode, NationalityKey, ResidenceKind

Status = Literal[State, "cancelled"]


@dataclass(frozen=True, slots=True)
class Residence:
    """One residence with its latest facts; of a cancelled one, those it was first booked with."""

    residence_id: str
    status: Status
    residence_kind: ResidenceKind
    area: AreaCode
    nationality: NationalityKey
    since: date
    until: date | None
    """The first day without the residence; None while it is open."""
    doubted_on: date | None
    """From when on the office doubts that the resident lives there; None where it does not."""


@dataclass(frozen=True, slots=True)
class Line:
    """One booking in the time line of a residence."""

    booked: Booking | Correction
    """As it was booked."""
    holds: Booking | None
    """With its true values; None where it was cancelled, and for corrections."""


def residences_of(resident: Resident) -> Iterator[Residence]:
    """All residences of a resident, in order of booking."""
    life = life_of(resident)
    latest, doubts = fold(resident.resident_id, life).latest, fold_doubts(life.bookings)
    began = {booking.residence_id: booking for booking in life.bookings if isinstance(booking, Registration)}
    ended = {booking.residence_id: booking for booking in life.bookings if isinstance(booking, Deregistration)}
    death = next((booking for booking in ended.values() if booking.reason == "death"), None)
    for entry in resident.entries:
        if not isinstance(entry, Registration):
            continue
        residence_id = entry.residence_id
        if residence_id not in began:
            yield Residence(
                residence_id,
                "cancelled",
                entry.residence_kind,
                entry.area,
                entry.nationality,
                entry.effective_on,
                entry.effective_on,
                None,
            )
            continue
        facts, end, doubt = latest[residence_id], ended.get(residence_id, death), doubts.open.get(residence_id)
        yield Residence(
            residence_id,
            doubts.state(residence_id),
            facts.residence_kind,
            facts.area,
            facts.nationality,
            began[residence_id].effective_on,
            end.effective_on if end else None,
            doubt.effective_on if doubt else None,
        )


def time_line(resident: Resident, residence_id: str) -> Iterator[Line]:
    """What was booked about a residence, in order of booking; changes of nationality stand in every time line."""
    holding = {booking.booking_id: booking for booking in life_of(resident).bookings}
    for entry in resident.entries:
        behind = resident.booking_behind(entry)
        if behind.residence_id == residence_id or isinstance(behind, NationalityChange):
            yield Line(entry, holding.get(entry.booking_id))


def get_residence(resident: Resident, residence_id: str) -> Residence:
    """One residence of a resident; raises `LookupError` where it is none of theirs."""
    for residence in residences_of(resident):
        if residence.residence_id == residence_id:
            return residence
    raise LookupError("the resident has no such residence")
