"""What stands delivered to one indicator: the state that deliveries are decided on."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import NamedTuple

from verbund.events.reporting.deliveries import DeliveredPeriod, DeliveredRow, DeliveredSheet

Breakdown = tuple[tuple[str, str], ...]
"""Where a number stands in its table: breakdowns with their values, in order of name; empty for the total."""


class Period(NamedTuple):
    """A day (without a first one), or a period."""

    from_on: date | None
    to_on: date

    def lies_within(self, whole: "Period") -> bool:
        """Whether this is a shorter period inside another one."""
        if self.from_on is None or whole.from_on is None or self == whole:
            return False
        return whole.from_on <= self.from_on and self.to_on <= whole.to_on


@dataclass(frozen=True, slots=True)
class Series:
    """The sheets of one indicator that hold; what was withdrawn is not among them."""

    indicator: str
    revision: int = 0
    """How many events made it: names this very state."""
    recorded_at: datetime | None = None
    """When the last of them was booked."""
    sheets: Mapping[Period, DeliveredSheet] = field(default_factory=dict)
    sources: Mapping[str, str] = field(default_factory=dict)
    """The words in which bodies named their sources, by the hash that stands in the events."""


def period_of(said: DeliveredPeriod) -> Period:
    return Period(said.from_on, said.to_on)


def breakdown_of(row: DeliveredRow) -> Breakdown:
    return tuple(sorted(row.breakdown.items()))


def numbers_of(sheet: DeliveredSheet) -> Iterator[tuple[Breakdown, Decimal]]:
    """The numbers of a sheet, as far as there are any."""
    for row in sheet.rows:
        if row.value is not None:
            yield breakdown_of(row), Decimal(row.value)


def says_the_same(one: DeliveredSheet, other: DeliveredSheet) -> bool:
    """Whether two sheets differ in nothing but the order of their rows."""

    def said(sheet: DeliveredSheet) -> tuple[object, ...]:
        rows = {breakdown_of(row): row.value for row in sheet.rows}
        return (period_of(sheet), sheet.state, sheet.precision, sheet.restated, sheet.source_sha256, rows)

    return said(one) == said(other)
