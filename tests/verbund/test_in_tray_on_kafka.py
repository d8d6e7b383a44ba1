"""What one office tells another by way of Kafka: the relay of the one, the feed of the other, nothing in between."""

import asyncio
from pathlib import Path

import pytest
from conftest import OfficeDatabases
from stage.school import School, found_school, until
from stage.trays import OFFICES, REGISTRATION, TRAY, ask, restore, tell
from stage.wiretap import make_topic, tap

from verbund.embedded.kafka_cluster import Brokers
from verbund.kafka.topics import topic_of, topics_of
from verbund.relay.relay import Relay


@pytest.fixture
async def school(office_database: OfficeDatabases, broker: Brokers) -> School:
    """It reads from Kafka."""
    made = found_school(office_database)
    made.kafka = broker.settings.model_copy(update={"instance": "one"})
    for topic in topics_of(OFFICES):
        await asyncio.to_thread(make_topic, broker.settings.brokers, topic.name)
    await made.open()
    return made


def relaying(school: School, broker: Brokers) -> Relay:
    return Relay(REGISTRATION, school.registration.settings("relay"), broker.settings)


async def lose_topic(school: School, broker: Brokers) -> None:
    """The topic is made anew, to be filled again from the ledger."""
    await asyncio.to_thread(make_topic, broker.settings.brokers, topic_of(TRAY))
    ask(school.registration, f"delete from relay.position where ledger = '{TRAY}' returning ledger")


async def test_what_travels_is_carried_out_once_and_in_order_whoever_dies_and_whatever_comes_again(
    school: School, broker: Brokers, tmp_path: Path
) -> None:
    async with relaying(school, broker):
        await tell(school.registration, range(1, 101))
        with school.process(tmp_path) as first:
            await school.until_settled(40)
            first.kill()
        await tell(school.registration, range(101, 201))
        with school.process(tmp_path):
            await school.until_settled(200)
            await tell(school.registration, [201])
            await school.until_settled(201)
        await lose_topic(school, broker)
        await tell(school.registration, [202])
        with school.process(tmp_path):
            await school.until_settled(202)
    again = await asyncio.to_thread(tap, broker.settings, topic_of(TRAY), TRAY)
    assert set(again.numbers) == set(range(1, 203))
    assert school.counted() == list(range(1, 203))
    assert school.ask("select count(*), max(version) from tally.sum") == [(202, 1)]
    assert school.ask("select ledger, number, stop_reason from feed.position") == [(TRAY, 202, None)]


async def test_an_office_that_was_restored_and_books_on_is_heard_again_on_request(
    school: School, broker: Brokers, tmp_path: Path
) -> None:
    async with relaying(school, broker):
        await tell(school.registration, range(1, 11))
        with school.process(tmp_path):
            await school.until_settled(10)
    restore(school.registration, 6)
    await lose_topic(school, broker)
    await tell(school.registration, [21, 22])
    async with relaying(school, broker):
        with school.process(tmp_path):
            await until(lambda: school.ask("select stop_reason from feed.position") == [("head_below_position",)])
            assert await school.hear_again()
            await school.until_settled(12)
    assert school.counted() == [*range(1, 11), 21, 22]
    assert school.ask("select number, stop_reason from feed.position") == [(8, None)]
