"""A process is stopped in the middle of its transaction and wakes up later, believing that no time has passed."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial

import httpx
import psutil
import psycopg
import pytest
from stage.checker import check, is_caught_up
from stage.clerks import Clerks, Receipt, clerks_at_work
from stage.holding import is_served, stopped_in_its_transaction
from stage.municipality import Municipality, running_municipality, until

from verbund.embedded.environment import environment_of
from verbund.embedded.ports import find_free_port
from verbund.embedded.postgres import Cluster
from verbund.events.offices import find_offices, get_office

CLERKS = 3


def is_waited_for_or_ended(municipality: Municipality, pid: int) -> bool:
    """Whether another session waits for a lock that this one holds, or it holds none any more."""
    with psycopg.connect(municipality.superuser("postgres").conninfo()) as connection:
        query = "select from pg_stat_activity where %s = any(pg_blocking_pids(pid))"
        is_waited_for = connection.execute(query, (pid,)).fetchone() is not None
    return is_waited_for or not is_served(municipality, pid)


def position(municipality: Municipality) -> int:
    """How far the books were read."""
    with psycopg.connect(municipality.superuser("reporting").conninfo()) as connection:
        ((number,),) = connection.execute("select sum(number)::bigint from feed.position").fetchall()
    return int(number)


@contextmanager
def second_reader(municipality: Municipality) -> Iterator[str]:
    """Another reader of the same books, as on a second machine; yields its address."""
    settings = municipality.settings
    office = get_office("reporting")
    process = next(each for each in office.processes if each.database_role == "reader")
    cluster = Cluster(settings.layout.folder, settings.postgres_port + settings.port_offset)
    port = find_free_port()
    told = environment_of(process, office, find_offices(), settings, cluster) | {"VERBUND_PORT": str(port)}
    with (settings.layout.logs / "second-reader.log").open("ab") as log:
        words = [sys.executable, "-m", "verbund.service.serving", process.name]
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


@pytest.fixture(scope="module")
def municipality() -> Iterator[Municipality]:
    with running_municipality() as running:
        running.close_initial_load()
        yield running


@pytest.fixture(scope="module")
def answered() -> list[Receipt]:
    """Of every booking so far: the tests share one municipality."""
    return []


@pytest.fixture
def checked(municipality: Municipality, seed: int, answered: list[Receipt]) -> Iterator[Clerks]:
    """Clerks at work, and afterwards everything as it has to be."""
    with clerks_at_work(municipality, seed, CLERKS) as clerks:
        clerks.await_bookings(20)
        yield clerks
    answered += clerks.receipts
    evidence = municipality.evidence()
    until(lambda: is_caught_up(evidence), "the reader has caught up")
    assert check(evidence, answered)["bookings"] == len(answered)


def test_a_reader_that_wakes_up_after_its_session_was_ended_counts_nothing_twice(
    municipality: Municipality, checked: Clerks
) -> None:
    with stopped_in_its_transaction(municipality, "reporting-reader") as stopped:
        checked.await_bookings(20)  # the office does not notice
        with second_reader(municipality) as second:
            until(lambda: not is_served(municipality, stopped), "PostgreSQL ends the session")
            until(lambda: is_ready(second), "a second reader has taken over")
            before = position(municipality)
            checked.await_bookings(20)
            until(lambda: position(municipality) >= before + 20, "the second reader reads on")
    until(lambda: is_ready(municipality.url("reporting-reader")), "the first reader is well again")
    checked.await_bookings(20)


def test_two_readers_of_which_one_is_stopped_and_wakes_up_in_time_count_nothing_twice(
    municipality: Municipality, checked: Clerks
) -> None:
    with second_reader(municipality) as second:
        until(lambda: is_ready(second), "a second reader is there")
        for _ in range(3):
            with stopped_in_its_transaction(municipality, "reporting-reader") as stopped:
                # Or it comes too late: PostgreSQL lets nobody wait for a sleeper for long.
                until(partial(is_waited_for_or_ended, municipality, stopped), "the second reader waits for the first")
            checked.await_bookings(10)


def test_a_desk_that_wakes_up_after_its_session_was_ended_books_nothing_twice(
    municipality: Municipality, checked: Clerks
) -> None:
    with stopped_in_its_transaction(municipality, "registration") as stopped:
        until(lambda: not is_served(municipality, stopped), "PostgreSQL ends the session")
    checked.await_bookings(50)


def test_a_postgresql_that_lives_and_lets_nobody_in_is_started_again(
    municipality: Municipality, checked: Clerks
) -> None:
    frozen = municipality.pid("postgres")
    assert frozen is not None
    psutil.Process(frozen).suspend()
    # Who is signed in goes on: only the process that lets people in stands still.
    until(lambda: municipality.pid("postgres") not in {None, frozen}, "PostgreSQL is another one")
    assert "let nobody in" in municipality.log.read_text()
    checked.await_bookings(20)
