"""A real browser and a reporting office behind a real port. Where there is no Chromium, a visible skip."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright
from stage.figures_of_dortmund import Cube, comes, moves, registration, resident
from stage.reporting_office import ReportingOffice

from reporting.deltas import Delta
from verbund.embedded.postgres import Cluster
from verbund.events.offices import get_office
from verbund.settings import DatabaseSettings

CHROMIUM = Path("/usr/bin/chromium")
# The browser of a test talks to the service under test and to nobody else.
_ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-domain-reliability",
    "--disable-sync",
    "--no-first-run",
    "--no-default-browser-check",
    "--lang=de-DE",
)
_PATIENCE_MILLISECONDS = 15_000


@pytest.fixture(scope="module")  # not longer: while it runs, no other test can have an event loop
def chromium() -> Iterator[Browser]:
    if not CHROMIUM.exists():
        pytest.skip(f"no browser at {CHROMIUM}")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=_ARGUMENTS)
        yield browser
        browser.close()


def run_apart(work: Coroutine[Any, Any, object]) -> None:
    """Run it in a thread of its own: the browser's driver holds the event loop of this one."""
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, work).result()


class _Database:
    """One database of the reporting office for all browser tests."""

    def __init__(self, cluster: Cluster, name: str) -> None:
        self._cluster, self._name = cluster, name

    def settings(self, role_suffix: str) -> DatabaseSettings:
        return self._cluster.settings(f"reporting_{role_suffix}", self._name)

    def superuser(self) -> DatabaseSettings:
        return self._cluster.superuser(self._name)


@pytest.fixture(scope="module")
def office(
    chromium: Browser, cluster: Cluster, templates: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ReportingOffice]:
    """A running office whose cube holds some years of a small city."""
    announced = get_office("reporting")
    cluster.ensure_database(announced, "reporting_of_browser", template=templates.get(announced))
    database = _Database(cluster, "reporting_of_browser")
    office = ReportingOffice(tmp_path_factory.mktemp("office"), database)
    run_apart(_fill(office.cube))
    office.start()
    yield office
    office.stop()
    cluster.drop_database("reporting_of_browser")


async def _fill(cube: Cube) -> None:
    today = datetime.now(UTC).date()
    deltas: list[Delta] = []
    for area, nationality, count in (("05", "125", 2000), ("04", "154", 1500), ("81", "154", 900), ("61", "125", 300)):
        somebody = resident(area, nationality)
        deltas += comes("openings", somebody, date(today.year - 9, 12, 31), count)
        for year in range(today.year - 8, today.year + 1):
            on = min(date(year, 5, 1), today)
            deltas += comes("arrivals", somebody, on, count // 7)
            deltas += comes("departures", somebody, on, count // 11)
            deltas += comes("births", somebody, on, count // 100)
            deltas += moves(somebody, "31", on)
            deltas += [registration(area, on, "true"), registration(area, on, "false")]
    await cube.take_in(deltas, recorded_at=datetime.now(UTC) - timedelta(minutes=3))
    await cube.tick()
    await cube.hear(datetime.now(UTC) + timedelta(hours=1))


Opener = Callable[..., Page]


@pytest.fixture
def open_page(chromium: Browser, office: ReportingOffice, request: pytest.FixtureRequest) -> Iterator[Opener]:
    """Opens a page of the office, signed in; what the browser complains about fails the test.

    Where the office is away on purpose (`@pytest.mark.office_is_away`) the browser may say so.
    """
    complaints: list[str] = []
    contexts = []

    def opened(path: str = "/", role: str = "coordination", **how: Any) -> Page:
        context = chromium.new_context(**{"locale": "de-DE", "viewport": {"width": 1280, "height": 900}, **how})
        context.set_default_timeout(_PATIENCE_MILLISECONDS)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
        page.goto(office.url + office.sign_in_path(role))
        page.goto(office.url + path)
        return page

    yield opened
    for context in contexts:
        context.close()
    # A form that comes back with what is wrong is answered with 422, and the browser says so.
    complaints = [text for text in complaints if "status of 422" not in text]
    if request.node.get_closest_marker("office_is_away"):
        complaints = [text for text in complaints if "net::ERR_" not in text and "status of 503" not in text]
    assert complaints == []


@pytest.fixture
def book(office: ReportingOffice) -> Callable[[int], None]:
    """So many people arrive today."""

    def booked(count: int = 1) -> None:
        today = datetime.now(UTC).date()
        run_apart(office.cube.take_in(list(comes("arrivals", resident("05", "125"), today, count))))

    return booked
