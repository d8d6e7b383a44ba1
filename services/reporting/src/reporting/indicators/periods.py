"""Days and periods, as questions about figures name them. All dates are days in Europe/Berlin."""

import calendar
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

Every = Literal["day", "month", "quarter", "half_year", "year", "school_year", "rolling_year"]
"""A school year begins on 1 August (§ 7 (1) SchulG NRW). A rolling year is the twelve months up to a day."""

TOO_SHORT: frozenset[Every] = frozenset({"day", "rolling_year"})
"""From one of these to the next only what happened on a day changes: protected figures are never shown for them."""

_FIRST_OF_SCHOOL = 8

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Span:
    """What one value is about: a period from the first to the last day, or, without a first one, the end of a day."""

    to_on: date
    from_on: date | None = None


def period_around(day: date, every: Every) -> Span:
    """The whole period that the day lies in; the rolling year that ends on it."""
    match every:
        case "day":
            return Span(day, day)
        case "month":
            return Span(_end_of_month(day.year, day.month), day.replace(day=1))
        case "quarter":
            first = (day.month - 1) // 3 * 3 + 1
            return Span(_end_of_month(day.year, first + 2), date(day.year, first, 1))
        case "half_year":
            first = 1 if day.month < 7 else 7
            return Span(_end_of_month(day.year, first + 5), date(day.year, first, 1))
        case "year":
            return Span(date(day.year, 12, 31), date(day.year, 1, 1))
        case "school_year":
            first_year = day.year if day.month >= _FIRST_OF_SCHOOL else day.year - 1
            return Span(date(first_year + 1, 7, 31), date(first_year, 8, 1))
        case "rolling_year":
            return Span(day, year_before(day) + _DAY)


def periods_between(from_on: date, to_on: date, every: Every) -> Iterator[Span]:
    """The periods that lie in `from_on`..`to_on`, both included; the first and the last one are cut there.

    Of rolling years those that end with a month, none of them cut.
    """
    if every == "rolling_year":
        yield from (period_around(end.to_on, every) for end in ends_between(from_on, to_on, "month"))
        return
    day = from_on
    while day <= to_on:
        whole = period_around(day, every)
        yield Span(min(whole.to_on, to_on), day)
        day = whole.to_on + _DAY


def ends_between(from_on: date, to_on: date, every: Every) -> Iterator[Span]:
    """The ends of whole periods that lie in `from_on`..`to_on`, both included; of rolling years those of months."""
    day, every = from_on, "month" if every == "rolling_year" else every
    while (end := period_around(day, every).to_on) <= to_on:
        yield Span(end)
        day = end + _DAY


def year_before(day: date) -> date:
    """The same day of the year before; the last day of February stays the last day of February."""
    if day.month == 2 and day == _end_of_month(day.year, 2):
        return _end_of_month(day.year - 1, 2)
    return day.replace(year=day.year - 1)


def span_year_before(span: Span) -> Span:
    """The same period, or the same day, a year before."""
    to_on, from_on = year_before(span.to_on), span.from_on
    if from_on is None:
        return Span(to_on)
    if from_on == span.to_on:
        return Span(to_on, to_on)
    # What began on a leap day begins on 1 March of a year without one.
    leap_day = (from_on.month, from_on.day) == (2, 29)
    return Span(to_on, date(from_on.year - 1, 3, 1) if leap_day else from_on.replace(year=from_on.year - 1))


def _end_of_month(year: int, month: int) -> date:
    return date(year, month, calendar.monthrange(year, month)[1])
