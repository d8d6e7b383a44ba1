"""What Kafka says of topics and rights, and how they are made. Nothing here removes or shrinks anything."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from kafka import errors
from kafka.admin import (
    ACL,
    ACLFilter,
    ACLOperation,
    ACLPermissionType,
    ACLResourcePatternType,
    ConfigResource,
    KafkaAdminClient,
    ResourcePattern,
    ResourcePatternFilter,
    ResourceType,
)

from verbund.kafka.settings import KafkaSettings
from verbund.kafka.topics import Right, Topic
from verbund.relay.client.connecting import CannotSend, connection, failure_of

_UNKNOWN_TOPIC = errors.UnknownTopicOrPartitionError.errno
_USER = "User:"


@dataclass(frozen=True, slots=True)
class Described:
    """A topic as it is."""

    partitions: int
    replication: int
    """The smallest number of copies that a partition has."""
    config: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule of the cluster about a resource of ours."""

    right: Right
    """What somebody may do, or with `denies` may not."""
    denies: bool
    pattern: str
    """The name that the rule is for: the resource's own, a prefix of it, or `*`."""


class Administration:
    """A connection of somebody who may look at and make topics; a context manager. Its methods block."""

    def __init__(self, settings: KafkaSettings) -> None:
        """Raises `CannotSend` where Kafka cannot be reached, or does not let this user in."""
        try:
            self._client = KafkaAdminClient(**connection(settings, "verbund-topics"))
        except Exception as error:  # whatever kafka-python lets out: there is no way to Kafka
            raise CannotSend(failure_of(error)) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()
        if isinstance(error, errors.KafkaError):
            raise CannotSend(failure_of(error)) from error

    def describe(self, names: Sequence[str]) -> dict[str, Described | None]:
        """Topics by name; None for one that is not there."""
        found: dict[str, Described | None] = dict.fromkeys(names)
        for topic in self._client.describe_topics(list(names)):
            if topic["error_code"] == _UNKNOWN_TOPIC:
                continue
            if topic["error_code"]:
                raise errors.for_code(topic["error_code"])(topic["name"])
            copies = [len(partition["replica_nodes"]) for partition in topic["partitions"]]
            found[topic["name"]] = Described(len(copies), min(copies), self._config_of(topic["name"]))
        return found

    def _config_of(self, topic: str) -> dict[str, str]:
        answer = self._client.describe_configs([ConfigResource("TOPIC", topic)], config_filter="all")
        return {name: str(entry["value"]) for name, entry in answer["topic"][topic].items()}

    def create(self, topics: Sequence[Topic], partitions: int, replication: int) -> None:
        """Make topics, and wait until they can be written to."""
        wanted = {
            topic.name: {
                "num_partitions": partitions,
                "replication_factor": replication,
                "configs": dict(topic.config),
            }
            for topic in topics
        }
        self._client.create_topics(wanted, wait_for_metadata=True)

    def configure(self, topic: str, config: Mapping[str, str]) -> None:
        """Set these settings of a topic; others stay."""
        self._client.alter_configs([ConfigResource("TOPIC", topic, dict(config))])

    def rules(self, resources: Iterable[tuple[str, str]]) -> list[Rule]:
        """Every rule that holds for these resources (kind, name), by whatever pattern."""
        found = []
        for resource, name in resources:
            matching = ResourcePatternFilter(ResourceType[resource.upper()], name, ACLResourcePatternType.MATCH)
            acls, error = self._client.describe_acls(
                ACLFilter(None, None, ACLOperation.ANY, ACLPermissionType.ANY, matching)
            )
            if error is not errors.NoError:
                raise error
            found += [_rule(resource, name, acl) for acl in acls]
        return found

    def grant(self, rights: Sequence[Right]) -> None:
        """Let these principals do this, from everywhere."""
        acls = [
            ACL(
                f"{_USER}{right.principal}",
                "*",
                ACLOperation[right.operation.upper()],
                ACLPermissionType.ALLOW,
                ResourcePattern(ResourceType[right.resource.upper()], right.name),
            )
            for right in rights
        ]
        failed = self._client.create_acls(acls)["failed"]
        if failed:
            raise failed[0][1]


def _rule(resource: Any, name: str, acl: Any) -> Rule:
    operation: Any = acl.operation.name.lower()
    right = Right(acl.principal.removeprefix(_USER), resource, name, operation)
    pattern = acl.resource_pattern
    prefix = "…" if pattern.pattern_type is ACLResourcePatternType.PREFIXED else ""
    return Rule(right, acl.permission_type is ACLPermissionType.DENY, f"{pattern.resource_name}{prefix}")
