"""Doors for programs."""

from fastapi import APIRouter

from reporting.api import alerts, deliveries, editions, figures, notes, targets
from reporting.indicators import Catalogue

__all__ = ["routers_of"]


def routers_of(catalogue: Catalogue) -> tuple[APIRouter, ...]:
    """The doors to this catalogue and to the books about it."""
    return (
        figures.router_of(catalogue),
        deliveries.router,
        editions.router,
        notes.router,
        targets.router,
        alerts.router,
    )
