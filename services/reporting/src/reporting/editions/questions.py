"""The questions of an edition: from what was filled in to what the figures are asked, with refusals at their place."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date

from reporting.commands.editions import MOST_QUESTIONS, EditionForm, QuestionForm
from reporting.figures import Answer, Question
from reporting.indicators import Catalogue
from reporting.wording import tile_question
from verbund.errors import Finding, Forbidden, NotFound, Problem, RuleBroken

_FIELDS = {"from_on": "from", "to_on": "to", "every": "period"}
"""Parts of a question that its form calls otherwise."""


def questions_of(form: EditionForm, catalogue: Catalogue, today: date) -> tuple[Question, ...]:
    """What is to be frozen; raises `RuleBroken` with a pointer into the form."""
    if form.questions != "all":
        if form.fields_of_action or form.as_of is not None:
            field = "fields_of_action" if form.fields_of_action else "as_of"
            raise RuleBroken(
                "only_with_all", "This goes with the questions of all indicators only.", pointer=f"/{field}"
            )
        return tuple(map(_question, form.questions))
    return _all(form, catalogue, today)


def _all(form: EditionForm, catalogue: Catalogue, today: date) -> tuple[Question, ...]:
    for place, field in enumerate(form.fields_of_action):
        if field not in catalogue.frame.fields_of_action:
            raise RuleBroken(
                "no_such_field_of_action", "There is no such field of action.", pointer=f"/fields_of_action/{place}"
            )
    indicators = [
        indicator
        for indicator in catalogue.indicators.values()
        if not form.fields_of_action or indicator.field_of_action in form.fields_of_action
    ]
    if not indicators:
        raise RuleBroken("nothing_to_freeze", "These fields of action have no figures.", pointer="/fields_of_action")
    if len(indicators) > MOST_QUESTIONS:
        raise RuleBroken(
            "too_many_questions",
            "An edition holds {most} questions at most. Choose fields of action.",
            pointer="/fields_of_action",
            most=MOST_QUESTIONS,
        )
    return tuple(tile_question(indicator, form.as_of or today, None) for indicator in indicators)


def _question(form: QuestionForm) -> Question:
    return Question(
        indicator=form.indicator,
        version=form.version,
        by=form.by,
        filters=form.filters,
        as_of=form.as_of,
        from_on=form.from_on,
        to_on=form.to_on,
        every=form.period,
        known_on=form.known_on,
        compare=form.compare,
        compare_known_on=form.compare_known_on,
    )


@contextmanager
def at_question(form: EditionForm, place: int) -> Iterator[None]:
    """Within it, what the figures refuse of a question points at this question of the form.

    Where nobody has written the questions down there is nothing to point at but that they are all.
    """
    try:
        yield
    except (RuleBroken, NotFound, Forbidden) as refused:
        raise _pointed(refused, "/questions" if form.questions == "all" else f"/questions/{place}") from refused


def _pointed(refused: Problem, question: str) -> Problem:
    if isinstance(refused, Forbidden):
        finding = Finding(question, refused.code, refused.message, refused.values)
        return Forbidden(refused.code, refused.message, findings=(finding,), **refused.values)
    pointer = refused.findings[0].pointer if refused.findings else ""
    if refused.code == "no_such_indicator":
        pointer = "/indicator"
    elif refused.code == "no_such_version":
        pointer = "/version"
    name, _, rest = pointer.removeprefix("/").partition("/")
    placed = "/".join(part for part in (question, _FIELDS.get(name, name), rest) if part)
    return RuleBroken(refused.code, refused.message, pointer=placed, **refused.values)


def pinned(question: Question, answer: Answer) -> Question:
    """The same question with the days that it was answered for: `today` stays the day of the edition."""
    if question.from_on is not None:
        return question
    days: Sequence[date] = [point.to_on for point in answer.points]
    return question.model_copy(update={"as_of": tuple(days)})
