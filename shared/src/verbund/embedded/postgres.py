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

from verbund.embedded import postgres_folder, tether
from verbund.embedded.ports import LOOPBACK, PortTaken, is_free
from verbund.embedded.secret_files import ensure_secret
from verbund.events.offices import Office
from verbund.postgres import SUPERUSER, Server

_START_SECONDS = 60.0  # recovery after a crash replays at most max_wal_size of log
_STOP_SECONDS = 20.0
_ANSWER_SECONDS = 5
_POLL_SECONDS = 0.02


class ClusterFailed(Exception):
    """PostgreSQL did not start; the message names its log."""


def _complaint(error: "subprocess.CalledProcessError") -> str:
    """What a program said was wrong, without what it said besides."""
    lines = error.stderr.decode("utf-8", "replace").splitlines()
    bad = [line for line in lines if "error:" in line or "FATAL:" in line or "PANIC:" in line]
    return " ".join(bad or lines or [str(error)])


class Cluster(Server):
    """One PostgreSQL server with its data in `home/postgres`, its passwords in `home/secrets`, its log in `home/logs`.

    `options` are further lines of postgresql.conf. Start it from a thread that lives as long as the server should:
    on Linux the server stops when the thread that started it ends.
    """

    def __init__(self, home: Path, port: int, options: Mapping[str, str] | None = None) -> None:
        super().__init__(LOOPBACK, port, home / "secrets")
        self.data = home / "postgres"
        self.log = home / "logs" / "postgres.log"
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
        password = ensure_secret(self.password_file(SUPERUSER))
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
            belongs = process.exe() == str((postgres_folder.programs() / "postgres").resolve())
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
        program = [str(postgres_folder.programs() / "postgres"), "-D", str(self.data)]
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

    def ensure_database(self, office: Office, name: str | None = None, template: str = "template0") -> str:
        """As on any server; and nobody but the superuser enters the databases that were there from the beginning."""
        made = super().ensure_database(office, name, template)
        self.close("postgres")
        self.close("template1")
        return made

    def _password(self, file: Path) -> str:
        return ensure_secret(file)


def _is_alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
