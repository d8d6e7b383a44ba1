"""Which days and periods protected figures are shown for: ends of periods, and the day of the last tick; to the public
periods that were over when they were released.

Day by day one person's coming or going could be seen in what moves from one answer to the next.
"""

from collections.abc import Collection
from datetime import date, timedelta

from reporting.audiences import Audience
from reporting.deltas import day_of
from reporting.figures.question import Question
from reporting.indicators import Every, Indicator, Span, period_around
from reporting.ticks import Tick
from verbund.errors import Forbidden

_DAY = timedelta(days=1)

Periods = tuple[Every, ...]


def periods_of(indicator: Indicator, audience: Audience) -> Periods:
    """The periods for which, and for the ends of which, an audience sees protected figures of an indicator."""
    public = indicator.audiences.public
    named = (
        indicator.audiences.coordination.every if audience is not Audience.PUBLIC or public is None else public.every
    )
    return tuple(every for every in named if every in indicator.every)


def at_tick(question: Question, today: date, tick: Tick | None) -> tuple[Question, date]:
    """The question as of the last tick, and the day of that; as it was asked before the first one."""
    if tick is None:
        return question, today
    day = day_of(tick.ticked_at)
    asked = tuple(day if asked_on == today else asked_on for asked_on in question.as_of)
    return question.model_copy(update={"as_of": asked}), day


def at_release(question: Question, periods: Periods, today: date, release: Tick | None) -> tuple[Question, date]:
    """The question as of the last release, and the day before that; about the last period that was over by then, where
    no time is named."""
    last = (today if release is None else day_of(release.ticked_at)) - _DAY
    every = question.every or periods[0]
    asked = question.as_of or (() if question.from_on else (_end_by(last, every),))
    return question.model_copy(update={"as_of": asked, "every": every}), last


def _end_by(last: date, every: Every) -> date:
    """The last day up to this one that is the end of a period."""
    period = period_around(last, every)
    return last if period.to_on == last or period.from_on is None else period.from_on - _DAY


def check_protected(periods: Periods, spans: Collection[Span], known_on: date | None, moves_on: date | None) -> None:
    """Refuse what is no whole period and no end of one (`only_period_ends`).

    `moves_on`: the day of the last tick, for those who see what has been by then, too.
    """
    knowledge = [] if known_on is None else [Span(known_on)]  # of that day or later: all that the last tick knows
    if not all(is_shown_protected(periods, span, moves_on) for span in (*spans, *knowledge)):
        raise Forbidden(
            "only_period_ends",
            "So finely this is shown for whole periods and their ends only: {allowed}; also as known at their ends.",
            allowed=", ".join(periods),
        )


def is_shown_protected(periods: Periods, span: Span, moves_on: date | None) -> bool:
    """Whether a protected value may be shown for this span."""
    around = [period_around(span.to_on, every) for every in periods]
    if span.from_on is None:
        return (moves_on is not None and span.to_on >= moves_on) or any(one.to_on == span.to_on for one in around)
    return any(one.from_on == span.from_on and span.to_on in (one.to_on, moves_on) for one in around)
