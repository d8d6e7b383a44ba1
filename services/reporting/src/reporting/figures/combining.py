"""From the parts of a value to the value: differences, shares, means, medians."""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import NamedTuple

from reporting.figures.values import NOT_REPORTED, ZERO, Number, Value, value_of
from reporting.indicators import RATIOS, Indicator, Term


class Amount(NamedTuple):
    """So many units, and the sum of their record keys modulo 2^32."""

    n: int
    key: int


Label = tuple[str, ...]
"""A number of days (for durations and ages; empty for all others), and the finest cell, where that matters."""
Content = Mapping[Label, Amount]
"""What one part of a value holds."""

WHOLE: Label = ("",)
"""The only label where nothing is told apart."""


def days_of(indicator: Indicator, fact: str, term: Term) -> str:
    """The days that a unit counts with in a term: as its fact says, or since the day that its fact says."""
    if indicator.kind == "age":
        return str((term.until - date.fromisoformat(fact)).days)
    return fact


def combined(indicator: Indicator, contents: Sequence[Content]) -> Value:
    """The exact value that these parts make, in the order of `Parts`."""
    if indicator.days is not None:
        (content,) = contents
        return median_of(indicator, content, indicator.decimals or 0)
    return combined_numbers(indicator, [sum(amount.n for amount in content.values()) for content in contents])


def combined_numbers(indicator: Indicator, numbers: Sequence[int | Fraction]) -> Value:
    """The value that these numbers of the parts make; only those of a ratio may be no whole ones."""
    if indicator.kind in RATIOS:
        return ratio(indicator, *numbers)
    first, *taken_away = map(int, numbers)
    return value_of(first - sum(taken_away))


def ratio(indicator: Indicator, numerator: int | Fraction, denominator: int | Fraction) -> Value:
    """A share, rate or mean of these two; there is none of nothing."""
    if denominator == 0:
        return NOT_REPORTED
    factor = {"share": 100, "rate": indicator.per or 1}.get(indicator.kind, 1)
    found = rounded(Fraction(numerator * factor, denominator), indicator.decimals or 0)
    return Number(number=found) if numerator else ZERO


def median_of(indicator: Indicator, content: Content, decimals: int) -> Value:
    """The median, or another percentile: the number of days that `percent` of a hundred units have at most.

    Where the border falls between two units it is the middle of their days, as a median is commonly taken.
    """
    units = sorted((int(days), amount.n) for (days, *_), amount in content.items() if amount.n)
    total = sum(n for _, n in units)
    if total <= 0:
        return NOT_REPORTED
    wanted = Fraction(total * indicator.percent, 100)
    below, above = _at(units, wanted), _at(units, wanted, strictly=True)
    found = rounded(Fraction(below + above, 2), decimals)
    return Number(number=found) if below + above else ZERO


def _at(units: Sequence[tuple[int, int]], wanted: Fraction, *, strictly: bool = False) -> int:
    """The days of the first unit at which `wanted` units are reached, or passed."""
    reached = 0
    for days, n in units:
        reached += n
        if reached > wanted or (reached == wanted and not strictly):
            return days
    return units[-1][0]


def rounded(number: Fraction, decimals: int) -> Decimal | int:
    """Half away from zero, as printed tables round."""
    exact = Decimal(number.numerator) / Decimal(number.denominator)
    # A quotient that is cut after 28 digits never lies on the wrong side of a half: denominators are far smaller.
    found = exact.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)
    return int(found) if decimals == 0 else found
