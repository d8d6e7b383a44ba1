"""Delivers the printed figures of bodies without a service here, through the door that everybody delivers by."""

from hashlib import sha256

from reporting.printed.delivered import delivery_files
from reporting.printed.door import Door
from verbund.embedded.simulation import SimulationContext

_DELIVERING = "Delivering the printed figures of others"


class PrintedDeliveries:
    """What the statistics office delivers for bodies that have no service here."""

    def load(self, context: SimulationContext) -> None:
        """Deliver each printed table to whose indicator nothing was ever delivered; raises `NotAnswered`.

        Where anything was, somebody may have revised it since: that stays as it is.
        """
        tables = delivery_files()
        with Door(context) as door:
            for done, table in enumerate(tables):
                if context.stop.is_set():
                    return
                context.progress(_DELIVERING, done, len(tables))
                if not door.get(f"/indicators/{table.indicator}/deliveries", {"limit": "1"}):
                    key = f"printed-{table.indicator}-{sha256(table.body).hexdigest()[:16]}"
                    door.post_table(f"/deliveries/files/{table.indicator}", key, table.body)
        context.progress(_DELIVERING, len(tables), len(tables))

    def live(self, context: SimulationContext) -> None:
        """What is printed does not move."""


DELIVERIES = PrintedDeliveries()
