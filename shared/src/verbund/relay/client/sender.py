"""Sends to one topic, in order, until its first failure; what was behind that is never sent by the same sender.

So each record stands in the topic behind the one before it. A producer left to itself goes on with later batches when
an earlier one has failed, and what it overtook is missing in front of them until it is sent again: readers see a hole.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import groupby, takewhile
from operator import attrgetter
from threading import Thread
from typing import Any

from kafka import KafkaProducer
from kafka.errors import KafkaError, MessageSizeTooLargeError
from kafka.partitioner.default import murmur2
from kafka.structs import TopicPartition

from verbund.kafka.messages import Message
from verbund.kafka.settings import KafkaSettings
from verbund.kafka.topics import LARGEST_EVENT, LARGEST_MESSAGE
from verbund.relay.client.connecting import CannotSend, Failure, connection, failure_of, find_trouble

_BATCH_BYTES = 512 * 1024  # half of what a topic takes; with 64 kB sending took half as much time again
_METADATA_MS = 3_000
# A batch that expires is a failure that nobody asked for: time decides nothing here. Ten years.
_NEVER_MS = 10 * 365 * 24 * 3600 * 1000
_CLOSE_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of messages: the first `acknowledged` of them are in Kafka; then, where it ended, why."""

    acknowledged: int
    failure: Failure | None


class Sending:
    """Messages on their way."""

    def __init__(self, futures: Sequence[Any], failure: Failure | None) -> None:
        self._futures = futures
        self._failure = failure

    @property
    def is_over(self) -> bool:
        """Whether Kafka has answered for the last message."""
        return not self._futures or self._futures[-1].is_done

    async def outcome(self) -> Outcome:
        """Wait for every message's own answer."""
        for future in reversed(self._futures):  # usually nobody has to be waited for but the last one
            if not future.is_done:
                await _answer(future)
        for number, future in enumerate(self._futures):
            if future.exception is not None:
                return Outcome(number, failure_of(future.exception))
        return Outcome(len(self._futures), self._failure)


async def _answer(future: Any) -> None:
    loop = asyncio.get_running_loop()
    answered = loop.create_future()

    def wake() -> None:
        if not answered.done():
            answered.set_result(None)

    def call(_: object) -> None:
        with suppress(RuntimeError):  # the loop has ended meanwhile
            loop.call_soon_threadsafe(wake)

    future.add_both(call)
    await answered


class _Producer(KafkaProducer):  # type: ignore[misc]
    """Fills a batch with one ledger's messages as long as it has room: `send` takes twice the time for each of them."""

    def send_on(
        self, place: TopicPartition, messages: Sequence[Message], sent: list[Any], failed: Callable[[Any], None]
    ) -> None:
        """Send these in their order, append each one's answer to `sent`, and call `failed` when it is a bad one.

        Raises where the producer takes nothing more: what has no answer then, was not sent.
        """
        accumulator, wanted = self._accumulator, deque(messages)
        while wanted:
            first = wanted.popleft()
            answer, *_ = accumulator.append(place, None, first.key, first.value, first.headers)
            sent.append(answer.add_errback(failed))
            with accumulator._tp_lock(place):  # no batch leaves meanwhile, and they leave full
                batches = accumulator._batches[place]
                while wanted and batches:
                    following = wanted[0]
                    answer = batches[-1].try_append(None, following.key, following.value, following.headers)
                    if answer is None:
                        break
                    sent.append(answer.add_errback(failed))
                    wanted.popleft()
            self._sender.wakeup()


class Sender:
    """An idempotent producer for one topic. Its methods block: call them in one thread that is no event loop's."""

    def __init__(self, settings: KafkaSettings, topic: str, name: str) -> None:
        """Raises `CannotSend` where Kafka, or the topic in it, cannot be reached. `name`: for the brokers' logs."""
        trouble = find_trouble(settings, topic)  # the producer would only wait, and not say what for
        if trouble is not None:
            raise CannotSend(trouble)
        self.topic = topic
        self.failure: Failure | None = None
        self._places: dict[bytes, TopicPartition] = {}
        try:
            self._producer = _Producer(
                **connection(settings, name),
                acks="all",
                enable_idempotence=True,
                delivery_timeout_ms=_NEVER_MS,
                max_block_ms=_METADATA_MS,
                batch_size=_BATCH_BYTES,
                max_request_size=LARGEST_MESSAGE,
                allow_auto_create_topics=False,
                metrics_enabled=False,
            )
        except Exception as error:  # whatever kafka-python lets out: there is no way to the topic
            raise CannotSend(failure_of(error)) from error

    def send(self, messages: Sequence[Message]) -> Sending:
        """Send them in this order; ends in front of one that this client itself refuses."""
        sent: list[Any] = []
        try:
            for key, of_one_ledger in groupby(messages, attrgetter("key")):
                wanted = list(of_one_ledger)
                # No reader takes more, though Kafka would.
                fit = list(takewhile(lambda message: len(message.value) <= LARGEST_EVENT, wanted))
                self._producer.send_on(self._place(key), fit, sent, self._fail)
                if len(fit) < len(wanted):
                    raise MessageSizeTooLargeError
        except Exception as error:  # noqa: BLE001 - whatever kafka-python lets out: what follows was not sent
            return Sending(sent, self.failure or failure_of(error))
        return Sending(sent, None)

    def _place(self, key: bytes) -> TopicPartition:
        """Where a ledger goes: the partition that every client of this library chooses for its key."""
        if key not in self._places:
            partitions = sorted(self._producer.partitions_for(self.topic))
            self._places[key] = TopicPartition(self.topic, partitions[(murmur2(key) & 0x7FFFFFFF) % len(partitions)])
        return self._places[key]

    def _fail(self, error: BaseException) -> None:
        """Called where an answer is read, before anything else is sent: nothing may follow what failed."""
        if self.failure is None:
            self.failure = failure_of(error)
            self._producer._sender.force_close()

    def close(self) -> None:
        """Send nothing more; does not wait for anything on its way."""
        # In a thread of its own: kafka-python waits for brokers that are away.
        Thread(target=self._close, name=f"closing the sender to {self.topic}", daemon=True).start()

    def _close(self) -> None:
        self._producer._sender.force_close()
        with suppress(KafkaError):
            self._producer.close(timeout=_CLOSE_SECONDS)
