"""Doors for programs."""

from reporting.api.deliveries import router as deliveries
from reporting.api.figures import router_of

__all__ = ["deliveries", "router_of"]
