"""Asks reporting over HTTP for every printed figure, under the role that sees everything exactly."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

from reporting.printed.asking import Printed, printed_figures
from reporting.printed.delivered import delivery_files, known_of, printed_in, said_in
from reporting.printed.door import Door, NotAnswered
from verbund.embedded.simulation import Comparison, SimulationContext

_COMPARING = "Comparing with the printed figures"
_NOTHING = "–"


def check(context: SimulationContext) -> Sequence[Comparison]:
    """Every printed figure beside what reporting answers now; raises `NotAnswered`.

    Of each delivered table also what is known not to fit in it: more than that, or less, is a difference.
    """
    counted, tables = printed_figures(), delivery_files()
    total = len(counted) + sum(len(table.rows) for table in tables)
    comparisons: list[Comparison] = []
    done = 0
    with Door(context) as door:
        for figure in counted:
            context.progress(_COMPARING, done, total)
            comparisons.append(_compared(figure, list(_asked(door, figure))))
            done += 1
        for table in tables:
            said: set[str] = set()
            for figure in printed_in(table):
                context.progress(_COMPARING, done, total)
                answers = list(_asked(door, figure))
                comparisons.append(_compared(figure, answers))
                said.update(words for answer in answers for words in said_in(answer))
                done += 1
            comparisons.append(Comparison(table.indicator, _listed(known_of(table)), _listed(said)))
    context.progress(_COMPARING, total, total)
    return comparisons


def _asked(door: Door, figure: Printed) -> Iterator[dict[str, Any]]:
    for indicator, query in figure.questions:
        yield door.get(f"/figures/{indicator}", query)


def _compared(figure: Printed, answers: Sequence[dict[str, Any]]) -> Comparison:
    """The figure beside the sum of the answers; None where one of them is no number."""
    numbers = [total_of(answer) for answer in answers]
    known = [number for number in numbers if number is not None]
    return Comparison(figure.name, figure.number, sum(known) if len(known) == len(numbers) else None)


def _listed(words: set[str]) -> str:
    return "; ".join(sorted(words)) or _NOTHING


def total_of(answer: dict[str, Any]) -> int | Decimal | None:
    """The one number of an answer without breakdown: 0 for zero, None where it is protected or not reported.

    Raises `NotAnswered` for an answer with more than one row or column: that would be another question's.
    """
    values = [value for cell in answer["cells"] for value in cell["values"]]
    if len(values) != 1:
        raise NotAnswered(f"reporting answered {len(values)} values where one was asked")
    (value,) = values
    if value["kind"] == "zero":
        return 0
    number: int | Decimal | None = value["number"] if value["kind"] == "number" else None
    return number
