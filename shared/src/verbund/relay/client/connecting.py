"""How kafka-python is told where the brokers are and who this process is, and what its errors mean to us."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import crc32c  # noqa: F401 - without it kafka-python computes checksums in Python, three times slower, and says nothing
from kafka import errors
from kafka.admin import KafkaAdminClient

from verbund.kafka.settings import SCRAM, KafkaSettings
from verbund.settings import read_secret

_BOOTSTRAP_MS = 3_000  # a broker that is there answers within milliseconds; who is away is asked again later
_REQUEST_MS = 10_000

Kind = Literal["refused", "no_topic", "not_authorised", "unreachable", "failed"]

_REFUSED = (
    errors.MessageSizeTooLargeError,
    errors.RecordListTooLargeError,
    errors.InvalidRecordError,
    errors.InvalidTimestampError,
)
_NO_TOPIC = (errors.UnknownTopicOrPartitionError, errors.InvalidTopicError)
_NOT_AUTHORISED = (errors.AuthorizationError, errors.SaslAuthenticationFailedError)
_UNREACHABLE = (errors.KafkaConnectionError, errors.KafkaTimeoutError, errors.NodeNotReadyError)


@dataclass(frozen=True, slots=True)
class Failure:
    """Why something was not sent."""

    kind: Kind
    """`refused`: this record, for good. Everything else is about the way and may pass."""
    detail: str
    """For people; nothing of a record's content."""


class CannotSend(Exception):
    """There is no way to a topic now."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.detail)
        self.failure = failure


def failure_of(error: BaseException) -> Failure:
    """What an error of kafka-python means."""
    detail = type(error).__name__
    if isinstance(error, _REFUSED):
        return Failure("refused", detail)
    if isinstance(error, _NO_TOPIC):
        return Failure("no_topic", detail)
    if isinstance(error, _NOT_AUTHORISED):
        return Failure("not_authorised", detail)
    if isinstance(error, _UNREACHABLE):
        return Failure("unreachable", detail)
    return Failure("failed", detail)


def connection(settings: KafkaSettings, name: str) -> Mapping[str, Any]:
    """What producers and admin clients are told. `name`: for the brokers' logs."""
    told: dict[str, Any] = {
        "bootstrap_servers": list(settings.brokers),
        "client_id": name,
        "security_protocol": settings.security_protocol,
        "bootstrap_timeout_ms": _BOOTSTRAP_MS,
        "request_timeout_ms": _REQUEST_MS,
        "reconnect_backoff_max_ms": 1_000,
    }
    if settings.uses_tls and settings.ca_file is not None:
        told["ssl_cafile"] = str(settings.ca_file)
    if settings.uses_sasl:
        assert settings.password_file is not None
        told |= {
            "sasl_mechanism": SCRAM,
            "sasl_plain_username": settings.user,
            "sasl_plain_password": read_secret(settings.password_file),
        }
    return told


def find_trouble(settings: KafkaSettings, topic: str) -> Failure | None:
    """What keeps a topic from being written to, as far as Kafka says; blocks for some seconds where it says nothing."""
    try:
        with KafkaAdminClient(**connection(settings, "verbund-relay-probe")) as client:
            [described] = client.describe_topics([topic])
    except Exception as error:  # noqa: BLE001 - whatever kafka-python lets out is the answer
        return failure_of(error)
    if described["error_code"]:
        return failure_of(errors.for_code(described["error_code"])(None))
    headless = sorted(p["partition_index"] for p in described["partitions"] if p["leader_id"] < 0)
    return Failure("unreachable", f"no broker leads its partitions {headless}") if headless else None
