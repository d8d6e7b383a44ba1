"""What one office tells another by way of Kafka: the relay of the one, the feed of the other, nothing in between."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from conftest import OfficeDatabases
from stage.school import School, found_school
from stage.trays import OFFICES, REGISTRATION, TRAY, ask, tell
from stage.wiretap import make_topic, tap

from verbund.embedded.kafka_cluster import Brokers
from verbund.kafka.topics import topic_of, topics_of
from verbund.relay.relay import Relay


@pytest.fixture
async def school(office_database: OfficeDatabases, broker: Brokers) -> AsyncIterator[School]:
    """It reads from Kafka, to which the relay of registration sends."""
    made = found_school(office_database)
    made.kafka = broker.settings.model_copy(update={"instance": "one"})
    for topic in topics_of(OFFICES):
        await asyncio.to_thread(make_topic, broker.settings.brokers, topic.name)
    async with Relay(REGISTRATION, made.registration.settings("relay"), broker.settings):
        yield made


async def test_what_travels_is_carried_out_once_and_in_order_whoever_dies_and_whatever_comes_again(
    school: School, broker: Brokers, tmp_path: Path
) -> None:
    await school.open()
    await tell(school.registration, range(1, 101))
    with school.process(tmp_path) as first:
        await school.until_settled(40)
        first.kill()
    await tell(school.registration, range(101, 201))
    with school.process(tmp_path):
        await school.until_settled(200)
        await tell(school.registration, [201])
        await school.until_settled(201)
    # The topic is lost and filled again from the ledger.
    make_topic(broker.settings.brokers, topic_of(TRAY))
    ask(school.registration, f"delete from relay.position where ledger = '{TRAY}' returning ledger")
    await tell(school.registration, [202])
    with school.process(tmp_path):
        await school.until_settled(202)
    again = await asyncio.to_thread(tap, broker.settings, topic_of(TRAY), TRAY)
    assert set(again.numbers) == set(range(1, 203))
    assert school.counted() == list(range(1, 203))
    assert school.ask("select count(*), max(version) from tally.sum") == [(202, 1)]
    assert school.ask("select ledger, number, stop_reason from feed.position") == [(TRAY, 202, None)]
