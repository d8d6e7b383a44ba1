"""The web process is killed (SIGKILL) about the time when a figure crosses its threshold: one alert all the same."""

import asyncio
import os
import random
import signal
from collections.abc import Iterator
from datetime import date
from time import monotonic, sleep
from typing import Any

import httpx
import pytest
from conftest import OfficeDatabases, Templates
from stage.booking import THRESHOLD
from stage.figures_of_dortmund import BULGARIA, comes, resident
from stage.reporting_office import ReportingOffice

SEED = int(os.environ.get("VERBUND_SEED", "0")) or random.SystemRandom().randrange(1, 2**31)
KILLS = int(os.environ.get("VERBUND_ALERT_KILLS", "2"))
_DEADLINE_SECONDS = 60.0


@pytest.fixture
def office(templates: Templates, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ReportingOffice]:
    databases = OfficeDatabases(templates)
    office = ReportingOffice(tmp_path_factory.mktemp("office"), databases("reporting"))
    yield office
    office.stop(signal.SIGKILL)
    databases.drop_all()


def ask(office: ReportingOffice, method: str, path: str, **more: Any) -> Any:
    headers = {"Authorization": f"Bearer {office.token('statistics')}", "Idempotency-Key": f"{method}{path}"}
    answer = httpx.request(method, f"{office.url}{path}", headers=headers, trust_env=False, timeout=30, **more)
    assert answer.is_success, answer.text
    return answer.json()


def stock(office: ReportingOffice, kind: str, n: int) -> None:
    asyncio.run(office.cube.take_in(list(comes(kind, resident("05", BULGARIA), date(2013, 1, 1), n))))


def test_a_killed_evaluator_loses_no_alert_and_doubles_none(office: ReportingOffice) -> None:
    chance = random.Random(SEED)
    print(f"VERBUND_SEED={SEED}")  # noqa: T201
    stock(office, "openings", 9)
    office.start()
    ask(office, "POST", "/thresholds", json=THRESHOLD)
    for crossing in range(1, KILLS + 1):
        for kind, state in (("arrivals", "raised"), ("departures", "over")):
            stock(office, kind, 3)
            if kind == "departures":
                stock(office, kind, 1)
            sleep(chance.uniform(0, 5.5))  # somewhere in a round of the evaluator
            office.stop(signal.SIGKILL)
            office.start()
            deadline = monotonic() + _DEADLINE_SECONDS
            while (told := [alert["state"] for alert in ask(office, "GET", "/alerts")]) != [
                state,
                *["over"] * (crossing - 1),
            ]:
                assert monotonic() < deadline, told
                sleep(0.1)
        stock(office, "arrivals", 1)
