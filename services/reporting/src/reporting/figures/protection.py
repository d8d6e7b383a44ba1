"""Protected values: what is shown instead of what was counted, by the cell-key method (decision 0015).

Noise has its place in the finest cells alone, and everything wider is the sum of those as they are published. So no
whole says anything beside its parts: what is left over between the two is published itself.
"""

from collections.abc import Sequence
from fractions import Fraction
from functools import cache

from reporting.figures.combining import Content, Label, combined_numbers, median_of
from reporting.figures.values import PROTECTED, Value
from reporting.indicators import RATIOS, Indicator
from verbund.disclosure import Perturbation, perturbation_table


def protected(indicator: Indicator, contents: Sequence[Content]) -> Value:
    """The value made of perturbed parts. The same parts give the same value, wherever and however often it is asked.

    A share, a mean or a median of too few units is not shown at all; a median is shown in whole days.
    """
    parts = [published(content) for content in contents]
    if indicator.days is not None:
        (content,), (base,) = contents, parts
        return PROTECTED if base < indicator.minimum_base else median_of(indicator, content, decimals=0)
    return protected_numbers(indicator, parts)


def protected_numbers(indicator: Indicator, numbers: Sequence[int | Fraction]) -> Value:
    """The value made of parts that are perturbed already."""
    if indicator.kind in RATIOS and numbers[1] < indicator.minimum_base:
        return PROTECTED
    return combined_numbers(indicator, numbers)


def published(content: Content) -> int:
    """A part's number as it is published. One below zero is none of a cell: facts that were taken back before they
    were known. It is shown as nothing."""
    cells: dict[Label, tuple[int, int]] = {}
    for (_, *cell), amount in content.items():
        n, key = cells.get(tuple(cell), (0, 0))
        cells[tuple(cell)] = (n + amount.n, key + amount.key)
    return sum(_perturbation().published(max(n, 0), key) for n, key in cells.values())


@cache
def _perturbation() -> Perturbation:
    return Perturbation(perturbation_table())
