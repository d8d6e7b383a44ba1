"""The plan of a city: every booking of its past in order, the same for the same seed."""

from collections.abc import Sequence
from datetime import date

from registration.simulation.bookings import Biographer, Booking
from registration.simulation.census import take_census
from registration.simulation.lives import lead_lives
from registration.simulation.office_hours import end_of
from registration.simulation.printed import Printed
from registration.simulation.quarters import Quarters

EARLIEST_END = date(2019, 12, 31)
"""By then everything is booked that the printed figures count."""


def plan_city(seed: int, until: date, printed: Printed) -> Sequence[Booking]:
    """All bookings up to the end of the day `until`, in order of `recorded_at`.

    The plan until a later day begins with this one, booking by booking: a load that was interrupted goes on the next
    day. Raises `ValueError` for a day before `EARLIEST_END`.
    """
    if until < EARLIEST_END:
        raise ValueError(f"the plan cannot end before {EARLIEST_END}: the printed figures would not be complete")
    quarters = Quarters(printed)
    # A year more than asked for: what is booked until then knows what happens next in a life.
    persons = lead_lives(seed, printed, until.year + 1)
    census = take_census(persons, printed, quarters, seed)
    end = end_of(until)
    biographer = Biographer(seed, quarters, census)
    bookings = [
        booking for person in persons for booking in biographer.bookings_of(person) if booking.recorded_at < end
    ]
    return sorted(bookings, key=lambda booking: (booking.recorded_at, booking.reference))
