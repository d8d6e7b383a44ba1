"""What is asked of the book of thresholds and alerts; the system itself raises and ends alerts."""

from dataclasses import dataclass, field

from reporting.commands.forms import Decimals, ScopeForm, new_pseudonym
from verbund.events.days import Day
from verbund.events.reporting.alerts import OverReason, Period, Side, WatchedBy


class ThresholdForm(ScopeForm):
    """A figure of today that is to be watched, with the eyes of an audience.

    Between `back` and `limit` nothing changes: a figure that wavers about its limit raises one alert, not many.
    """

    audience: WatchedBy
    period: Period | None = None
    """Of an indicator about periods: the present one, as far as it has come."""
    side: Side
    limit: Decimals
    """Beyond it (over it, or under it) an alert is raised."""
    back: Decimals
    """From this value on the alert is over: not above `limit` for `over`, not below it for `under`."""
    valid_from: Day
    valid_until: Day | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SetThreshold:
    """Watch a figure."""

    form: ThresholdForm
    seen_by: WatchedBy
    threshold_id: str = field(default_factory=new_pseudonym)


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveThreshold:
    """Watch it no longer; an alert that is open is over."""

    seen_by: WatchedBy
    threshold_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RaiseAlert:
    """The figure lies beyond the limit. `crossing` counts those of the threshold: no crossing is booked twice."""

    threshold_id: str
    crossing: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EndAlert:
    """The alert of this crossing is over."""

    threshold_id: str
    crossing: int
    reason: OverReason


@dataclass(frozen=True, slots=True, kw_only=True)
class AcknowledgeAlert:
    """Somebody takes note of an alert."""

    seen_by: WatchedBy
    alert_id: str
