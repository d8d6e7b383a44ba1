"""Restatements: what is different since an edition, and why; and what a compaction and a forger do to editions."""

import asyncio
from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import psycopg
import pytest
from stage.editions import every_byte, freeze
from stage.figures_of_dortmund import BULGARIA, ROMANIA, comes, resident
from stage.reporting_office import Database, ReportingOffice

from reporting.deltas import Delta
from reporting.editions.verification import verify
from reporting.rebuild import COMPACTING
from verbund.feeds.compaction import CompactionContext

OPENED_ON, DAY = date(2016, 12, 31), date(2018, 5, 1)
QUESTIONS: list[dict[str, Any]] = [
    {"indicator": "population", "as_of": ["2018-12-31"]},
    {"indicator": "population", "by": ["sex"], "as_of": ["2018-12-31"]},
    {"indicator": "arrivals", "from": "2018-01-01", "to": "2018-12-31", "period": "year"},
]


@pytest.fixture
async def office(tmp_path: Path, office_database: Any) -> ReportingOffice:
    database: Database = office_database("reporting")
    office = ReportingOffice(tmp_path, database)
    opening = [
        delta for sex in ("f", "m") for delta in comes("openings", resident("05", BULGARIA, 1990, sex), OPENED_ON, 100)
    ]
    await office.cube.take_in([*opening, *comes("arrivals", resident("05", BULGARIA), DAY, 7)])
    await office.cube.tick()
    return office


@pytest.fixture
async def statistics(office: ReportingOffice) -> AsyncIterator[httpx.AsyncClient]:
    async with office.inside() as app, office.client(app, "statistics") as client:
        yield client


def caused(cause: str, n: int) -> list[Delta]:
    """`n` arrivals (or fewer of them) that were booked for this cause."""
    return [delta._replace(cause=cause, n=n) for delta in comes("arrivals", resident("05", ROMANIA), DAY, 1)]


async def book_since(office: ReportingOffice) -> None:
    await office.cube.take_in([*caused("booked", 9), *caused("late", 4)])
    await office.cube.take_in([*caused("corrected:typing_error", -3), *caused("cancelled", -1)])


async def restated(client: httpx.AsyncClient, edition_id: str, against: str = "now") -> dict[str, Any]:
    answer = await client.get(f"/editions/{edition_id}/restatement?against={against}")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def reasons(cell: dict[str, Any]) -> set[tuple[str, str | None, int | None]]:
    return {(each["kind"], each["code"], each["amount"]) for each in cell["reasons"]}


EXPECTED = {
    ("new_data", "booked", 9),
    ("new_data", "late", 4),
    ("correction", "typing_error", -3),
    ("correction", "cancelled", -1),
}


async def test_every_cell_that_changed_says_by_how_much_and_why(
    office: ReportingOffice, statistics: httpx.AsyncClient
) -> None:
    older = (await freeze(statistics, "one", questions=QUESTIONS))["edition_id"]
    await book_since(office)
    newer = (await freeze(statistics, "two", questions=QUESTIONS))["edition_id"]
    for against in ("now", newer):
        found = await restated(statistics, older, against)
        changed = {(each["question"], *(key["code"] for key in each["keys"])): each for each in found["changed"]}
        assert changed.keys() == {(1,), (2, "f"), (3,)}
        for cell in changed.values():
            assert cell["difference"] == {"kind": "number", "number": 9}
            assert reasons(cell) == EXPECTED
        assert (found["added"], found["removed"], found["not_answered"]) == ([], [], [])
    assert (await restated(statistics, newer))["changed"] == []


async def test_the_group_sees_no_amounts_and_of_protected_cells_the_reasons_of_the_whole_figure(
    office: ReportingOffice, statistics: httpx.AsyncClient
) -> None:
    older = (await freeze(statistics, "one", audience="coordination", questions=QUESTIONS[:2]))["edition_id"]
    await office.cube.take_in([*caused("booked", 600), *caused("corrected:typing_error", -40)])
    with psycopg.connect(office.database.superuser().conninfo()) as connection:
        connection.execute("update figures.tick set ticked_at = ticked_at - interval '2 hours'")
    await office.cube.tick()
    changed = (await restated(statistics, older))["changed"]
    of = {each["question"]: each["reasons_of"] for each in changed}
    assert of == {1: "cell", 2: "indicator"}
    for cell in changed:
        assert reasons(cell) == {("new_data", "booked", None), ("correction", "typing_error", None)}


async def test_a_compaction_changes_no_byte_and_no_reason(
    office: ReportingOffice, statistics: httpx.AsyncClient
) -> None:
    older = (await freeze(statistics, "one", questions=QUESTIONS))["edition_id"]
    await book_since(office)
    before, said = await every_byte(statistics, older), (await restated(statistics, older))["changed"]
    context = CompactionContext(office.database.settings("owner"), lambda *_: None)
    await asyncio.to_thread(COMPACTING, context)
    assert await every_byte(statistics, older) == before
    assert (await restated(statistics, older))["changed"] == said


@pytest.mark.parametrize(
    ("forgery", "found"),
    [
        (
            "update editions.file set body = body || '\\x20' where question = 2 and kind = 'csv'",
            "question 2, csv: the file was changed",
        ),
        ("delete from editions.file where question = 1 and kind = 'json'", "question 1, json: the file is missing"),
        (
            "update editions.edition set manifest = manifest || '\\x20'",
            "its manifest is not the one whose hash stands in the book",
        ),
        ("update editions.edition set title_de = 'Anderes'", "title_de is another one than in its manifest"),
        ("delete from editions.cut; delete from editions.edition", "it stands in the book, and is not there"),
    ],
)
async def test_a_forgery_is_found_and_named(
    office: ReportingOffice, statistics: httpx.AsyncClient, forgery: str, found: str
) -> None:
    edition_id = (await freeze(statistics, questions=QUESTIONS))["edition_id"]
    with psycopg.connect(office.database.superuser().conninfo()) as connection:
        assert [each.wrong for each in verify(connection)] == [()]
        for table in ("file", "edition"):
            connection.execute(f"alter table editions.{table} disable trigger user".encode())
        for statement in forgery.split("; "):
            connection.execute(statement.encode())
        (verdict,) = verify(connection)
    assert verdict.edition_id == edition_id
    assert found in verdict.wrong


async def deliver(client: httpx.AsyncClient, path: str, **body: Any) -> None:
    """Something about cases of tuberculosis that has to succeed."""
    said = {"indicator": "tuberculosis_cases", **body}
    answer = await client.post(path, json=said, headers={"Idempotency-Key": str(uuid4())})
    assert answer.status_code == 201, answer.text


async def test_delivered_figures_say_what_their_body_did_since(statistics: httpx.AsyncClient) -> None:
    def sheet(number: int, value: str) -> dict[str, Any]:
        return {"from_on": f"{number}-01-01", "to_on": f"{number}-12-31", "rows": [{"value": value}]}

    asked = {"indicator": "tuberculosis_cases", "from": "2015-01-01", "to": "2018-12-31", "period": "year"}
    await deliver(
        statistics, "/deliveries", unit="case", sheets=[sheet(2015, "40"), sheet(2016, "50"), sheet(2017, "60")]
    )
    older = (await freeze(statistics, "one", questions=[asked]))["edition_id"]
    await deliver(statistics, "/deliveries/revisions", unit="case", sheets=[sheet(2017, "63")], reason="late_reports")
    await deliver(statistics, "/deliveries", unit="case", sheets=[sheet(2018, "54")])
    withdrawn = [{"from_on": "2016-01-01", "to_on": "2016-12-31"}]
    await deliver(statistics, "/deliveries/withdrawals", periods=withdrawn, reason="other")
    found = await restated(statistics, older)
    changed = {cell["to_on"][:4]: reasons(cell) for cell in found["changed"]}
    assert changed == {"2017": {("correction", "late_reports", None)}}
    assert [[cell["to_on"][:4] for cell in found[side]] for side in ("added", "removed")] == [["2018"], ["2016"]]


async def test_a_delivered_number_that_was_not_there_or_is_no_more_says_so(statistics: httpx.AsyncClient) -> None:
    def year(number: int) -> dict[str, str]:
        return {"from_on": f"{number}-01-01", "to_on": f"{number}-12-31"}

    whole = [{"indicator": "tuberculosis_cases", "from": f"{n}-01-01", "to": f"{n}-12-31"} for n in (2016, 2018)]
    await deliver(statistics, "/deliveries", unit="case", sheets=[{**year(2016), "rows": [{"value": "50"}]}])
    older = (await freeze(statistics, "one", questions=whole))["edition_id"]
    await deliver(statistics, "/deliveries", unit="case", sheets=[{**year(2018), "rows": [{"value": "54"}]}])
    await deliver(statistics, "/deliveries/withdrawals", periods=[year(2016)], reason="other")
    changed = {cell["to_on"][:4]: reasons(cell) for cell in (await restated(statistics, older))["changed"]}
    assert changed == {
        "2016": {("correction", "withdrawn", None)},
        "2018": {("new_data", "first_report", None)},
    }
