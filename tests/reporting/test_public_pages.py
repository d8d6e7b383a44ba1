"""The public's pages: what is released, protected, as of the release, and nothing else, whoever opens them."""

import csv
import io
import re
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from httpx import Response
from sqlalchemy import text
from stage.figures_of_dortmund import BULGARIA, ROMANIA, comes, resident
from stage.reporting_office import ReportingOffice

from reporting.indicators import read_catalogue
from verbund.database import make_engine

NOW = datetime.now(UTC)
LAST_YEAR = NOW.year - 1
RELEASED_AT = datetime(NOW.year, 1, 2, 9, tzinfo=UTC)
CATALOGUE = read_catalogue("05913000")
RELEASED = {name for name, each in CATALOGUE.indicators.items() if each.audiences.public is not None}
UNRELEASED = sorted(CATALOGUE.indicators.keys() - RELEASED)
CANARY = "98765"
"""A number that stands in the cube only after the release, and in no protected table."""


@pytest.fixture
async def office(tmp_path: Path, office_database: Any) -> ReportingOffice:
    """A stock of some years, released in January; since then so many more have come that everybody would see it."""
    office = ReportingOffice(tmp_path, office_database("reporting"))
    begin = date(NOW.year - 5, 12, 31)
    deltas = [*comes("openings", resident("05", BULGARIA), begin, 3000)]
    for year in range(NOW.year - 4, NOW.year):
        deltas += comes("arrivals", resident("81", ROMANIA), date(year, 5, 1), 200)
    await office.cube.take_in(deltas)
    await office.cube.tick()
    superuser = make_engine(office.database.superuser())
    async with superuser.begin() as connection:
        for audience in ("public",):
            await connection.execute(
                text("""
                    insert into figures.tick
                    select (jsonb_populate_record(tick, jsonb_build_object('audience', cast(:audience as text),
                        'ticked_at', cast(:at as timestamptz)))).*
                    from figures.tick as tick where audience = 'coordination'
                """),
                {"audience": audience, "at": RELEASED_AT},
            )
    await superuser.dispose()
    await office.cube.take_in(list(comes("arrivals", resident("05", BULGARIA), date(LAST_YEAR, 6, 1), int(CANARY))))
    await office.cube.hear(NOW + timedelta(hours=1))
    return office


@pytest.fixture
async def app(office: ReportingOffice) -> AsyncIterator[FastAPI]:
    async with office.inside() as app:
        yield app


class Passer:
    """Opens pages without being anybody, or with roles that must not matter."""

    def __init__(self, office: ReportingOffice, app: FastAPI) -> None:
        self.office, self.app = office, app

    async def open(self, path: str, *roles: str, language: str = "de") -> Response:
        async with self.office.client(self.app, *(roles or ("clerk",)), language=language) as client:
            if not roles:
                del client.headers["Authorization"]
            return await client.get(path, headers={"Accept": "text/html"})


@pytest.fixture
def passer(office: ReportingOffice, app: FastAPI) -> Passer:
    return Passer(office, app)


def words(answer: Response) -> str:
    body = re.sub(r"<(script|svg)\b.*?</\1>", " ", answer.text, flags=re.S)
    return " ".join(re.sub(r"<[^>]+>", " ", body).replace("\u00a0", " ").split())


def tiles(answer: Response) -> set[str]:
    return set(re.findall(r'id="tile-(\w+)"', answer.text))


async def test_every_released_indicator_has_a_tile_and_no_other_one(passer: Passer) -> None:
    answer = await passer.open("/public")
    assert answer.status_code == 200
    assert tiles(answer) == RELEASED
    for name in UNRELEASED:
        assert CATALOGUE.indicators[name].title.say("de") + "</" not in answer.text


async def test_a_tile_says_when_it_was_released_and_when_the_next_release_can_come(passer: Passer) -> None:
    due = date(RELEASED_AT.year + 1, 1, 1)
    said = words(await passer.open("/public"))
    assert f"Veröffentlicht am {RELEASED_AT:%d.%m.%Y}, nächste Veröffentlichung nicht vor {due:%d.%m.%Y}." in said
    assert f"am 31.12.{LAST_YEAR}" in said
    first_values = re.findall(r'class="spark__ends"><span>([^<]*)<', (await passer.open("/public")).text)
    assert first_values
    assert not [value for value in first_values if "..." in value]
    english = words(await passer.open("/public", language="en"))
    assert f"Released on {RELEASED_AT:%d.%m.%Y}, next release not before {due:%d.%m.%Y}." in english


async def test_the_page_of_an_indicator_says_what_its_rule_allows(passer: Passer) -> None:
    answer = await passer.open("/public/indicators/population")
    assert answer.status_code == 200
    rule = CATALOGUE.indicators["population"].audiences.public
    assert rule is not None
    assert re.findall(r'id="by-(\w+)-title"', answer.text) == list(rule.breakdowns)
    said = words(answer)
    assert "Wie viele sind es?" in said
    assert f"Am 31.12.{LAST_YEAR} waren es" in said
    assert "Was die Quelle nicht weiß" in said
    assert "Geschützt: Jede Zahl ist die Summe kleiner Zahlen" in said


@pytest.mark.parametrize("roles", [(), ("statistics",), ("chair",), ("clerk",)])
async def test_whoever_opens_them_sees_what_everybody_sees(passer: Passer, roles: tuple[str, ...]) -> None:
    for path in ("/public", "/public/indicators/population", "/public/figures/population.csv"):
        nobody, somebody = await passer.open(path), await passer.open(path, *roles)
        assert somebody.status_code == 200
        assert somebody.text == nobody.text


@pytest.mark.parametrize("roles", [(), ("statistics",)])
async def test_what_came_after_the_release_is_on_no_page(passer: Passer, roles: tuple[str, ...]) -> None:
    paths = ["/public", *(f"/public/indicators/{name}" for name in sorted(RELEASED))]
    files = [f"/public/figures/{name}.csv" for name in sorted(RELEASED)]
    for path in (*paths, *files):
        answer = await passer.open(path, *roles)
        assert answer.status_code == 200, path
        assert not [n for n in numbers(answer.text) if n >= int(CANARY)], path


def numbers(page: str) -> list[int]:
    return [int(n.replace(".", "")) for n in re.findall(r"(?<![\d.])\d{1,3}(?:\.\d{3})+(?![\d.])", page)] + [
        int(n) for n in re.findall(r"(?<![\w.])\d{5,7}(?![\w.])", page)
    ]


async def test_what_is_not_released_is_not_there(passer: Passer) -> None:
    unknown = await passer.open("/public/indicators/wealth")
    assert unknown.status_code == 404
    assert "text/html" in unknown.headers["content-type"]
    for name in UNRELEASED:
        for roles in ((), ("statistics",)):
            answer = await passer.open(f"/public/indicators/{name}", *roles)
            assert (answer.status_code, words(answer)) == (404, words(unknown))
        for kind in ("csv", "xlsx", "jsonstat"):
            assert (await passer.open(f"/public/figures/{name}.{kind}")).status_code == 404


async def test_every_link_leads_to_what_everybody_may_see(passer: Passer) -> None:
    seen: set[str] = set()
    waiting = ["/public"]
    while waiting:
        path = waiting.pop()
        answer = await passer.open(path)
        assert answer.status_code == 200, path
        found = {link.replace("&amp;", "&") for link in re.findall(r'href="(/[^"#]*)"', answer.text)}
        waiting += [link for link in sorted(found - seen) if not link.startswith("/assets/")]
        seen |= found
    assert any(link.startswith("/public/figures/population.csv") for link in seen)
    assert all(link.startswith(("/public", "/assets/")) for link in seen), seen


async def test_the_file_holds_what_the_page_shows(passer: Passer) -> None:
    table = list(csv.DictReader(io.StringIO((await passer.open("/public/figures/population.csv")).text)))
    shown = re.search(r'answer__number">([\d.]+)<', (await passer.open("/public/indicators/population")).text)
    assert shown is not None
    last = table[-1]
    assert shown.group(1).replace(".", "") in last.values()


async def test_the_pages_hold_no_live_line_and_need_no_script(passer: Passer) -> None:
    for path in ("/public", "/public/indicators/population"):
        page = (await passer.open(path)).text
        assert "data-live" not in page
        assert "/live" not in page
    assert "<svg" in page
