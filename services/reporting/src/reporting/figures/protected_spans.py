"""Which days and periods protected figures are shown for: ends of periods, and the day of the last tick.

Day by day one person's coming or going could be seen in what moves from one answer to the next.
"""

from collections.abc import Collection
from datetime import date
from typing import get_args

from reporting.deltas import day_of
from reporting.figures.question import Question
from reporting.indicators import Every, Indicator, Span, period_around
from reporting.ticks import Tick
from verbund.errors import Forbidden

_TOO_SHORT: frozenset[Every] = frozenset({"day", "rolling_year"})


def at_tick(question: Question, today: date, tick: Tick | None) -> tuple[Question, date]:
    """The question as of the last tick, and the day of that; as it was asked before the first one."""
    if tick is None:
        return question, today
    day = day_of(tick.ticked_at)
    asked = tuple(day if asked_on == today else asked_on for asked_on in question.as_of)
    return question.model_copy(update={"as_of": asked}), day


def check_protected(indicator: Indicator, spans: Collection[Span], known_on: date | None, today: date) -> None:
    """Refuse what is no whole period and no end of one (`only_period_ends`); `today` is the day of the last tick."""
    allowed = periods_of(indicator)
    knowledge = [] if known_on is None else [Span(known_on)]  # of today or later: all that the last tick knows
    if not all(is_shown_protected(indicator, span, today) for span in (*spans, *knowledge)):
        raise Forbidden(
            "only_period_ends",
            "So finely this is shown for whole periods and their ends only: {allowed}; also as known at their ends.",
            allowed=", ".join(allowed),
        )


def is_shown_protected(indicator: Indicator, span: Span, today: date) -> bool:
    """Whether a protected value may be shown for this span."""
    periods = [period_around(span.to_on, every) for every in periods_of(indicator)]
    if span.from_on is None:
        return span.to_on >= today or any(period.to_on == span.to_on for period in periods)
    return any(period.from_on == span.from_on and span.to_on in (period.to_on, today) for period in periods)


def periods_of(indicator: Indicator) -> tuple[Every, ...]:
    """The periods of an indicator that are long enough."""
    return tuple(every for every in get_args(Every) if every in indicator.every and every not in _TOO_SHORT)
