"""The Faust application of a reader. The one module that imports faust.

Faust's own streams acknowledge what was never processed (docs/decisions/0009), so nothing here goes through a stream:
a consumer hands whole fetched batches to the intake, and seeks to where the reader's database says. These are private
names of faust and aiokafka; `tests/verbund/test_faust_contract.py` fails when one of them changes.
"""

import asyncio
import ssl
from collections.abc import Mapping, Sequence
from contextlib import suppress
from logging import getLogger
from time import monotonic
from typing import Any, ClassVar, cast
from uuid import UUID

import faust
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import GroupAuthorizationFailedError, KafkaError, TopicAuthorizationFailedError
from aiokafka.structs import OffsetAndMetadata
from faust.app.base import BootStrategy
from faust.transport.drivers import aiokafka as driver
from faust.types import TP
from mode import Service
from mode.types import ServiceT
from sqlalchemy.exc import SQLAlchemyError
from yarl import URL

from verbund import metrics
from verbund.feeds.kafka.intake import Intake, Place, Seeks
from verbund.feeds.kafka.topic_ids import read_topic_ids
from verbund.kafka.settings import SCRAM, KafkaSettings
from verbund.settings import read_secret

_log = getLogger(__name__)

LARGEST_BATCH = 20_000
"""Messages in one transaction under backlog."""
_LARGEST_FETCH = 32 * 1024 * 1024  # bytes of one partition at a time: about as many messages
_FETCH_SECONDS = 1.0
_LOOK_AROUND_SECONDS = 1.0
_COMMIT_SECONDS = 5.0
_SLOWEST_RETRY_SECONDS = 5.0
_ASK_SECONDS = 5.0  # for what brokers are asked besides fetching
AUTHORISATION_ERRORS = (GroupAuthorizationFailedError, TopicAuthorizationFailedError)


class Condition:
    """How the worker is: for `/readyz`, and for whoever has to end the process."""

    def __init__(self) -> None:
        self.trouble: str | None = "waiting for the brokers"
        self.round_at = monotonic()
        """When the last round ended, with or without messages."""
        self.brokers_at: float | None = None
        """When the brokers last answered."""


class Consumer(driver.Consumer):
    """Hands whole fetched batches to the intake; offsets committed to Kafka are for people to look at."""

    app: "ReaderApp"

    async def seek_to_committed(self) -> Mapping[TP, int]:
        """Called by faust after every assignment: go to where the reader's database says."""
        assigned = self.assignment()
        seeks = await self.app.intake.assign(assigned, await self._topic_ids())
        await self._go_to(seeks)
        self.app.condition.trouble = None
        # Nothing to remember: what counts as read is not for faust to know.
        return {}

    async def _drain_messages(self, fetcher: ServiceT) -> None:
        looked = committed = monotonic()
        ends: dict[Place, int] = {}
        while not (self.should_stop or fetcher.should_stop):
            fetched = await self._collect()
            if fetched and not await self._take(fetched):
                continue
            ends.update({tp: messages[-1].offset + 1 for tp, messages in fetched.items()})
            if monotonic() - looked > _LOOK_AROUND_SECONDS and self.flow_active:
                await self._look_around()
                looked = monotonic()
            if monotonic() - committed > _COMMIT_SECONDS:
                await self._commit_for_people(ends)
                ends, committed = {}, monotonic()
            self.app.condition.round_at = monotonic()

    async def _collect(self) -> dict[Place, list[Any]]:
        """What there is at once, up to the largest batch; waits a little where there is nothing."""
        fetched: dict[Place, list[Any]] = {}
        count, timeout = 0, _FETCH_SECONDS
        while count < LARGEST_BATCH and self.flow_active:
            self.not_waiting_next_records.clear()
            try:
                found = await self._getmany(self._get_active_partitions() or None, timeout)
            finally:
                self.not_waiting_next_records.set()
            if not found:
                break
            for tp, messages in found.items():
                fetched.setdefault(tp, []).extend(messages)
                count += len(messages)
            timeout = 0.0
        if not self.flow_active:
            # In a rebalance: whoever gets these partitions reads them from the hint on.
            await self.wait_first(self.can_resume_flow.wait(), timeout=_FETCH_SECONDS)
            return {}
        return fetched

    async def _take(self, fetched: Mapping[Place, Sequence[Any]]) -> bool:
        """Take it, however often the database has to be asked; False where a rebalance came first."""
        generation = self.app.consumer_generation_id
        pause = 0.1
        while not self.should_stop:
            if not self.flow_active or self.app.consumer_generation_id != generation:
                return False  # faust seeks before it goes on
            try:
                seeks = await self.app.intake.take(fetched)
            except (SQLAlchemyError, OSError, TimeoutError) as error:
                self.app.condition.trouble = f"database: {type(error).__name__}"
                _log.warning("a batch could not be taken; it is tried again", extra={"error": repr(error)[:300]})
                await self.sleep(pause)
                pause = min(pause * 2, _SLOWEST_RETRY_SECONDS)
                continue
            self.app.condition.trouble = None
            if self.app.consumer_generation_id == generation:
                await self._go_to(seeks)
            return True
        return False

    async def _look_around(self) -> None:
        try:
            await self._go_to(await self.app.intake.look_around(await self._topic_ids()))
        except (SQLAlchemyError, OSError, TimeoutError) as error:
            _log.warning("looking around failed", extra={"error": repr(error)[:300]})

    async def _go_to(self, seeks: Seeks) -> None:
        if seeks:
            await self._thread.call_thread(_seek, self._thread._ensure_consumer(), seeks)

    async def _topic_ids(self) -> dict[str, UUID]:
        """Ids of the topics; none where the brokers do not answer: then there are no hints."""
        thread = self._thread
        try:
            async with asyncio.timeout(_ASK_SECONDS):
                found: dict[str, UUID] = await thread.call_thread(
                    read_topic_ids, thread._ensure_consumer(), sorted(self.app.read_topics)
                )
        except (KafkaError, OSError, TimeoutError) as error:
            _log.info("the brokers did not say the ids of topics", extra={"error": repr(error)[:200]})
            return {}
        self.app.condition.brokers_at = monotonic()
        return found

    async def _commit_for_people(self, ends: Mapping[Place, int]) -> None:
        """Tell Kafka how far it is, so that the usual tools show a lag; nobody reads on from there."""
        assigned = self.assignment()
        offsets = {TopicPartition(*tp): OffsetAndMetadata(offset, "") for tp, offset in ends.items() if tp in assigned}
        if offsets and self.flow_active:
            consumer = self._thread._ensure_consumer()
            with suppress(KafkaError, OSError, TimeoutError):
                async with asyncio.timeout(_ASK_SECONDS):
                    await self._thread.call_thread(consumer.commit, offsets)

    @Service.task
    async def _watch_group(self) -> None:
        """Faust never asks what has become of the group: without this a member that was refused waits for ever."""
        while not self.should_stop:
            await self.sleep(_LOOK_AROUND_SECONDS)
            try:
                await self._thread.call_thread(_check_group, self._thread._ensure_consumer())
            except AUTHORISATION_ERRORS as error:
                # Rights may be given at any moment; aiokafka goes on trying.
                self.app.condition.trouble = f"Kafka does not let this reader in ({type(error).__name__})"

    async def verify_all_partitions_active(self) -> None:
        """Faust's own watch knows streams only; whether it goes on is for `/readyz` to say."""


class Transport(driver.Transport):
    """Names the consumer."""

    Consumer: ClassVar[type[Consumer]] = Consumer


class _Boot(BootStrategy):
    """No producer, no web server, no sensors: this application reads."""

    enable_kafka_producer = False
    enable_web = False
    enable_sensors = False


class ReaderApp(faust.App):
    """Reads topics into an intake; one for each process and reader."""

    BootStrategy = _Boot

    def __init__(self, name: str, topics: Sequence[str], kafka: KafkaSettings, intake: Intake) -> None:
        """`name`: the consumer group, which Kafka also knows the principal by."""
        brokers = [URL(f"kafka://{broker}") for broker in kafka.brokers]
        super().__init__(
            name,
            broker=brokers,
            broker_credentials=_credentials(kafka),
            broker_session_timeout=8.0,
            broker_heartbeat_interval=2.0,
            broker_request_timeout=20.0,
            broker_max_poll_records=LARGEST_BATCH,
            broker_commit_livelock_soft_timeout=86_400.0,
            consumer_auto_offset_reset="earliest",
            consumer_max_fetch_size=_LARGEST_FETCH,
            consumer_group_instance_id=kafka.instance,
            consumer_metadata_max_age_ms=10_000,
            key_serializer="raw",
            value_serializer="raw",
            topic_allow_declare=False,
            topic_disable_leader=True,
            stream_wait_empty=False,
            stream_recovery_delay=0.0,
            web_enabled=False,
            store="memory://",
            autodiscover=False,
        )
        self.intake = intake
        self.condition = Condition()
        self.read_topics = frozenset(topics)
        self.transport = Transport(brokers, self)
        for topic in topics:
            self.topics.add(self.topic(topic, key_type=bytes, value_type=bytes))

    def _create_directories(self) -> None:
        """None: it keeps no tables, and where it runs in production nothing can be written."""

    def on_rebalance_start(self) -> None:
        """Partitions are shared out anew."""
        metrics.FEED_REBALANCES.inc()
        super().on_rebalance_start()


async def _check_group(consumer: AIOKafkaConsumer) -> None:
    """Raises what has gone wrong in the group since it was asked last."""
    if consumer._coordinator is not None:
        consumer._coordinator.check_errors()


async def _seek(consumer: AIOKafkaConsumer, seeks: Seeks) -> None:
    """Go there, in the loop of the consumer, as far as these places are still its own."""
    for place, offset in seeks.items():
        partition = TopicPartition(*place)
        if partition not in consumer.assignment():
            continue
        if offset is None:
            await consumer.seek_to_beginning(partition)
        else:
            consumer.seek(partition, offset)


def _credentials(kafka: KafkaSettings) -> Any:
    context = ssl.create_default_context(cafile=kafka.ca_file) if kafka.uses_tls else None
    if kafka.uses_sasl:
        assert kafka.password_file is not None
        return faust.SASLCredentials(
            username=cast(str, kafka.user),
            password=read_secret(kafka.password_file),
            mechanism=SCRAM,
            ssl_context=context,
        )
    return faust.SSLCredentials(context) if context is not None else None
