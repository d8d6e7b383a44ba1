"""What the reporting office books itself."""

from verbund.events.envelope import Data
from verbund.events.reporting import alerts, notes, targets
from verbund.events.reporting.office import OFFICE

__all__ = ["EVENTS", "OFFICE"]

EVENTS: tuple[type[Data], ...] = (*notes.EVENTS, *targets.EVENTS, *alerts.EVENTS)
