"""From an office to its reader over a Kafka with TLS, passwords and rights: each may do its own part and no other."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest
from conftest import OfficeDatabases
from stage.brokers import guarded_brokers
from stage.feeding import BOOK, Feed, KafkaStage, until, until_async
from stage.tally import KNOWN

from verbund.database import make_engine
from verbund.embedded.kafka_guard import ADMIN
from verbund.embedded.kafka_jars import Distribution
from verbund.events.offices import find_offices, get_office
from verbund.feeds.kafka.feed import KafkaFeed
from verbund.feeds.reader import Reader
from verbund.kafka.settings import KafkaSettings
from verbund.kafka.topics import reader_principal, relay_principal, rights_of, topic_of, topics_of
from verbund.relay.relay import Relay
from verbund.relay.topics import Wanted, check_topics, create_topics

WRITER, READER = relay_principal("registration"), reader_principal("reporting")


@pytest.fixture(scope="module")
def settings(kafka: Distribution) -> Iterator[dict[str, KafkaSettings]]:
    """By user, how to reach a cluster whose topics and rights were made by its administrator."""
    users = {WRITER: "one", READER: "another", "nobody": "a third"}
    with guarded_brokers(kafka, users) as (brokers, guard):
        known = {user: guard.settings(brokers.bootstrap, user) for user in (*users, ADMIN)}
        topics = topics_of(find_offices())
        wanted = Wanted(topics, rights_of(topics))
        assert create_topics(known[ADMIN], wanted) == []
        assert check_topics(known[ADMIN], wanted) == []
        yield known


class GuardedStage(KafkaStage):
    """The topics are there already: who plays here may not make any."""

    def make_topics(self) -> None:
        pass


@asynccontextmanager
async def reading(stage: KafkaStage, kafka: KafkaSettings, gave_up: asyncio.Event) -> AsyncIterator[Feed]:
    engine = make_engine(stage.reader.settings("reader"))
    reader = Reader(engine, stage.effect, KNOWN)
    try:
        async with KafkaFeed(kafka, READER, [topic_of(BOOK)], reader, give_up=gave_up.set) as feed:
            yield feed
    finally:
        await engine.dispose()


@pytest.fixture
def stage(settings: dict[str, KafkaSettings], office_database: OfficeDatabases) -> KafkaStage:
    return GuardedStage(office_database("registration"), office_database("reporting"), settings[WRITER])


async def test_who_has_the_right_sends_and_reads(stage: KafkaStage, settings: dict[str, KafkaSettings]) -> None:
    gave_up = asyncio.Event()
    await stage.book(20)
    relay = Relay(get_office("registration"), stage.office.settings("relay"), settings[WRITER])
    async with relay, reading(stage, settings[READER], gave_up) as feed:
        await until(lambda: len(stage.seen()) == 20)
        await stage.book(5)
        await until(lambda: len(stage.seen()) == 25)
        assert await feed.trouble() is None
        assert await relay.trouble() is None
    assert not gave_up.is_set()


@pytest.mark.parametrize("user", [WRITER, "nobody"])
async def test_who_has_no_right_to_read_gets_nothing_and_says_so(
    stage: KafkaStage, settings: dict[str, KafkaSettings], user: str
) -> None:
    await stage.book(3)
    relay = Relay(get_office("registration"), stage.office.settings("relay"), settings[WRITER])
    async with relay, reading(stage, settings[user], asyncio.Event()) as feed:

        async def refused() -> bool:
            return "does not let this reader in" in (await feed.trouble() or "")

        await until_async(refused)
    assert stage.seen() == []


# Faust's thread ends with the error, as it does in a process of its own, which then ends.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
async def test_a_wrong_password_is_no_way_in(stage: KafkaStage, settings: dict[str, KafkaSettings]) -> None:
    gave_up = asyncio.Event()
    wrong = settings[READER].model_copy(update={"password_file": settings["nobody"].password_file})
    async with reading(stage, wrong, gave_up) as feed:
        await asyncio.wait_for(gave_up.wait(), 30)
        assert await feed.trouble() is not None
