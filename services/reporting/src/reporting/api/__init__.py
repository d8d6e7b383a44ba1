"""Doors for programs."""

from reporting.api.figures import router_of

__all__ = ["router_of"]
