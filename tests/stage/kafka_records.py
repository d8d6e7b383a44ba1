"""Records on a real Kafka, put there and read back by an ordinary client."""

from collections.abc import Sequence
from contextlib import closing
from time import monotonic
from typing import Any

from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import NewTopic

from verbund.kafka.settings import SCRAM, KafkaSettings
from verbund.settings import read_secret

_DEADLINE_SECONDS = 30.0


def make_topic(settings: KafkaSettings, topic: str, brokers: int = 1) -> None:
    """A topic of one partition, with a copy on each broker."""
    with closing(KafkaAdminClient(**client_options(settings))) as admin:
        admin.create_topics([NewTopic(topic, 1, brokers)])


def leader_of(settings: KafkaSettings, topic: str) -> int:
    """The number of the broker that takes a topic's records now."""
    with closing(KafkaAdminClient(**client_options(settings))) as admin:
        (described,) = admin.describe_topics([topic])
    leader: int = described["partitions"][0]["leader_id"]
    return leader


def keep(settings: KafkaSettings, topic: str, values: Sequence[bytes], seconds: float = _DEADLINE_SECONDS) -> None:
    """Put records there; returns when every one was acknowledged by all, raises where one was not in time."""
    milliseconds = int(seconds * 1000)
    options = {"acks": "all", "max_block_ms": milliseconds, "delivery_timeout_ms": milliseconds}
    options |= {"request_timeout_ms": milliseconds // 2}
    producer = KafkaProducer(**client_options(settings), **options)
    try:
        for sent in [producer.send(topic, value, partition=0) for value in values]:
            sent.get(seconds)
    finally:
        producer.close(timeout=0)


def read_kept(settings: KafkaSettings, topic: str) -> list[bytes]:
    """Every record that is there now, in order."""
    partition = TopicPartition(topic, 0)
    deadline = monotonic() + _DEADLINE_SECONDS
    found: list[bytes] = []
    with closing(KafkaConsumer(**client_options(settings), auto_offset_reset="earliest")) as consumer:
        consumer.assign([partition])
        consumer.seek_to_beginning(partition)
        end = consumer.end_offsets([partition])[partition]
        while consumer.position(partition) < end:
            assert monotonic() < deadline, f"{topic} ends at {end}, read {len(found)} records"
            for records in consumer.poll(timeout_ms=200).values():
                found += [record.value for record in records]
    return found


def client_options(settings: KafkaSettings, password: str | None = None) -> dict[str, Any]:
    """What kafka-python is told; `password` instead of the right one."""
    options: dict[str, Any] = {
        "bootstrap_servers": list(settings.brokers),
        "security_protocol": settings.security_protocol,
    }
    if settings.uses_tls:
        options["ssl_cafile"] = str(settings.ca_file)
    if settings.uses_sasl and settings.password_file is not None:
        options |= {"sasl_mechanism": SCRAM, "sasl_plain_username": settings.user}
        options["sasl_plain_password"] = password or read_secret(settings.password_file)
    return options
