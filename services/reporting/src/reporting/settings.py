"""What the processes of the reporting office need to know to run."""

from pathlib import Path
from typing import Self

from pydantic import model_validator

from verbund.events.offices import Feed
from verbund.feeds.ledger_view import Source
from verbund.kafka.settings import KafkaSettings
from verbund.settings import ServiceSettings


class ReportingSettings(ServiceSettings):
    """What every office needs, and where the catalogue stands."""

    catalogue: Path | None = None
    """Folder of indicators and data of cities; by default the one that comes with reporting."""


class ReaderSettings(ServiceSettings):
    """What every office needs, and where the books are read."""

    feed: Feed = "ledger"
    """VERBUND_FEED: `ledger` reads the databases of the offices, `kafka` the topics of their relays."""
    sources: tuple[Source, ...] = ()
    """VERBUND_SOURCES: a JSON list of offices, each with the role that sees reporting's view of its ledgers."""
    kafka: KafkaSettings | None = None
    """VERBUND_KAFKA__...: the brokers, and who the reader is to them."""

    @model_validator(mode="after")
    def _knows_where_to_read(self) -> Self:
        if self.feed == "kafka" and self.kafka is None:
            raise ValueError("VERBUND_FEED=kafka needs VERBUND_KAFKA__BROKERS")
        if self.feed == "ledger" and not self.sources:
            raise ValueError("VERBUND_FEED=ledger needs VERBUND_SOURCES")
        return self
