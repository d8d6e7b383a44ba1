"""Real Kafkas for tests: fetched once into the cache folder, each with scratch data and free ports."""

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp

import pytest

from verbund.embedded.kafka_cluster import Brokers
from verbund.embedded.kafka_config import Place
from verbund.embedded.kafka_guard import Guard
from verbund.embedded.kafka_jars import Distribution, ensure_distribution
from verbund.embedded.kafka_java import NotInstalled
from verbund.embedded.ports import find_free_port

_CHECKOUT = Path(__file__).resolve().parents[2]


def cache_folder() -> Path:
    """Where `make` keeps downloads, also for what was not started by it."""
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
def running_brokers(distribution: Distribution, brokers: int = 1) -> Iterator[Brokers]:
    """A Kafka of one's own, which a test may kill: one broker, or three that keep every record three times."""
    with scratch_home() as home:
        made = Brokers(home, free_places(brokers), distribution)
        try:
            made.start()
            yield made
        finally:
            made.stop()


@contextmanager
def guarded_brokers(distribution: Distribution, users: Mapping[str, str]) -> Iterator[tuple[Brokers, Guard]]:
    """A Kafka of one broker that lets in nobody but these users (passwords by name), and lets them do nothing yet."""
    with scratch_home() as home:
        guard = Guard(home / "secrets" / "kafka", users)
        made = Brokers(home, free_places(1), distribution, guard.security)
        try:
            made.start()
            yield made, guard
        finally:
            made.stop()


@contextmanager
def scratch_home() -> Iterator[Path]:
    """A folder for a Kafka; removed afterwards with everything in it."""
    home = Path(mkdtemp(prefix="verbund-test-kafka-"))
    try:
        yield home
    finally:
        shutil.rmtree(home)
