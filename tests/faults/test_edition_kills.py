"""Whoever freezes is killed, and PostgreSQL is: an edition is there whole or not at all, and once under one key."""

import asyncio
import os
import random
import shutil
import signal
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from datetime import date
from itertools import product
from pathlib import Path
from tempfile import mkdtemp
from time import monotonic, sleep
from typing import Any

import httpx
import psycopg
import pytest
from conftest import OfficeDatabases, Templates
from stage.editions import edition_form
from stage.figures_of_dortmund import BULGARIA, comes, resident
from stage.reporting_office import ReportingOffice

from reporting.editions.verification import verify
from verbund.embedded.ports import find_free_port
from verbund.embedded.postgres import Cluster

SEED = int(os.environ.get("VERBUND_SEED", "0")) or random.SystemRandom().randrange(1, 2**31)
KILLS = int(os.environ.get("VERBUND_EDITION_KILLS", "4"))
_DEADLINE_SECONDS = 60.0

# Where a freezing is held, by the table that it comes to wait for; None: somewhere in it, as chance wills.
PLACES = {
    "while files are stored": "editions.file",
    "between storing and sealing": "ledger.head",
    "while it is sealed": "editions.cut",
    "anywhere": None,
}
VICTIMS = ("process", "postgres")
_WAITS = "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
_UNSEALED = """
    select count(*) from editions.draft where not exists (
        select from editions.edition where edition.draft_id = draft.draft_id
    )
"""
_EVENTS = "select count(*) from ledger.record where position('edition-frozen'::bytea in body) > 0"
_AGE = "update editions.draft set begun_at = begun_at - interval '25 hours'"


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    """A PostgreSQL of its own: no other test is to miss it."""
    home = Path(mkdtemp(prefix="verbund-test-"))
    running = Cluster(home, find_free_port(), {"fsync": "off"})
    running.start()
    yield running
    running.stop()
    shutil.rmtree(home)


@dataclass
class Scene:
    """An office that freezes, and its database."""

    office: ReportingOffice
    cluster: Cluster
    chance: random.Random

    def ask(self, sql: str) -> Any:
        with psycopg.connect(self.office.database.superuser().conninfo()) as connection:
            cursor = connection.execute(sql.encode())
            return cursor.fetchone() if cursor.description else None

    def freeze(self, key: str) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.office.token('statistics')}", "Idempotency-Key": key}
        url = f"{self.office.url}/editions"
        return httpx.post(url, json=edition_form(), headers=headers, trust_env=False, timeout=30)

    @contextmanager
    def held(self, table: str) -> Iterator[None]:
        """Whoever wants to write to the table waits."""
        connection = psycopg.connect(self.office.database.superuser().conninfo())
        try:
            connection.execute(f"lock table {table} in exclusive mode".encode())
            yield
        finally:
            connection.close()

    def until_it_waits(self, asked: "Future[httpx.Response]") -> None:
        deadline = monotonic() + _DEADLINE_SECONDS
        while self.ask(_WAITS) == (0,):
            assert not asked.done(), asked.result().text
            assert monotonic() < deadline, "it never came there"
            sleep(0.01)

    def kill(self, victim: str) -> None:
        """By SIGKILL."""
        if victim == "process":
            self.office.stop(signal.SIGKILL)
            return
        server = self.cluster.find_running()
        assert server is not None
        server.kill()
        self.cluster.stop()  # waits for its end

    def revive(self, victim: str) -> None:
        """Start again what was killed."""
        (self.office if victim == "process" else self.cluster).start()

    def until_frozen(self, key: str) -> dict[str, Any]:
        """The receipt under this key, from whoever is asked again and again, as a careful client does."""
        deadline = monotonic() + _DEADLINE_SECONDS
        while True:
            with suppress(httpx.TransportError):
                answer = self.freeze(key)
                if answer.status_code == 201:
                    receipt: dict[str, Any] = answer.json()
                    return receipt
                assert answer.status_code == 503, answer.text
            assert monotonic() < deadline, "nobody freezes"
            sleep(0.1)


@pytest.fixture
def scene(cluster: Cluster, tmp_path: Path) -> Iterator[Scene]:
    database = OfficeDatabases(Templates(cluster))("reporting")
    office = ReportingOffice(tmp_path, database)
    opening = list(comes("openings", resident("05", BULGARIA), date(2016, 12, 31), 100))
    asyncio.run(office.cube.take_in(opening))
    office.start()
    yield Scene(office, cluster, random.Random(SEED))
    office.stop(signal.SIGKILL)


def plan(chance: random.Random) -> list[tuple[str, str]]:
    """So many kills, in rounds of every victim at every place."""
    rounds: list[tuple[str, str]] = []
    while len(rounds) < KILLS:
        rounds += chance.sample(every := list(product(PLACES, VICTIMS)), len(every))
    return rounds[:KILLS]


def killed_meanwhile(scene: Scene, key: str, place: str, victim: str, most_seconds: float) -> dict[str, Any] | None:
    """The receipt of a freezing during which somebody was killed; None where nobody was told of one."""
    table = PLACES[place]
    with ThreadPoolExecutor(1) as thread:
        with nullcontext() if table is None else scene.held(table):
            asked: Future[httpx.Response] = thread.submit(scene.freeze, key)
            if table is None:
                sleep(scene.chance.uniform(0, most_seconds))
            else:
                scene.until_it_waits(asked)
            scene.kill(victim)
        scene.revive(victim)
        try:
            answer = asked.result()
        except httpx.TransportError:
            return None
    assert answer.status_code in (201, 503), answer.text
    return answer.json() if answer.status_code == 201 else None


def test_killed_at_any_point_an_edition_is_whole_or_not_there_and_frozen_once(scene: Scene) -> None:
    print(f"VERBUND_SEED={SEED}")  # noqa: T201
    begun = monotonic()
    scene.until_frozen("undisturbed")
    most_seconds = 1.2 * (monotonic() - begun)
    for number, (place, victim) in enumerate(plan(scene.chance), start=1):
        key = f"kill-{number}"
        told = killed_meanwhile(scene, key, place, victim, most_seconds)
        before = scene.ask(_EVENTS)
        assert before in [(number,), (number + 1,)]
        receipt = scene.until_frozen(key)
        assert told in (None, receipt), (place, victim)
        assert scene.ask(_EVENTS) == (number + 1,), (place, victim)
        with psycopg.connect(scene.office.database.superuser().conninfo()) as connection:
            verdicts = {verdict.edition_id: verdict.wrong for verdict in verify(connection)}
        assert len(verdicts) == number + 1
        assert not any(verdicts.values()), (place, victim, verdicts)
        assert receipt["edition_id"] in verdicts


def test_what_a_killed_freezing_has_left_is_cleared_after_its_time(scene: Scene) -> None:
    assert killed_meanwhile(scene, "one", "between storing and sealing", "process", 0) is None
    assert scene.ask(_UNSEALED) == (1,)
    receipt = scene.until_frozen("one")
    scene.ask(_AGE)
    scene.office.stop()
    scene.office.start()
    deadline = monotonic() + _DEADLINE_SECONDS
    while scene.ask(_UNSEALED) != (0,):
        assert monotonic() < deadline, "nobody clears"
        sleep(0.05)
    assert scene.until_frozen("one") == receipt
    with psycopg.connect(scene.office.database.superuser().conninfo()) as connection:
        assert [verdict.wrong for verdict in verify(connection)] == [()]
