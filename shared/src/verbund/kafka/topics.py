"""Topics: their names, what each is made of, and who may write and read it. The one place where names stand."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from verbund.events.ledger_ids import office_of, receiver_of
from verbund.events.offices import Office

REPORTING = "reporting"
"""The one office that reads books, and reads no tray."""

LARGEST_EVENT = 500_000
"""Bytes of one event that a relay sends and a reader takes; in truth they are far smaller (requests end at 64 kB)."""
LARGEST_MESSAGE = 2 * LARGEST_EVENT
"""Bytes of one message that a topic takes."""
_WEEK_MS = 7 * 24 * 60 * 60 * 1000


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic as it has to be."""

    name: str
    writer: str
    """The office whose relay alone writes."""
    reader: str
    """The office whose reader alone reads."""

    @property
    def config(self) -> Mapping[str, str]:
        """What differs from the broker's defaults. Kafka distributes and forgets: the ledger is the truth."""
        return {
            "cleanup.policy": "delete",
            "retention.ms": str(_WEEK_MS),
            "max.message.bytes": str(LARGEST_MESSAGE),
            "message.timestamp.type": "CreateTime",
            # Chosen by the writer: the brokers must not spend time on packing anew.
            "compression.type": "producer",
        }


@dataclass(frozen=True, slots=True)
class Right:
    """What a principal may do with a resource of a cluster with ACLs; everything else is refused."""

    principal: str
    resource: Literal["topic", "group"]
    name: str
    operation: Literal["read", "write", "describe"]


def topic_of(ledger: str) -> str:
    """The topic that a ledger is sent to; raises `ValueError` where the name is none."""
    receiver = receiver_of(ledger)
    return book_topic(office_of(ledger)) if receiver is None else tray_topic(office_of(ledger), receiver)


def book_topic(office: str) -> str:
    """The books of an office, of all municipalities."""
    return f"verbund.book.{office}"


def tray_topic(sender: str, receiver: str) -> str:
    """What one office tells another, in all municipalities."""
    return f"verbund.tray.{sender}.{receiver}"


def topics_of(offices: Sequence[Office]) -> list[Topic]:
    """Every topic that these offices write."""
    return [
        Topic(book_topic(office.name), office.name, reader)
        if reader == REPORTING
        else Topic(tray_topic(office.name, reader), office.name, reader)
        for office in offices
        if office.keeps_ledgers
        for reader in office.readers
    ]


def topics_read_by(reader: str, offices: Sequence[Office]) -> list[str]:
    """The topics that an office's reader reads."""
    return [topic.name for topic in topics_of(offices) if topic.reader == reader]


def relay_principal(office: str) -> str:
    """Who the relay of an office is to Kafka."""
    return f"{office}-relay"


def reader_principal(office: str) -> str:
    """Who the reader of an office is to Kafka; also the name of its consumer group."""
    return f"{office}-reader"


def rights_of(topics: Sequence[Topic]) -> list[Right]:
    """Who may do what: a topic is written by its sender's relay alone and read by its receiver's reader alone."""
    rights: list[Right] = []
    for topic in topics:
        writer, reader = relay_principal(topic.writer), reader_principal(topic.reader)
        rights += [
            Right(writer, "topic", topic.name, "write"),
            Right(writer, "topic", topic.name, "describe"),
            Right(reader, "topic", topic.name, "read"),
            Right(reader, "topic", topic.name, "describe"),
            Right(reader, "group", reader, "read"),
            Right(reader, "group", reader, "describe"),
        ]
    return sorted(set(rights), key=lambda right: (right.principal, right.resource, right.name, right.operation))
