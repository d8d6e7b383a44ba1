"""Answers too large for one: parts of them, one stretch of time after the other, all of one moment of the cube."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from reporting.audiences import Audience
from reporting.cube import Head
from reporting.figures.answer import Answer, Break
from reporting.figures.breaks import breaks_of
from reporting.figures.outlet import answer_plan, plan
from reporting.figures.plan import MOST_VALUES, Plan
from reporting.figures.question import Question
from reporting.image import Image
from reporting.indicators import Catalogue
from verbund.errors import Unavailable

MOST_VALUES_IN_PARTS = 5_000_000


@dataclass(frozen=True)
class AnswerInParts:
    """An answer of which one part is held at a time; small ones have one part."""

    values: int
    """In all parts together, at most: a rest in which nobody is has no rows."""
    first: Answer
    rest: AsyncIterator[Answer]


async def answer_in_parts(
    image: Image, catalogue: Catalogue, question: Question, audience: Audience, at: datetime
) -> AnswerInParts:
    """The answer, cut into stretches of time where it is a large one; raises as `answer` does.

    Between two parts nothing is held, so whoever takes them slowly is in nobody's way.
    """
    async with image.moment() as moment:
        whole = await plan(moment, catalogue, question, audience, at, most_values=MOST_VALUES_IN_PARTS)
        parts = _parts_of(whole)
        breaks = tuple(breaks_of(whole)) if len(parts) > 1 else None
        first = _with_breaks(await answer_plan(moment, parts[0], at), breaks)
        head = moment.head
    rest = _answers(image, parts[1:], breaks, head, at)
    return AnswerInParts(len(whole.rows) * len(whole.spans), first, rest)


async def _answers(
    image: Image, parts: Sequence[Plan], breaks: tuple[Break, ...] | None, head: Head, at: datetime
) -> AsyncIterator[Answer]:
    for part in parts:
        async with image.moment() as moment:
            if moment.head.generation != head.generation:
                raise Unavailable(
                    "figures_not_loaded",
                    "The figures cannot be loaded. Try again in a moment.",
                    retry_after_seconds=5,
                )
            found = await answer_plan(moment.back_at(head.number), part, at)
        yield _with_breaks(found, breaks)


def _parts_of(whole: Plan) -> list[Plan]:
    """The same question about one stretch of time after the other, each small enough for an answer."""
    rows = len(whole.rows)
    points = max(1, MOST_VALUES // rows)
    if whole.delivered is not None or points >= len(whole.spans):
        return [whole]
    return [
        replace(whole, spans=whole.spans[at : at + points], compared=whole.compared[at : at + points])
        for at in range(0, len(whole.spans), points)
    ]


def _with_breaks(found: Answer, breaks: tuple[Break, ...] | None) -> Answer:
    """With the changes of areas of the whole time: they stand beside every value of it."""
    return found if breaks is None else found.model_copy(update={"breaks": breaks})
