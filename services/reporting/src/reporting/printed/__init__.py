"""Printed figures of a city: those of bodies without a service are delivered, and all are compared with the answers."""

from reporting.printed.comparing import check
from reporting.printed.delivering import DELIVERIES

__all__ = ["DELIVERIES", "check"]
