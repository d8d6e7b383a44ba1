"""A whole municipality as `verbund up` runs it, on a scratch home, for tests that use and break it from outside."""

import os
import random
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from tempfile import mkdtemp
from time import monotonic, sleep

import httpx
import psutil
from stage.brokers import cache_folder
from stage.checker import Evidence

from verbund.embedded import record
from verbund.embedded.home import ISSUER, EmbeddedSettings
from verbund.embedded.ports import is_free
from verbund.embedded.postgres import Cluster
from verbund.events.offices import Feed, find_offices, get_office
from verbund.service.tokens import LocalIssuer
from verbund.settings import DatabaseSettings

DEADLINE_SECONDS = 90.0
_LAST_LINES = 40  # of each log, said when a test fails


def find_offset() -> int:
    """A free offset for all ports, below the range from which the kernel takes those of outgoing connections."""
    while True:
        offset = random.randrange(2_000, 22_000, 20)
        if all(is_free(port + offset) for port in (8100, 8101, *range(8106, 8112))):
            return offset


class Municipality:
    """A running `verbund up` or `demo`: its doors, tokens, databases, and the numbers of processes to be killed."""

    def __init__(self, home: Path, words: Sequence[str], environment: Mapping[str, str]) -> None:
        # All ports move together; far from the defaults, so that a running demo is no obstacle.
        offset = find_offset()
        own = {
            "VERBUND_HOME": str(home),
            "VERBUND_PORT_OFFSET": str(offset),
            "VERBUND_CACHE": str(cache_folder()),
        }
        self._environment = {**os.environ, **environment, **own}
        feed: Feed = "kafka" if "--kafka" in words else "ledger"
        self.settings = EmbeddedSettings(home=home, port_offset=offset, feed=feed)
        self._words = words
        self._process: subprocess.Popen[bytes] | None = None
        self.log = home / "up.log"

    def start(self) -> None:
        """Start the supervisor and wait until every door is ready."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "verbund.cli.main", *self._words],
                env=self._environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        until(self._is_ready, "every door is ready")

    def stop(self) -> None:
        """End it as Ctrl-C does; what does not end in time is killed, so that no test leaves anything behind."""
        if self._process is None:
            return
        self._process.send_signal(signal.SIGINT)
        try:
            self._process.wait(30)
        except subprocess.TimeoutExpired:
            self._process.kill()
            raise

    def await_end(self) -> int:
        """Wait until the supervisor has ended, whatever ended it; its exit code."""
        assert self._process is not None
        return self._process.wait(30)

    def command(self, *words: str) -> "subprocess.Popen[str]":
        """A command of `verbund` on this home, begun."""
        return subprocess.Popen(
            [sys.executable, "-m", "verbund.cli.main", *words],
            env=self._environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    @property
    def processes(self) -> dict[str, int]:
        """The processes of all offices that run here, with their ports."""
        return {
            process.name: process.port + self.settings.port_offset
            for office in find_offices()
            for process in office.processes_with(self.settings.feed)
        }

    def url(self, process: str) -> str:
        return f"http://127.0.0.1:{self.processes[process]}"

    def token(self, office: str, *roles: str) -> str:
        home = self.settings.layout
        issuer = LocalIssuer(home.issuer_key, home.jwks_file, ISSUER)
        return issuer.issue(office, roles, self.settings.municipality, timedelta(hours=1))

    def say_last_words(self) -> None:
        """For whoever reads why a test failed: how the logs of all processes end."""
        for log in (self.log, *sorted(self.settings.layout.logs.glob("*.log"))):
            if log.exists():
                lines = log.read_text(encoding="utf-8", errors="replace").splitlines()[-_LAST_LINES:]
                print(f"--- {log.name}", *lines, sep="\n")  # noqa: T201 - shown by pytest with a failure

    def superuser(self, database: str) -> DatabaseSettings:
        home = self.settings.layout
        return Cluster(home.folder, self.settings.postgres_port + self.settings.port_offset).superuser(database)

    def evidence(self) -> Evidence:
        """What the checker looks at."""
        secret = self.settings.layout.hash_key_file(get_office("reporting")).read_bytes().strip()
        office, cube = (self.superuser(name).conninfo() for name in ("registration", "reporting"))
        return Evidence(office, cube, secret)

    def close_initial_load(self) -> None:
        """From here on clerks can book."""
        authorization = f"Bearer {self.token('registration', 'initial_load')}"
        answer = httpx.post(
            f"{self.url('registration')}/initial-load/closing",
            headers={"Authorization": authorization, "Idempotency-Key": "closing"},
            trust_env=False,
        )
        assert answer.status_code == httpx.codes.CREATED, answer.text

    def pid(self, process: str) -> int | None:
        """The number of a process of an office, of Kafka's, or of PostgreSQL's first; None while there is none."""
        home = self.settings.layout
        if process == "postgres":
            with suppress(FileNotFoundError, ValueError, IndexError):
                return int((home.folder / "postgres" / "postmaster.pid").read_text().split()[0])
            return None
        running = record.find_running(home)
        if running is None:
            return None
        if process == "kafka":
            return running.kafka.pid if running.kafka is not None else None
        return next((each.pid for each in running.processes if each.name == process), None)

    def process(self, name: str) -> psutil.Process:
        """The same as a process, which has to be there."""
        pid = self.pid(name)
        assert pid is not None, f"{name} does not run"  # without a number it would be the test itself
        return psutil.Process(pid)

    def _is_ready(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, f"verbund up ended: {self.log.read_text()}"
        with suppress(httpx.HTTPError):
            return all(httpx.get(f"{self.url(name)}/readyz", trust_env=False).is_success for name in self.processes)
        return False


def until(condition: Callable[[], bool], what: str, seconds: float = DEADLINE_SECONDS) -> None:
    """Wait until it is true; fails with `what` after the deadline."""
    deadline = monotonic() + seconds
    while not condition():
        assert monotonic() < deadline, f"not in time: {what}"
        sleep(0.05)


@contextmanager
def running_municipality(*words: str, **environment: str) -> Iterator[Municipality]:
    """What `verbund up` (or these words) runs on a scratch home, with these variables set; removed afterwards."""
    with municipality_to_be(*words, **environment) as municipality:
        municipality.start()
        yield municipality


@contextmanager
def municipality_to_be(*words: str, **environment: str) -> Iterator[Municipality]:
    """The same, which nobody has started yet."""
    # Not below pytest's own folder: that one is closed to the user that PostgreSQL runs as when root tests.
    home = Path(mkdtemp(prefix="verbund-up-"))
    municipality = Municipality(home, words or ("up",), environment)
    try:
        yield municipality
    except BaseException:
        municipality.say_last_words()
        raise
    finally:
        try:
            municipality.stop()
        finally:
            shutil.rmtree(home, ignore_errors=True)
