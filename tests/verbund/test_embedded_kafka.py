import psutil
from stage.brokers import running_brokers

from verbund.embedded.kafka_cluster import Brokers
from verbund.embedded.kafka_jars import Distribution
from verbund.embedded.kafka_probe import find_brokers


def test_it_listens_on_loopback_only(broker: Brokers) -> None:
    listening = {
        (one.laddr.ip, one.laddr.port)
        for one in psutil.Process(broker.brokers[0].pid).net_connections("inet")
        if one.status == psutil.CONN_LISTEN
    }
    place = broker.brokers[0].place
    assert listening == {("127.0.0.1", port) for port in (place.port, place.controller_port, place.internal_port)}


def test_a_broker_that_was_killed_comes_back(kafka: Distribution) -> None:
    with running_brokers(kafka) as own:
        (broker,) = own.brokers
        first = broker.pid
        broker.kill()
        assert not own.is_running
        assert find_brokers(broker.place.port) == frozenset()
        broker.start()
        assert broker.pid != first
        assert find_brokers(broker.place.port) == {1}
