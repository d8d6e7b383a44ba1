"""What the reporting office books itself."""

from verbund.events.envelope import Data
from verbund.events.reporting import editions
from verbund.events.reporting.office import OFFICE

__all__ = ["EVENTS", "OFFICE"]

EVENTS: tuple[type[Data], ...] = (*editions.EVENTS,)
