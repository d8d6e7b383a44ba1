"""What the relay relies on in kafka-python beyond its documented names: a release that changes it fails here."""

import asyncio
import re
import subprocess
import sys
from inspect import getsource, signature
from time import monotonic

import psutil
import pytest
from kafka import KafkaProducer
from kafka.partitioner.default import DefaultPartitioner, murmur2
from kafka.producer.producer_batch import ProducerBatch
from kafka.producer.record_accumulator import RecordAccumulator
from kafka.producer.sender import Sender as NetworkThread
from stage.ledgers import BOOK
from stage.wiretap import alter_topic, make_topic, messages

from verbund.embedded.kafka_cluster import Brokers
from verbund.kafka.messages import Message
from verbund.kafka.settings import KafkaSettings
from verbund.kafka.topics import LARGEST_MESSAGE, topic_of
from verbund.relay.client.connecting import CannotSend, Failure, find_trouble
from verbund.relay.client.sender import Outcome, Sender

TOPIC = topic_of(BOOK)
_OF_A_RECORD = ("timestamp_ms", "key", "value", "headers")


def message(value: bytes = b"{}") -> Message:
    return Message(TOPIC, BOOK.encode(), value, [("content-type", b"application/json")])


@pytest.fixture
def settings(broker: Brokers) -> KafkaSettings:
    make_topic(broker.bootstrap, TOPIC)
    return broker.settings


def test_without_crc32c_nothing_is_sent() -> None:
    program = "import sys; sys.modules['crc32c'] = None; import verbund.relay.relay"
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert ran.returncode == 1
    assert "crc32c" in ran.stderr


def test_the_names_that_are_not_documented_are_there() -> None:
    assert "self._running = False" in getsource(NetworkThread.initiate_close)
    assert "self._force_close = True" in getsource(NetworkThread.force_close)
    # Answers are read, and futures fail, before anything else is taken from the queue.
    assert "abort_incomplete_batches" in getsource(NetworkThread.run)
    assert "self._sender = Sender(" in getsource(KafkaProducer.__init__)
    assert "self._accumulator = RecordAccumulator(" in getsource(KafkaProducer.__init__)
    assert [*signature(RecordAccumulator.append).parameters][:6] == ["self", "tp", *_OF_A_RECORD]
    assert [*signature(ProducerBatch.try_append).parameters][:5] == ["self", *_OF_A_RECORD]
    # A partition's batches are filled, and taken away to be sent, under its lock.
    for user in (RecordAccumulator.append, RecordAccumulator.drain_batches_for_one_node):
        assert re.search(r"with self._tp_lock\(tp\):[^\n]*\n[^\n]*\n? *dq = self._batches\[tp\]", getsource(user))


def test_a_ledger_has_the_partition_that_the_library_itself_would_choose() -> None:
    class Cluster:
        def topics(self) -> set[str]:
            return {TOPIC}

        def partitions_for_topic(self, topic: str) -> set[int]:
            return set(range(6))

        available_partitions_for_topic = partitions_for_topic

    for number in range(50):
        key = f"/{number:08}/registration/book".encode()
        chosen = DefaultPartitioner().partition(TOPIC, key, key, b"", b"", Cluster())
        assert chosen == (murmur2(key) & 0x7FFFFFFF) % 6


async def test_every_message_has_its_own_answer(settings: KafkaSettings) -> None:
    sender = Sender(settings, TOPIC, "test")
    try:
        sending = sender.send([message() for _ in range(2_000)])
        assert await sending.outcome() == Outcome(2_000, None)
        assert sending.is_over
    finally:
        sender.close()


async def test_what_is_too_large_ends_the_sending_in_front_of_it(settings: KafkaSettings) -> None:
    sender = Sender(settings, TOPIC, "test")
    try:
        outcome = await sender.send([message(), message(LARGEST_MESSAGE * b"x"), message()]).outcome()
        assert outcome.acknowledged == 1
        assert outcome.failure is not None
        assert outcome.failure.kind == "refused"
        assert await sender.send([message()]).outcome() == Outcome(1, None)  # it can be used on
    finally:
        sender.close()


async def test_what_kafka_refuses_is_no_acknowledgement(settings: KafkaSettings) -> None:
    alter_topic(settings.brokers, TOPIC, max_message_bytes=10_000)
    sender = Sender(settings, TOPIC, "test")
    try:
        outcome = await sender.send([message(), message(20_000 * b"x"), message()]).outcome()
        assert outcome == Outcome(1, Failure("refused", "MessageSizeTooLargeError"))
    finally:
        sender.close()
    assert [each.value for each in messages(settings, TOPIC)] == [b"{}"]


async def test_nothing_follows_what_failed(settings: KafkaSettings, broker: Brokers) -> None:
    """After an error of this kind kafka-python itself would go on with what is behind it."""
    sender = Sender(settings, TOPIC, "test")
    kafka = psutil.Process(broker.brokers[0].pid)
    try:
        assert await sender.send([message()]).outcome() == Outcome(1, None)
        place = sender._place(BOOK.encode())
        sender._producer._transaction_manager.set_sequence_number(place, 1_000)
        kafka.suspend()
        first = sender.send([message()])
        deadline = monotonic() + 10
        while sender._producer._accumulator.has_undrained():
            assert monotonic() < deadline, "it does not leave"
            await asyncio.sleep(0.01)
        second = sender.send([message(), message()])
        kafka.resume()
        assert await first.outcome() == Outcome(0, Failure("failed", "OutOfOrderSequenceNumberError"))
        outcome = await second.outcome()
        assert (outcome.acknowledged, outcome.failure is None) == (0, False)
    finally:
        kafka.resume()
        sender.close()
    assert [each.value for each in messages(settings, TOPIC)] == [b"{}"]


async def test_a_sender_that_failed_sends_nothing_more(settings: KafkaSettings) -> None:
    sender = Sender(settings, TOPIC, "test")
    try:
        sender._fail(TimeoutError("an answer"))
        outcome = await sender.send([message()]).outcome()
        assert outcome.acknowledged == 0
        assert outcome.failure is not None
        assert outcome.failure.detail == "TimeoutError"
    finally:
        sender.close()


def test_a_topic_that_is_not_there_is_found_out_at_once(settings: KafkaSettings) -> None:
    assert find_trouble(settings, TOPIC) is None
    with pytest.raises(CannotSend) as caught:
        Sender(settings, "verbund.book.nobody", "test")
    assert caught.value.failure.kind == "no_topic"
