"""Kafka on one machine: one broker for development, three for the question what happens when one of them dies."""

import base64
import fcntl
import time
import uuid
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import TextIO

from pydantic import BaseModel, ConfigDict

from verbund.embedded.kafka_broker import Broker
from verbund.embedded.kafka_config import OPEN, Place, Security
from verbund.embedded.kafka_jars import Distribution
from verbund.embedded.kafka_java import KafkaFailed
from verbund.embedded.ports import LOOPBACK
from verbund.kafka.settings import KafkaSettings

_STOP_SECONDS = 15.0


class _Made(BaseModel):
    """What the data was made for."""

    model_config = ConfigDict(frozen=True)

    cluster_id: str
    brokers: int


class Brokers:
    """A cluster with its data in `home/kafka` and its logs in `home/logs`; `brokers` are started and ended singly.

    Start it from a thread that lives as long as the cluster should: on Linux a broker stops when the thread that
    started it ends.
    """

    def __init__(
        self, home: Path, places: Sequence[Place], distribution: Distribution, security: Security = OPEN
    ) -> None:
        self._folder = home / "kafka"
        self._lock: TextIO | None = None
        self.brokers = tuple(
            Broker(self._folder / str(place.id), home / "logs", place, places, distribution, security)
            for place in places
        )

    @property
    def bootstrap(self) -> tuple[str, ...]:
        """Where clients begin, as `host:port`."""
        return tuple(f"{LOOPBACK}:{broker.place.port}" for broker in self.brokers)

    @property
    def settings(self) -> KafkaSettings:
        """How a client reaches a cluster that asks nobody who he is."""
        return KafkaSettings(brokers=self.bootstrap)

    @property
    def is_running(self) -> bool:
        """Whether every broker lives."""
        return all(broker.is_running for broker in self.brokers)

    def start(self) -> None:
        """Start what does not run yet, make what is not there yet, and wait until all brokers serve together.

        A cluster that a killed process left on this data is ended first. Raises `KafkaFailed`, also where another
        process keeps this cluster alive, and `PortTaken`.
        """
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._be_the_only_one()
        try:
            cluster_id = self._cluster_id()
            with ThreadPoolExecutor(len(self.brokers)) as pool:
                list(pool.map(Broker.format, self.brokers, [cluster_id] * len(self.brokers)))
            # In this thread: a broker ends with the thread that starts it.
            for broker in self.brokers:
                if not broker.is_running:
                    broker.launch()
            for broker in self.brokers:
                broker.await_ready(each.place.id for each in self.brokers)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """A clean stop of all brokers at once; after a deadline they are killed."""
        for broker in self.brokers:
            broker.ask_to_stop()
        deadline = time.monotonic() + _STOP_SECONDS
        for broker in self.brokers:
            broker.await_end(deadline)
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def _be_the_only_one(self) -> None:
        """Hold the lock of this data; the kernel lets go of it however this process ends."""
        if self._lock is not None:
            return
        lock = (self._folder / "lock").open("a")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            lock.close()
            raise KafkaFailed(f"Another process runs Kafka on {self._folder}. End it first.") from error
        self._lock = lock

    def _cluster_id(self) -> str:
        """Chosen at random at the first start; raises `KafkaFailed` where that was one of another size."""
        file = self._folder / "cluster.json"
        with suppress(FileNotFoundError):
            made = _Made.model_validate_json(file.read_text(encoding="utf-8"))
            if made.brokers != len(self.brokers):
                raise KafkaFailed(
                    f"{self._folder} was made for {made.brokers} and not for {len(self.brokers)} brokers. Start"
                    f" as many as before, or remove {self._folder}: what travels on Kafka stands in the ledgers."
                )
            return made.cluster_id
        # 16 random bytes in the alphabet of URLs, as Kafka wants it.
        made = _Made(
            cluster_id=base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("="), brokers=len(self.brokers)
        )
        fresh = file.with_suffix(".fresh")
        fresh.write_text(made.model_dump_json(), encoding="utf-8")
        fresh.replace(file)
        return made.cluster_id
