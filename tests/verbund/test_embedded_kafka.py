"""One broker as the development default runs it: where it listens, how it starts, dies, comes back and ends."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import pytest
from stage.brokers import free_places, running_brokers, scratch_home
from stage.kafka_records import Refused, keep, make_topic, read_kept

from verbund.embedded.kafka_cluster import Brokers
from verbund.embedded.kafka_config import Place
from verbund.embedded.kafka_jars import Distribution
from verbund.embedded.kafka_java import KafkaFailed
from verbund.embedded.kafka_probe import find_brokers
from verbund.embedded.ports import PortTaken

STARTER = """
import sys, time; from pathlib import Path
from verbund.embedded.kafka_cluster import Brokers
from verbund.embedded.kafka_config import Place
from verbund.embedded.kafka_jars import Distribution
java, jars, home = map(Path, sys.argv[1:4])
brokers = Brokers(home, [Place(*map(int, sys.argv[4:]))], Distribution(java, jars))
brokers.start(); print(brokers.brokers[0].pid, flush=True); time.sleep(600)
"""


@pytest.fixture
def home() -> Iterator[Path]:
    """A folder as people name them."""
    with scratch_home() as folder:
        yield folder / "Bürgeramt 1 – Süd 🏠"


@pytest.fixture(scope="module")
def mortal(kafka: Distribution) -> Iterator[Brokers]:
    with running_brokers(kafka) as running:
        yield running


@pytest.fixture
def own(mortal: Brokers) -> Brokers:
    """A running broker that a test may stop and kill; the next test starts it again."""
    mortal.start()
    return mortal


@pytest.fixture
def stopped(mortal: Brokers) -> Brokers:
    """The same, with data and at rest."""
    mortal.stop()
    return mortal


def until(condition: Callable[[], bool], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def ports(place: Place) -> set[int]:
    return {place.port, place.controller_port, place.internal_port}


@contextmanager
def started_elsewhere(
    home: Path, kafka: Distribution, place: Place
) -> Iterator[tuple["subprocess.Popen[str]", psutil.Process]]:
    """Another process that started a broker on this data, and the broker; both are gone afterwards."""
    numbers = map(str, (place.id, place.port, place.controller_port, place.internal_port))
    words = [str(kafka.java), str(kafka.jars), str(home), *numbers]
    with subprocess.Popen([sys.executable, "-c", STARTER, *words], stdout=subprocess.PIPE, text=True) as starter:
        assert starter.stdout is not None
        broker = psutil.Process(int(starter.stdout.readline()))
        try:
            yield starter, broker
        finally:
            starter.kill()
            with suppress(psutil.NoSuchProcess):
                broker.kill()


def test_it_listens_on_loopback_only(broker: Brokers) -> None:
    listening = {
        (one.laddr.ip, one.laddr.port)
        for one in psutil.Process(broker.brokers[0].pid).net_connections("inet")
        if one.status == psutil.CONN_LISTEN
    }
    assert listening == {("127.0.0.1", port) for port in ports(broker.brokers[0].place)}


def test_no_topic_comes_into_being_by_a_slip_of_the_pen(broker: Brokers) -> None:
    with pytest.raises(Refused, match="KafkaTimeoutError"):
        keep(broker.settings, "nobody-made-this", "1", seconds=1)


def test_its_log_holds_warnings_and_worse_only(broker: Brokers) -> None:
    lines = broker.brokers[0].log.read_text(encoding="utf-8").splitlines()
    levels = {line.split()[1] for line in lines if line[:4].isdigit()}
    assert levels
    assert levels <= {"WARN", "ERROR", "FATAL"}


def test_two_at_once_on_one_folder_are_refused(broker: Brokers, kafka: Distribution) -> None:
    home = broker.brokers[0].log.parent.parent
    with pytest.raises(KafkaFailed, match="Another process runs Kafka on"):
        Brokers(home, free_places(1), kafka).start()
    assert find_brokers(broker.brokers[0].place.port) == {1}


def test_what_was_acknowledged_outlives_a_clean_stop_and_a_kill(own: Brokers) -> None:
    make_topic(own.settings, "lasting")
    keep(own.settings, "lasting", "1")
    own.stop()
    assert find_brokers(own.brokers[0].place.port) == frozenset()
    own.start()
    keep(own.settings, "lasting", "2")
    first = own.brokers[0].pid
    own.brokers[0].kill()
    assert not own.is_running
    own.brokers[0].start()
    assert own.brokers[0].pid not in (None, first)
    assert read_kept(own.settings, "lasting") == ["1", "2"]


def test_a_kill_from_outside_is_noticed_and_a_start_mends_it(own: Brokers) -> None:
    pid = own.brokers[0].pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    until(lambda: not own.is_running)
    assert own.brokers[0].pid is None
    own.start()
    assert find_brokers(own.brokers[0].place.port) == {1}


def test_a_frozen_broker_is_stopped_cleanly(own: Brokers) -> None:
    pid = own.brokers[0].pid
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    own.stop()
    assert not psutil.pid_exists(pid)
    # A clean stop leaves this behind, a kill does not.
    assert list(own.brokers[0].log.parent.parent.glob("kafka/1/data/.kafka_cleanshutdown"))


def test_a_taken_port_is_named_with_its_holder_and_a_remedy(home: Path, kafka: Distribution, broker: Brokers) -> None:
    (place,) = free_places(1)
    taken = Place(1, broker.brokers[0].place.port, place.controller_port, place.internal_port)
    with pytest.raises(PortTaken) as caught:
        Brokers(home, [taken], kafka).start()
    for words in (f"Port {taken.port}", f"process {broker.brokers[0].pid}", "java", "VERBUND_KAFKA_PORT"):
        assert words in str(caught.value)
    # Nothing is held on to: with a port that is free it starts.
    brokers = Brokers(home, [place], kafka)
    brokers.start()
    brokers.stop()


def test_half_a_data_folder_left_by_a_kill_is_made_anew(home: Path, kafka: Distribution) -> None:
    half = home / "kafka" / "1" / "data.fresh"
    half.mkdir(parents=True)
    (half / "meta.properties").write_text("half")
    brokers = Brokers(home, free_places(1), kafka)
    brokers.start()
    brokers.stop()
    assert not half.exists()
    assert (home / "kafka" / "1" / "data" / "meta.properties").exists()
    assert (home / "logs" / "kafka-1.log").stat().st_size > 0


def test_a_start_that_fails_says_so_at_once_and_names_its_log(stopped: Brokers) -> None:
    broker = stopped.brokers[0]
    meta = broker.log.parent.parent / "kafka" / "1" / "data" / "meta.properties"
    good = meta.read_text()
    meta.write_text(good.replace("node.id=1", "node.id=7"))
    try:
        with pytest.raises(KafkaFailed, match=f"did not start; see {broker.log}"):
            stopped.start()
        assert "node id 7" in broker.log.read_text(encoding="utf-8").lower()
        assert not stopped.is_running
    finally:
        meta.write_text(good)


def test_data_of_one_broker_is_no_data_of_three(stopped: Brokers, kafka: Distribution) -> None:
    home = stopped.brokers[0].log.parent.parent
    with pytest.raises(KafkaFailed, match="made for 1 and not for 3 brokers"):
        Brokers(home, free_places(3), kafka).start()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a process with its parent")
def test_it_ends_when_the_process_that_started_it_is_killed(home: Path, kafka: Distribution) -> None:
    with started_elsewhere(home, kafka, free_places(1)[0]) as (starter, process):
        starter.kill()
        starter.wait()
        until(lambda: not process.is_running() or process.status() == psutil.STATUS_ZOMBIE)


def test_what_a_killed_process_left_behind_is_ended(home: Path, kafka: Distribution) -> None:
    (place,) = free_places(1)
    brokers = Brokers(home, [place], kafka)
    with started_elsewhere(home, kafka, place) as (starter, left):
        # Frozen, it does not hear that its starter has died.
        left.suspend()
        starter.kill()
        starter.wait()
        try:
            brokers.start()
            assert not left.is_running() or left.status() == psutil.STATUS_ZOMBIE
            assert brokers.brokers[0].pid not in (None, left.pid)
        finally:
            brokers.stop()


@pytest.mark.parametrize(
    "answer",
    [b"", b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\0\0\0\x20\0\0\0\7\0\0\0\2", b"\x7f" * 64],
    ids=["closes", "speaks HTTP", "ends in the middle", "says a lot"],
)
def test_what_is_no_kafka_serves_nothing(answer: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=_answer_once, args=(server, answer))
        thread.start()
        assert find_brokers(server.getsockname()[1]) == frozenset()
        thread.join()


def _answer_once(server: socket.socket, answer: bytes) -> None:
    connection, _ = server.accept()
    with connection:
        connection.recv(1024)
        connection.sendall(answer)
