"""Where a process that reads other offices' ledgers finds them."""

from typing import Self

from pydantic import model_validator

from verbund.events.offices import Feed
from verbund.feeds.ledger_view import Source
from verbund.kafka.settings import KafkaSettings
from verbund.settings import ServiceSettings


class ReadingSettings(ServiceSettings):
    """What every office needs, and where the ledgers of others are read."""

    feed: Feed = "ledger"
    """VERBUND_FEED: `ledger` reads the databases of the offices, `kafka` the topics of their relays."""
    sources: tuple[Source, ...] = ()
    """VERBUND_SOURCES: a JSON list of offices, each with the role that sees this reader's view of its ledgers."""
    kafka: KafkaSettings | None = None
    """VERBUND_KAFKA__...: the brokers, and who the reader is to them."""

    @model_validator(mode="after")
    def _knows_where_kafka_is(self) -> Self:
        if self.feed == "kafka" and self.kafka is None:
            raise ValueError("VERBUND_FEED=kafka needs VERBUND_KAFKA__BROKERS")
        return self
