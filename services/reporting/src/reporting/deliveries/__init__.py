"""Deliveries: figures of offices and carriers that have no service here."""

from reporting.deliveries.book import DeliveriesBook, load_series, receipt_of
from reporting.deliveries.decisions import decide, evolve
from reporting.deliveries.series import Period, Series
from reporting.deliveries.spec import Spec, spec_of
from reporting.deliveries.templates import breakdowns_offered
from reporting.deliveries.trying import Report, spec_today, try_out

__all__ = [
    "DeliveriesBook",
    "Period",
    "Report",
    "Series",
    "Spec",
    "breakdowns_offered",
    "decide",
    "evolve",
    "load_series",
    "receipt_of",
    "spec_of",
    "spec_today",
    "try_out",
]
