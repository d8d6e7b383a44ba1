"""The doors of the registration office for programs."""

from registration.api.bookings import router as bookings
from registration.api.initial_load import router as initial_load
from registration.api.residences import router as residences

routers = (bookings, residences, initial_load)
