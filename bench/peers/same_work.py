"""What every peer does with a batch, as the product does it: decode, make deltas, COPY, move the position, one commit.

The same functions, the same SQL, the same driver, the same durability; only who fetches differs, and who parses JSON:
a framework that brings a deserializer uses it. Nobody here checks hashes, holes or repeats, as ours does: a peer does
less.
"""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import uuid4

from reporting.deltas import delta_functions
from reporting.reader import CubeEffect
from reporting.settings import ReaderSettings
from verbund.database import make_engine
from verbund.events.envelope import Event, decode
from verbund.events.ledger_ids import book_of
from verbund.events.offices import find_offices, known_events
from verbund.feeds.positions import lock_positions, move_positions
from verbund.feeds.reader import Reader
from verbund.feeds.sift import Position
from verbund.kafka.topics import book_topic
from verbund.service.memory import settle
from verbund.settings import read_secret

TOPIC = book_topic("registration")
BATCH = 20_000
"""Events in one transaction, for who can."""


class Work:
    """Takes batches into the cube of the database that the environment names."""

    def __init__(self) -> None:
        settings = ReaderSettings()
        assert settings.kafka is not None
        self.brokers = ",".join(settings.kafka.brokers)
        self.group = f"bench-{uuid4()}"
        """A fresh one: it begins at the beginning."""
        self._book = book_of(settings.municipality, "registration")
        self._known = known_events()
        self._models: dict[str, type[Event[Any]]] = {type_: Event[data] for type_, data in self._known.items()}  # type: ignore[valid-type]
        self._engine = make_engine(settings.database)
        self._effect = CubeEffect(read_secret(settings.hash_key_file).encode(), delta_functions(find_offices()))
        self.reader = Reader(self._engine, self._effect, self._known)
        """The product's own."""
        settle()

    async def take(self, values: Sequence[bytes]) -> None:
        """Take events in from their bytes, in one transaction."""
        await self.take_events([decode(value, self._known) for value in values])

    async def take_parsed(self, values: Sequence[Mapping[str, Any]]) -> None:
        """The same from what a framework has parsed by its own means, as its handbook has it."""
        await self.take_events([self._models[value["type"]].model_validate(value) for value in values])

    async def take_events(self, events: Sequence[Event[Any]]) -> None:
        """Take events in, in one transaction."""
        async with self._engine.begin() as connection:
            await lock_positions(connection, [self._book])
            await self._effect.apply(connection, events)
            await move_positions(connection, [(Position(self._book, events[-1].number), events[-1].time)])
            await self._effect.finish(connection)
