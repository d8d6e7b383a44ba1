"""The book of thresholds and alerts: figures that are watched with an audience's eyes, and what became of crossings."""

from reporting.alerts.evaluator import Evaluator
from reporting.alerts.reading import (
    ListedAlert,
    ListedThreshold,
    get_alert,
    get_threshold,
    list_alerts,
    list_open,
    list_thresholds,
)
from reporting.alerts.rules import AlertsBook
from reporting.alerts.webhook import Webhook

__all__ = [
    "AlertsBook",
    "Evaluator",
    "ListedAlert",
    "ListedThreshold",
    "Webhook",
    "get_alert",
    "get_threshold",
    "list_alerts",
    "list_open",
    "list_thresholds",
]
