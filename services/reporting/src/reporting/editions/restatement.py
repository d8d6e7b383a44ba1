"""A restatement: which figures of an edition are others in a later one, and why. What it says, and how it is found.

Reasons are `new_data` (booked since: in time or late), `correction` (by the reason that the office gave, or cancelled)
and `new_definition`. What nobody can tell is said too (`not_told`), and never hidden in one of the others.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal, NamedTuple

from pydantic import BaseModel, ConfigDict

from reporting.audiences import Audience
from reporting.editions.reading import EditionShown
from reporting.figures import NOT_REPORTED, PROTECTED, Answer, Key, Point, Question, Value, number_of, value_of
from reporting.indicators import Words

ReasonKind = Literal["new_data", "correction", "new_definition", "other_protection", "not_told"]

FIRST_REPORT = "first_report"
"""The source had not reported this yet."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Reason(_Part):
    """Why a figure is another one."""

    kind: ReasonKind
    code: str | None = None
    """`booked`, `late`, `first_report`; the reason of a correction, or `cancelled`; None where the kind says all."""
    amount: int | None = None
    """What it adds; None where reasons do not add up (shares, means, medians), or are not shown so finely."""


class CellAt(_Part):
    """A cell of an edition."""

    question: int
    """From 1 on; of the older edition where it is in both."""
    indicator: str
    title: Words
    keys: tuple[Key, ...]
    filters: Mapping[str, tuple[Key, ...]]
    from_on: date | None
    to_on: date


class Changed(CellAt):
    """A cell that both know, with another value."""

    before: Value
    after: Value
    difference: Value
    is_exact: bool
    reasons_of: Literal["cell", "indicator"]
    """`indicator`: of this cell no reasons are shown, they could point at a person; these are of the whole figure."""
    reasons: tuple[Reason, ...]


class OneSided(CellAt):
    """A cell that only one of the two knows."""

    value: Value


class NotAnswered(_Part):
    """A question that is refused today."""

    question: int
    indicator: str
    code: str
    """Of the refusal."""


class Restatement(_Part):
    """What became of the figures of an edition."""

    edition: EditionShown
    against: EditionShown | None
    """None for what is known now."""
    against_at: datetime
    audience: Audience
    compared: int
    """Cells that both know."""
    changed: tuple[Changed, ...]
    added: tuple[OneSided, ...]
    removed: tuple[OneSided, ...]
    not_answered: tuple[NotAnswered, ...]


@dataclass(frozen=True)
class Told:
    """A question with the answer that one side gives."""

    number: int
    question: Question
    answer: Answer
    fingerprint: str
    """Of the definition that it was answered by."""


class Place(NamedTuple):
    """What makes two cells the same one: everything that is asked, but for when it was known."""

    indicator: str
    version: int | None
    filters: frozenset[tuple[str, str]]
    keys: tuple[tuple[str, str], ...]
    from_on: date | None
    to_on: date


@dataclass(frozen=True)
class Found:
    """A cell where it stands."""

    told: Told
    keys: tuple[Key, ...]
    point: Point
    value: Value

    def shown(self) -> dict[str, object]:
        """What a list says of where it stands."""
        answer = self.told.answer
        return {
            "question": self.told.number,
            "indicator": answer.indicator,
            "title": answer.title,
            "keys": self.keys,
            "filters": answer.filters,
            "from_on": self.point.from_on,
            "to_on": self.point.to_on,
        }


def cells_by_place(side: Sequence[Told]) -> dict[Place, Found]:
    """All cells of a side; where one stands there as known on several days, the latest knowledge counts."""
    latest_last = sorted(side, key=lambda told: told.question.known_on or date.max)
    found = {place: cell for told in latest_last for place, cell in _cells(told)}
    return dict(sorted(found.items(), key=lambda item: item[1].told.number))


def _cells(told: Told) -> Iterator[tuple[Place, Found]]:
    answer = told.answer
    filters = frozenset((name, key.code) for name, keys in answer.filters.items() for key in keys)
    for cell in answer.cells:
        keys = tuple(sorted((name, key.code) for name, key in zip(answer.by, cell.keys, strict=True)))
        for point, value in zip(answer.points, cell.values, strict=True):
            place = Place(answer.indicator, told.question.version, filters, keys, point.from_on, point.to_on)
            yield place, Found(told, cell.keys, point, value)


def one_sided(side: Mapping[Place, Found], other: Mapping[Place, Found]) -> tuple[OneSided, ...]:
    """What only this side knows."""
    return tuple(
        OneSided.model_validate({**found.shown(), "value": found.value})
        for place, found in side.items()
        if place not in other
    )


def difference(before: Value, after: Value) -> Value:
    """After minus before, as far as both are numbers."""
    if PROTECTED in (before, after):
        return PROTECTED
    one, other = number_of(before), number_of(after)
    return NOT_REPORTED if one is None or other is None else value_of(other - one)


def reason_of(cause: str, amount: int | None = None) -> Reason:
    """A cause, as offices name it in what they book, as a reason."""
    if cause.startswith("corrected:"):
        return Reason(kind="correction", code=cause.removeprefix("corrected:"), amount=amount)
    if cause == "cancelled":
        return Reason(kind="correction", code=cause, amount=amount)
    return Reason(kind="new_data", code=cause, amount=amount)
