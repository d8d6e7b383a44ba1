"""The largest editions that may be: what they take, and that one beyond leaves nothing behind."""

import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import httpx
import psutil
import psycopg
import pytest
from stage.editions import edition_form, freeze
from stage.figures_of_dortmund import BULGARIA, ROMANIA, comes, resident
from stage.reporting_office import ReportingOffice

from reporting.editions import freezing

MOST_MEGABYTES = 300
"""Answers and files of an edition are held until all of them are there. 60 to 80 were taken where this was written."""
DAYS = [str(date(2016, 12, 31) + timedelta(days=day)) for day in range(100)]
AREAS = 63
BY_AREA: dict[str, Any] = {"indicator": "population", "by": ["area"], "as_of": DAYS}


@pytest.fixture
async def office(tmp_path: Path, office_database: Any) -> ReportingOffice:
    office = ReportingOffice(tmp_path, office_database("reporting"))
    for area, nationality in (("05", BULGARIA), ("61", ROMANIA)):
        await office.cube.take_in(list(comes("openings", resident(area, nationality), date(2016, 12, 31), 100)))
    return office


@pytest.fixture
async def statistics(office: ReportingOffice) -> AsyncIterator[httpx.AsyncClient]:
    async with office.inside() as app, office.client(app, "statistics") as client:
        yield client


@contextmanager
def most_megabytes() -> Iterator[list[float]]:
    """How much more memory than at the beginning this process has taken at the most."""
    process, done = psutil.Process(), threading.Event()
    begun, most = process.memory_info().rss, [0.0]

    def look() -> None:
        while not done.wait(0.02):
            most[0] = max(most[0], (process.memory_info().rss - begun) / 2**20)

    looking = threading.Thread(target=look)
    looking.start()
    try:
        yield most
    finally:
        done.set()
        looking.join()


async def test_a_large_edition_and_its_restatement_take_little_memory(statistics: httpx.AsyncClient) -> None:
    with most_megabytes() as most:
        receipt = await freeze(statistics, questions=[BY_AREA] * 3)
        against = await statistics.get(f"/editions/{receipt['edition_id']}/restatement?against=now")
        archive = await statistics.get(f"/editions/{receipt['edition_id']}.zip")
    print(f"{len(archive.content) / 2**20:.0f} MB of files, {most[0]:.0f} MB of memory")  # noqa: T201
    assert against.json()["compared"] == len(DAYS) * AREAS
    assert most[0] < MOST_MEGABYTES


async def test_an_edition_beyond_all_bounds_is_refused_and_leaves_nothing_behind(
    office: ReportingOffice, statistics: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(freezing, "_MOST_VALUES", AREAS * len(DAYS) * 3 // 2)
    form = edition_form(questions=[BY_AREA] * 2)
    refused = await statistics.post("/editions", json=form, headers={"Idempotency-Key": "one"})
    told = refused.json()
    assert (refused.status_code, told["code"]) == (422, "edition_too_large")
    assert [finding["pointer"] for finding in told["errors"]] == ["/questions"]
    with psycopg.connect(office.database.superuser().conninfo()) as connection:
        assert connection.execute("select count(*) from editions.draft").fetchone() == (0,)
