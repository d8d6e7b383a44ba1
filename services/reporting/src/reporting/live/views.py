"""One live view: what a question's rows hold, kept in memory; what is booked is added where it matches."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime

from reporting.cube import Head
from reporting.deltas import Delta
from reporting.figures import WHOLE, Amount, Amounts, Answer, Content, Label, Plan, Remarks, cells_of, days_of
from reporting.indicators import Span, Term
from verbund.disclosure import KEY_MODULUS

# A delta of this measure dates the beginning of a source, and that decides what is reported at all.
_BEGINNING = "openings"
_NOTHING = Amount(0, 0)


class FactBeforeTheBeginning(Exception):
    """A delta falls where nothing was reported so far: only asking afresh tells what is reported now."""


class View:
    """The answer to one question, kept true by addition. What is held equals the same question asked afresh."""

    def __init__(self, answer: Answer, plan: Plan, amounts: Amounts, begin: date | None) -> None:
        """`begin`: the first day for which the source has figures; None where it has none yet."""
        self.answer = answer
        self._plan = plan
        self._begin = begin or date.max
        self._amounts: dict[Span, list[dict[tuple[str, ...], Content]]] = {
            span: [dict(part) for part in parts] for span, parts in amounts.items()
        }
        self._terms = tuple(_places(plan, amounts))

    def add(self, deltas: Sequence[Delta], head: Head, at: datetime) -> bool:
        """Take in the deltas of the batches up to `head`; whether any value changed.

        Raises `FactBeforeTheBeginning`; the view is then as it was.
        """
        if any(delta.measure == _BEGINNING or delta.effective_on < self._begin for delta in deltas):
            raise FactBeforeTheBeginning
        before = self.answer.cells
        met = [(place, delta) for place in self._terms for delta in deltas if place.matches(delta)]
        for place, delta in met:
            self._hold(place, delta)
        cells = tuple(cells_of(self._plan, {s: tuple(p) for s, p in self._amounts.items()})) if met else before
        moved = {"cells": cells, "generation": head.generation, "batch": head.number, "asked_at": at}
        self.answer = self.answer.model_copy(update=moved)
        return cells != before

    @property
    def plan(self) -> Plan:
        return self._plan

    def remark(self, remarks: Remarks) -> bool:
        """Put these remarks beside the numbers; whether that changes the answer."""
        before, self.answer = self.answer, remarks.beside(self.answer)
        return self.answer != before

    def _hold(self, place: "_Place", delta: Delta) -> None:
        part = self._amounts[place.span][place.part]
        part[place.row] = _with(part.get(place.row, {}), place.label_of(delta), delta)


class _Place:
    """A part of one value, and a term that adds to it."""

    def __init__(self, plan: Plan, span: Span, part: int, row: tuple[str, ...], term: Term) -> None:
        self.span, self.part, self.row = span, part, row
        self._indicator, self._term = plan.indicator, term

    def matches(self, delta: Delta) -> bool:
        return self._term.matches(delta.measure, delta.dims, delta.effective_on)

    def label_of(self, delta: Delta) -> Label:
        if self._indicator.days is None:
            return WHOLE
        return (days_of(self._indicator, dict(delta.dims).get(self._indicator.days, ""), self._term),)


def _places(plan: Plan, amounts: Amounts) -> Iterator[_Place]:
    """Where deltas can matter: a span that is not reported stays so whatever happens in it."""
    for row, codes in enumerate(plan.rows):
        for point, span in enumerate(plan.spans):
            if span in amounts:
                for part, terms in enumerate(plan.parts_of(row, point)):
                    for term in terms:
                        yield _Place(plan, span, part, codes, term)


def _with(content: Content, label: Label, delta: Delta) -> Content:
    n, key = content.get(label, _NOTHING)
    return {**content, label: Amount(n + delta.n, (key + delta.key) % KEY_MODULUS)}
