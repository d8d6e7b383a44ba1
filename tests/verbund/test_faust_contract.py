"""The private names of faust and aiokafka that the feed from Kafka stands on.

When one of these fails after an upgrade: read what changed in `faust.transport` and `faust.tables.recovery`, mend
`verbund.feeds.kafka.worker`, and let `tests/verbund/test_feeds.py` and `tests/faults/` prove it before the pin moves.
"""

import inspect
from importlib.metadata import version

import faust.app.base
import faust.tables.recovery
import faust.transport.consumer
import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka.client import AIOKafkaClient
from aiokafka.consumer.group_coordinator import GroupCoordinator
from faust.transport.drivers import aiokafka as driver

from verbund.feeds.kafka import worker

CHANGED = "faust or aiokafka has changed where the feed from Kafka stands on it: see the head of this file"


def test_the_versions_are_those_that_were_looked_at() -> None:
    assert (version("faust-streaming"), version("aiokafka")) == ("0.15.3", "0.14.0"), CHANGED


@pytest.mark.parametrize(
    ("owner", "name", "parameters"),
    [
        (faust.transport.consumer.Consumer, "_drain_messages", ["self", "fetcher"]),
        (faust.transport.consumer.Consumer, "_get_active_partitions", ["self"]),
        (faust.transport.consumer.Consumer, "perform_seek", ["self"]),
        (faust.transport.consumer.Consumer, "seek_to_committed", ["self"]),
        (faust.transport.consumer.Consumer, "verify_all_partitions_active", ["self"]),
        (faust.transport.consumer.ThreadDelegateConsumer, "_getmany", ["self", "active_partitions", "timeout"]),
        (faust.transport.consumer.ThreadDelegateConsumer, "assignment", ["self"]),
        (driver.AIOKafkaConsumerThread, "_ensure_consumer", ["self"]),
        (driver.AIOKafkaConsumerThread, "call_thread", ["self", "fun", "args", "kwargs"]),
        (faust.app.base.App, "_create_directories", ["self"]),
        (faust.app.base.App, "on_rebalance_start", ["self"]),
        (AIOKafkaClient, "get_random_node", ["self"]),
        (GroupCoordinator, "check_errors", ["self"]),
        (AIOKafkaClient, "send", ["self", "node_id", "request", "group"]),
        (AIOKafkaConsumer, "seek_to_beginning", ["self", "partitions"]),
    ],
)
def test_a_method_is_there_and_takes_what_it_took(owner: type, name: str, parameters: list[str]) -> None:
    method = getattr(owner, name, None)
    assert method is not None, CHANGED
    assert list(inspect.signature(method).parameters) == parameters, CHANGED


@pytest.mark.parametrize(
    ("method", "words"),
    [
        # Whoever fetches asks the consumer for everything, and nothing else does.
        (faust.transport.consumer.Fetcher._fetcher.fun, "await consumer._drain_messages(self)"),
        # Every way into work after an assignment seeks before it fetches.
        (faust.tables.recovery.Recovery._resume_streams, "consumer.perform_seek()"),
        (faust.transport.consumer.Consumer.perform_seek, "await self.seek_to_committed()"),
        # While partitions are being shared out nothing is fetched.
        (driver.AIOKafkaConsumerThread._fetch_records, "if not self.consumer.flow_active:\n            return {}"),
        (faust.app.base.App._on_partitions_revoked, "T(consumer.stop_flow)()"),
    ],
)
def test_faust_does_what_the_feed_relies_on(method: object, words: str) -> None:
    assert words in inspect.getsource(method), CHANGED  # type: ignore[arg-type]


def test_resuming_seeks_before_it_fetches() -> None:
    source = inspect.getsource(faust.tables.recovery.Recovery._resume_streams)
    assert source.index("perform_seek") < source.index("consumer.resume_flow()") < source.index("_fetcher.maybe_start")


def test_the_application_uses_our_consumer_and_asks_for_the_earliest() -> None:
    assert worker.Transport.Consumer is worker.Consumer
    assert worker.Consumer._drain_messages is not driver.Consumer._drain_messages
    assert worker.Consumer.seek_to_committed is not driver.Consumer.seek_to_committed
    # `none` kills workers: a fetch can slip in between assignment and seek.
    assert 'consumer_auto_offset_reset="earliest"' in inspect.getsource(worker.ReaderApp)
