"""The relay on a real PostgreSQL and a real Kafka: complete, in order, and it says what keeps it."""

import pytest
from conftest import OfficeDatabases
from stage.ledgers import BOOK
from stage.relaying import Stage, assert_complete

from verbund.embedded.kafka_cluster import Brokers
from verbund.kafka.topics import topic_of

TOPIC = topic_of(BOOK)


@pytest.fixture
def stage(office_database: OfficeDatabases, broker: Brokers) -> Stage:
    return Stage(office_database("registration"), broker.settings)


async def test_what_is_booked_is_sent_in_order_with_its_place_in_the_chain(stage: Stage) -> None:
    stage.book(5)
    async with stage.relaying() as relay:
        await stage.until_sent(5)
        for _ in range(4):
            stage.book(3)
        await stage.until_sent(17)
        assert await relay.trouble() is None
    sent = stage.tap()
    assert_complete(sent, 17)
    assert sent.numbers == list(range(1, 18))  # and none twice, where nothing failed
    assert {headers["ce_type"] for headers in sent.headers} == {b"de.verbund.registration.added.v1"}
    assert {headers["ce_source"] for headers in sent.headers} == {BOOK.encode()}
