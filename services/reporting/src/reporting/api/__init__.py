"""Doors for programs."""

from reporting.api import editions
from reporting.api.figures import router_of

__all__ = ["editions", "router_of"]
