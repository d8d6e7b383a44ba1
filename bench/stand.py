"""What the benchmarks share: a scratch PostgreSQL with fsync as in production, processes on it, the closing line."""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from time import monotonic, sleep
from typing import Any, NamedTuple

import httpx

from verbund.database import migrate
from verbund.embedded.environment import environment_of
from verbund.embedded.home import ISSUER, EmbeddedSettings
from verbund.embedded.kafka_cluster import Brokers
from verbund.embedded.kafka_config import Place
from verbund.embedded.kafka_jars import ensure_distribution
from verbund.embedded.ports import find_free_port
from verbund.embedded.postgres import Cluster
from verbund.events.offices import find_offices, get_office
from verbund.service.tokens import LocalIssuer

_DEADLINE_SECONDS = 60.0
SERVING = (sys.executable, "-m", "verbund.service.serving")


@contextmanager
def scratch_offices(*names: str) -> Iterator[Cluster]:
    """A cluster with migrated databases of these offices, gone afterwards."""
    with scratch_town(*names) as town:
        yield town.cluster


@contextmanager
def scratch_town(*names: str, options: Mapping[str, str] | None = None) -> Iterator["Town"]:
    """The same, with everything that processes of these offices need; `options` are lines of postgresql.conf."""
    settings = EmbeddedSettings(home=Path(mkdtemp(prefix="verbund-bench-")))
    cluster = Cluster(settings.home, find_free_port(), options)
    try:
        cluster.start()
        for name in names:
            cluster.ensure_roles(get_office(name))
            add_database(cluster, name, get_office(name).package)
        home = settings.layout
        home.prepare()
        yield Town(cluster, settings, LocalIssuer(home.issuer_key, home.jwks_file, ISSUER))
    finally:
        cluster.stop()
        rmtree(settings.home)


@contextmanager
def scratch_kafka() -> Iterator[Brokers]:
    """A Kafka of one broker with fresh data, gone afterwards."""
    home = Path(mkdtemp(prefix="verbund-bench-kafka-"))
    place = Place(1, *(find_free_port() for _ in range(3)))
    brokers = Brokers(home, [place], ensure_distribution(EmbeddedSettings().cache, lambda said: None))
    try:
        brokers.start()
        yield brokers
    finally:
        brokers.stop()
        rmtree(home)


def add_database(cluster: Cluster, office_name: str, database: str) -> None:
    """A migrated database of an office, under this name."""
    office = get_office(office_name)
    cluster.ensure_database(office, database)
    migrate(cluster.settings(f"{office.package}_owner", database), office)


class Running(NamedTuple):
    """A process of an office: where its door is, and its number."""

    url: str
    pid: int


@dataclass(frozen=True, slots=True)
class Town:
    """Processes of offices on one cluster, each on a port of its own, and tokens for their doors."""

    cluster: Cluster
    settings: EmbeddedSettings
    issuer: LocalIssuer

    def token(self, office: str, *roles: str) -> str:
        """A token for an office's door."""
        return self.issuer.issue(office, roles, self.settings.municipality, timedelta(hours=2))

    def environment(self, name: str, **changes: str) -> dict[str, str]:
        """What a process of an office is told. `changes`: environment variables without their prefix."""
        office, process = next((o, p) for o in find_offices() for p in o.processes if p.name == name)
        told = environment_of(process, office, find_offices(), self.settings, self.cluster)
        return told | {f"VERBUND_{key}": value for key, value in changes.items()}

    @contextmanager
    def running(self, name: str, words: Sequence[str] = (), **changes: str) -> Iterator["Running"]:
        """A process of an office, ready. `words`: another program in its place, in its environment.

        `changes`: environment variables without their prefix, such as `DATABASE__NAME`.
        """
        port = find_free_port()
        environment = self.environment(name, PORT=str(port), **changes)
        log = self.settings.layout.logs / f"{name}-{port}.log"
        with log.open("wb") as written:
            running = subprocess.Popen([*(words or (*SERVING, name))], env=environment, stdout=written, stderr=written)
        try:
            url = f"http://127.0.0.1:{port}"
            _wait_until_ready(url, running, log)
            yield Running(url, running.pid)
        except Exception as error:
            error.add_note(f"{url} said last: {log.read_text(encoding='utf-8')[-2000:]}")
            raise
        finally:
            running.terminate()
            running.wait(_DEADLINE_SECONDS)


def _wait_until_ready(url: str, running: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = monotonic() + _DEADLINE_SECONDS
    while True:
        with suppress(httpx.HTTPError):
            if httpx.get(f"{url}/readyz", trust_env=False).status_code == httpx.codes.OK:
                return
        if running.poll() is not None or monotonic() > deadline:
            raise RuntimeError(f"not ready: {log.read_text(encoding='utf-8')[-3000:]}")
        sleep(0.05)


def post(url: str, path: str, token: str, body: Mapping[str, Any] | None = None) -> None:
    """One request that has to succeed, such as the closing of an initial load."""
    headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": "bench"}
    answer = httpx.post(f"{url}{path}", headers=headers, json=body, trust_env=False, timeout=_DEADLINE_SECONDS)
    answer.raise_for_status()


def report(bench: str, ratios: Mapping[str, float], figures: Mapping[str, float]) -> None:
    """Print the closing line."""
    line = {
        "bench": bench,
        "ratios": {name: round(value, 2) for name, value in ratios.items()},
        "figures": {name: round(value, 1) for name, value in figures.items()},
    }
    sys.stdout.write(json.dumps(line) + "\n")
