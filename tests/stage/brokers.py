"""Real Kafkas for tests: fetched once into the cache folder, each with scratch data and free ports."""

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp

import pytest

from verbund.embedded.kafka_cluster import Brokers
from verbund.embedded.kafka_config import OPEN, Place, Security
from verbund.embedded.kafka_jars import Distribution, ensure_distribution
from verbund.embedded.kafka_java import NotInstalled
from verbund.embedded.ports import find_free_port

_CHECKOUT = Path(__file__).resolve().parents[2]


def cache_folder() -> Path:
    """Where `make` keeps downloads, also for a test that was not started by it."""
    return Path(os.environ.get("VERBUND_CACHE") or _CHECKOUT / ".cache")


def kafka_or_skip() -> Distribution:
    """Apache Kafka; skips the test, with the reason, where this machine lacks what it needs."""
    try:
        return ensure_distribution(cache_folder(), print)
    except NotInstalled as error:
        pytest.skip(str(error))


def free_places(brokers: int) -> list[Place]:
    ports: set[int] = set()
    while len(ports) < 3 * brokers:
        ports.add(find_free_port())
    return [Place(number, *(ports.pop() for _ in range(3))) for number in range(1, brokers + 1)]


@contextmanager
def running_brokers(
    distribution: Distribution, brokers: int = 1, security: Security = OPEN, places: Sequence[Place] = ()
) -> Iterator[Brokers]:
    """A Kafka of one's own, which a test may kill: one broker, or three with every record three times."""
    home = Path(mkdtemp(prefix="verbund-test-kafka-"))
    made = Brokers(home, places or free_places(brokers), distribution, security)
    try:
        made.start()
        yield made
    finally:
        made.stop()
        shutil.rmtree(home)
