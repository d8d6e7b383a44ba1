"""A cube rebuilt from what lies on a real Kafka: the same one, also behind repeats and strays; never a shorter one."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from conftest import OfficeDatabases
from kafka import KafkaProducer
from stage.facts import BOOK
from stage.reading_office import ask, reading, until
from stage.rebuilding import City, city
from stage.wiretap import make_topic

from reporting.rebuild import build as build_module
from verbund.embedded.kafka_cluster import Brokers
from verbund.events.offices import find_offices, get_office
from verbund.feeds.kafka.history import TopicHistory
from verbund.feeds.rebuild import CannotRebuild, Rebuilt
from verbund.kafka.topics import topic_of, topics_of
from verbund.relay.relay import Relay

TOPIC = topic_of(BOOK)


@pytest.fixture
async def here(office_database: OfficeDatabases, broker: Brokers, tmp_path: Path) -> AsyncIterator[City]:
    for topic in topics_of(find_offices()):
        await asyncio.to_thread(make_topic, broker.settings.brokers, topic.name)
    async with city(office_database, tmp_path) as found:
        yield found


@asynccontextmanager
async def sent(here: City, broker: Brokers, number: int) -> AsyncIterator[None]:
    """The relay at work, from the moment on at which it has sent that much."""
    async with Relay(get_office("registration"), here.registration.settings("relay"), broker.settings):
        await until(here.registration, f"select number from relay.position where ledger = '{BOOK}'", (number,))
        yield


@pytest.fixture
def stranger(broker: Brokers) -> Iterator[KafkaProducer]:
    producer = KafkaProducer(bootstrap_servers=list(broker.settings.brokers))
    yield producer
    producer.close()


async def test_a_cube_rebuilt_from_kafka_is_the_same_behind_repeats_and_strays(
    here: City, broker: Brokers, stranger: KafkaProducer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(build_module, "SLICE", 4)
    here.acknowledged += await here.register(8)
    async with sent(here, broker, 9):
        pass
    stranger.send(TOPIC, key=BOOK.encode(), value=b"{}").get(30)
    ask(here.registration, "delete from relay.position returning ledger")  # all of it comes again
    here.acknowledged += await here.register(2)
    async with sent(here, broker, 11), reading(here.reporting, here.registration, here.folder):
        await here.until_read(11)
        outcome = await here.rebuild(kafka=broker.settings)
        assert (outcome.ledgers, bool(outcome.accepted)) == ([Rebuilt(BOOK, before=11, number=11)], False)
        here.check()
        assert ask(here.reporting, "select generation, number from cube.batch_head") == [(2, 3)]
        here.acknowledged += await here.register(1)
        await here.until_read(12)
    here.check()


async def test_a_topic_that_has_lost_something_is_no_source(here: City, broker: Brokers) -> None:
    here.acknowledged += await here.register(4)
    async with sent(here, broker, 5), reading(here.reporting, here.registration, here.folder):
        await here.until_read(5)
    await asyncio.to_thread(make_topic, broker.settings.brokers, TOPIC)
    with pytest.raises(CannotRebuild, match="rebuild from the ledgers"):  # nothing at all lies there
        await here.rebuild(kafka=broker.settings, accept=True)
    here.acknowledged += await here.register(1)
    async with sent(here, broker, 6), reading(here.reporting, here.registration, here.folder):
        await here.until_read(6)
    for choices in ({}, {"accept": True}):
        with pytest.raises(CannotRebuild, match="rebuild from the ledgers"):
            await here.rebuild(kafka=broker.settings, **choices)
    await here.rebuild()
    here.check()


async def test_any_record_is_found_again_by_its_number(here: City, broker: Brokers) -> None:
    await here.register(6)
    async with sent(here, broker, 7):
        pass

    def look() -> list[tuple[int, int]]:
        with TopicHistory(broker.settings, {TOPIC: "registration"}) as history:
            head = history.heads()[BOOK]
            assert history.hashes(BOOK, [0, 7, 8]).keys() == {0, 7}
            assert history.hashes(BOOK, [7])[7] == head.hash
            return [(len(found), found[0][0]) for found in (list(history.read(BOOK, first, 7)) for first in (5, 1, 7))]

    assert await asyncio.to_thread(look) == [(3, 5), (7, 1), (1, 7)]
