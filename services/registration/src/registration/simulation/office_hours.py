"""When the office gets to know: instants of booking, on working days within opening hours."""

import random
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

BERLIN = ZoneInfo("Europe/Berlin")

_OPENS_AT = time(8)
_OPEN_SECONDS = 8 * 3600
_CLOSED = frozenset({(1, 1), (5, 1), (10, 3), (11, 1), (12, 24), (12, 25), (12, 26), (12, 31)})

LATEST_DAYS = 300
"""No fact of a life is booked later than this after its day (some days more after a weekend or another booking)."""


def registration_delay(rng: random.Random) -> int:
    """Days from a move to its booking: mostly within the two weeks of § 17 (1) BMG, some much later (assumption)."""
    draw = rng.random()
    if draw < 0.60:
        return int(rng.random() * 9)
    if draw < 0.86:
        return 9 + int(rng.random() * 5)
    if draw < 0.96:
        return 15 + int(rng.random() * 30)
    return 46 + int(rng.random() * (105 if draw < 0.99 else LATEST_DAYS - 46))


def departure_delay(rng: random.Random) -> int:
    """Days from a departure to its booking: whoever leaves does not queue first (assumption)."""
    draw = rng.random()
    if draw < 0.55:
        return int(rng.random() * 8)
    if draw < 0.88:
        return 8 + int(rng.random() * 33)
    return 41 + int(rng.random() * (110 if draw < 0.98 else LATEST_DAYS - 41))


def notice_delay(rng: random.Random) -> int:
    """Days until another office tells of a birth, a death or a naturalisation (assumption)."""
    return 2 + int(rng.random() * 12)


def recorded(on: date, days_later: int, after: datetime | None, rng: random.Random) -> datetime:
    """An instant (UTC) at an open office, so many days after the day `on`, on a later day than `after`."""
    earliest = on + timedelta(days=days_later)
    if after is not None and after.date() >= earliest:
        earliest = after.date() + timedelta(days=1)
    return _opening(_open_day(earliest)) + timedelta(seconds=int(rng.random() * _OPEN_SECONDS))


def end_of(day: date) -> datetime:
    """The instant (UTC) at which the day is over for the office."""
    return datetime.combine(day + timedelta(days=1), time(), tzinfo=BERLIN).astimezone(UTC)


def taken_over(on: date, rng: random.Random) -> datetime:
    """An instant (UTC) on the day itself, open or not: what was there when the office began was taken over that day."""
    return _opening(on) + timedelta(seconds=int(rng.random() * _OPEN_SECONDS))


@cache
def _open_day(day: date) -> date:
    while day.weekday() >= 5 or (day.month, day.day) in _CLOSED:
        day += timedelta(days=1)
    return day


@cache
def _opening(day: date) -> datetime:
    return datetime.combine(day, _OPENS_AT, tzinfo=BERLIN).astimezone(UTC)
