"""Deliveries through the doors: booked all or nothing, asked again on both axes, shown with what does not fit."""

import csv
import io
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import openpyxl
import psycopg
import pytest
from fastapi import FastAPI
from stage.deliveries import PRINTED, cases, row, year
from stage.reporting_office import ReportingOffice

from reporting.printed.delivered import delivery_files, known_of, printed_in, said_in

KEYS = count()
LONG_DAYS = 30


class Delivering:
    """The doors of reporting, and whoever stands before them."""

    def __init__(self, office: ReportingOffice, app: FastAPI) -> None:
        self.office, self.app = office, app

    async def ask(self, method: str, path: str, *roles: str, body: str = "reporting", **more: Any) -> httpx.Response:
        headers = {"Idempotency-Key": f"key-{next(KEYS)}", **more.pop("headers", {})}
        async with self.office.client(self.app, *(roles or ("statistics",)), body=body) as client:
            return await client.request(method, path, headers=headers, **more)

    async def figures(self, indicator: str, **query: str) -> dict[str, Any]:
        answer = await self.ask("GET", f"/figures/{indicator}", "coordination", params=query)
        assert answer.status_code == 200, answer.text
        told: dict[str, Any] = answer.json()
        return told

    async def file(self, indicator: str, body: bytes, **query: str) -> httpx.Response:
        return await self.ask(
            "POST", f"/deliveries/files/{indicator}", content=body, params=query, headers={"Content-Type": "text/csv"}
        )

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.office.database.superuser().conninfo()) as connection:
            return connection.execute(sql.encode()).fetchall()

    def booked(self) -> list[tuple[Any, ...]]:
        """What any booking would change."""
        return self.query(
            "select (select max(number) from ledger.head), (select count(*) from ledger.record),"
            " (select count(*) from deliveries.sheet), (select count(*) from deliveries.figure)"
        )

    def put_back(self, days: int) -> None:
        """As if everything so far had been delivered so many days earlier."""
        self.query(f"update deliveries.sheet set recorded_on = recorded_on - {days} returning 1")


@asynccontextmanager
async def delivering(folder: Path, database: Any) -> AsyncIterator[Delivering]:
    office = ReportingOffice(folder, database)
    async with office.inside() as app:
        yield Delivering(office, app)


@pytest.fixture
async def doors(tmp_path: Path, office_database: Any) -> AsyncIterator[Delivering]:
    async with delivering(tmp_path, office_database("reporting")) as doors:
        yield doors


def values(answer: dict[str, Any]) -> list[Any]:
    """The numbers; a word where there is none."""
    return [
        0 if value["kind"] == "zero" else value.get("number", value["kind"])
        for cell in answer["cells"]
        for value in cell["values"]
    ]


def years(first: int, last: int) -> dict[str, str]:
    return {"from": f"{first}-01-01", "to": f"{last}-12-31", "period": "year"}


async def test_every_printed_figure_comes_back_as_printed(doors: Delivering) -> None:
    for indicator, body in PRINTED.items():
        answer = await doors.file(indicator, body)
        assert answer.status_code == 201, f"{indicator}: {answer.text}"
    for table in delivery_files():
        said: set[str] = set()
        for figure in printed_in(table):
            ((indicator, query),) = figure.questions
            told = await doors.figures(indicator, **query)
            assert values(told) == [float(figure.number)], figure.name
            said.update(said_in(told))
        assert said == known_of(table)


async def test_what_does_not_fit_is_shown_beside_the_figure(doors: Delivering) -> None:
    for indicator in ("gynaecological_contacts", "clearing_nationalities", "tuberculosis_cases"):
        assert (await doors.file(indicator, PRINTED[indicator])).status_code == 201
    told = await doors.figures("gynaecological_contacts", **years(2014, 2018))
    assert values(told) == [745, 1403, 1364, 1205, 1015]
    found = [each for one in told["deliveries"] for each in one["findings"]]
    assert [(each["code"], each["printed"], each["computed"]) for each in found] == [
        ("sum_over_time_differs", "6480", "5732")
    ]
    told = await doors.figures("clearing_nationalities", **{"from": "2016-08-01", "to": "2019-02-20"}, by="nationality")
    assert [each["computed"] for one in told["deliveries"] for each in one["findings"]] == ["99.9"]
    told = await doors.figures("tuberculosis_cases", **years(2013, 2017))
    assert [marks for cell in told["cells"] for marks in cell["marks"]] == [
        [],
        ["revised"],
        ["revised"],
        ["revised"],
        [],
    ]


async def test_a_revision_leaves_what_was_known_before(doors: Delivering) -> None:
    assert (await doors.ask("POST", "/deliveries", json=cases(year(2018, "58")))).status_code == 201
    doors.put_back(LONG_DAYS)
    said = {**cases(year(2018, "59", state="final")), "reason": "restated_by_source"}
    answer = await doors.ask("POST", "/deliveries/revisions", json=said)
    assert answer.status_code == 201, answer.text
    assert answer.json()["booked"] == {"revised": 1}
    ((earlier,),) = doors.query("select min(recorded_on) from deliveries.sheet")
    told = await doors.figures("tuberculosis_cases", as_of="2018-12-31")
    assert (values(told), told["cells"][0]["marks"]) == ([59], [["revised"]])
    told = await doors.figures("tuberculosis_cases", as_of="2018-12-31", known_on=str(earlier))
    assert (values(told), told["cells"][0]["marks"]) == ([58], [["provisional"]])
    told = await doors.figures("tuberculosis_cases", as_of="2018-12-31", compare_known_on=str(earlier))
    assert [cell["compared"][0]["number"] for cell in told["cells"]] == [58]
    history = (await doors.ask("GET", "/indicators/tuberculosis_cases/deliveries")).json()
    assert [(each["happened"], each["rows"][0]["value"]) for each in history] == [
        ("revised", "59"),
        ("delivered", "58"),
    ]


async def test_withdrawn_figures_are_not_reported(doors: Delivering) -> None:
    assert (await doors.ask("POST", "/deliveries", json=cases(year(2018, "58")))).status_code == 201
    period = {"from_on": "2018-01-01", "to_on": "2018-12-31"}
    said = {"indicator": "tuberculosis_cases", "periods": [period], "reason": "typing_error"}
    assert (await doors.ask("POST", "/deliveries/withdrawals", json=said)).status_code == 201
    told = await doors.figures("tuberculosis_cases", **{"from": "2018-01-01", "to": "2018-12-31"})
    assert values(told) == ["not_reported"]


async def test_a_figure_says_that_it_is_kept_and_not_available(doors: Delivering) -> None:
    assert (await doors.ask("POST", "/deliveries", json=cases(year(2016, "74"), year(2018, None)))).status_code == 201
    kept = {
        "indicator": "tuberculosis_cases",
        "kept_from": {"from_on": "2016-01-01", "to_on": "2016-12-31"},
        "period": {"from_on": "2017-01-01", "to_on": "2017-12-31"},
        "state": "final",
    }
    assert (await doors.ask("POST", "/deliveries/keepings", json=kept)).status_code == 201
    finals = {"indicator": "tuberculosis_cases", "periods": [kept["kept_from"]]}
    assert (await doors.ask("POST", "/deliveries/finalisations", json=finals)).status_code == 201
    told = await doors.figures("tuberculosis_cases", **years(2016, 2018))
    assert values(told) == [74, 74, "not_reported"]
    assert told["cells"][0]["marks"] == [[], ["kept"], ["not_available"]]


async def test_all_of_a_delivery_is_booked_or_nothing(doors: Delivering) -> None:
    before = doors.booked()
    answer = await doors.ask("POST", "/deliveries", json=cases(year(2017, "62"), year(2018, "x")))
    assert (answer.status_code, answer.json()["code"]) == (422, "rows_refused")
    assert [error["pointer"] for error in answer.json()["errors"]] == ["/sheets/1/rows/0/value"]
    assert doors.booked() == before


async def test_the_same_order_twice_is_booked_once(doors: Delivering) -> None:
    said, key = cases(year(2018, "59")), {"Idempotency-Key": "the-same"}
    first = await doors.ask("POST", "/deliveries", json=said, headers=key)
    second = await doors.ask("POST", "/deliveries", json=said, headers=key)
    assert (first.status_code, second.status_code, second.json()) == (201, 201, first.json())
    assert second.headers["Idempotency-Replayed"] == "true"
    assert doors.query("select count(*) from deliveries.sheet") == [(1,)]


async def test_a_check_books_nothing_and_tells_what_would_be(doors: Delivering) -> None:
    before = doors.booked()
    answer = await doors.ask(
        "POST",
        "/deliveries/files/gynaecological_contacts/check",
        content=PRINTED["gynaecological_contacts"],
        headers={"Content-Type": "text/csv"},
    )
    assert answer.status_code == 200, answer.text
    assert answer.json()["would_book"] == {"delivered": 6}
    assert [found["code"] for found in answer.json()["findings"]] == ["sum_over_time_differs"]
    answer = await doors.ask("POST", "/deliveries/check", json=cases(year(2018, "59")))
    assert answer.json()["would_book"] == {"delivered": 1}
    assert doors.booked() == before


async def test_a_body_delivers_what_is_its_own(doors: Delivering) -> None:
    said = cases(year(2018, "59"))
    answer = await doors.ask("POST", "/deliveries", "delivering_body", body="job_centre", json=said)
    assert (answer.status_code, answer.json()["code"]) == (403, "not_your_figure")
    answer = await doors.ask("POST", "/deliveries", "delivering_body", body="health_office", json=said)
    assert answer.status_code == 201, answer.text
    answer = await doors.ask("POST", "/deliveries", "coordination", json=said)
    assert answer.status_code == 403


async def test_what_somebody_has_seen_changed_is_not_decided_on(doors: Delivering) -> None:
    answer = await doors.ask("POST", "/deliveries", json=cases(year(2017, "62")))
    seen = answer.headers["ETag"]
    assert (
        await doors.ask("POST", "/deliveries", json=cases(year(2018, "59")), headers={"If-Match": seen})
    ).status_code == 201
    answer = await doors.ask("POST", "/deliveries", json=cases(year(2016, "74")), headers={"If-Match": seen})
    assert (answer.status_code, answer.json()["code"]) == (412, "stale")


async def test_an_office_is_late_when_its_figures_are_overdue(doors: Delivering) -> None:
    assert (await doors.figures("capacity"))["sources"][0]["state"] == "never"
    assert (await doors.ask("POST", "/deliveries", json=cases(year(2010, "48")))).status_code == 201
    assert (await doors.figures("tuberculosis_cases"))["sources"][0]["state"] == "overdue"
    recent = datetime.now(UTC).year - 1
    assert (await doors.ask("POST", "/deliveries", json=cases(year(recent, "50")))).status_code == 201
    assert (await doors.figures("tuberculosis_cases"))["sources"][0]["state"] == "current"


async def test_templates_come_back_filled_in(doors: Delivering) -> None:
    template = await doors.ask(
        "GET", "/deliveries/templates/renewal_premises.csv", "delivering_body", body="urban_renewal_office"
    )
    lines = list(csv.DictReader(io.StringIO(template.text.lstrip("\ufeff")), delimiter=";"))
    for number, line in enumerate(lines):
        line |= {"to": "31.12.2018", "value": str(number)}
    file = io.StringIO()
    writer = csv.DictWriter(file, list(lines[0]), delimiter=";")
    writer.writeheader()
    writer.writerows(lines)
    answer = await doors.file("renewal_premises", file.getvalue().encode())
    assert answer.status_code == 201, answer.text
    assert "sum_differs" in {found["code"] for found in answer.json()["findings"]}
    workbook = await doors.ask("GET", "/deliveries/templates/renewal_premises.xlsx")
    assert workbook.content.startswith(b"PK")


@pytest.mark.parametrize("rows", [[row("1", renewal_state="renovated"), row("2", area="04")]])
async def test_a_total_that_was_not_delivered_is_not_reckoned(doors: Delivering, rows: list[Any]) -> None:
    said = {"indicator": "renewal_premises", "unit": "premises", "sheets": [{"to_on": "2018-12-31", "rows": rows}]}
    assert (await doors.ask("POST", "/deliveries", json=said)).status_code == 201
    assert values(await doors.figures("renewal_premises")) == ["not_reported"]
    assert values(await doors.figures("renewal_premises", by="area")) == [2]


@pytest.mark.parametrize("kind", ["", ".csv", ".xlsx", ".jsonstat", ".csv?dialect=excel_de"])
@pytest.mark.parametrize("by", ["", "area,renewal_state"])
async def test_nothing_delivered_is_an_empty_table_in_every_file(doors: Delivering, kind: str, by: str) -> None:
    path = f"/figures/renewal_premises{kind}"
    answer = await doors.ask("GET", f"{path}{'&' if '?' in path else '?'}by={by}", "coordination")
    assert answer.status_code == 200, answer.text


async def test_marks_stand_behind_the_numbers_in_every_file(doors: Delivering) -> None:
    """`p` and `r`, as official tables print them: a number that will change must not look like one that will not."""
    answer = await doors.ask("POST", "/deliveries", json=cases(year(2017, "61"), year(2018, "54", state="final")))
    assert answer.status_code == 201, answer.text
    revised = {**cases(year(2017, "63")), "reason": "late_reports"}
    assert (await doors.ask("POST", "/deliveries/revisions", json=revised)).status_code == 201
    asked = years(2017, 2018)

    async def file(ending: str, **more: str) -> bytes:
        found = await doors.ask("GET", f"/figures/tuberculosis_cases.{ending}", params={**asked, **more})
        assert found.status_code == 200, found.text
        return found.content

    rows = list(csv.DictReader(io.StringIO((await file("csv")).decode())))
    assert [(row["value"], row["marks"]) for row in rows] == [("63", "provisional revised"), ("54", "")]
    german = csv.DictReader(io.StringIO((await file("csv", dialect="excel_de")).decode("utf-8-sig")), delimiter=";")
    assert [row["Kennzeichen"] for row in german] == ["p r", ""]
    assert json.loads(await file("jsonstat"))["status"] == {"0": "p r"}
    (first, second) = next(openpyxl.load_workbook(io.BytesIO(await file("xlsx"))).worksheets[0].iter_rows(min_row=5))
    assert (first.value, first.number_format, second.number_format) == (63, '#,##0" p r"', "#,##0")
