"""Three brokers, of which one may die."""

from collections.abc import Iterator

import pytest
from stage.brokers import running_brokers
from stage.kafka_records import Refused, keep, leader_of, make_topic, read_kept, setting_of

from verbund.embedded.kafka_cluster import Brokers
from verbund.embedded.kafka_jars import Distribution
from verbund.embedded.kafka_probe import find_brokers


@pytest.fixture(scope="module")
def three(kafka: Distribution) -> Iterator[Brokers]:
    with running_brokers(kafka, 3) as running:
        yield running


def test_one_may_die_and_two_may_not_and_nothing_that_was_acknowledged_is_lost(three: Brokers) -> None:
    assert [find_brokers(broker.place.port) for broker in three.brokers] == [{1, 2, 3}] * 3
    make_topic(three.settings, "of-three", brokers=3)
    assert setting_of(three.settings, "of-three", "min.insync.replicas") == "2"
    keep(three.settings, "of-three", "all live")

    leader = three.brokers[leader_of(three.settings, "of-three") - 1]
    leader.kill()
    assert not three.is_running
    keep(three.settings, "of-three", "one is dead")
    assert read_kept(three.settings, "of-three") == ["all live", "one is dead"]

    other = next(broker for broker in three.brokers if broker.is_running)
    other.kill()
    with pytest.raises(Refused, match="KafkaTimeoutError"):
        keep(three.settings, "of-three", "two are dead", seconds=5)

    three.start()
    keep(three.settings, "of-three", "all are back")
    # The one that was refused may have been written all the same: that it is not there was never promised.
    found = [value for value in read_kept(three.settings, "of-three") if value != "two are dead"]
    assert found == ["all live", "one is dead", "all are back"]


def test_all_stop_and_start_together(three: Brokers) -> None:
    three.start()
    make_topic(three.settings, "lasting", brokers=3)
    keep(three.settings, "lasting", "1")
    three.stop()
    assert [find_brokers(broker.place.port) for broker in three.brokers] == [frozenset()] * 3
    three.start()
    assert read_kept(three.settings, "lasting") == ["1"]
