"""`verbund feeds parked`: what was set aside is listed, looked at, taken once more or discarded, by its number."""

import json
import shutil
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import psycopg
import pytest
from stage.facts import BOOK, arrival, booked
from typer.testing import CliRunner

from verbund.cli.main import build
from verbund.embedded.ports import find_free_port
from verbund.embedded.postgres import Cluster
from verbund.events.envelope import encode, sequence_of
from verbund.events.offices import find_offices
from verbund.ledger.record import GENESIS, chain_hash
from verbund.postgres import prepare_databases

DAY = date(2018, 3, 1)


@pytest.fixture(scope="module")
def running() -> Iterator[Cluster]:
    # Not below pytest's own folder: that one is closed to the user that PostgreSQL runs as when root tests.
    home = Path(mkdtemp(prefix="verbund-parked-"))
    cluster = Cluster(home, find_free_port(), {"fsync": "off"})
    try:
        cluster.start()
        prepare_databases(cluster, find_offices(), lambda said: None)
        yield cluster
    finally:
        cluster.stop()
        shutil.rmtree(home)


@pytest.fixture
def reporting(running: Cluster, monkeypatch: pytest.MonkeyPatch) -> Iterator[psycopg.Connection[Any]]:
    monkeypatch.setenv("VERBUND_HOME", str(running.data.parent))
    monkeypatch.setenv("VERBUND_POSTGRES_SERVER", f"127.0.0.1:{running.port}")
    with psycopg.connect(running.superuser("reporting").conninfo(), autocommit=True) as connection:
        connection.execute("truncate feed.parked, cube.delta, cube.cell, cube.batch, cube.batch_head restart identity")
        yield connection


def park(connection: psycopg.Connection[Any], number: int | None, reason: str = "unknown_type") -> None:
    event = booked(DAY, arrival(DAY, subject=f"s{number}"))
    body = encode(event.model_copy(update={"sequence": sequence_of(number or 1), "source": BOOK}))
    connection.execute(
        "insert into feed.parked (ledger, number, reason, detail, body, hash) values (%s, %s, %s, '', %s, %s)",
        (BOOK, number, reason, body, chain_hash(GENESIS, body)),
    )


def run(*words: str) -> tuple[int, list[dict[str, Any]]]:
    """Exit code, and what was said, for programs."""
    result = CliRunner().invoke(build(), ["feeds", "parked", *words, "--json"])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, [json.loads(line) for line in result.stdout.splitlines()]


def listed(*words: str) -> list[tuple[int, str | None]]:
    code, (said,) = run(*words)
    assert code == 0
    return [(each["id"], each["settled"]) for each in said["parked"]]


def test_parked_records_are_replayed_and_discarded_by_number(reporting: psycopg.Connection[Any]) -> None:
    for number in (1, 2, None):
        park(reporting, number, "unknown_type" if number else "no_place")
    assert listed() == [(1, None), (2, None), (3, None)]
    assert listed("--reason", "no_place") == [(3, None)]

    code, said = run("replay", "--all")
    assert code == 1
    assert [each.get("code") for each in said] == [None, None, "no_place"]
    assert reporting.execute("select sum(n) from cube.delta where measure = 'arrivals'").fetchone() == (2,)
    assert run("replay", "1")[0] == 0  # once more changes nothing
    assert reporting.execute("select sum(n) from cube.delta where measure = 'arrivals'").fetchone() == (2,)

    assert run("discard", "3", "--reason", " ")[0] == 1
    assert run("discard", "3", "--reason", "nobody knows whose")[0] == 0
    assert run("discard", "99", "--reason", "nobody knows whose")[0] == 1
    assert listed() == []
    assert listed("--settled") == [(1, "replayed"), (2, "replayed"), (3, "discarded")]


def test_what_a_record_says_is_shown_on_request_alone(reporting: psycopg.Connection[Any]) -> None:
    park(reporting, 1)
    code, (said,) = run("show", "1")
    assert (code, said["number"], said["attributes"]["source"]) == (0, 1, BOOK)
    assert "birth_year" not in json.dumps(said)
    code, (said,) = run("show", "1", "--payload")
    assert (code, "birth_year" in said["payload"]) == (0, True)
    assert run("show", "2")[0] == 1
    assert run("replay")[0] == 1
    assert run("show", "1", "--office", "nobody")[0] == 1
