"""The rules of the registration office, pure: `decide` says what is booked, `evolve` what is true after it."""

from registration.domain.bookings import Resident
from registration.domain.decisions import decide
from registration.domain.evolution import evolve
from registration.domain.lists import Lists, lists_of
from registration.domain.trials import Booked

__all__ = ["Booked", "Lists", "Resident", "decide", "evolve", "lists_of"]
