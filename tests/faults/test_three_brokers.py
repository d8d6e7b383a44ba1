"""One of three brokers dies, again and again, while an office books: nothing is lost, nothing counts twice."""

import asyncio
import random
from time import monotonic

from conftest import OfficeDatabases
from stage.brokers import running_brokers
from stage.feeding import KafkaStage, until

from verbund.embedded.kafka_broker import Broker
from verbund.embedded.kafka_cluster import Brokers
from verbund.embedded.kafka_jars import Distribution

ROUNDS = 3
_SECONDS = 90.0
"""A broker that died counts as alive for seconds, and so long nobody else leads what it led."""


async def test_one_of_three_brokers_dies_and_nothing_is_lost(
    kafka: Distribution, office_database: OfficeDatabases, seed: int
) -> None:
    chance = random.Random(seed)
    with running_brokers(kafka, 3) as brokers:
        stage = KafkaStage(office_database("registration"), office_database("reporting"), brokers.settings)
        booked = 0
        async with stage.reading():
            for _ in range(ROUNDS):
                victim = chance.choice(brokers.brokers)
                await stage.book(20)
                victim.kill()
                await stage.book(20)
                booked += 40
                await until(lambda booked=booked: len(stage.seen()) == booked, _SECONDS)  # type: ignore[misc]
                await start_again(victim, brokers)
                await stage.book(5)
                booked += 5
                await until(lambda booked=booked: len(stage.seen()) == booked, _SECONDS)  # type: ignore[misc]
    assert stage.seen() == list(range(1, booked + 1))


async def start_again(victim: Broker, brokers: Brokers) -> None:
    """Until the cluster has understood that it died, it is taken for itself and not let in."""
    deadline = monotonic() + _SECONDS
    victim.launch()
    everybody = [broker.place.id for broker in brokers.brokers]
    while not victim.is_running:
        assert monotonic() < deadline, "the broker does not come back"
        victim.launch()
    await asyncio.to_thread(victim.await_ready, everybody)
