"""An ordinary client (kafka-python) for tests, in a process of its own: what it leaves open when a broker is away or
refuses it, and complains of while it is cleared up, ends with it."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import (
    ACL,
    ACLOperation,
    ACLPermissionType,
    ConfigResource,
    ConfigResourceType,
    NewTopic,
    ResourcePattern,
    ResourceType,
)
from kafka.errors import KafkaError

from verbund.kafka.settings import SCRAM, KafkaSettings
from verbund.settings import read_secret

_SECONDS = 60.0

Options = Mapping[str, Any]
"""How kafka-python reaches a cluster."""


class Refused(Exception):
    """Kafka said no, or nothing in time; the message is the client's error."""


def make_topic(settings: KafkaSettings, topic: str, brokers: int = 1) -> None:
    """A topic of one partition, with a copy on each broker."""
    _ask(settings, "make_topic", topic, brokers)


def list_topics(settings: KafkaSettings, seconds: float = _SECONDS) -> list[str]:
    """The topics that one may know of; raises `Refused` where one may not come in."""
    topics: list[str] = _ask(settings, "list_topics", seconds=seconds)
    return topics


def leader_of(settings: KafkaSettings, topic: str) -> int:
    """The number of the broker that takes a topic's records now."""
    leader: int = _ask(settings, "leader_of", topic)
    return leader


def setting_of(settings: KafkaSettings, topic: str, name: str) -> str:
    """What holds for a topic, whoever said so."""
    value: str = _ask(settings, "setting_of", topic, name)
    return value


def allow(settings: KafkaSettings, user: str, topic: str, operation: str) -> None:
    """Give a user a right: `read` or `write`."""
    _ask(settings, "allow", user, topic, operation)


def keep(settings: KafkaSettings, topic: str, value: str, seconds: float = _SECONDS) -> None:
    """Put a record there; returns when all have acknowledged it, raises `Refused` where they did not in time."""
    _ask(settings, "keep", topic, value, seconds=seconds)


def read_kept(settings: KafkaSettings, topic: str) -> list[str]:
    """Every record that is there now, in order."""
    values: list[str] = _ask(settings, "read_kept", topic)
    return values


def _ask(settings: KafkaSettings, action: str, *words: object, seconds: float = _SECONDS) -> Any:
    asked = {"options": _options(settings), "words": words, "seconds": seconds}
    program = [sys.executable, "-P", "-W", "ignore", __file__, action]
    done = subprocess.run(program, input=json.dumps(asked), capture_output=True, text=True, timeout=2 * _SECONDS)
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    if "refused" in answer:
        raise Refused(answer["refused"])
    return answer["answer"]


def _options(settings: KafkaSettings) -> Options:
    options: dict[str, Any] = {
        "bootstrap_servers": list(settings.brokers),
        "security_protocol": settings.security_protocol,
    }
    if settings.uses_tls:
        options["ssl_cafile"] = str(settings.ca_file)
    if settings.password_file is not None:
        options |= {"sasl_mechanism": SCRAM, "sasl_plain_username": settings.user}
        options["sasl_plain_password"] = read_secret(settings.password_file)
    return options


# In the client's process -----------------------------------------------------------------------------------------


def _make_topic(options: Options, milliseconds: int, topic: str, brokers: int) -> None:
    KafkaAdminClient(**options).create_topics([NewTopic(topic, 1, brokers)], timeout_ms=milliseconds)


def _list_topics(options: Options, milliseconds: int) -> object:
    return KafkaAdminClient(**options, bootstrap_timeout_ms=milliseconds).list_topics()


def _leader_of(options: Options, milliseconds: int, topic: str) -> object:
    (described,) = KafkaAdminClient(**options).describe_topics([topic])
    return described["partitions"][0]["leader_id"]


def _setting_of(options: Options, milliseconds: int, topic: str, name: str) -> object:
    asked = ConfigResource(ConfigResourceType.TOPIC, topic)
    return KafkaAdminClient(**options).describe_configs([asked], config_filter="all")["topic"][topic][name]["value"]


def _allow(options: Options, milliseconds: int, user: str, topic: str, operation: str) -> None:
    pattern = ResourcePattern(ResourceType.TOPIC, topic)
    right = ACL(f"User:{user}", "*", ACLOperation[operation.upper()], ACLPermissionType.ALLOW, pattern)
    KafkaAdminClient(**options).create_acls([right])


def _keep(options: Options, milliseconds: int, topic: str, value: str) -> None:
    producer = KafkaProducer(
        **options,
        acks="all",
        max_block_ms=milliseconds,
        delivery_timeout_ms=milliseconds,
        request_timeout_ms=milliseconds // 2,
    )
    producer.send(topic, value.encode(), partition=0).get(milliseconds / 1000)


def _read_kept(options: Options, milliseconds: int, topic: str) -> list[str]:
    partition = TopicPartition(topic, 0)
    consumer = KafkaConsumer(**options)
    consumer.assign([partition])
    consumer.seek_to_beginning(partition)
    end = consumer.end_offsets([partition])[partition]
    found: list[str] = []
    while consumer.position(partition) < end:
        for records in consumer.poll(timeout_ms=200).values():
            found += [record.value.decode() for record in records]
    return found


_ACTIONS: Mapping[str, Callable[..., object]] = {
    "make_topic": _make_topic,
    "list_topics": _list_topics,
    "leader_of": _leader_of,
    "setting_of": _setting_of,
    "allow": _allow,
    "keep": _keep,
    "read_kept": _read_kept,
}


def main(words: Sequence[str]) -> None:
    asked = json.load(sys.stdin)
    try:
        answer = _ACTIONS[words[0]](asked["options"], int(asked["seconds"] * 1000), *asked["words"])
        sys.stdout.write(json.dumps({"answer": answer}))
    except KafkaError as error:
        sys.stdout.write(json.dumps({"refused": repr(error)}))
    sys.stdout.flush()
    # At once: closing a client waits for brokers that are away.
    os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1:])
