"""What lies on Kafka, read by whoever may read everything, and topics made anew for a test."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import monotonic, sleep
from typing import Any

from kafka import KafkaConsumer, KafkaProducer
from kafka.admin import ConfigResource, KafkaAdminClient
from kafka.errors import KafkaError
from kafka.structs import TopicPartition

from verbund.kafka.messages import Message, Stray, read_message
from verbund.kafka.settings import KafkaSettings
from verbund.kafka.topics import LARGEST_MESSAGE
from verbund.ledger.record import Beat, Record
from verbund.relay.client.connecting import connection

_DEADLINE_SECONDS = 20.0
_PARTITIONS = 6
_NO_SUCH_TOPIC = 3


@contextmanager
def administration(brokers: Sequence[str]) -> Iterator[KafkaAdminClient]:
    """For whoever may do everything."""
    with KafkaAdminClient(bootstrap_servers=list(brokers)) as client:
        yield client


def make_topic(brokers: Sequence[str], topic: str, **config: object) -> None:
    """A fresh topic; one of the same name goes first. `config`: with `_` for `.`."""
    with administration(brokers) as client:
        remove_topic(brokers, topic)
        configs = {name.replace("_", "."): str(value) for name, value in config.items()}
        wanted = {"num_partitions": _PARTITIONS, "replication_factor": -1, "configs": configs}
        client.create_topics({topic: wanted}, wait_for_metadata=True)


def alter_topic(brokers: Sequence[str], topic: str, **config: object) -> None:
    """Change settings of a topic, named with `_` for `.`; whoever asks sees them when this returns."""
    with administration(brokers) as client:
        changed = {name.replace("_", "."): str(value) for name, value in config.items()}
        answer = client.alter_configs([ConfigResource("TOPIC", topic, changed)])
        assert answer["topic"] == {topic: "OK"}
        deadline = monotonic() + _DEADLINE_SECONDS
        while not changed.items() <= _settings_of(client, topic).items():
            assert monotonic() < deadline, f"{topic} does not change"
            sleep(0.02)


def _settings_of(client: KafkaAdminClient, topic: str) -> dict[str, str]:
    found = client.describe_configs([ConfigResource("TOPIC", topic)], config_filter="all")["topic"][topic]
    return {name: str(entry["value"]) for name, entry in found.items()}


def remove_topic(brokers: Sequence[str], topic: str) -> None:
    """Gone when this returns, also where it was not there."""
    with administration(brokers) as client:
        client.delete_topics([topic], raise_errors=False)
        deadline = monotonic() + _DEADLINE_SECONDS
        while client.describe_topics([topic])[0]["error_code"] != _NO_SUCH_TOPIC:
            assert monotonic() < deadline, f"{topic} does not go"
            sleep(0.02)


@dataclass
class Tapped:
    """What one ledger sent, in the order in which a reader sees it."""

    records: list[Record] = field(default_factory=list)
    beats: list[Beat] = field(default_factory=list)
    places: set[int] = field(default_factory=set)
    """Partitions."""
    in_order: list[Record | Beat] = field(default_factory=list)
    headers: list[Mapping[str, bytes]] = field(default_factory=list)

    @property
    def numbers(self) -> list[int]:
        return [record.number for record in self.records]

    @property
    def first_seen(self) -> list[int]:
        """Numbers without those that had come before: every reader ends with these."""
        return list(dict.fromkeys(self.numbers))


def tap(kafka: KafkaSettings, topic: str, ledger: str) -> Tapped:
    """Everything that lies on a topic now under a ledger's key; fails where something is not as it has to be."""
    found = Tapped()
    for message in messages(kafka, topic):
        if message.key != ledger.encode():
            continue
        found.places.add(message.partition)
        said = read_message(topic, message.key, message.value, message.headers, "here")
        assert not isinstance(said, Stray), f"{said.reason} {said.detail}"
        found.in_order.append(said)
        if isinstance(said, Record):
            found.records.append(said)
            found.headers.append(dict(message.headers))
        else:
            found.beats.append(said)
    return found


def messages(kafka: KafkaSettings, topic: str) -> list[Any]:
    """All messages that lie on a topic now, partition by partition."""
    told = connection(kafka, "wiretap")
    consumer = KafkaConsumer(**told, enable_auto_commit=False, auto_offset_reset="earliest")
    try:
        places = [TopicPartition(topic, number) for number in consumer.partitions_for_topic(topic) or ()]
        ends: dict[TopicPartition, int] = consumer.end_offsets(places)
        consumer.assign(places)
        found: list[Any] = []
        deadline = monotonic() + _DEADLINE_SECONDS
        while any(consumer.position(place) < ends[place] for place in places):
            assert monotonic() < deadline, f"{topic} cannot be read"
            for batch in consumer.poll(timeout_ms=200, max_records=10_000).values():
                found.extend(batch)
        return sorted(found, key=lambda message: (message.partition, message.offset))
    finally:
        consumer.close(autocommit=False)


def is_up(brokers: Sequence[str]) -> bool:
    """Whether Kafka answers."""
    try:
        with administration(brokers) as client:
            client.describe_cluster()
    except KafkaError:
        return False
    return True


def send(brokers: Sequence[str], sent: Sequence[Message]) -> None:
    """Put messages on their topics, as anybody who may; all of them are there when this returns."""
    producer = KafkaProducer(bootstrap_servers=list(brokers), max_request_size=2 * LARGEST_MESSAGE)
    try:
        futures = [producer.send(each.topic, each.value, each.key, list(each.headers)) for each in sent]
        for future in futures:
            future.get(timeout=_DEADLINE_SECONDS)
    finally:
        producer.close(timeout=_DEADLINE_SECONDS)
