"""`verbund relay` on a home of its own: alone, and beside a relay that is at work."""

import asyncio
import json
import os
from collections.abc import Iterator
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from time import monotonic

import psycopg
import pytest
from stage.ledgers import BOOK, book_events
from stage.relaying import assert_complete
from stage.wiretap import make_topic, tap
from typer.testing import CliRunner

from verbund.cli.main import build
from verbund.database import migrate
from verbund.embedded import record
from verbund.embedded.home import EmbeddedSettings
from verbund.embedded.kafka_cluster import Brokers
from verbund.embedded.ports import find_free_port
from verbund.embedded.postgres import Cluster
from verbund.events.offices import get_office
from verbund.kafka.topics import topic_of
from verbund.relay.maintenance import Sent, list_sent
from verbund.relay.relay import Relay

OFFICE = get_office("registration")
BOOKED = 40
DEADLINE_SECONDS = 60.0


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Iterator[Cluster]:
    """A PostgreSQL as `verbund up` runs it, with a booked ledger."""
    # Below /tmp itself: pytest's folders are closed to the user that PostgreSQL runs as when root tests.
    home = Path(mkdtemp(prefix="verbund-test-"))
    monkeypatch.setenv("VERBUND_HOME", str(home))
    monkeypatch.setenv("COLUMNS", "200")
    layout = EmbeddedSettings().layout
    layout.prepare()
    running = Cluster(home, find_free_port())
    try:
        running.start()
        running.ensure_roles(OFFICE)
        running.ensure_database(OFFICE)
        migrate(running.settings("registration_owner", "registration"), OFFICE)
        book_events(running.superuser("registration"), BOOKED)
        supervisor = record.describe("supervisor", os.getpid(), 8100)
        told = {
            "municipality": "05913000",
            "port_offset": 0,
            "postgres_port": running.port,
            "link": "",
            "processes": (),
        }
        record.write(layout, record.Running(supervisor=supervisor, **told))
        yield running
    finally:
        running.stop()
        rmtree(home)


def verbund(*words: str, answer: str = "") -> tuple[int, str]:
    result = CliRunner().invoke(build(), ["relay", *words], input=answer)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.output


def book_of(cluster: Cluster) -> Sent:
    [sent] = list_sent(cluster.settings("registration_owner", "registration"))
    return sent


async def until_sent(cluster: Cluster) -> None:
    deadline = monotonic() + DEADLINE_SECONDS
    while (await asyncio.to_thread(book_of, cluster)).unsent:
        assert monotonic() < deadline, "not sent in time"
        await asyncio.sleep(0.05)


async def test_ledgers_are_sent_again_by_the_relay_at_work(cluster: Cluster, broker: Brokers) -> None:
    make_topic(broker.bootstrap, topic_of(BOOK))
    async with Relay(OFFICE, cluster.settings("registration_relay", "registration"), broker.settings):
        await until_sent(cluster)
        code, said = await asyncio.to_thread(verbund, "status", "--json")
        [ledger] = json.loads(said)["ledgers"]
        assert (code, ledger["number"], ledger["unsent"]) == (0, BOOKED, 0)
        assert ledger["relay"].endswith(f":{os.getpid()}")
        code, said = await asyncio.to_thread(verbund, "refill", BOOK, "--from", "31", answer="y\n")
        assert code == 0
        assert "Send 10 records of 1 ledgers again" in said
        await until_sent(cluster)
        assert (await asyncio.to_thread(verbund, "refill", "--all", "--yes"))[0] == 0
        await until_sent(cluster)
    found = tap(broker.settings, topic_of(BOOK), BOOK)
    assert_complete(found, BOOKED)
    every = list(range(1, BOOKED + 1))
    assert found.numbers == [*every, *every[30:], *every]


def test_what_nobody_sends_now_is_sent_later(cluster: Cluster) -> None:
    code, said = verbund("status")
    assert code == 0
    assert "never ran" in said
    with psycopg.connect(cluster.superuser("registration").conninfo()) as connection:
        connection.execute(
            "insert into relay.position select ledger, number, hash, 1, now(), 'hole', now()"
            " from ledger.record where number = 30"
        )
        connection.execute("insert into relay.lease values ('registration', 1, 'gone:1', 'epoch')")
    code, said = verbund("status")
    assert code == 1
    assert "stopped: hole" in said
    assert "none runs" in said
    assert verbund("resume", BOOK)[0] == 0
    code, said = verbund("resume", BOOK)
    assert code == 1
    assert "is not stopped" in said
    assert verbund("refill", BOOK, "--from", "35", "--yes")[0] == 0
    assert book_of(cluster).number == 30  # what was not sent yet comes anyway
    assert verbund("refill", BOOK, "--from", "21", answer="n\n")[0] == 1
    assert book_of(cluster).number == 30
    code, said = verbund("refill", BOOK, "--from", "21", "--yes", "--json")
    assert (code, json.loads(said)["again"]) == (0, 10)
    assert (book_of(cluster).number, book_of(cluster).unsent) == (20, 20)


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (("refill",), "--all"),
        (("refill", BOOK, "--all"), "--all"),
        (("refill", BOOK, "--json"), "--yes"),
        (("refill", "/05913000/castle/book", "--yes"), "no ledger"),
        (("refill", BOOK, "--from", "1000", "--yes"), "no record 999"),
    ],
)
def test_what_cannot_be_sent_again_is_said_in_words(cluster: Cluster, words: tuple[str, ...], named: str) -> None:
    code, said = verbund(*words)
    assert code == 1
    assert named in said
