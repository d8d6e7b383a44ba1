"""The Kafka between the offices of one machine: started with its topics, kept alive, stopped."""

import asyncio
from collections.abc import Callable
from contextlib import suppress

import psutil

from verbund.embedded import record
from verbund.embedded.home import EmbeddedSettings
from verbund.embedded.kafka_cluster import Brokers
from verbund.embedded.kafka_config import places_from
from verbund.embedded.kafka_jars import ensure_distribution
from verbund.embedded.kafka_java import KafkaFailed
from verbund.embedded.ports import PortTaken
from verbund.kafka.settings import KafkaSettings

_WATCH_SECONDS = 0.5
_LONGEST_WAIT_SECONDS = 30.0

Tell = Callable[[str], None]
MakeTopics = Callable[[KafkaSettings], None]
"""Makes the topics that are missing; relays and readers never do."""


class Backbone:
    """One broker in `home/kafka`. Start it in the main thread: it ends with the thread that starts it."""

    def __init__(self, settings: EmbeddedSettings, make_topics: MakeTopics) -> None:
        self._settings = settings
        self._make_topics = make_topics
        self._brokers: Brokers | None = None

    @property
    def started(self) -> record.Started | None:
        """The broker as it was started last."""
        pid = self._brokers.brokers[0].pid if self._brokers is not None else None
        with suppress(psutil.NoSuchProcess):
            return record.describe("kafka", pid, self._port) if pid is not None else None
        return None

    @property
    def _port(self) -> int:
        return self._settings.kafka_port + self._settings.port_offset

    def start(self, tell: Tell) -> None:
        """Fetch Kafka where it is not there yet, start it, make its topics. Raises `KafkaFailed` and `PortTaken`."""
        distribution = ensure_distribution(self._settings.cache, tell)
        tell(f"starting Kafka on port {self._port}")
        self._brokers = Brokers(self._settings.layout.folder, places_from(self._port, 1), distribution)
        self._brokers.start()
        self._make_topics(self._brokers.settings)

    def stop(self, tell: Tell) -> None:
        """A clean stop; nothing where it never started."""
        if self._brokers is not None:
            tell("stopping Kafka")
            self._brokers.stop()

    async def watch(self, tell: Tell) -> None:
        """Start it again when it has died; relays and readers find it by themselves."""
        assert self._brokers is not None
        wait = _WATCH_SECONDS
        while True:
            await asyncio.sleep(wait)
            if self._brokers.is_running:
                wait = _WATCH_SECONDS
                continue
            tell("Kafka ended; starting it again")
            try:
                for broker in self._brokers.brokers:
                    broker.launch()
                    # Seconds go by: the others have to be looked after meanwhile.
                    await asyncio.to_thread(broker.await_ready, [broker.place.id])
                tell(f"Kafka serves again on port {self._port}")
            except (KafkaFailed, PortTaken, OSError) as error:
                wait = min(wait * 2, _LONGEST_WAIT_SECONDS)
                tell(f"{error} Trying again in {wait:g} s.")
