"""Notes and targets: from their doors into answers, pages and files, and to nobody who may not be told."""

import asyncio
import io
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import openpyxl
import pytest
from conftest import OfficeDatabases, Templates
from fastapi import FastAPI
from httpx import AsyncClient
from stage.booking import NOTE, TARGET, WORDS, book, booked, execute
from stage.figures_of_dortmund import BULGARIA, comes, resident
from stage.reporting_office import ReportingOffice

from reporting.figures import Number, Point, Target, Value
from reporting.figures.remarks import touched
from reporting.indicators import Span, Words
from reporting.wording.remarks import verdict_of

YEARS = "from=2014-01-01&to=2018-12-31&period=year"


@pytest.fixture(scope="module")
def office(templates: Templates, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ReportingOffice]:
    """An office with nine residents in each of two areas."""
    databases = OfficeDatabases(templates)
    office = ReportingOffice(tmp_path_factory.mktemp("office"), databases("reporting"))
    openings = (comes("openings", resident(area, BULGARIA), date(2013, 1, 1), 9) for area in ("05", "04"))
    asyncio.run(office.cube.take_in([delta for deltas in openings for delta in deltas]))
    asyncio.run(office.cube.tick())
    yield office
    databases.drop_all()


@pytest.fixture
async def app(office: ReportingOffice) -> AsyncIterator[FastAPI]:
    """The office, with nothing noted yet."""
    for table in ("notes.note", "targets.target"):
        await execute(office.database, f"delete from {table}")
    async with office.inside() as app:
        yield app


@pytest.fixture
async def statistics(office: ReportingOffice, app: FastAPI) -> AsyncIterator[AsyncClient]:
    async with office.client(app, "statistics") as client:
        yield client


@pytest.fixture
async def group(office: ReportingOffice, app: FastAPI) -> AsyncIterator[AsyncClient]:
    async with office.client(app, "coordination") as client:
        yield client


async def figures(client: AsyncClient, query: str, suffix: str = "") -> Any:
    answer = await client.get(f"/figures/population{suffix}?{query}")
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_a_note_marks_the_first_day_of_a_series_after_what_happened(statistics: AsyncClient) -> None:
    await booked(statistics, "/notes", NOTE)
    answer = await figures(statistics, YEARS)
    (note,) = answer["notes"]
    assert (note["words"], note["author_role"]) == (WORDS, "statistics")
    assert [answer["points"][place]["to_on"] for place in note["points"]] == ["2016-12-31"]
    assert (await figures(statistics, "as_of=2016-12-31"))["notes"] == []
    assert len((await figures(statistics, "as_of=2016-04-01"))["notes"]) == 1


async def test_what_a_note_said_before_it_was_revised_and_withdrawn_stays_known(
    statistics: AsyncClient, office: ReportingOffice
) -> None:
    note_id = (await booked(statistics, "/notes", NOTE))["note_id"]
    await backdate(office, days=2)
    other = {"de": "Anders.", "en": "Otherwise."}
    revision = {"from_on": "2016-03-01", "words": other}
    await booked(statistics, f"/notes/{note_id}/revisions", revision)
    known_before = f"{YEARS}&known_on={datetime.now(UTC).date() - timedelta(days=1)}"
    assert (await figures(statistics, YEARS))["notes"][0]["words"] == other
    assert (await figures(statistics, known_before))["notes"][0]["words"] == WORDS
    await booked(statistics, f"/notes/{note_id}/withdrawals", {})
    assert (await figures(statistics, YEARS))["notes"] == []
    assert (await figures(statistics, known_before))["notes"][0]["words"] == WORDS
    assert (await statistics.get("/notes")).json() == []
    withdrawn = (await statistics.get(f"/notes/{note_id}")).json()
    assert (withdrawn["is_withdrawn"], withdrawn["de"]) == (True, None)
    assert (await book(statistics, f"/notes/{note_id}/revisions", revision)).json()["code"] == "note_withdrawn"


async def backdate(office: ReportingOffice, days: int) -> None:
    """As if everything had been noted and agreed so many days earlier."""
    for table in ("notes.note", "targets.target"):
        await execute(office.database, f"update {table} set recorded_on = recorded_on - {days}")


async def test_a_note_on_a_cell_is_told_to_those_alone_who_see_it_exactly(
    statistics: AsyncClient, group: AsyncClient
) -> None:
    for breakdown, value in (("district", "SB02"), ("area", "05")):
        await booked(statistics, "/notes", {**NOTE, "breakdown": breakdown, "value": value})
    for by, to_group in (("district", 1), ("area", 0)):
        span = f"by={by}&from=2015-01-01&to=2016-12-31&period=year"
        assert len((await figures(statistics, span))["notes"]) == 1
        assert len((await figures(group, span))["notes"]) == to_group
    told = (await group.get("/notes")).json()
    assert [note["breakdown"] for note in told] == ["district"]
    first_page = await group.get("/notes?limit=1")
    assert len(first_page.json()) == 1
    assert "Link" not in first_page.headers
    hidden = [note["note_id"] for note in (await statistics.get("/notes")).json() if note["breakdown"] == "area"]
    assert (await group.get(f"/notes/{hidden[0]}")).status_code == 404
    assert (await book(group, f"/notes/{hidden[0]}/withdrawals", {})).json()["code"] == "no_such_note"
    refused = await book(group, "/notes", {**NOTE, "breakdown": "area", "value": "05"})
    assert (refused.status_code, refused.json()["code"]) == (403, "cell_not_exact")


async def test_a_target_stands_beside_the_value_that_it_is_for(statistics: AsyncClient) -> None:
    await booked(statistics, "/targets", TARGET)
    answer = await figures(statistics, YEARS)
    (target,) = answer["targets"]
    assert (target["low"], target["high"], target["aim"]) == (9000, 9100, "between")
    assert [answer["points"][place]["to_on"] for place in target["points"]] == ["2018-12-31"]
    assert (await figures(statistics, f"{YEARS}&sex=f"))["targets"] == []


async def test_a_withdrawn_target_is_shown_where_it_was_known_only(
    statistics: AsyncClient, office: ReportingOffice
) -> None:
    target_id = (await booked(statistics, "/targets", TARGET))["target_id"]
    await backdate(office, days=2)
    answer = await book(statistics, f"/targets/{target_id}/withdrawals", {}, **{"If-Match": '"2"'})
    assert answer.status_code == 412
    await booked(statistics, f"/targets/{target_id}/withdrawals", {})
    known_before = f"{YEARS}&known_on={datetime.now(UTC).date() - timedelta(days=1)}"
    assert (await figures(statistics, YEARS))["targets"] == []
    assert len((await figures(statistics, known_before))["targets"]) == 1
    assert (await statistics.get("/targets")).json() == []
    assert (await statistics.get(f"/targets/{target_id}")).json()["withdrawn_at"] is not None


async def test_files_carry_notes_and_targets(statistics: AsyncClient) -> None:
    await booked(statistics, "/notes", NOTE)
    await booked(statistics, "/targets", TARGET)
    stat = await figures(statistics, YEARS, ".jsonstat")
    said = " ".join(stat["note"])
    assert WORDS["en"] in said
    assert "Target 2018: 9,000 to 9,100 (Plan of the year, agreed on 06.12.2017)" in said
    assert len(stat["extension"]["notes"]) == 1
    content = (await statistics.get(f"/figures/population.xlsx?{YEARS}")).content
    sheet = openpyxl.load_workbook(io.BytesIO(content))["Notes"]
    cells = [cell.value for row in sheet.iter_rows() for cell in row]
    assert "31.12.2016" in cells
    assert any(WORDS["en"] in str(cell) for cell in cells)


async def test_the_page_shows_notes_and_targets_in_words(statistics: AsyncClient) -> None:
    await booked(statistics, "/notes", {**NOTE, "to_on": None})
    await booked(statistics, "/targets", {**TARGET, "to_on": "2999-12-31", "low": "1", "high": "18"})
    page = (await statistics.get("/indicators/population", headers={"Accept": "text/html"})).text
    assert "<sup>1)</sup> since 01.03.2016: The counter was closed. (Statistics office)" in page
    assert "reached</p>" in page
    assert "with 1 note" in page
    dashboard = (await statistics.get("/", headers={"Accept": "text/html"})).text
    assert "1 to 18, reached" in dashboard


def test_what_happened_between_two_days_of_a_series_is_seen_at_the_later_one() -> None:
    days = [Span(date(2016, 12, 31)), Span(date(2017, 12, 31)), Span(date(2018, 12, 31))]
    assert touched(days, date(2017, 3, 1), date(2017, 4, 1)) == (1,)
    assert touched(days, date(2017, 3, 1), None) == (1, 2)
    assert touched(days, date(2016, 3, 1), date(2016, 12, 30)) == ()
    assert touched(days, date(2016, 12, 31), date(2016, 12, 31)) == (0,)
    assert touched(days, date(2019, 1, 1), None) == ()
    periods = [Span(date(2017, 12, 31), date(2017, 1, 1)), Span(date(2018, 12, 31), date(2018, 1, 1))]
    assert touched(periods, date(2017, 12, 31), date(2018, 1, 1)) == (0, 1)


@pytest.mark.parametrize(
    ("aim", "value", "point", "verdict"),
    [
        ((40, 50), 40, (None, date(2018, 6, 1)), "met"),
        ((40, 50), 51, (None, date(2018, 6, 1)), "missed"),
        ((40, None), Decimal("39.9"), (date(2018, 1, 1), date(2018, 12, 31)), "missed"),
        ((40, None), 39, (date(2018, 1, 1), date(2018, 6, 1)), "not_met_yet"),
        ((None, 50), 39, (date(2018, 1, 1), date(2018, 6, 1)), "met_so_far"),
        ((None, 50), 39, (date(2018, 2, 1), date(2018, 2, 28)), None),
    ],
)
def test_a_target_is_reached_or_not_by_the_value_of_its_time(
    aim: tuple[Any, Any], value: Any, point: tuple[Any, Any], verdict: str | None
) -> None:
    low, high = aim
    target = Target(
        target_id="x",
        breakdown=None,
        key=None,
        from_on=date(2018, 1, 1),
        to_on=date(2018, 12, 31),
        agreed_on=date(2018, 1, 1),
        aim="between",
        low=low,
        high=high,
        source=Words(de="a", en="a"),
        points=(0,),
    )
    found: Value = Number(number=value)
    assert verdict_of(target, Point(from_on=point[0], to_on=point[1]), found) == verdict


@pytest.mark.parametrize(
    ("path", "form", "changes", "code", "pointer"),
    [
        ("/notes", NOTE, {"indicator": "happiness"}, "no_such_indicator", "/indicator"),
        ("/notes", NOTE, {"breakdown": "district"}, "half_a_cell", "/value"),
        ("/notes", NOTE, {"breakdown": "ethnicity", "value": "x"}, "no_such_breakdown", "/breakdown"),
        ("/notes", NOTE, {"breakdown": "district", "value": "05"}, "no_such_value", "/value"),
        ("/notes", NOTE, {"to_on": "2016-02-29"}, "from_after_to", "/from_on"),
        ("/notes", NOTE, {"from_on": "2016-02-30"}, "invalid", "/from_on"),
        ("/notes", NOTE, {"words": {"de": "Nur deutsch."}}, "invalid", "/words/en"),
        ("/notes", NOTE, {"words": {"de": " ", "en": "x"}}, "invalid", "/words/de"),
        ("/notes", NOTE, {"words": {"de": "zwei\nZeilen", "en": "x"}}, "invalid", "/words/de"),
        ("/notes", NOTE, {"author": "me"}, "invalid", "/author"),
        ("/targets", TARGET, {"low": None}, "bound_missing", "/low"),
        ("/targets", TARGET, {"aim": "at_least"}, "bound_without_aim", "/high"),
        ("/targets", TARGET, {"aim": "at_most"}, "bound_without_aim", "/low"),
        ("/targets", TARGET, {"low": "9200"}, "low_above_high", "/low"),
        ("/targets", TARGET, {"high": "9100.5"}, "too_many_decimals", "/high"),
        ("/targets", TARGET, {"high": 9100}, "invalid", "/high"),
        ("/targets", TARGET, {"to_on": "2017-12-31"}, "from_after_to", "/from_on"),
        ("/targets", TARGET, {"value": "SB02"}, "half_a_cell", "/breakdown"),
    ],
)
async def test_a_bad_form_is_refused_at_its_field(
    statistics: AsyncClient, path: str, form: dict[str, Any], changes: dict[str, Any], code: str, pointer: str
) -> None:
    answer = await book(statistics, path, {**form, **changes})
    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert [found["pointer"] for found in answer.json()["errors"]] == [pointer]


async def test_events_carry_no_words(statistics: AsyncClient, office: ReportingOffice) -> None:
    await booked(statistics, "/notes", NOTE)
    await booked(statistics, "/targets", TARGET)
    bodies = await execute(office.database, "select convert_from(body, 'UTF8') from ledger.record")
    assert bodies
    assert not any(words in body for (body,) in bodies for words in (*WORDS.values(), *TARGET["source"].values()))


async def test_open_pages_are_told_of_a_target_and_so_is_who_comes_back(statistics: AsyncClient, app: FastAPI) -> None:
    hub = app.state.hub
    await hub.refresh()
    head = hub.everything().head
    assert hub.since(head.generation, head.number).answers == ()
    today = {"from_on": "2018-01-01", "to_on": "2999-12-31", "low": "1", "high": "18"}
    with hub.streams.open() as stream:
        await booked(statistics, "/targets", {**TARGET, **today})
        await hub.refresh_sources()
        async with asyncio.timeout(30):  # whatever else the stream tells at its beginning
            async for told in stream:
                if [found.indicator for found in told.answers] == ["population"]:
                    break
        assert told.answers[0].targets
    (again,) = hub.since(head.generation, head.number).answers
    assert len(again.targets) == 1
