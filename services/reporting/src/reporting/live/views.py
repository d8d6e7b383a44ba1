"""One live view: a question's exact sums, held in memory; what is booked is added to those it matches."""

from collections.abc import Sequence
from datetime import date, datetime
from itertools import repeat

from reporting.cube import Head
from reporting.deltas import Delta
from reporting.figures import Answer, Plan, Value, number_of, value_of
from reporting.indicators import Term

# A delta of this measure dates the beginning of a source, and that decides what is reported at all.
_BEGINNING = "openings"


class FactBeforeTheBeginning(Exception):
    """A delta falls where nothing was reported so far: only asking afresh tells what is reported now."""


class View:
    """The answer to one question, kept true by addition. What is held equals the same question asked afresh."""

    def __init__(self, answer: Answer, plan: Plan, begin: date | None) -> None:
        """`begin`: the first day for which the source has figures; None where it has none yet."""
        self.answer = answer
        self._begin = begin or date.max
        self._terms: tuple[tuple[tuple[Term, ...], ...], ...] = tuple(
            tuple(plan.terms_of(row, point) for point in range(len(answer.points))) for row in range(len(answer.cells))
        )

    def add(self, deltas: Sequence[Delta], head: Head, at: datetime) -> bool:
        """Take in the deltas of the batches up to `head`; whether any value changed.

        Raises `FactBeforeTheBeginning`; the view is then as it was.
        """
        if any(delta.measure == _BEGINNING or delta.effective_on < self._begin for delta in deltas):
            raise FactBeforeTheBeginning
        before = self.answer.cells
        cells = tuple(
            cell.model_copy(update={"values": tuple(map(_moved, cell.values, terms, repeat(deltas)))})
            for cell, terms in zip(before, self._terms, strict=True)
        )
        moved = {"cells": cells, "generation": head.generation, "batch": head.number, "asked_at": at}
        self.answer = self.answer.model_copy(update=moved)
        return cells != before


def _moved(value: Value, terms: Sequence[Term], deltas: Sequence[Delta]) -> Value:
    met = [
        term.weight * delta.n
        for delta in deltas
        for term in terms
        if term.matches(delta.measure, delta.dims, delta.effective_on)
    ]
    number = number_of(value)
    # A span that the source reports only in part, or not at all, stays so whatever happens in it.
    return value if not met or number is None else value_of(number + sum(met))
