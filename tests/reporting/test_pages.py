"""The coordination group's page and the pages of indicators, as they come without any script."""

import re
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from httpx import Response
from stage.figures_of_dortmund import BULGARIA, ROMANIA, comes, resident
from stage.reporting_office import ReportingOffice

from reporting.deltas import day_of
from reporting.figures import Freshness
from reporting.indicators import Words
from reporting.wording import Phrases, freshness_in_words, troubles_in_words
from verbund.service.words import load_words, untranslated

load_words("reporting")

PRINTED = {2016: (3416, 4561), 2017: (3718, 4797), 2018: (3925, 5114)}


@pytest.fixture
async def office(tmp_path: Path, office_database: Any) -> ReportingOffice:
    """A city with the printed stocks of 2016 to 2018, all Bulgarians in Nordmarkt and all Romanians in Westerfilde."""
    office = ReportingOffice(tmp_path, office_database("reporting"))
    deltas, before = [], (0, 0)
    for year, stocks in PRINTED.items():
        kind = "openings" if year == 2016 else "arrivals"
        for nationality, area, now, then in zip((BULGARIA, ROMANIA), ("05", "81"), stocks, before, strict=True):
            deltas += list(comes(kind, resident(area, nationality), date(year, 12, 31), now - then))
        before = stocks
    await office.cube.take_in(deltas)
    await office.cube.tick()
    await office.cube.hear(datetime.now(UTC))
    return office


@pytest.fixture
async def app(office: ReportingOffice) -> AsyncIterator[FastAPI]:
    async with office.inside() as app:
        yield app


class Visitor:
    """Opens pages in a browser without scripts."""

    def __init__(self, office: ReportingOffice, app: FastAPI) -> None:
        self.office, self.app = office, app

    async def open(self, path: str, *roles: str, language: str = "de") -> Response:
        async with self.office.client(self.app, *(roles or ("coordination",)), language=language) as client:
            return await client.get(path, headers={"Accept": "text/html"})

    async def read(self, path: str, *roles: str, language: str = "de") -> str:
        """The words of a page, as one line."""
        page = (await self.open(path, *roles, language=language)).text
        body = re.sub(r"<(script|svg)\b.*?</\1>", " ", page, flags=re.S)
        return " ".join(re.sub(r"<[^>]+>", " ", body).replace("\u00a0", " ").split())


@pytest.fixture
def visitor(office: ReportingOffice, app: FastAPI) -> Visitor:
    return Visitor(office, app)


async def test_the_printed_stock_of_2018_stands_on_the_page(visitor: Visitor) -> None:
    words = await visitor.read("/?as_of=2018-12-31")
    assert "Bevölkerung aus Bulgarien und Rumänien 9.039 Personen + 524 seit 31.12.2017, + 6,2 %" in words
    assert "Bulgarien 3.925 + 207" in words
    assert "Rumänien 5.114 + 317" in words
    assert "Innenstadt-Nord 3.925" in words
    assert "Zusammen 9.039 + 524" in words


async def test_english_numbers_stand_on_the_english_page(visitor: Visitor) -> None:
    words = await visitor.read("/?as_of=2018-12-31", language="en")
    assert "Population from Bulgaria and Romania 9,039 persons + 524 since 31.12.2017, + 6.2%" in words


async def test_a_page_away_from_today_says_so_and_offers_the_way_back(visitor: Visitor) -> None:
    page = (await visitor.open("/?as_of=2018-12-31&known_on=2019-02-01")).text
    assert "Stand 31.12.2018, so wie er am Ende des 01.02.2019 bekannt war." in page
    assert '<a href="/?lang=de">Zurück zu heute</a>' in page
    assert "/assets/live-" not in page


async def test_today_moves_and_is_not_named_in_the_address(visitor: Visitor) -> None:
    page = (await visitor.open("/")).text
    assert 'data-live="/live?lang=de"' in page
    assert "Zurück zu heute" not in page
    today = day_of(datetime.now(UTC)).isoformat()
    named = await visitor.open(f"/?as_of={today}&known_on={today}&lang=de")
    assert (named.status_code, named.headers["location"]) == (303, "/?lang=de")


async def test_what_was_not_known_yet_is_not_shown(visitor: Visitor) -> None:
    words = await visitor.read("/?as_of=2018-12-31&known_on=2018-01-31")
    assert "8.515 Personen" in words


async def test_before_the_register_began_a_figure_is_not_reported_rather_than_nothing(visitor: Visitor) -> None:
    words = await visitor.read("/?as_of=2015-06-30")
    assert "Bevölkerung aus Bulgarien und Rumänien ... Personen noch nicht gemeldet" in words


async def test_a_true_zero_is_a_dash_with_its_word(visitor: Visitor) -> None:
    words = await visitor.read("/?as_of=2018-12-31")
    assert "Sterbefälle – Sterbefälle" in words
    assert "nichts" in words


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("as_of=2018-02-30", "Geben Sie ein Datum ein, das es gibt"),
        ("known_on=gestern", "Geben Sie ein Datum ein, das es gibt"),
        ("as_of=2100-01-01", "Dieser Tag ist noch nicht gekommen"),
        ("as_of=1900-01-01", "So alte Zahlen gibt es nicht"),
    ],
)
async def test_a_wrong_date_is_said_and_kept_and_today_is_shown(visitor: Visitor, query: str, sentence: str) -> None:
    answer = await visitor.open(f"/?{query}")
    name, _, typed = query.partition("=")
    assert answer.status_code == 422
    assert sentence in answer.text
    assert re.search(rf'id="{name}" name="{name}" value="{typed}"[^>]*aria-invalid="true"', answer.text)


async def test_one_wrong_date_is_said_although_the_other_is_empty(visitor: Visitor) -> None:
    answer = await visitor.open("/?as_of=2018-02-30&known_on=&lang=de")
    assert (answer.status_code, "Geben Sie ein Datum ein" in answer.text) == (422, True)


async def test_every_tile_leads_to_its_page_with_the_same_view(visitor: Visitor) -> None:
    page = (await visitor.open("/?as_of=2018-12-31&known_on=2019-02-01")).text
    links = re.findall(r'href="(/indicators/[^"]+)"', page)
    assert len(links) == 19
    for link in links:
        assert "as_of=2018-12-31&amp;known_on=2019-02-01" in link
        answer = await visitor.open(link.replace("&amp;", "&"))
        assert answer.status_code == 200


async def test_the_page_of_an_indicator_answers_its_question_in_words(visitor: Visitor) -> None:
    words = await visitor.read("/indicators/population?as_of=2018-12-31")
    assert "Wie viele sind es? " in words
    assert "Am 31.12.2018 waren es 9.039 Personen." in words
    assert "Was die Quelle nicht weiß Das Melderegister untererfasst" in words
    assert "Am 31.12.2016 waren es 7.977, am 31.12.2018 waren es 9.039." in words


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        ("/indicators/deaths?as_of=2018-12-31", "In der Zeit vom 01.01. bis 31.12.2018 waren es 0 Sterbefälle."),
        ("/indicators/population?as_of=2015-06-30", "Für 30.06.2015 ist noch keine Zahl gemeldet."),
        (
            "/indicators/population_change?as_of=2018-12-31",
            "betrug die Veränderung gegenüber dem Vorjahr + 524 Personen.",
        ),
    ],
)
async def test_nothing_and_not_reported_are_said_in_words(visitor: Visitor, path: str, sentence: str) -> None:
    assert sentence in await visitor.read(path)


async def test_a_link_to_the_table_asks_what_the_chart_shows(visitor: Visitor) -> None:
    page = (await visitor.open("/indicators/population?as_of=2018-12-31")).text
    link, *_ = re.findall(r'href="(/figures/population\.csv\?[^"]+)"', page)
    table = await visitor.open(link.replace("&amp;", "&"))
    assert table.text.splitlines()[-1].startswith("population,1,persons,,2018-12-31,9039,number")


@pytest.mark.parametrize("role", ["coordination", "statistics"])
@pytest.mark.parametrize("indicator", ["population", "arrivals"])
@pytest.mark.parametrize("query", ["", "?as_of=2018-12-31", "?as_of=2018-12-31&known_on=2019-12-31"])
async def test_every_kind_of_file_is_linked_and_is_there(
    visitor: Visitor, role: str, indicator: str, query: str
) -> None:
    page = (await visitor.open(f"/indicators/{indicator}{query}", role)).text
    links = [link.replace("&amp;", "&") for link in re.findall(rf'href="(/figures/{indicator}\.[^"]+)"', page)]
    kinds = {link.partition("?")[0].rpartition(".")[2] for link in links}
    assert kinds == {"csv", "xlsx", "jsonstat", "svg", "png", "geojson"}
    assert any("dialect=kommonitor" in link for link in links)
    for link in links:
        answer = await visitor.open(link, role)
        assert answer.status_code == 200, (link, answer.text[:500])


async def test_the_dashboard_leads_to_the_editions(visitor: Visitor) -> None:
    page = (await visitor.open("/")).text
    assert 'href="/editions"' in page
    assert (await visitor.open("/editions")).status_code == 200


async def test_the_coordination_group_sees_margins_as_of_the_tick_and_anything_finer_protected(
    visitor: Visitor,
) -> None:
    group = await visitor.read("/indicators/population", "coordination")
    exact = await visitor.read("/indicators/population", "statistics")
    today = day_of(datetime.now(UTC))
    assert f"Zählung vom {today:%d.%m.%Y}" in group
    assert "Zählung vom" not in exact
    warning = (
        "Geschützt: Jede Zahl ist die Summe kleiner Zahlen, die jede um bis zu 5 abweichen können;"
        " 1 und 2 werden nie gezeigt."
    )
    assert "Altersgruppe" in group
    assert warning in group
    assert warning not in exact


async def test_every_chart_has_its_table_and_a_sentence(visitor: Visitor) -> None:
    page = (await visitor.open("/?as_of=2018-12-31")).text
    assert page.count("<figure") == page.count("data-chart=") == 1
    twin = page[page.index("</figure>") :]
    assert "31.12.2018" in twin[: twin.index("</table>")]
    assert "Am 31.12.2016 waren es 7.977, am 31.12.2018 waren es 9.039." in page.replace("\u00a0", " ")


async def test_nothing_on_a_page_needs_what_the_content_policy_refuses(visitor: Visitor) -> None:
    for path in ("/", "/indicators/arrivals"):
        page = (await visitor.open(path)).text
        assert " style=" not in page
        assert "<style" not in page
        assert not re.search(r"<script(?![^>]*(src=|application/json))", page)
        assert not re.search(r'(src|href)="(https?:)?//', page)


async def test_a_source_that_stopped_is_said_on_top(office: ReportingOffice, visitor: Visitor) -> None:
    assert '<div id="trouble" hidden>' in (await visitor.open("/")).text
    await office.cube.stop("chain_broken")
    page = (await visitor.open("/")).text
    assert "Einwohnermeldeamt: Das Einlesen ist angehalten (chain_broken)." in page
    assert '<div id="trouble">' in page


async def test_who_is_not_signed_in_is_told_how(office: ReportingOffice, app: FastAPI) -> None:
    async with office.client(app, "statistics") as client:
        del client.headers["Authorization"]
        answer = await client.get("/", headers={"Accept": "text/html"})
    assert answer.status_code == 401
    assert "verbund demo" in answer.text


async def test_a_one_time_link_leads_in_and_only_once(office: ReportingOffice, app: FastAPI) -> None:
    path = office.sign_in_path("coordination")
    async with office.client(app, "statistics") as client:
        del client.headers["Authorization"]
        entered = await client.get(path, follow_redirects=True, headers={"Accept": "text/html"})
        client.cookies.clear()
        again = await client.get(path, headers={"Accept": "text/html"})
    assert (entered.status_code, again.status_code) == (200, 401)
    assert "Coordination group" in entered.text


def test_every_sentence_has_its_german() -> None:
    assert untranslated("reporting", also=("verbund", "verbund.service.pages")) == []


NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("state", "age", "words"),
    [
        ("current", timedelta(seconds=20), "gerade eben"),
        ("current", timedelta(minutes=1), "vor 1 Minute"),
        ("current", timedelta(minutes=3, seconds=59), "vor 3 Minuten"),
        ("current", timedelta(hours=26), "vor 1 Tag"),
        ("silent", timedelta(days=2), "seit 2 Tagen nichts gehört"),
        ("silent", timedelta(seconds=40), "seit weniger als einer Minute nichts gehört"),
        ("stopped", timedelta(), "angehalten"),
        ("never", timedelta(), "noch nie gehört"),
    ],
)
def test_no_news_is_something_else_than_no_data(state: Any, age: timedelta, words: str) -> None:
    heard_at = NOW - age if state == "silent" else NOW
    freshness = Freshness(
        office="registration",
        name=Words(de="Amt", en="office"),
        state=state,
        heard_at=None if state == "never" else heard_at,
        recorded_at=NOW - age,
    )
    assert freshness_in_words(freshness, NOW, Phrases("de")) == words


def test_bookings_that_figures_miss_are_counted_in_words() -> None:
    source = Freshness(office="registration", name=Words(de="Amt", en="office"), state="current", parked=2)
    assert troubles_in_words([source], Phrases("de")) == [
        "Amt: 2 Buchungen wurden nicht verstanden und fehlen in den Zahlen."
    ]
