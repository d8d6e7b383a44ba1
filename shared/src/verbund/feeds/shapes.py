"""The feeds of an office in whichever shape its settings name: straight from the ledgers, or from Kafka."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from sqlalchemy.ext.asyncio import AsyncEngine

from verbund.events.offices import Office, known_events
from verbund.feeds.in_tray import TrayEffect
from verbund.feeds.ledger_feed import LedgerFeed
from verbund.feeds.reader import Reader
from verbund.feeds.settings import ReadingSettings
from verbund.kafka.topics import reader_principal, topics_read_by


class AnyFeed(AbstractAsyncContextManager[object], Protocol):
    """A part of a process that reads until it is left."""

    async def trouble(self) -> str | None:
        """What keeps it from reading, or None: for `/readyz`."""
        ...


def feeds_into(
    reader: Reader, what: str, office: Office, settings: ReadingSettings, offices: Sequence[Office]
) -> Mapping[str, AnyFeed]:
    """What brings other offices' ledgers to this reader, by the name of its probe. `what`: books or trays."""
    if settings.kafka is None or settings.feed == "ledger":
        return {f"{what} of {source.office}": LedgerFeed(source, reader, office.name) for source in settings.sources}
    # Faust takes twenty megabytes: not where nobody asks for it.
    from verbund.feeds.kafka.feed import KafkaFeed

    topics = topics_read_by(office.name, offices)
    if not topics:
        return {}
    return {f"{what} on Kafka": KafkaFeed(settings.kafka, reader_principal(office.name), topics, reader)}


def tray_feeds(
    office: Office, settings: ReadingSettings, engine: AsyncEngine, offices: Sequence[Office]
) -> Mapping[str, AnyFeed]:
    """What brings the trays addressed to an office into its in-tray. `engine`: under the role that reads.

    From Kafka an office reads in a process of its own (role `reader`): where Faust gives up it ends its process, which
    should not be the office's door. Straight from the ledgers it may be either.
    """
    reader = Reader(engine, TrayEffect(office.name, settings.municipality), known_events(offices))
    return feeds_into(reader, "trays", office, settings, offices)
