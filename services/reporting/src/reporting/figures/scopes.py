"""What notes, targets and thresholds are about, and which audience may be told: to whom that cell is exact.

Notes and targets are written by people who know numbers. One on a cell that an audience sees protected would say of it
what the protection hides, so it is shown to nobody of that audience (decision 0018).
"""

from datetime import UTC, date, datetime

from reporting.audiences import Audience, sight_of
from reporting.figures.plan import margins_of
from reporting.indicators import Catalogue, Indicator, Span, codes_of
from verbund.errors import RuleBroken

_ANY_TIME = datetime.min.replace(tzinfo=UTC)


def check_scope(
    catalogue: Catalogue, indicator_id: str, breakdown: str | None, value: str | None, on: date
) -> Indicator:
    """The indicator that a form is about; raises `RuleBroken` at the form's field where there is no such cell."""
    indicator = catalogue.indicators.get(indicator_id)
    if indicator is None:
        raise RuleBroken("no_such_indicator", "There is no such indicator.", pointer="/indicator")
    if (breakdown is None) != (value is None):
        raise RuleBroken(
            "half_a_cell",
            "A breakdown and one of its values are named together, or neither of them.",
            pointer="/breakdown" if breakdown is None else "/value",
        )
    if breakdown is None:
        return indicator
    if breakdown not in indicator.breakdowns:
        raise RuleBroken(
            "no_such_breakdown",
            "This indicator has no such breakdown. It has: {allowed}.",
            pointer="/breakdown",
            allowed=", ".join(indicator.breakdowns) or "–",
        )
    if value not in codes_of(catalogue, indicator, breakdown, [Span(on)]):
        raise RuleBroken("no_such_value", "There is no such value here.", pointer="/value")
    return indicator


def is_exact_to(
    catalogue: Catalogue, indicator: Indicator, breakdown: str | None, value: str | None, on: date, audience: Audience
) -> bool:
    """Whether this audience sees the cell as it was counted or delivered, at ticks or live."""
    if audience is Audience.PUBLIC:
        return False
    if indicator.delivered is not None:
        return True
    if breakdown is None or value is None:
        return True
    margins = margins_of(catalogue, indicator, audience, [Span(on)])
    return sight_of(audience, {breakdown: frozenset((value,))}, margins, None, _ANY_TIME, None).is_exact


def check_decimals(indicator: Indicator, number: str | None, pointer: str) -> None:
    """Raise `RuleBroken` for a number that is finer than the indicator's values are."""
    allowed = indicator.decimals or 0
    if number is not None and len(number.partition(".")[2]) > allowed:
        raise RuleBroken(
            "too_many_decimals",
            "The values of this indicator have {allowed} decimals. Give no more of them.",
            pointer=pointer,
            allowed=allowed,
        )
