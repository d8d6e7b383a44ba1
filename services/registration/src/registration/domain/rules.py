"""Periods that a law or the city sets, as data: how many days, from which day on it holds, where it stands."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from typing import Literal

from registration.places import rows_of

PeriodName = Literal["registration", "deregistration_ahead", "inquiry"]
"""Within how many days after moving in somebody has to register (later is booked, and counted as late); how many days
before leaving the country somebody can deregister; how many days the office inquires before it deregisters ex officio.
"""


@dataclass(frozen=True, slots=True)
class Period:
    """So many days, for what happened on `valid_from` or later."""

    valid_from: date
    days: int
    source: str
    """Where it stands: the section of the law, or who has set it."""


@cache
def periods(name: PeriodName, municipality: str | None = None) -> Sequence[Period]:
    """The periods of this name in order of `valid_from`: those of the municipality, or where it has none, everybody's.

    The file of this package is the list; `LookupError` where it has none.
    """
    rows = [row for row in rows_of("periods.csv") if row["period"] == name]
    own = [row for row in rows if row["municipality"] and row["municipality"] == municipality]
    found = [
        Period(date.fromisoformat(row["valid_from"]), int(row["days"]), row["source"])
        for row in own or [row for row in rows if not row["municipality"]]
    ]
    if not found:
        raise LookupError(f"no period {name!r} is known")
    return sorted(found, key=lambda period: period.valid_from)


def days(name: PeriodName, on: date, municipality: str | None = None) -> int:
    """The number of days that holds for what happened on this day."""
    for period in reversed(periods(name, municipality)):
        if period.valid_from <= on:
            return period.days
    raise LookupError(f"no period {name!r} holds on {on}")


def is_late(effective_on: date, booked_on: date) -> bool:
    """Whether a registration came after its period; the period itself runs from the day of moving in."""
    return (booked_on - effective_on).days > days("registration", effective_on)


def inquired_until(doubted_on: date, municipality: str) -> date:
    """The first day on which a residence that was doubted on this day can be deregistered ex officio (§ 6 BMG)."""
    return doubted_on + timedelta(days=days("inquiry", doubted_on, municipality))
