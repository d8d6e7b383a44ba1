"""A PostgreSQL that is not ours to start: brought to this release with passwords from a folder, refused in words."""

import re
import shutil
import socket
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp
from threading import Thread

import psycopg
import pytest
from typer.testing import CliRunner

from verbund.cli.main import build
from verbund.cli.secrets import secret_names
from verbund.embedded.ports import find_free_port
from verbund.embedded.postgres import Cluster
from verbund.events.offices import find_offices
from verbund.postgres import Server, ServerUnfit, roles_of, server_at


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[Cluster]:
    """A PostgreSQL that knows nobody but its superuser."""
    # Not below pytest's own folder: that one is closed to the user that PostgreSQL runs as when root tests.
    home = Path(mkdtemp(prefix="verbund-elsewhere-"))
    cluster = Cluster(home, find_free_port(), {"fsync": "off"})
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.stop()
        shutil.rmtree(home)


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, elsewhere: Cluster) -> Path:
    """A home with every secret, and the superuser's password as the administrators of that server gave it to us."""
    monkeypatch.setenv("VERBUND_HOME", str(tmp_path))
    monkeypatch.setenv("VERBUND_POSTGRES_SERVER", f"127.0.0.1:{elsewhere.port}")
    assert run("secrets")[0] == 0
    shutil.copy(elsewhere.superuser().password_file, tmp_path / "secrets")
    return tmp_path


def run(*words: str) -> tuple[int, str]:
    """Exit code, and everything that was said."""
    result = CliRunner().invoke(build(), list(words))
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.output


@contextmanager
def older(port: int) -> Iterator[int]:
    """A port on which the server at `port` says that it is PostgreSQL 14, as it would in the start of a session."""
    with socket.create_server(("127.0.0.1", 0)) as door:

        def pass_on() -> None:
            client, _ = door.accept()
            with client, socket.create_connection(("127.0.0.1", port)) as server:
                Thread(target=_copy, args=(client, server), daemon=True).start()
                while data := server.recv(1 << 16):
                    client.sendall(re.sub(rb"(server_version\0)\d\d", rb"\g<1>14", data))

        thread = Thread(target=pass_on, daemon=True)
        thread.start()
        yield door.getsockname()[1]
        thread.join(10)


def _copy(source: socket.socket, target: socket.socket) -> None:
    while data := source.recv(1 << 16):
        target.sendall(data)
    target.shutdown(socket.SHUT_WR)


def test_secrets_are_made_once_and_for_nobody_else(home: Path) -> None:
    files = {file.name: file for file in (home / "secrets").iterdir()}
    assert {*secret_names(find_offices()), "checkpoint.key", "issuer.key"} == files.keys()
    assert {stat.S_IMODE(file.stat().st_mode) for file in files.values()} == {0o600}
    contents = {name: file.read_bytes() for name, file in files.items()}
    assert len(set(contents.values())) == len(contents)
    assert all(len(content) >= 43 for content in contents.values())
    files["registration_desk.password"].unlink()
    _, said = run("secrets")
    assert said.count("made ") == 1
    again = {name: file.read_bytes() for name, file in files.items()}
    assert [name for name in files if again[name] != contents[name]] == ["registration_desk.password"]
    assert (home / "public" / "jwks.json").exists()
    assert (home / "public" / "checkpoint.pem").exists()


def test_any_postgresql_is_brought_to_this_release_and_again(home: Path, elsewhere: Cluster) -> None:
    for _ in range(2):
        code, said = run("migrate")
        assert code == 0, said
        assert "every database is up to date" in said
    server = server_at(f"127.0.0.1:{elsewhere.port}", home / "secrets")
    for office in find_offices():
        for role in roles_of(office):
            with psycopg.connect(server.settings(role, office.package).conninfo()) as connection:
                assert connection.execute("show server_encoding").fetchone() == ("UTF8",)
    assert not (home / "postgres").exists(), "a PostgreSQL of our own was made beside"


def test_a_changed_password_counts_from_the_next_migration_on(home: Path, elsewhere: Cluster) -> None:
    run("migrate")
    server = server_at(f"127.0.0.1:{elsewhere.port}", home / "secrets")
    web = server.settings("reporting_web", "reporting")
    before = web.conninfo()
    web.password_file.write_text("another one, long enough\n", encoding="utf-8")
    assert run("migrate")[0] == 0
    psycopg.connect(web.conninfo()).close()
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(before)


def test_databases_of_others_on_the_same_server_stay_as_they_are(home: Path, elsewhere: Cluster) -> None:
    with psycopg.connect(elsewhere.superuser().conninfo(), autocommit=True) as connection:
        connection.execute("grant connect, temporary on database postgres to public")
        rights = "select datname, datacl::text from pg_database where datname not in ('registration', 'reporting')"
        before = sorted(connection.execute(rights).fetchall())
        assert run("migrate")[0] == 0
        assert sorted(connection.execute(rights).fetchall()) == before


def test_commands_work_on_that_server_too(home: Path) -> None:
    run("migrate")
    assert run("verify")[0] == 0
    assert run("checkpoint")[0] == 0
    code, said = run("feeds", "parked")
    assert (code, "Parked records" in said) == (0, True)
    code, said = run("up")
    assert code == 1
    assert "VERBUND_POSTGRES_SERVER is set" in said


@pytest.mark.parametrize("content", [None, ""])
def test_a_missing_password_is_named_and_not_made(home: Path, content: str | None) -> None:
    file = home / "secrets" / "reporting_reader.password"
    file.unlink()
    if content is not None:
        file.write_text(content, encoding="utf-8")
    code, said = run("migrate")
    assert code == 1
    assert f"{file} is {'missing' if content is None else 'empty'}" in said
    assert "verbund secrets" in said


def test_a_server_that_does_not_let_us_in_is_said_in_words(home: Path, elsewhere: Cluster) -> None:
    (home / "secrets" / "postgres.password").write_text("wrong", encoding="utf-8")
    code, said = run("migrate")
    assert code == 1
    assert f"PostgreSQL at 127.0.0.1:{elsewhere.port} cannot be used" in said
    assert "password authentication failed" in said


def test_a_server_that_is_too_old_is_refused_before_anything_is_made(home: Path, elsewhere: Cluster) -> None:
    with older(elsewhere.port) as port:
        server = Server("127.0.0.1", port, home / "secrets")
        with pytest.raises(ServerUnfit, match=r"is version 14\. Verbund needs 15 or newer"):
            server.check()


def test_an_address_without_a_port_means_the_usual_one(tmp_path: Path) -> None:
    assert server_at("db.example", tmp_path).port == 5432
    assert server_at("db.example:6432", tmp_path).port == 6432
