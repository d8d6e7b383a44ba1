"""Doors for programs: the catalogue, and figures with everything that has to stand beside them."""

import csv
import io
from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from stage.doors import doors_that_open_wrongly
from stage.figures_of_dortmund import BULGARIA, ROMANIA, comes, resident
from stage.reporting_office import Database, ReportingOffice
from stage.service_kit import ServiceKit

YEAR_ENDS = (date(2016, 12, 31), date(2017, 12, 31), date(2018, 12, 31))


@pytest.fixture
async def office(tmp_path: Path, office_database: Any) -> ReportingOffice:
    database: Database = office_database("reporting")
    office = ReportingOffice(tmp_path, database)
    opening = [
        *comes("openings", resident("05", BULGARIA), YEAR_ENDS[0], 100),
        *comes("openings", resident("61", ROMANIA), YEAR_ENDS[0], 50),
    ]
    await office.cube.take_in(opening)
    await office.cube.take_in(
        [
            *comes("arrivals", resident("05", BULGARIA), date(2018, 5, 1), 7),
            *comes("departures", resident("61", ROMANIA), date(2018, 6, 1), 3),
        ]
    )
    return office


@pytest.fixture
async def app(office: ReportingOffice) -> AsyncIterator[FastAPI]:
    async with office.inside() as app:
        yield app


async def ask(office: ReportingOffice, app: FastAPI, path: str, *roles: str, **headers: str) -> Any:
    async with office.client(app, *(roles or ("statistics",))) as client:
        return await client.get(path, headers=headers)


async def test_every_indicator_says_what_it_counts_and_what_its_source_does_not_know(
    office: ReportingOffice, app: FastAPI
) -> None:
    indicators = (await ask(office, app, "/indicators", "coordination")).json()
    assert "population" in {indicator["id"] for indicator in indicators}
    for indicator in indicators:
        assert indicator["definition"]["de"]
        assert indicator["limits"]
        assert indicator["unit"]


async def test_an_indicator_is_data_for_programs_and_a_page_for_people(office: ReportingOffice, app: FastAPI) -> None:
    data = await ask(office, app, "/indicators/population")
    page = await ask(office, app, "/indicators/population", Accept="text/html,*/*;q=0.8")
    assert data.json()["id"] == "population"
    assert page.headers["content-type"].startswith("text/html")


async def test_a_figure_comes_with_its_day_its_unit_its_source_and_its_freshness(
    office: ReportingOffice, app: FastAPI
) -> None:
    answer = (await ask(office, app, "/figures/population?as_of=2018-12-31", "coordination")).json()
    assert answer["cells"][0]["values"] == [{"kind": "number", "number": 154}]
    assert answer["points"][0]["to_on"] == "2018-12-31"
    assert answer["unit"]["many"]["en"] == "persons"
    assert answer["sources"][0]["office"] == "registration"
    assert (answer["generation"], answer["batch"]) == (1, 2)


async def test_breakdown_filter_period_and_knowledge_are_parameters(office: ReportingOffice, app: FastAPI) -> None:
    path = "/figures/population?by=nationality&district=SB02&as_of=2017-12-31,2018-12-31"
    answer = (await ask(office, app, path)).json()
    values = {cell["keys"][0]["code"]: [value.get("number") for value in cell["values"]] for cell in answer["cells"]}
    assert values == {BULGARIA: [100, 107], ROMANIA: [None, None]}
    flows = (await ask(office, app, "/figures/arrivals?from=2017-01-01&to=2018-12-31&period=year")).json()
    assert [value["kind"] for value in flows["cells"][0]["values"]] == ["zero", "number"]


async def test_who_asks_for_tables_gets_a_table(office: ReportingOffice, app: FastAPI) -> None:
    query = "by=district&as_of=2018-12-31"
    by_suffix = await ask(office, app, f"/figures/population.csv?{query}")
    by_accept = await ask(office, app, f"/figures/population?{query}", Accept="text/csv")
    assert by_suffix.text == by_accept.text
    rows = list(csv.DictReader(io.StringIO(by_suffix.text)))
    nordstadt = next(row for row in rows if row["district"] == "SB02")
    assert (nordstadt["value"], nordstadt["status"], nordstadt["unit"]) == ("107", "number", "persons")
    assert next(row for row in rows if row["district"] == "SB01")["status"] == "zero"


@pytest.mark.parametrize(
    ("query", "parameter", "code"),
    [
        ("by=shoe_size", "by", "no_such_breakdown"),
        ("nationality=999", "nationality", "no_such_value"),
        ("area=05,SB02", "area", "mixed_levels"),
        ("from=2018-01-01", "to", "half_a_period"),
        ("from=2018-02-01&to=2018-01-01", "from", "from_after_to"),
        ("as_of=2018-02-30", "as_of", "no_such_day"),
        ("as_of=yesterday", "as_of", "wrong_form"),
        ("period=fortnight", "period", "not_offered"),
        ("from=2018-01-01&to=2018-01-02&period=month", "to", "no_period_ends"),
        ("shoe_size=43", "shoe_size", "unknown_field"),
    ],
)
async def test_a_bad_parameter_is_named_with_what_would_be_right(
    office: ReportingOffice, app: FastAPI, query: str, parameter: str, code: str
) -> None:
    answer = await ask(office, app, f"/figures/population?{query}")
    assert answer.status_code == 422
    (error,) = answer.json()["errors"]
    assert (error["parameter"], error["in"], error["code"]) == (parameter, "query", code)
    assert error["detail"]


@pytest.mark.parametrize(
    ("suffix", "media_type"),
    [
        ("csv", "text/csv"),
        ("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        ("jsonstat", "application/vnd.json-stat+json"),
        ("geojson", "application/geo+json"),
        ("svg", "image/svg+xml"),
        ("png", "image/png"),
    ],
)
async def test_files_come_by_address_and_by_what_is_accepted(
    office: ReportingOffice, app: FastAPI, suffix: str, media_type: str
) -> None:
    asked = "by=district&as_of=2018-12-31"
    for answer in (
        await ask(office, app, f"/figures/population.{suffix}?{asked}"),
        await ask(office, app, f"/figures/population?{asked}", Accept=media_type),
    ):
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith(media_type)
        assert "population_by-district_2018-12-31_as-known-" in answer.headers["content-disposition"]


async def test_a_table_for_a_german_excel_is_asked_for_by_its_dialect(office: ReportingOffice, app: FastAPI) -> None:
    answer = await ask(office, app, "/figures/population.csv?as_of=2018-12-31&dialect=excel_de")
    assert answer.content.startswith(b"\xef\xbb\xbfKennzahl;")
    refused = await ask(office, app, "/figures/population.csv?dialect=lotus")
    assert refused.status_code == 422


async def test_what_a_file_cannot_show_is_refused_at_its_parameter(office: ReportingOffice, app: FastAPI) -> None:
    for path, parameter, code in (
        ("population.geojson?by=sex", "by", "areas_alone"),
        ("population.geojson?by=district&as_of=2017-12-31,2018-12-31", "as_of", "one_point"),
        ("population.csv?by=sex&dialect=kommonitor", "by", "areas_alone"),
        ("population.png?by=district,sex", "by", "no_picture"),
        ("population?by=district&over_changes=apportioned", "over_changes", "areas_on_needed"),
    ):
        answer = await ask(office, app, f"/figures/{path}")
        (error,) = answer.json()["errors"]
        assert (answer.status_code, error["parameter"], error["code"]) == (422, parameter, code)


async def test_a_browser_that_opens_a_figure_is_given_no_picture(office: ReportingOffice, app: FastAPI) -> None:
    accepted = "text/html,application/xhtml+xml,image/png,image/svg+xml,*/*;q=0.8"
    answer = await ask(office, app, "/figures/population", Accept=accepted)
    assert answer.headers["content-type"] == "application/json"


async def test_a_file_speaks_the_language_that_is_asked_for(office: ReportingOffice, app: FastAPI) -> None:
    for lang, words in (("de", "Quelle: Einwohnermeldeamt"), ("en", "Source: Registration office")):
        answer = await ask(office, app, f"/figures/population.svg?by=district&lang={lang}")
        assert words in answer.text


async def test_there_is_no_indicator_that_is_not_in_the_catalogue(office: ReportingOffice, app: FastAPI) -> None:
    for path in ("/figures/wealth", "/indicators/wealth", "/figures/wealth.csv"):
        answer = await ask(office, app, path)
        assert (answer.status_code, answer.json()["code"]) == (404, "no_such_indicator")
    assert (await ask(office, app, "/figures/No-Such")).status_code == 404


async def test_the_coordination_group_gets_margins_exactly_and_anything_finer_protected(
    office: ReportingOffice, app: FastAPI
) -> None:
    margin = (await ask(office, app, "/figures/population?by=district", "coordination")).json()
    assert (margin["data_state"], margin["is_exact"]) == ("tick", True)
    finer = (await ask(office, app, "/figures/population?by=district,nationality", "coordination")).json()
    assert (finer["data_state"], finer["is_exact"], finer["adds_up"]) == ("tick", False, False)
    refused = await ask(office, app, "/figures/population.csv?by=age_band&as_of=2018-12-30", "coordination")
    assert (refused.status_code, refused.json()["code"]) == (403, "only_period_ends")
    assert "half_year" in refused.json()["detail"]


async def test_every_door_lets_in_only_whom_it_says(office: ReportingOffice, app: FastAPI, tmp_path: Path) -> None:
    strangers, own = tmp_path / "strangers", tmp_path / "own"
    strangers.mkdir()
    own.mkdir()
    kit = ServiceKit(own)
    kit.issuer = office.issuer
    assert await doors_that_open_wrongly(app, kit, ServiceKit(strangers)) == []
