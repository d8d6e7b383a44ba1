"""What has been booked about a resident: bookings, corrections of bookings, and which of it all holds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Annotated, Any, ClassVar, Literal, NamedTuple

from pydantic import Field

from verbund.events.registration import (
    Amendment,
    AreaCode,
    ArrivalKind,
    DepartureReason,
    DoubtReason,
    LandlordConfirmation,
    MunicipalityKey,
    NationalityKey,
    ResidenceKind,
    Sex,
)

# On one day: first ends what ends (the day of a deregistration is the first without the residence) and a main residence
# becomes a secondary one, then somebody moves in and a secondary residence becomes the main one, then they move on,
# then their nationality changes. The order of booking plays no part in it.
_ENDS, _DEMOTES, _BEGINS, _PROMOTES, _MOVES, _CHANGES = range(6)


@dataclass(frozen=True, slots=True)
class Registration:
    """A residence began."""

    rank: ClassVar[int] = _BEGINS
    amendable: ClassVar[frozenset[str]] = frozenset(
        {
            *("effective_on", "area", "residence_kind", "nationality", "birth_year", "sex", "arrival_kind"),
            *("previous_state", "previous_municipality", "landlord_confirmation"),
        }
    )

    booking_id: str
    booked_on: date
    residence_id: str
    effective_on: date
    area: AreaCode
    residence_kind: ResidenceKind
    nationality: NationalityKey
    """Counts where the resident has no other residence on that day; beside another one, the resident has it already."""
    arrival_kind: ArrivalKind
    landlord_confirmation: LandlordConfirmation | None
    previous_state: NationalityKey | None = None
    previous_municipality: MunicipalityKey | None = None
    at_flagged_premises: bool = False
    kind: Literal["registration"] = "registration"


@dataclass(frozen=True, slots=True)
class Move:
    """A residence went on at another address of the city."""

    rank: ClassVar[int] = _MOVES
    amendable: ClassVar[frozenset[str]] = frozenset({"effective_on", "area", "landlord_confirmation"})

    booking_id: str
    booked_on: date
    residence_id: str
    effective_on: date
    area: AreaCode
    landlord_confirmation: LandlordConfirmation
    at_flagged_premises: bool = False
    kind: Literal["move"] = "move"


@dataclass(frozen=True, slots=True)
class Deregistration:
    """A residence ended; a death ends all residences of the resident."""

    rank: ClassVar[int] = _ENDS
    amendable: ClassVar[frozenset[str]] = frozenset({"effective_on", "reason"})

    booking_id: str
    booked_on: date
    residence_id: str
    effective_on: date
    reason: DepartureReason
    kind: Literal["deregistration"] = "deregistration"


@dataclass(frozen=True, slots=True)
class NationalityChange:
    """The resident's nationality changed, at all their residences."""

    rank: ClassVar[int] = _CHANGES
    amendable: ClassVar[frozenset[str]] = frozenset({"effective_on", "nationality"})

    booking_id: str
    booked_on: date
    residence_id: str
    """At which residence it was told."""
    effective_on: date
    nationality: NationalityKey
    kind: Literal["nationality_change"] = "nationality_change"


@dataclass(frozen=True, slots=True)
class KindChange:
    """A main residence became a secondary one, or the other way round."""

    amendable: ClassVar[frozenset[str]] = frozenset({"effective_on", "residence_kind"})

    booking_id: str
    booked_on: date
    residence_id: str
    effective_on: date
    residence_kind: ResidenceKind
    kind: Literal["kind_change"] = "kind_change"

    @property
    def rank(self) -> int:
        return _DEMOTES if self.residence_kind == "secondary" else _PROMOTES


@dataclass(frozen=True, slots=True)
class Doubt:
    """The office doubts that the resident still lives there. It changes nothing of where and how they live."""

    amendable: ClassVar[frozenset[str]] = frozenset({"effective_on", "doubt_reason"})

    booking_id: str
    booked_on: date
    residence_id: str
    effective_on: date
    doubt_reason: DoubtReason
    kind: Literal["doubt"] = "doubt"


@dataclass(frozen=True, slots=True)
class Clarification:
    """The inquiry found the resident there: the doubt is over."""

    amendable: ClassVar[frozenset[str]] = frozenset({"effective_on"})

    booking_id: str
    booked_on: date
    residence_id: str
    effective_on: date
    kind: Literal["clarification"] = "clarification"


@dataclass(frozen=True, slots=True)
class Correction:
    """A booking, or a correction of one, was wrong; without an amendment it never should have been made."""

    booking_id: str
    booked_on: date
    corrects: str
    amendment: Amendment | None
    kind: Literal["correction"] = "correction"


Lived = Registration | Move | Deregistration | NationalityChange | KindChange
"""What changes where and as what somebody lives here: each holds from its day on, whenever it was booked."""
Booking = Lived | Doubt | Clarification
Entry = Annotated[Booking | Correction, Field(discriminator="kind")]


@dataclass(frozen=True, slots=True)
class Resident:
    """One resident and all that was booked about them, in order of booking."""

    resident_id: str
    birth_year: int
    """As first booked; corrections are among the entries."""
    sex: Sex
    entries: tuple[Entry, ...]

    @property
    def version(self) -> int:
        return len(self.entries)

    def find_entry(self, booking_id: str) -> Entry | None:
        return next((entry for entry in self.entries if entry.booking_id == booking_id), None)

    def booking_behind(self, entry: Entry) -> Booking:
        """The booking that a correction, a correction of a correction and so on is about in the end."""
        while isinstance(entry, Correction):
            corrected = self.find_entry(entry.corrects)
            if corrected is None:
                raise LookupError(f"{entry.booking_id} corrects what was never booked")
            entry = corrected
        return entry


class Life(NamedTuple):
    """What holds of a resident after all corrections."""

    birth_year: int
    sex: Sex
    bookings: tuple[Booking, ...]
    """Not cancelled, with their true values, in order of booking."""


def life_of(resident: Resident) -> Life:
    """What holds: each booking with the true values that its corrections tell, in order of booking.

    A booking with one cancellation that holds is out, whatever else was corrected. Birth year and sex are the
    resident's own, at whichever registration they were corrected: the last word holds.
    """
    bookings = tuple(entry for entry in resident.entries if not isinstance(entry, Correction))
    corrections = _corrections_in(resident)
    if not corrections:
        return Life(resident.birth_year, resident.sex, bookings)
    person: dict[str, Any] = {"birth_year": resident.birth_year, "sex": resident.sex}
    for said in _said_of_the_person(resident, bookings, corrections):
        person |= said
    holding = (_as_corrected(booking, corrections) for booking in bookings)
    return Life(person["birth_year"], person["sex"], tuple(booking for booking in holding if booking is not None))


def _corrections_in(resident: Resident) -> dict[str, list[Correction]]:
    """The corrections in order of booking, by what each of them corrects."""
    corrections: dict[str, list[Correction]] = {}
    for entry in resident.entries:
        if isinstance(entry, Correction):
            corrections.setdefault(entry.corrects, []).append(entry)
    return corrections


_Said = dict[str, Any] | None
_OF_THE_PERSON = ("birth_year", "sex")


def _what_holds(booking_id: str, corrections: Mapping[str, Sequence[Correction]]) -> list[tuple[Correction, _Said]]:
    """What the corrections of an entry say, in order of booking: true values, or None for "never made".

    A correction that was cancelled says nothing; one that was amended says what the amendments make of it.
    """
    holding: list[tuple[Correction, _Said]] = []
    for correction in corrections.get(booking_id, ()):
        amendment = correction.amendment
        said: _Said = None if amendment is None else amendment.model_dump(exclude_none=True)
        for _, amended in _what_holds(correction.booking_id, corrections):
            if amended is None:
                break
            said = {**(said or {}), **amended}
        else:
            holding.append((correction, said))
    return holding


def is_cancelled(resident: Resident, entry: Entry) -> bool:
    """Whether a cancellation of this very entry holds."""
    corrections = _corrections_in(resident)
    return any(said is None for _, said in _what_holds(entry.booking_id, corrections))


def _as_corrected(booking: Booking, corrections: Mapping[str, Sequence[Correction]]) -> Booking | None:
    for _, said in _what_holds(booking.booking_id, corrections):
        if said is None:
            return None
        values = {name: value for name, value in said.items() if name not in _OF_THE_PERSON}
        if (
            isinstance(booking, Registration)
            and values.get("arrival_kind", booking.arrival_kind) != booking.arrival_kind
        ):
            # Another kind of arrival: what was said of the place before does not hold either.
            values = {"previous_state": None, "previous_municipality": None, **values}
        booking = replace(booking, **values)
    return booking


def _said_of_the_person(
    resident: Resident, bookings: Sequence[Booking], corrections: Mapping[str, Sequence[Correction]]
) -> list[dict[str, Any]]:
    """What corrections say of birth year and sex, in order of booking; a cancelled registration does not unsay it."""
    positions = {entry.booking_id: position for position, entry in enumerate(resident.entries)}
    told = [
        (positions[correction.booking_id], {name: said[name] for name in _OF_THE_PERSON if name in said})
        for booking in bookings
        for correction, said in _what_holds(booking.booking_id, corrections)
        if said is not None
    ]
    return [said for _, said in sorted(told, key=lambda one: one[0])]
