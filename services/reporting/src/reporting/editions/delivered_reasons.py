"""The reasons for changed figures that somebody delivered: what the body did between the two moments, and why."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from reporting.delivered import Standing, list_history
from reporting.deltas import day_of
from reporting.editions.restatement import FIRST_REPORT, Found, Reason, Told
from reporting.figures import NotReported
from reporting.image import Moment

_MOST = 2_000  # deliveries to one indicator, the latest first: what lies further back cannot be told any more


async def reasons_of_deliveries(moment: Moment, pairs: Sequence[tuple[Found, Found]]) -> list[tuple[Reason, ...]]:
    """For each changed cell of one question; without amounts, because a delivery replaces a number."""
    before, after = pairs[0][0].told, pairs[0][1].told
    history = await list_history(moment.connection, moment.municipality, before.answer.indicator, None, _MOST)
    between = [each for each in reversed(history) if _is_known(each, after) and not _is_known(each, before)]
    is_redefined = before.fingerprint != after.fingerprint
    return [tuple(_reasons(pair, between, is_redefined=is_redefined)) for pair in pairs]


def _reasons(pair: tuple[Found, Found], between: Sequence[Standing], *, is_redefined: bool) -> Iterator[Reason]:
    told = list(dict.fromkeys(_reason_of(each, pair) for each in between if _is_about(each, pair[0])))
    yield from told
    if is_redefined:
        yield Reason(kind="new_definition")
    elif not told:
        yield Reason(kind="not_told")


def _reason_of(standing: Standing, pair: tuple[Found, Found]) -> Reason:
    match standing.happened:
        case "revised":
            return Reason(kind="correction", code=standing.reason)
        case "withdrawn":
            return Reason(kind="correction", code="withdrawn")
        case "kept" | "delivered" if isinstance(pair[0].value, NotReported):
            return Reason(kind="new_data", code=FIRST_REPORT)
        case happened:
            return Reason(kind="new_data", code=happened)


def _is_about(standing: Standing, found: Found) -> bool:
    """Whether it was delivered for the day or period of a cell, or for a part of that."""
    sheet, point = standing.sheet, found.point
    first, last = sheet.from_on or sheet.to_on, sheet.to_on
    return (point.from_on or point.to_on) <= first and last <= point.to_on


def _is_known(standing: Standing, told: Told) -> bool:
    """Whether it had been booked when an answer was asked, as far as the answer was to know."""
    answer, at = told.answer, standing.recorded_at
    until: datetime = answer.asked_at
    return at <= until and (answer.known_on is None or day_of(at) <= answer.known_on)
