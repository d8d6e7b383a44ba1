"""Rows of thresholds and alerts, as the desk and the evaluator read them."""

from dataclasses import replace
from typing import Any

from reporting.alerts.domain import Alert, Threshold

# In the order of the fields of `Threshold` and `Alert`.
THRESHOLD_COLUMNS = """
    threshold.threshold_id::text, threshold.version, threshold.audience, threshold.indicator, threshold.breakdown,
    threshold.value, threshold.period, threshold.side, threshold."limit", threshold.back, threshold.valid_from,
    threshold.valid_until, threshold.set_at, threshold.removed_at, threshold.crossings"""
ALERT_COLUMNS = """
    alert.alert_id::text, alert.crossing, alert.raised_at, alert.acknowledged_at, alert.over_at, alert.over_reason"""


def threshold_of(row: Any) -> Threshold:
    """A threshold with its last alert."""
    *own, alert_id, crossing, raised_at, acknowledged_at, over_at, over_reason = row
    threshold = Threshold(*own)
    if alert_id is None:
        return threshold
    alert = Alert(alert_id, crossing, raised_at, acknowledged_at, over_at, over_reason)
    return replace(threshold, alert=alert)
