"""Thresholds of figures, and the alerts that their crossings raise. No event carries a figure."""

from datetime import date
from typing import Annotated, Literal

from pydantic import Field, StrictInt

from verbund.events.envelope import Data
from verbund.events.reporting.office import OFFICE
from verbund.events.reporting.scopes import BreakdownId, DecimalText, IndicatorId, ValueCode

Side = Literal["over", "under"]
"""On which side of its limit a figure is a matter for the audience."""
WatchedBy = Literal["coordination", "statistics"]
"""With whose eyes the figure is looked at."""
Period = Literal["day", "month", "quarter", "half_year", "year", "school_year", "rolling_year"]
OverReason = Literal["back", "expired", "removed"]
"""Why an alert is over: the figure came back, the threshold's time is over, the threshold was removed."""
Crossing = Annotated[StrictInt, Field(ge=1)]
"""The how manieth crossing of its threshold."""


class ThresholdSet(Data, office=OFFICE):
    """From now on a figure is watched: beyond `limit` an alert is raised, from `back` on it is over."""

    audience: WatchedBy
    indicator: IndicatorId
    breakdown: BreakdownId | None = None
    value: ValueCode | None = None
    period: Period | None = None
    side: Side
    limit: DecimalText
    back: DecimalText
    valid_from: date
    valid_until: date | None


class ThresholdRemoved(Data, office=OFFICE):
    """It is not watched any more."""


class AlertRaised(Data, office=OFFICE):
    """The figure lies beyond the limit, as far as the audience may see it; the event is about the threshold."""

    alert_id: str
    crossing: Crossing


class AlertAcknowledged(Data, office=OFFICE):
    """Somebody has taken note of it, and sees to it."""

    alert_id: str


class AlertOver(Data, office=OFFICE):
    """It is over, whether somebody acknowledged it or not."""

    alert_id: str
    reason: OverReason


EVENTS: tuple[type[Data], ...] = (ThresholdSet, ThresholdRemoved, AlertRaised, AlertAcknowledged, AlertOver)
