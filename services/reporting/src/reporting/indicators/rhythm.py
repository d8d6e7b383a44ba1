"""How often an office books, as far as one may expect: nothing new on a Sunday is as it should be."""

from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import Field

from reporting.indicators.words import Model, Words

_BERLIN = ZoneInfo("Europe/Berlin")
_DAY = timedelta(days=1)
_FIXED = ((1, 1), (5, 1), (10, 3), (11, 1), (12, 25), (12, 26))
_AFTER_EASTER = (-2, 1, 39, 50, 60)  # Good Friday, Easter Monday, Ascension, Whit Monday, Corpus Christi
_LONGEST = 366  # days that are looked at: who has not booked for a year is late by any rhythm


class Rhythm(Model):
    """Bookings come at least every so many hours of the days on which the office works."""

    days: Literal["working_days", "every_day"] = "working_days"
    within_hours: Annotated[int, Field(ge=1, le=2_000)]
    """Counted on these days alone, all 24 hours of each."""


class OfficeWords(Words):
    """An office's name, and what is expected of it; without a rhythm nothing is."""

    rhythm: Rhythm | None = None


def passed(rhythm: Rhythm, since: datetime, until: datetime) -> timedelta:
    """How much time of the rhythm's days lies between two aware instants, by the clocks of Berlin; a year at most.

    Working days are Monday to Friday but for the public holidays of North Rhine-Westphalia (Feiertagsgesetz NW, § 2).
    """
    if rhythm.days == "every_day":
        return max(until - since, timedelta(0))
    found = timedelta(0)
    last = until.astimezone(_BERLIN).date()
    day = max(since.astimezone(_BERLIN).date(), last - _LONGEST * _DAY)
    while day <= last:
        if is_working_day(day):
            found += max(min(until, _midnight(day + _DAY)) - max(since, _midnight(day)), timedelta(0))
        day += _DAY
    return found


def is_working_day(day: date) -> bool:
    """Whether offices in North Rhine-Westphalia work on it."""
    return day.weekday() < 5 and day not in _holidays(day.year)


def _midnight(day: date) -> datetime:
    # In UTC: between two times of one zone Python counts as if clocks never changed.
    return datetime.combine(day, time(), _BERLIN).astimezone(UTC)


@cache
def _holidays(year: int) -> frozenset[date]:
    easter = _easter(year)
    movable = {easter + timedelta(days=days) for days in _AFTER_EASTER}
    return frozenset({date(year, month, day) for month, day in _FIXED} | movable)


def _easter(year: int) -> date:
    """Easter Sunday of the Gregorian calendar (Gauss, in the form of Lichtenberg 1997)."""
    century = year // 100
    moon = 15 + (3 * century + 3) // 4 - (8 * century + 13) // 25
    sun = 2 - (3 * century + 3) // 4
    cycle = year % 19
    seed = (19 * cycle + moon) % 30
    correction = (seed + cycle // 11) // 29
    full_moon = 21 + seed - correction
    first_sunday = 7 - (year + year // 4 + sun) % 7
    return date(year, 3, 1) + timedelta(days=full_moon + 7 - (full_moon - first_sunday) % 7 - 1)
