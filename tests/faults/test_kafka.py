"""What can happen to Kafka and to those who write to it and read from it, while clerks book: nothing of it counts.

A whole `verbund up --kafka`, broken from outside, and the one checker of all fault tests behind every test.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from time import sleep

import httpx
import psycopg
import pytest
from stage.backups import back_up, restore
from stage.brokers import kafka_or_skip
from stage.checker import check, is_caught_up
from stage.clerks import Clerks, Receipt, clerks_at_work
from stage.holding import held_at, is_served, stopped_in_its_transaction
from stage.municipality import Municipality, running_municipality, until
from stage.topics import Topic, poisons

from verbund.embedded.environment import environment_of
from verbund.embedded.ports import find_free_port
from verbund.embedded.postgres import Cluster
from verbund.events.offices import find_offices

CLERKS = 3
BOOK, TOPIC = "/05913000/registration/book", "verbund.book.registration"
SESSION_SECONDS = 8.0  # after so long without a heartbeat Kafka gives a reader's partitions to others
LEASE_SECONDS = 10.0  # after so long another relay takes over
AWAY_SECONDS = float(os.environ.get("VERBUND_AWAY_SECONDS", "15"))
"""How long the offices are without Kafka; a whole run takes five minutes (VERBUND_AWAY_SECONDS=300)."""
JOINS = int(os.environ.get("VERBUND_JOINS", "4"))
"""How often a second reader comes and goes in the storm."""


@pytest.fixture(scope="module")
def municipality() -> Iterator[Municipality]:
    kafka_or_skip()
    with running_municipality("up", "--kafka") as running:
        running.close_initial_load()
        yield running


@pytest.fixture
def topic(municipality: Municipality) -> Iterator[Topic]:
    with Topic(municipality.settings.kafka_broker, TOPIC) as topic:
        yield topic


@pytest.fixture(scope="module")
def answered() -> list[Receipt]:
    """Of every booking so far: the tests share one municipality."""
    return []


@pytest.fixture
def clerks(municipality: Municipality, seed: int, answered: list[Receipt]) -> Iterator[Clerks]:
    """Clerks at work, and afterwards everything as it has to be."""
    with clerks_at_work(municipality, seed, CLERKS) as clerks:
        clerks.await_bookings(20)
        yield clerks
        clerks.await_bookings(10)
    answered += clerks.receipts
    await_checked(municipality, answered)


def await_checked(municipality: Municipality, answered: list[Receipt]) -> None:
    evidence = municipality.evidence()
    until(lambda: is_caught_up(evidence), "the reader has caught up")
    assert check(evidence, answered)["bookings"] == len(answered)


@contextmanager
def another(municipality: Municipality, name: str) -> Iterator[str]:
    """The same process once more, as on a second machine; yields its address."""
    settings = municipality.settings
    office, process = next((o, p) for o in find_offices() for p in o.processes if p.name == name)
    cluster = Cluster(settings.layout.folder, settings.postgres_port + settings.port_offset)
    port = find_free_port()
    told = environment_of(process, office, find_offices(), settings, cluster)
    told |= {"VERBUND_PORT": str(port), "VERBUND_KAFKA__INSTANCE": f"{name}-another"}
    with (settings.layout.logs / f"another-{name}.log").open("ab") as log:
        words = [sys.executable, "-m", "verbund.service.serving", name]
        running = subprocess.Popen(words, env=told, stdout=log, stderr=log)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        running.send_signal(signal.SIGTERM)
        running.wait(30)


def is_ready(url: str) -> bool:
    with suppress(httpx.HTTPError):
        return httpx.get(f"{url}/readyz", trust_env=False).status_code == httpx.codes.OK
    return False


def run(municipality: Municipality, *words: str) -> None:
    """A command of `verbund` that has to succeed."""
    command = municipality.command(*words)
    said, complained = command.communicate(timeout=120)
    assert command.returncode == 0, said + complained


def ask(municipality: Municipality, database: str, query: str) -> list[tuple[object, ...]]:
    with psycopg.connect(municipality.superuser(database).conninfo(), autocommit=True) as connection:
        cursor = connection.execute(query.encode())
        return cursor.fetchall() if cursor.description else []


def position(municipality: Municipality) -> int:
    """How far the book was read."""
    [(number,)] = ask(municipality, "reporting", f"select number from feed.position where ledger = '{BOOK}'")
    return int(str(number))


def stop_reason(municipality: Municipality) -> object:
    return ask(municipality, "reporting", f"select stop_reason from feed.position where ledger = '{BOOK}'")[0][0]


def test_a_stranger_reads_every_message_as_the_document_says(
    municipality: Municipality, clerks: Clerks, tmp_path: Path
) -> None:
    answer = httpx.get(f"{municipality.url('registration')}/asyncapi.json", trust_env=False)
    document = tmp_path / "asyncapi.json"
    document.write_bytes(answer.raise_for_status().content)
    program = Path(__file__).parents[2] / "docs" / "read_topic.py"
    words = [sys.executable, str(program), municipality.settings.kafka_broker, TOPIC, str(document)]
    read = subprocess.run(words, capture_output=True, text=True, timeout=120, check=False)
    assert read.returncode == 0, read.stderr
    told = [line.split() for line in read.stdout.splitlines()]
    numbers = [int(number) for _, number, _ in told if number != "beat"]
    assert numbers == list(range(1, len(numbers) + 1))
    assert len(numbers) >= 20
    assert {key for key, _, _ in told} == {BOOK}


def test_a_relay_that_is_killed_between_sending_and_its_position_sends_again(
    municipality: Municipality, clerks: Clerks, topic: Topic
) -> None:
    before = topic.size()
    with held_at(municipality, "registration-relay"):
        until(lambda: topic.size() > before, "what the relay could not note was sent")
        municipality.process("registration-relay").kill()
    until(lambda: is_ready(municipality.url("registration-relay")), "the relay is back")
    clerks.await_bookings(20)


def test_a_reader_that_is_killed_between_effect_and_commit_reads_again(
    municipality: Municipality, clerks: Clerks
) -> None:
    for _ in range(2):
        with held_at(municipality, "reporting-reader"):
            municipality.process("reporting-reader").kill()
        until(lambda: is_ready(municipality.url("reporting-reader")), "the reader is back")
        clerks.await_bookings(20)


def test_a_reader_that_sleeps_beyond_its_session_and_wakes_up_counts_nothing_twice(
    municipality: Municipality, clerks: Clerks
) -> None:
    with (
        stopped_in_its_transaction(municipality, "reporting-reader") as stopped,
        another(municipality, "reporting-reader"),
    ):
        sleep(SESSION_SECONDS + 2)  # the time itself is the fault: Kafka gives its partitions away
        until(lambda: not is_served(municipality, stopped), "PostgreSQL ends the session")
        before = position(municipality)
        clerks.await_bookings(20)
        until(lambda: position(municipality) >= before + 20, "the second reader has taken over")
        municipality.process("reporting-reader").resume()
        clerks.await_bookings(20)
    until(lambda: is_ready(municipality.url("reporting-reader")), "the first reader is well again")


def test_a_relay_that_sleeps_while_another_one_takes_over_corrupts_nothing(
    municipality: Municipality, clerks: Clerks
) -> None:
    with (
        stopped_in_its_transaction(municipality, "registration-relay"),
        another(municipality, "registration-relay"),
    ):
        sleep(LEASE_SECONDS + 2)  # the time itself is the fault
        before = position(municipality)
        clerks.await_bookings(20)
        until(lambda: position(municipality) >= before + 20, "the second relay has taken over")
        municipality.process("registration-relay").resume()
        clerks.await_bookings(50)


def test_two_relays_at_once_corrupt_nothing(municipality: Municipality, clerks: Clerks) -> None:
    for _ in range(2):
        with another(municipality, "registration-relay"):
            clerks.await_bookings(30)


def test_readers_that_come_and_go_count_nothing_twice(municipality: Municipality, clerks: Clerks) -> None:
    for _ in range(JOINS):
        with another(municipality, "reporting-reader"):
            sleep(3)  # the rhythm is the fault
        clerks.await_bookings(10)


def test_a_broker_that_is_killed_loses_nothing_that_it_acknowledged(municipality: Municipality, clerks: Clerks) -> None:
    for _ in range(2):
        killed = municipality.process("kafka")
        killed.kill()
        until(lambda killed=killed: municipality.pid("kafka") not in {None, killed.pid}, "Kafka is another one")  # type: ignore[misc]
        clerks.await_bookings(20)


def test_offices_book_without_kafka_and_what_they_booked_drains_afterwards(
    municipality: Municipality, clerks: Clerks
) -> None:
    broker = municipality.process("kafka")
    broker.suspend()
    try:
        for _ in range(3):
            clerks.await_bookings(30)
            sleep(AWAY_SECONDS / 3)  # the time itself is the fault
        until(lambda: not is_ready(municipality.url("reporting-reader")), "the reader says that it cannot read")
    finally:
        broker.resume()
    until(lambda: is_ready(municipality.url("reporting-reader")), "the reader reads again")
    until(lambda: is_ready(municipality.url("registration-relay")), "the relay sends again")


def test_postgresql_ends_under_everybody_at_once(municipality: Municipality, clerks: Clerks) -> None:
    for _ in range(2):
        killed = municipality.pid("postgres")
        assert killed is not None
        os.kill(killed, signal.SIGQUIT)
        until(lambda killed=killed: municipality.pid("postgres") not in {None, killed}, "PostgreSQL is another one")  # type: ignore[misc]
        clerks.await_bookings(20)


def test_a_topic_that_comes_twice_or_is_read_from_its_beginning_counts_once(
    municipality: Municipality, clerks: Clerks, topic: Topic
) -> None:
    topic.send_again()
    clerks.await_bookings(10)
    ask(municipality, "reporting", "delete from feed.hint")
    municipality.process("reporting-reader").kill()
    clerks.await_bookings(10)


def test_a_topic_that_was_deleted_is_made_anew_and_refilled(
    municipality: Municipality, clerks: Clerks, topic: Topic
) -> None:
    topic.delete()
    clerks.await_bookings(20)
    run(municipality, "kafka", "topics", "--create")
    run(municipality, "relay", "refill", "--all", "--yes")
    clerks.await_bookings(20)


def test_reporting_restored_from_an_older_backup_catches_up(
    municipality: Municipality, clerks: Clerks, tmp_path: Path
) -> None:
    back_up(municipality.superuser("reporting"), tmp_path / "backup")
    clerks.await_bookings(30)
    restore(municipality.superuser("reporting"), tmp_path / "backup")
    clerks.await_bookings(20)


def test_what_is_none_of_ours_is_parked_and_holds_up_nobody(
    municipality: Municipality, clerks: Clerks, topic: Topic
) -> None:
    sent = poisons(topic.latest(BOOK))
    topic.send(sent.values())
    clerks.await_bookings(20)
    query = "select distinct reason from feed.parked"
    until(lambda: len(ask(municipality, "reporting", query)) == len(sent), "everything that is none of ours is parked")
    assert {reason for (reason,) in ask(municipality, "reporting", query)} == set(sent)
    assert stop_reason(municipality) is None
    # The checker wants nothing parked. What was decided stays so, also where the topic is read from its beginning.
    numbers = [str(number) for (number,) in ask(municipality, "reporting", "select id from feed.parked")]
    run(municipality, "feeds", "parked", "discard", *numbers, "--reason", "none of ours")
    ask(municipality, "reporting", "delete from feed.hint")
    municipality.process("reporting-reader").kill()


def test_an_office_restored_from_an_older_backup_stops_its_ledger_and_is_brought_back(
    municipality: Municipality, answered: list[Receipt], seed: int, tmp_path: Path
) -> None:
    """The last one: what was booked between backup and restoration is gone, and nobody may miss it afterwards."""
    with clerks_at_work(municipality, seed, CLERKS) as clerks:
        clerks.await_bookings(20)
    kept = answered + clerks.receipts
    await_checked(municipality, kept)
    back_up(municipality.superuser("registration"), tmp_path / "backup")
    with clerks_at_work(municipality, seed + 1, CLERKS) as clerks:
        clerks.await_bookings(30)
    await_checked(municipality, kept + clerks.receipts)
    restore(municipality.superuser("registration"), tmp_path / "backup")
    with clerks_at_work(municipality, seed + 2, CLERKS) as clerks:
        until(lambda: stop_reason(municipality) is not None, "the reader has noticed")
        clerks.await_bookings(60)  # it books on beyond what was read
    kept += clerks.receipts
    assert stop_reason(municipality) in {"head_below_position", "other_hash", "chain_broken"}
    assert not is_ready(municipality.url("reporting-reader"))
    # While everything goes on; that the sums differ from those that stand is the point of it.
    run(municipality, "rebuild", "--accept", "--yes")
    await_checked(municipality, kept)
