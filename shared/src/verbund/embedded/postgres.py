"""The embedded PostgreSQL: a real server from the wheel, reached over loopback with passwords only."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import psutil
import psycopg
from psycopg import sql

from verbund.embedded import postgres_folder, tether
from verbund.embedded.ports import PortTaken, is_free
from verbund.embedded.postgres_folder import SUPERUSER
from verbund.embedded.secret_files import ensure_secret
from verbund.events.offices import Office
from verbund.settings import DatabaseSettings

_START_SECONDS = 60.0  # recovery after a crash replays at most max_wal_size of log
_STOP_SECONDS = 20.0
_ANSWER_SECONDS = 5
_POLL_SECONDS = 0.02

Statements = Mapping[str, str]
"""Run-time settings of a role, such as `{"lock_timeout": "3s"}`."""

_DESK: Statements = {"statement_timeout": "10s", "lock_timeout": "5s", "idle_in_transaction_session_timeout": "10s"}
_WEB: Statements = {"statement_timeout": "30s", "idle_in_transaction_session_timeout": "30s"}
# A paused reader holds the locks of its positions: the server must let go of it before a second one gives up.
_READER: Statements = {"lock_timeout": "5s", "idle_in_transaction_session_timeout": "5s"}
_FEED: Statements = {"statement_timeout": "30s", "idle_in_transaction_session_timeout": "10s"}
_RELAY: Statements = {"statement_timeout": "30s", "lock_timeout": "5s", "idle_in_transaction_session_timeout": "10s"}
_LIMITS: Mapping[str, Statements] = {"desk": _DESK, "web": _WEB, "reader": _READER, "relay": _RELAY, "owner": {}}


class ClusterFailed(Exception):
    """PostgreSQL did not start; the message names its log."""


def _complaint(error: "subprocess.CalledProcessError") -> str:
    """What a program said was wrong, without what it said besides."""
    lines = error.stderr.decode("utf-8", "replace").splitlines()
    bad = [line for line in lines if "error:" in line or "FATAL:" in line or "PANIC:" in line]
    return " ".join(bad or lines or [str(error)])


class Cluster:
    """One PostgreSQL server with its data in `home/postgres`, its passwords in `home/secrets`, its log in `home/logs`.

    `options` are further lines of postgresql.conf. Start it from a thread that lives as long as the server should:
    on Linux the server stops when the thread that started it ends.
    """

    def __init__(self, home: Path, port: int, options: Mapping[str, str] | None = None) -> None:
        self.data = home / "postgres"
        self.port = port
        self.log = home / "logs" / "postgres.log"
        self._secrets = home / "secrets"
        self._options = dict(options or {})
        self._account = postgres_folder.choose_account()
        self._process: psutil.Process | None = None
        self._child: subprocess.Popen[bytes] | None = None
        """The same, where it was started here: unburied it would look alive to the next one."""

    @property
    def pid(self) -> int | None:
        """Process id of the running server, None where it does not run."""
        return self._process.pid if self._process is not None and self.is_running else None

    @property
    def is_running(self) -> bool:
        if self._child is not None and self._child.poll() is not None:
            self._process = self._child = None
        return self._process is not None and _is_alive(self._process)

    def takes_connections(self) -> bool:
        """Whether somebody can sign in now; waits for the answer."""
        try:
            psycopg.connect(self.superuser().conninfo(), connect_timeout=_ANSWER_SECONDS).close()
        except (psycopg.Error, OSError):
            return False
        return True

    def start(self) -> None:
        """Start the server, or attach to one that runs on this data already, and wait until it takes connections.

        Raises `PortTaken` where somebody else has the port and `ClusterFailed` where the server ends again.
        """
        password = ensure_secret(self._password_file(SUPERUSER))
        self.log.parent.mkdir(parents=True, exist_ok=True)
        if not (self.data / "PG_VERSION").exists():
            try:
                postgres_folder.initialise(self.data, password, self._account)
            except subprocess.CalledProcessError as error:
                raise ClusterFailed(f"PostgreSQL could not make {self.data}: {_complaint(error)}") from error
        deadline = time.monotonic() + _START_SECONDS
        self._process = self.find_running()
        if self._process is None:
            self._launch()
        while not self._is_ready():
            if not self.is_running:
                if not self._is_held_by_leftovers():
                    raise ClusterFailed(f"PostgreSQL did not start; see {self.log}")
                self._launch()
            if time.monotonic() > deadline:
                self.stop_immediately()
                raise ClusterFailed(f"PostgreSQL was not ready within {_START_SECONDS:.0f} s; see {self.log}")
            time.sleep(_POLL_SECONDS)

    def stop(self) -> None:
        """Fast stop: open transactions are rolled back, everything is written; after a deadline it is killed."""
        self._end(signal.SIGINT)

    def stop_immediately(self) -> None:
        """Stop without writing anything more, as a crash would; the next start recovers."""
        self._end(signal.SIGQUIT)

    def find_running(self) -> psutil.Process | None:
        """The server that runs on this data folder, whoever started it."""
        try:
            process = psutil.Process(self._recorded_pid())
            # After a crash of the machine the recorded id may belong to anything.
            belongs = process.exe() == str((postgres_folder.BIN / "postgres").resolve())
            return process if belongs and _is_alive(process) and str(self.data) in process.cmdline() else None
        except (FileNotFoundError, ValueError, psutil.Error):
            return None

    def _launch(self) -> None:
        self._bury()
        if not is_free(self.port):
            raise PortTaken(self.port, "PostgreSQL", "End it, or choose another one: VERBUND_POSTGRES_PORT.")
        postgres_folder.make_reachable(self.data, self._account)
        postgres_folder.make_program_reachable(self._account)
        postgres_folder.configure(self.data, self.port, self._options, self._account)
        words = [os.getpid(), int(signal.SIGINT), self._account.uid, self._account.gid]
        program = [str(postgres_folder.BIN / "postgres"), "-D", str(self.data)]
        with self.log.open("ab") as log:
            # A session of its own: Ctrl-C in a terminal must not end the database before its users.
            self._child = subprocess.Popen(  # noqa: S603 - programs of our own environment
                [sys.executable, "-I", "-S", str(tether.__file__), *map(str, words), *program],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                env={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C"},
                start_new_session=True,
            )
        self._process = psutil.Process(self._child.pid)

    def _bury(self) -> None:
        """Forget a dead server that nobody has buried: it looks alive to the next one, which refuses to start."""
        with suppress(FileNotFoundError, ValueError, psutil.Error):
            dead = psutil.Process(self._recorded_pid())
            # Only where it has become the child of somebody who buries nobody, as the first process of a container.
            if dead.status() == psutil.STATUS_ZOMBIE and not self._has_backends():
                (self.data / "postmaster.pid").unlink()

    def _has_backends(self) -> bool:
        """Whether a killed server's backends still work on the data: they notice its death within moments."""
        places = (process.info["cwd"] for process in psutil.process_iter(["cwd"]))
        return str(self.data.resolve()) in places

    def _recorded_pid(self) -> int:
        return int((self.data / "postmaster.pid").read_text(encoding="utf-8").split("\n", 1)[0])

    def _is_ready(self) -> bool:
        try:
            lines = (self.data / "postmaster.pid").read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return False
        is_ours = self._process is not None and bool(lines) and lines[0].strip() == str(self._process.pid)
        return is_ours and len(lines) > 7 and lines[7].strip() == "ready"

    def _is_held_by_leftovers(self) -> bool:
        """Whether the start failed only because backends of a killed server have not noticed yet."""
        with self.log.open("rb") as log:
            log.seek(max(0, self.log.stat().st_size - 1000))
            end = log.read()
        return b"pre-existing shared memory block" in end or (b"lock file" in end and self._has_backends())

    def _end(self, how: signal.Signals) -> None:
        process = self._process if self.is_running else self.find_running()
        if process is not None:
            with suppress(psutil.NoSuchProcess):
                process.send_signal(how)
                # Frozen, it would not hear of it.
                process.resume()
                if not self._has_ended(process, _STOP_SECONDS):
                    process.kill()
                    self._has_ended(process, _STOP_SECONDS)
        self._process = self._child = None

    def _has_ended(self, process: psutil.Process, seconds: float) -> bool:
        """Wait for the end of a server, and bury it where it was started here."""
        try:
            if self._child is not None:
                self._child.wait(seconds)
            else:
                process.wait(seconds)
        except (psutil.TimeoutExpired, subprocess.TimeoutExpired):
            return False
        return True

    # Roles and databases -----------------------------------------------------------------------------------------

    def settings(self, role: str, database: str) -> DatabaseSettings:
        """How to reach a database under a role of this server."""
        return DatabaseSettings(
            host="127.0.0.1", port=self.port, name=database, user=role, password_file=self._password_file(role)
        )

    def superuser(self, database: str = "postgres") -> DatabaseSettings:
        """For whoever runs the server: may do everything, everywhere in it."""
        return self.settings(SUPERUSER, database)

    def ensure_role(self, name: str, password_file: Path, statement_settings: Statements) -> None:
        """A role that may log in with the password of that file (made where it is missing) and nothing more."""
        password = ensure_secret(password_file)
        role = sql.Identifier(name)
        with self._connect("postgres") as connection:
            known = connection.execute("select 1 from pg_roles where rolname = %s", (name,)).fetchone()
            if known is None:
                connection.execute(sql.SQL("create role {}").format(role))
            # Hashed here, so that the password itself reaches neither the server nor its log.
            verifier = connection.pgconn.encrypt_password(password.encode(), name.encode(), b"scram-sha-256")
            connection.execute(
                sql.SQL("alter role {} with login nosuperuser nocreatedb nocreaterole password {}").format(
                    role, verifier.decode()
                )
            )
            connection.execute(sql.SQL("alter role {} reset all").format(role))
            for setting, value in statement_settings.items():
                connection.execute(sql.SQL("alter role {} set {} = {}").format(role, sql.Identifier(setting), value))

    def ensure_roles(self, office: Office) -> None:
        """The roles of an office: its owner, one for each of its processes, one for each reader of its ledgers."""
        for role, limits in _roles_of(office).items():
            self.ensure_role(role, self._password_file(role), limits)

    def ensure_database(self, office: Office, name: str | None = None, template: str = "template0") -> str:
        """A database that the office's owner owns and that nobody but the office's roles may enter; returns its name.

        `name` differs from the office's package in tests only, as does `template`.
        """
        name = name or office.package
        database, owner = sql.Identifier(name), sql.Identifier(f"{office.package}_owner")
        roles = sql.SQL(", ").join(map(sql.Identifier, _roles_of(office)))
        with self._connect("postgres") as connection:
            known = connection.execute("select 1 from pg_database where datname = %s", (name,)).fetchone()
            if known is None:
                origin = sql.Identifier(template)
                connection.execute(sql.SQL("create database {} owner {} template {}").format(database, owner, origin))
            for closed in (database, sql.Identifier("postgres"), sql.Identifier("template1")):
                connection.execute(sql.SQL("revoke all on database {} from public").format(closed))
            connection.execute(sql.SQL("grant connect on database {} to {}").format(database, roles))
        return name

    def drop_database(self, name: str) -> None:
        """Remove a database with everything in it, ending the sessions that are open there."""
        with self._connect("postgres") as connection:
            connection.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name)))

    def _connect(self, database: str) -> psycopg.Connection[tuple[object, ...]]:
        return psycopg.connect(self.superuser(database).conninfo(), autocommit=True)

    def _password_file(self, role: str) -> Path:
        return self._secrets / f"{role}.password"


def _roles_of(office: Office) -> dict[str, Statements]:
    suffixes = ["owner", *(process.database_role for process in office.processes)]
    roles = {f"{office.package}_{suffix}": _LIMITS[suffix] for suffix in suffixes}
    roles |= {f"{office.package}_feed_{reader.replace('-', '_')}": _FEED for reader in office.readers}
    return roles


def _is_alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
