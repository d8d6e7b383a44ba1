"""From the days and periods that a question names to those that its answer is about."""

from collections.abc import Iterator
from datetime import date, timedelta
from itertools import islice

from reporting.figures.question import Question
from reporting.indicators import Every, Indicator, Span, period_around, span_year_before
from reporting.indicators.periods import ends_between, periods_between
from verbund.errors import RuleBroken

_MOST_POINTS = 1_000  # almost three years of days
_EARLIEST = date(1900, 1, 1)


def points_of(indicator: Indicator, question: Question, today: date) -> tuple[tuple[Span, ...], tuple[Span, ...]]:
    """The spans of an answer in order, and what each is compared with; raises `RuleBroken`.

    A period that is not over yet ends today; days that have not come are kept, and have no value yet.
    """
    every = every_of(indicator, question)
    spans = tuple(islice(_spans(indicator, question, every, today), _MOST_POINTS + 1))
    if len(spans) > _MOST_POINTS:
        raise RuleBroken(
            "too_many_points",
            "That is more than {most} days or periods. Choose longer periods, or a shorter time.",
            pointer="/from_on",
            most=_MOST_POINTS,
        )
    if not spans:
        raise RuleBroken(
            "no_period_ends",
            "No whole period ends between these days. Choose shorter periods, or a longer time.",
            pointer="/to_on",
        )
    return spans, compared_with(indicator, question, spans)


def every_of(indicator: Indicator, question: Question) -> Every | None:
    """The periods that a question asks for; raises `RuleBroken` where its indicator has no such ones."""
    if question.every is not None and question.every not in indicator.every:
        raise RuleBroken(
            "no_such_period",
            "This indicator has no such periods. It has: {allowed}.",
            pointer="/every",
            allowed=", ".join(indicator.every),
        )
    return question.every


def _spans(indicator: Indicator, question: Question, every: Every | None, today: date) -> Iterator[Span]:
    first_on, last_on = question.from_on, question.to_on
    check_days(question)
    if first_on is None or last_on is None:
        for day in sorted(set(question.as_of)) or (today,):
            yield Span(day) if indicator.is_about_days else _so_far(day, every or indicator.every[0])
    elif indicator.is_about_days:
        yield from ends_between(first_on, last_on, every or indicator.every[0])
    else:
        # What lies beyond today has not come; a period that has begun is answered as far as it has.
        end = min(last_on, today) if first_on <= today else last_on
        yield from (Span(end, first_on),) if every is None else periods_between(first_on, end, every)


def check_days(question: Question) -> None:
    """Raises `RuleBroken` where the days that a question names do not go together."""
    if (question.from_on is None) != (question.to_on is None):
        missing = "/from_on" if question.from_on is None else "/to_on"
        raise RuleBroken("half_a_period", "A time needs its first and its last day.", pointer=missing)
    if question.from_on is not None and question.as_of:
        raise RuleBroken("days_and_period", "Ask for days or for a time, not for both.", pointer="/as_of")
    if question.from_on is not None and question.to_on is not None and question.from_on > question.to_on:
        raise RuleBroken("from_after_to", "The first day lies after the last one.", pointer="/from_on")
    compare = None if question.compare == "year_before" else question.compare
    days = ("from_on", "to_on", "known_on", "compare_known_on", "areas_on")
    single = {name: getattr(question, name) for name in days} | {"compare": compare}
    named = [*(("as_of", day) for day in question.as_of), *single.items()]
    for name, day in named:
        if day is not None and not _EARLIEST <= day <= date.max - timedelta(days=366):
            raise RuleBroken("no_such_day", "This day is too far away.", pointer=f"/{name}")


def _so_far(day: date, every: Every) -> Span:
    """The period around a day, as far as that day."""
    return Span(day, period_around(day, every).from_on)


def compared_with(indicator: Indicator, question: Question, spans: tuple[Span, ...]) -> tuple[Span, ...]:
    """What each span is compared with; empty where no comparison is asked."""
    if question.compare_known_on is not None:
        if question.compare is not None:
            raise RuleBroken(
                "two_comparisons",
                "Compare with another time or with an earlier knowledge, not with both.",
                pointer="/compare_known_on",
            )
        return spans
    if question.compare is None:
        return ()
    if question.compare == "year_before":
        return tuple(span_year_before(span) for span in spans)
    if not indicator.is_about_days:
        raise RuleBroken(
            "no_such_comparison", "Periods can be compared with the same ones a year before only.", pointer="/compare"
        )
    return tuple(Span(question.compare) for _ in spans)
