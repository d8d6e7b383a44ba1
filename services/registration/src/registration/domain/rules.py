"""Periods that a law sets, as data: how many days, from which day on the law holds, where it stands."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class Period:
    """So many days, for what happened on `valid_from` or later."""

    valid_from: date
    days: int
    source: str


# The Bundesmeldegesetz came into force on 2015-11-01; before it, each state had a law of its own (here: NRW).
_BMG_FROM = date(2015, 11, 1)

REGISTRATION = (
    Period(date.min, 7, "§ 13 (1) MG NRW"),
    Period(_BMG_FROM, 14, "§ 17 (1) BMG"),
)
"""Within how many days after moving in somebody has to register; later is booked, and counted as late."""

DEREGISTRATION_AHEAD = (
    Period(date.min, 0, "MG NRW"),
    Period(_BMG_FROM, 7, "§ 17 (2) BMG"),
)
"""How many days before leaving the country somebody can deregister."""


def days(periods: Sequence[Period], on: date) -> int:
    """The number of days that holds for what happened on this day. `periods`: in order of `valid_from`."""
    for period in reversed(periods):
        if period.valid_from <= on:
            return period.days
    raise LookupError(f"no period holds on {on}")


def is_late(effective_on: date, booked_on: date) -> bool:
    """Whether a registration came after its period; the period itself runs from the day of moving in."""
    return (booked_on - effective_on).days > days(REGISTRATION, effective_on)
