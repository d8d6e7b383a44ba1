"""Topics and rights on real brokers: made once, held against what is there, and nothing taken away."""

import gc
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import OfficeDatabases
from stage.brokers import guarded_brokers
from stage.ledgers import BOOK
from stage.relaying import Stage, assert_complete
from stage.wiretap import administration, alter_topic, remove_topic
from typer.testing import CliRunner

from verbund.cli.main import build
from verbund.embedded.kafka_cluster import Brokers
from verbund.embedded.kafka_guard import ADMIN, Guard
from verbund.embedded.kafka_jars import Distribution
from verbund.embedded.ports import find_free_port
from verbund.events.offices import find_offices
from verbund.kafka.settings import KafkaSettings
from verbund.kafka.topics import Right, rights_of, topic_of, topics_of
from verbund.relay.client.admin import Administration
from verbund.relay.topics import Difference, Wanted, check_topics, create_topics

# kafka-python leaves the socket of a connection that was refused to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed <(ssl|socket):ResourceWarning")

TOPICS = topics_of(find_offices())
BOOK_TOPIC = topic_of(BOOK)
RELAY, READER = "registration-relay", "reporting-reader"


@pytest.fixture
def kafka_settings(broker: Brokers) -> KafkaSettings:
    for topic in TOPICS:
        remove_topic(broker.bootstrap, topic.name)
    return broker.settings


def verbund(*words: str) -> tuple[int, str]:
    result = CliRunner().invoke(build(), ["kafka", "topics", *words])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.output


def test_topics_are_made_once_and_stay_as_they_have_to_be(kafka_settings: KafkaSettings) -> None:
    wanted = Wanted(TOPICS)
    assert check_topics(kafka_settings, wanted) == [
        Difference(topic.name, "topic", "there", "missing") for topic in TOPICS
    ]
    for _ in range(2):
        assert create_topics(kafka_settings, wanted) == []
    assert check_topics(kafka_settings, wanted) == []
    with administration(kafka_settings.brokers) as client:
        [described] = client.describe_topics([BOOK_TOPIC])
    assert len(described["partitions"]) == 6


def test_a_setting_that_differs_is_named_and_set(kafka_settings: KafkaSettings) -> None:
    wanted = Wanted(TOPICS)
    create_topics(kafka_settings, wanted)
    alter_topic(kafka_settings.brokers, BOOK_TOPIC, retention_ms=1000, min_insync_replicas=1)
    week = str(7 * 24 * 3600 * 1000)
    assert check_topics(kafka_settings, wanted) == [Difference(BOOK_TOPIC, "retention.ms", week, "1000")]
    assert create_topics(kafka_settings, wanted) == []
    with Administration(kafka_settings) as found:
        described = found.describe([BOOK_TOPIC])[BOOK_TOPIC]
    assert described is not None
    assert (described.config["retention.ms"], described.config["min.insync.replicas"]) == (week, "1")  # others stay


def test_the_number_of_partitions_and_copies_is_left_to_a_person(kafka_settings: KafkaSettings) -> None:
    create_topics(kafka_settings, Wanted(TOPICS, partitions=2))
    assert create_topics(kafka_settings, Wanted(TOPICS, replication=3)) == [
        Difference(BOOK_TOPIC, "partitions", "6", "2", mends_itself=False),
        Difference(BOOK_TOPIC, "replication", "3", "1", mends_itself=False),
    ]


def test_the_command_says_what_differs_and_ends_with_it(kafka_settings: KafkaSettings) -> None:
    where = ("--brokers", kafka_settings.brokers[0])
    code, said = verbund(*where)
    assert code == 1
    assert BOOK_TOPIC in said
    assert "missing" in said
    assert verbund(*where, "--create")[0] == 0
    code, said = verbund(*where, "--json")
    assert (code, json.loads(said)) == (
        0,
        {"topics": [topic.name for topic in TOPICS], "well": True, "differences": []},
    )
    code, said = verbund(*where, "--partitions", "7", "--json")
    assert (code, json.loads(said)["differences"]) == (
        1,
        [{"name": BOOK_TOPIC, "what": "partitions", "wanted": "7", "found": "6"}],
    )


def test_a_kafka_that_is_not_there_is_said_in_words() -> None:
    code, said = verbund("--brokers", f"127.0.0.1:{find_free_port()}")
    assert code == 1
    assert "cannot be asked" in said
    code, said = verbund("--security-protocol", "SASL_SSL")
    assert code == 1
    assert "--admin-user" in said
    gc.collect()


@pytest.fixture(scope="module")
def guarded(kafka: Distribution) -> Iterator[tuple[Brokers, Guard]]:
    """A Kafka with TLS, SCRAM and ACLs; nobody may do anything yet."""
    with guarded_brokers(kafka, {RELAY: "relay", READER: "reader", "stranger": "stranger"}) as made:
        yield made


def settings_of(guarded: tuple[Brokers, Guard], user: str) -> KafkaSettings:
    brokers, guard = guarded
    return KafkaSettings(
        brokers=brokers.bootstrap,
        security_protocol="SASL_SSL",
        ca_file=guard.ca_file,
        user=user,
        password_file=guard.password_file(user),
    )


async def test_rights_are_given_and_the_relay_sends_with_them_and_not_without(
    guarded: tuple[Brokers, Guard], office_database: OfficeDatabases, tmp_path: Path
) -> None:
    admin = settings_of(guarded, ADMIN)
    create_topics(admin, Wanted(TOPICS))
    stage = Stage(office_database("registration"), settings_of(guarded, RELAY), [])
    stage.book(4)
    async with stage.relaying() as relay:
        said = await stage.until_troubled(relay, "does not let registration-relay write")
        assert BOOK_TOPIC in said
        assert stage.position() == 0
        code, answer = verbund(
            *("--create", "--brokers", admin.brokers[0], "--security-protocol", "SASL_SSL"),
            *("--ca-file", str(admin.ca_file), "--admin-user", ADMIN),
            *("--admin-password-file", str(admin.password_file)),
        )
        assert (code, BOOK_TOPIC in answer) == (0, True)
        await stage.until_sent(4)
        await stage.until_trouble_is_gone(relay)
    # Nobody but the reader of the book may read it.
    assert_complete(stage.tap(as_=settings_of(guarded, READER)), 4)
    wrong = tmp_path / "password"
    wrong.write_text("wrong")
    impostor = settings_of(guarded, RELAY).model_copy(update={"password_file": wrong})
    async with stage.relaying(impostor) as relay:
        await stage.until_troubled(relay, "does not know registration-relay's password")


def test_rights_of_strangers_are_reported_and_stay(guarded: tuple[Brokers, Guard]) -> None:
    admin, rights = settings_of(guarded, ADMIN), rights_of(TOPICS)
    wanted = Wanted(TOPICS, rights)
    assert create_topics(admin, wanted) == []
    foreign = Right("stranger", "topic", BOOK_TOPIC, "write")
    with Administration(admin) as administration_:
        administration_.grant([foreign, Right("stranger", "topic", BOOK_TOPIC, "describe")])
        administration_.grant([Right("stranger", "topic", "*", "read")])
    expected = [
        Difference(BOOK_TOPIC, "stranger may read (*)", "no", "yes", mends_itself=False),
        Difference(BOOK_TOPIC, f"stranger may write ({BOOK_TOPIC})", "no", "yes", mends_itself=False),
    ]
    for found in (create_topics(admin, wanted), check_topics(admin, wanted)):
        assert sorted(found, key=lambda each: each.what) == expected


def test_a_right_that_is_missing_is_named(guarded: tuple[Brokers, Guard]) -> None:
    more = Right("newcomer", "topic", BOOK_TOPIC, "read")
    found = check_topics(settings_of(guarded, ADMIN), Wanted(TOPICS, [*rights_of(TOPICS), more]))
    assert Difference(BOOK_TOPIC, "newcomer may read", "yes", "no") in found
