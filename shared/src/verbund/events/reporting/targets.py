"""What was agreed that a figure should come to; where that is written stays with the office."""

from datetime import date
from typing import Literal

from verbund.events.envelope import Data
from verbund.events.reporting.office import OFFICE
from verbund.events.reporting.scopes import BreakdownId, DecimalText, Digest, IndicatorId, ValueCode

Aim = Literal["at_least", "at_most", "between"]


class TargetSet(Data, office=OFFICE):
    """A figure should come to this in a time."""

    indicator: IndicatorId
    breakdown: BreakdownId | None = None
    value: ValueCode | None = None
    from_on: date
    to_on: date
    agreed_on: date
    aim: Aim
    low: DecimalText | None
    high: DecimalText | None
    words_digest: Digest


class TargetWithdrawn(Data, office=OFFICE):
    """It does not hold any more; that it did stays known."""


EVENTS: tuple[type[Data], ...] = (TargetSet, TargetWithdrawn)
