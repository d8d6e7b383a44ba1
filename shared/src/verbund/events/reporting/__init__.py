"""What the reporting office books itself: what bodies without a service of their own deliver to it."""

from verbund.events.envelope import Data
from verbund.events.reporting import alerts, deliveries, editions, notes, targets
from verbund.events.reporting.office import OFFICE

__all__ = ["EVENTS", "OFFICE"]

EVENTS: tuple[type[Data], ...] = (
    *deliveries.EVENTS,
    *editions.EVENTS,
    *notes.EVENTS,
    *targets.EVENTS,
    *alerts.EVENTS,
)
