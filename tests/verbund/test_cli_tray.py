"""`verbund tray`: what an office was told is listed without what it says, and tried again on request."""

import json
from collections.abc import Iterator
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp

import psycopg
import pytest
from stage.trays import SCHOOL, TRAY
from typer.testing import CliRunner

from verbund.cli.main import build
from verbund.database import migrate
from verbund.embedded.ports import find_free_port
from verbund.embedded.postgres import Cluster
from verbund.events.offices import find_offices
from verbund.ledger.record import GENESIS

ROWS = (
    ("waiting", None),
    ("done", None),
    ("refused", "sum_closed"),
    ("failed", "KeyError"),
    ("ignored", None),
)


@pytest.fixture
def announced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The school is installed as any other office, by a distribution with an entry point."""
    distribution = tmp_path / "verbund_school-1.dist-info"
    distribution.mkdir()
    (distribution / "METADATA").write_text("Metadata-Version: 2.1\nName: verbund-school\nVersion: 1\n")
    (distribution / "entry_points.txt").write_text("[verbund.offices]\nschool = stage.trays:SCHOOL\n")
    monkeypatch.syspath_prepend(tmp_path)
    find_offices.cache_clear()
    yield
    monkeypatch.undo()
    find_offices.cache_clear()


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch, announced: None) -> Iterator[Cluster]:
    """A home whose school has been told five things."""
    folder = Path(mkdtemp(prefix="verbund-test-"))  # below /tmp itself, where PostgreSQL's own user gets in
    port = find_free_port()
    monkeypatch.setenv("VERBUND_HOME", str(folder))
    monkeypatch.setenv("COLUMNS", "160")  # so that no word is broken
    monkeypatch.setenv("VERBUND_POSTGRES_PORT", str(port))
    home = Cluster(folder, port)
    home.start()
    home.ensure_roles(SCHOOL)
    home.ensure_database(SCHOOL)
    migrate(home.settings("school_owner", "school"), SCHOOL)
    with psycopg.connect(home.superuser("school").conninfo()) as connection:
        for number, (state, code) in enumerate(ROWS, 1):
            connection.execute(
                "insert into tray.event (ledger, number, event_id, type, body, state, code)"
                " values (%s, %s, %s, 'de.verbund.registration.added.v1', 'between the two of them', %s, %s)",
                (TRAY, number, f"id-{number}", state, code),
            )
    home.stop()
    yield home
    rmtree(folder)


def run(*words: str) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of a command."""
    result = CliRunner().invoke(build(), list(words))
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.stdout, result.stderr


def listed(*words: str) -> list[tuple[int, str, str | None]]:
    code, said, _ = run("tray", "list", "--json", *words)
    assert code == 0
    assert "between the two" not in said
    return [(row["number"], row["state"], row["code"]) for row in json.loads(said)["events"]]


def test_what_needs_somebody_is_listed_and_tried_again_on_request(cluster: Cluster) -> None:
    assert listed() == [(1, "waiting", None), (3, "refused", "sum_closed"), (4, "failed", "KeyError")]
    assert listed("--all") == [(number, *row) for number, row in enumerate(ROWS, 1)]
    assert listed("--limit", "1") == [(1, "waiting", None)]
    code, said, _ = run("tray", "list")
    assert code == 0
    assert ["3", TRAY, "3", "registration.added.v1", "refused", "sum_closed"] in [
        row.split()[:6] for row in said.splitlines()
    ]
    assert "between the two" not in said

    assert run("tray", "retry", "school", "3")[:2] == (0, "event 3 of school waits again\n")
    assert run("tray", "retry", "school", "4", "--json")[0] == 0
    assert listed() == [(1, "waiting", None), (3, "waiting", None), (4, "waiting", None)]


def test_what_cannot_be_tried_again_is_said_in_words(cluster: Cluster) -> None:
    for words, named in (
        (("retry", "school", "2"), "no refused or failed event 2"),
        (("retry", "school", "99"), "no refused or failed event 99"),
        (("retry", "youth", "1"), "'youth'"),
        (("accept", TRAY), "is not stopped"),
        (("accept", "/05913000/registration/to/youth"), "'youth'"),
        (("accept", "/05913000/registration/book"), "No office"),
        (("accept", "nonsense"), "names no ledger"),
    ):
        code, said, complained = run("tray", *words)
        assert (code, said) == (1, "")
        assert named in complained
        code, said, _ = run("tray", *words, "--json")
        assert code == 1
        assert named in json.loads(said)["error"]
    assert listed("--all") == [(number, *row) for number, row in enumerate(ROWS, 1)]


def test_a_tray_of_a_restored_office_is_read_anew_on_request(cluster: Cluster) -> None:
    cluster.start()
    superuser = cluster.superuser("school").conninfo()
    with psycopg.connect(superuser) as connection:
        connection.execute(
            "insert into feed.position (ledger, number, hash, stop_reason) values (%s, 5, %s, 'chain_broken')",
            (TRAY, bytes(range(32))),
        )
    cluster.stop()
    assert run("tray", "accept", TRAY)[:2] == (0, f"{TRAY} is read anew from its first record\n")
    cluster.start()
    with psycopg.connect(superuser) as connection:
        [found] = connection.execute("select number, hash, stop_reason from feed.position").fetchall()
    cluster.stop()
    assert found == (0, GENESIS, None)
