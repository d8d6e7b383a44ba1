"""Ledgers as they stand on Kafka, from their first record on: for a rebuild, which reads beside the readers.

A plain consumer without a group: nobody's partitions are shared out anew because of it. Only what goes on from record
to record counts; repeats, strays and forged messages are passed over, as a reader does.
"""

import asyncio
import ssl
from bisect import bisect_right
from collections.abc import AsyncGenerator, Generator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from hashlib import sha256
from operator import itemgetter
from time import monotonic
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from verbund.feeds.sift import Position
from verbund.feeds.slices import Content
from verbund.kafka.messages import Stray, read_message
from verbund.kafka.settings import SCRAM, KafkaSettings
from verbund.ledger.record import GENESIS, Beat, Record
from verbund.settings import read_secret

_PATIENCE_SECONDS = 30.0
_AT_ONCE = 10_000
_EVERY = 500  # records between two remembered places: about as many are passed over to come to one in between


class NoHistory(Exception):
    """Kafka does not answer, or has lost what it had a moment ago."""


@dataclass(slots=True)
class _Chain:
    """A ledger, as far as it goes on record by record, and places where its records lie."""

    number: int = 0
    hash: bytes = GENESIS
    places: list[tuple[int, TopicPartition, int, bytes]] = field(default_factory=list)
    """Number of a record, where it lies, and the hash that it goes on from."""


class TopicHistory:
    """The ledgers on some topics; a context manager. For one thread: its client works only while it is asked."""

    def __init__(self, kafka: KafkaSettings, topics: Mapping[str, str]) -> None:
        """`topics`: by name, the office that writes there."""
        self._topics = topics
        self._chains: dict[str, _Chain] = {}
        self._next: dict[TopicPartition, int] = {}
        self._kafka = kafka
        self._runner = asyncio.Runner()

    def __enter__(self) -> "TopicHistory":
        self._runner.__enter__()
        try:
            self._run(self._open())
        except BaseException:
            self._runner.close()
            raise
        return self

    def __exit__(self, *error: object) -> None:
        try:
            self._run(self._consumer.stop())
        finally:
            self._runner.close()

    @property
    def offices(self) -> set[str]:
        """Whose ledgers stand there."""
        return set(self._topics.values())

    def heads(self) -> dict[str, Position]:
        """Up to where each ledger goes on without a hole, as of now."""
        self._run(self._read_on())
        return {ledger: Position(ledger, chain.number, chain.hash) for ledger, chain in sorted(self._chains.items())}

    def hashes(self, ledger: str, numbers: Sequence[int]) -> dict[int, bytes]:
        """The hashes of the records at these numbers, as far as they are there; number 0 is in front of the first."""
        known = self._chains.get(ledger, _Chain()).number
        wanted = [number for number in numbers if 0 < number <= known]
        return {0: GENESIS, **{number: next(self.read(ledger, number, number))[1] for number in wanted}}

    def read(self, ledger: str, first: int, last: int) -> Generator[Content, None, None]:
        """The records `first` to `last`, which `heads` has seen."""
        yield from self._run(self._collect(ledger, first, last))

    def _run(self, work: Any) -> Any:
        try:
            return self._runner.run(work)
        except KafkaError as error:
            raise NoHistory(f"Kafka failed ({type(error).__name__}).") from error

    async def _open(self) -> None:
        self._consumer = AIOKafkaConsumer(
            *self._topics,
            bootstrap_servers=list(self._kafka.brokers),
            group_id=None,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            max_partition_fetch_bytes=8 * 1024 * 1024,
            **_credentials(self._kafka),
        )
        await self._consumer.start()
        for topic in self._topics:
            found = self._consumer.partitions_for_topic(topic)
            if not found:
                raise NoHistory(f"There is no topic {topic}.")
            self._next |= {TopicPartition(topic, partition): 0 for partition in found}
        for place, offset in (await self._consumer.beginning_offsets(list(self._next))).items():
            self._next[place] = offset

    async def _read_on(self) -> None:
        """Follow all partitions up to where they end now."""
        for place, end in (await self._consumer.end_offsets(list(self._next))).items():
            async for offset, message in self._messages(place, self._next[place], end):
                self._next[place] = offset + 1
                if isinstance(message, Record):
                    self._note(message, place, offset)
            self._next[place] = max(self._next[place], end)

    def _note(self, record: Record, place: TopicPartition, offset: int) -> None:
        chain = self._chains.setdefault(record.ledger, _Chain())
        if _goes_on(record, chain.number + 1, chain.hash):
            if chain.number % _EVERY == 0:
                chain.places.append((record.number, place, offset, record.previous))
            chain.number, chain.hash = record.number, record.hash

    async def _collect(self, ledger: str, first: int, last: int) -> list[Content]:
        chain = self._chains[ledger]
        found: list[Content] = []
        at = bisect_right(chain.places, first, key=itemgetter(0)) - 1
        number, place, start, expected = chain.places[at]
        async with aclosing(self._messages(place, start, self._next[place])) as messages:
            async for _, message in messages:
                if isinstance(message, Record) and message.ledger == ledger and _goes_on(message, number, expected):
                    if number >= first:
                        found.append((number, message.hash, message.previous + message.body))
                    number, expected = number + 1, message.hash
                    if number > last:
                        break
        return found

    async def _messages(
        self, place: TopicPartition, start: int, end: int
    ) -> AsyncGenerator[tuple[int, Record | Beat | Stray], None]:
        """What lies from one offset to before another one; raises `NoHistory` where nothing comes for too long."""
        if start >= end:
            return
        if await self._consumer.position(place) != start:
            self._consumer.seek(place, start)
        heard = monotonic()
        while start < end:
            batch = (await self._consumer.getmany(place, timeout_ms=1_000, max_records=_AT_ONCE)).get(place, [])
            for message in batch:
                if message.offset < end:
                    where = f"partition {message.partition}, offset {message.offset}"
                    yield (
                        message.offset,
                        read_message(place.topic, message.key, message.value, message.headers, where),
                    )
            start = await self._consumer.position(place)
            if batch:
                heard = monotonic()
            elif monotonic() - heard > _PATIENCE_SECONDS:
                raise NoHistory(f"Nothing comes from {place.topic} behind offset {start}.")


def _goes_on(record: Record, number: int, expected: bytes) -> bool:
    """Whether this is the record of that number, behind the one of that hash, and whole."""
    return (
        record.number == number
        and record.previous == expected
        and sha256(record.previous + record.body).digest() == record.hash
    )


def _credentials(kafka: KafkaSettings) -> dict[str, Any]:
    given: dict[str, Any] = {"security_protocol": kafka.security_protocol}
    if kafka.uses_tls:
        given["ssl_context"] = ssl.create_default_context(cafile=kafka.ca_file)
    if kafka.uses_sasl:
        assert kafka.password_file is not None
        given |= {"sasl_mechanism": SCRAM, "sasl_plain_username": kafka.user}
        given["sasl_plain_password"] = read_secret(kafka.password_file)
    return given
