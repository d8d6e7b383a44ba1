"""A topic as somebody sees it who may do everything with it: counts, copies, deletes, poisons."""

from collections.abc import Iterable, Mapping
from types import TracebackType
from typing import Any, Self

from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition

from verbund.kafka.messages import HASH, NUMBER, Message, message_of
from verbund.kafka.topics import LARGEST_EVENT, LARGEST_MESSAGE
from verbund.ledger.record import Record


class Topic:
    """One topic of a broker without passwords."""

    def __init__(self, broker: str, name: str) -> None:
        self.name = name
        self._broker = broker
        self._producer = KafkaProducer(bootstrap_servers=broker, max_request_size=4 * LARGEST_MESSAGE)
        self._consumer = KafkaConsumer(bootstrap_servers=broker, auto_offset_reset="earliest")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._producer.close(timeout=5)
        self._consumer.close(timeout_ms=5_000)

    def size(self) -> int:
        """Messages that were ever sent."""
        return sum(self._consumer.end_offsets(self._partitions()).values())

    def messages(self) -> list[Any]:
        """Everything that lies there now, partition by partition, as the client gives it."""
        partitions = self._partitions()
        self._consumer.assign(partitions)
        self._consumer.seek_to_beginning(*partitions)
        ends = self._consumer.end_offsets(partitions)
        found = []
        while any(self._consumer.position(partition) < end for partition, end in ends.items()):
            for messages in self._consumer.poll(1_000).values():
                found += messages
        return found

    def latest(self, ledger: str) -> Record:
        """The last record of a ledger."""
        records = [message for message in self.messages() if message.key == ledger.encode() and _is_record(message)]
        headers = dict(records[-1].headers)
        number = int(headers[NUMBER])
        return Record(ledger, number, headers["verbund_previous"], headers[HASH], records[-1].value)

    def send(self, messages: Iterable[Message]) -> None:
        """Send, and wait until all of it is there."""
        sent = [
            self._producer.send(message.topic, key=message.key, value=message.value, headers=list(message.headers))
            for message in messages
        ]
        for each in sent:
            each.get(timeout=30)

    def send_again(self) -> None:
        """Everything that lies there once more, behind itself."""
        self.send(Message(self.name, each.key, each.value, each.headers) for each in self.messages())

    def delete(self) -> None:
        """Take the topic away."""
        admin = KafkaAdminClient(bootstrap_servers=self._broker)
        try:
            admin.delete_topics([self.name])
        finally:
            admin.close()

    def _partitions(self) -> list[TopicPartition]:
        found = self._consumer.partitions_for_topic(self.name) or ()
        return [TopicPartition(self.name, partition) for partition in found]


def poisons(record: Record) -> Mapping[str, Message]:
    """Messages that no relay sent, by the reason for which each of them is parked; made of the latest record."""
    true = message_of(record)
    headers = dict(true.headers)
    other = record.body.replace(b"05913000", b"05915000")
    return {
        # Bytes that do not fit their hash, where the next record has to come.
        "hash_mismatch": message_of(
            record._replace(
                number=record.number + 1,
                previous=record.hash,
                body=record.body.replace(b"%020d" % record.number, b"%020d" % (record.number + 1)),
            )
        ),
        "not_json": true._replace(value=b"{"),
        "wrong_shape": true._replace(value=b"{}", headers=[("ce_type", b"de.verbund.beat.v1")]),
        "oversized": true._replace(value=b"x" * (LARGEST_EVENT + 1)),
        "forged_source": true._replace(value=other),
        "forged_number": true._replace(headers=[*{**headers, NUMBER: b"999999"}.items()]),
        "wrong_key": true._replace(key=b"somebody"),
        # Somebody's own event in our topic.
        "no_place": true._replace(value=b'{"specversion":"1.0","type":"com.example.thing"}', headers=[]),
    }


def _is_record(message: Any) -> bool:
    return any(name == NUMBER for name, _ in message.headers)
