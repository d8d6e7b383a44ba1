"""What is true of a resident after an event: made from the event alone, so the ledger can always tell it again."""

from dataclasses import replace

from registration.domain.bookings import (
    Booking,
    Clarification,
    Correction,
    Deregistration,
    Doubt,
    Entry,
    KindChange,
    Move,
    NationalityChange,
    Registration,
    Resident,
)
from verbund.events.envelope import Data
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


def evolve(resident: Resident | None, subject: str, data: Data) -> Resident:
    """The resident after this event about them (`subject` is their pseudonym)."""
    if isinstance(data, ResidenceRegistered) and resident is None:
        return Resident(subject, data.birth_year, data.sex, (entry_of(data),))
    if resident is None:
        raise AssertionError(f"{type(data).__name__} about a resident who never registered")
    return replace(resident, entries=(*resident.entries, entry_of(data)))


def entry_of(data: Data) -> Entry:
    """The entry that an event adds to what was booked about a resident."""
    if isinstance(data, RegistrationCorrected):
        return Correction(data.booking_id, data.booked_on, data.corrected_booking_id, data.amendment)
    return booking_of(data)


def booking_of(data: Data) -> Booking:
    """The booking that an event is, where it is no correction."""
    match data:
        case ResidenceRegistered():
            return Registration(
                booking_id=data.booking_id,
                booked_on=data.booked_on,
                residence_id=data.residence_id,
                effective_on=data.moved_in_on,
                area=data.area,
                residence_kind=data.residence_kind,
                nationality=data.nationality,
                arrival_kind=data.arrival_kind,
                landlord_confirmation=data.landlord_confirmation,
                previous_state=data.previous_state,
                previous_municipality=data.previous_municipality,
                at_flagged_premises=data.at_flagged_premises,
            )
        case ResidenceMoved():
            return Move(
                booking_id=data.booking_id,
                booked_on=data.booked_on,
                residence_id=data.residence_id,
                effective_on=data.moved_on,
                area=data.area,
                landlord_confirmation=data.landlord_confirmation,
                at_flagged_premises=data.at_flagged_premises,
            )
        case ResidenceDeregistered():
            return Deregistration(data.booking_id, data.booked_on, data.residence_id, data.deregistered_on, data.reason)
        case NationalityChanged():
            return NationalityChange(
                data.booking_id, data.booked_on, data.residence_id, data.changed_on, data.nationality
            )
        case ResidenceKindChanged():
            return KindChange(data.booking_id, data.booked_on, data.residence_id, data.changed_on, data.residence_kind)
        case AddressDoubted():
            return Doubt(data.booking_id, data.booked_on, data.residence_id, data.doubted_on, data.reason)
        case AddressConfirmed():
            return Clarification(data.booking_id, data.booked_on, data.residence_id, data.confirmed_on)
        case _:
            raise TypeError(f"{type(data).__name__} is no event about a resident")
