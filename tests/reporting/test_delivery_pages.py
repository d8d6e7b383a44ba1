"""Deliveries at the pages: what is typed or sent as a file is booked as at the doors for programs, or comes back."""

import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from html import unescape
from pathlib import Path

import pytest
from conftest import OfficeDatabases
from fastapi import FastAPI
from httpx import AsyncClient, Response
from stage.reporting_office import ReportingOffice

PLACE = "/deliver/tuberculosis_cases"
TYPED = {"from_on": "2018-01-01", "to_on": "2018-12-31", "value_0": "54", "state": "provisional", "precision": "exact"}
FILE = "from;to;unit;value\n01.01.2017;31.12.2017;case;61\n01.01.2018;31.12.2018;case;54\n"


@pytest.fixture
async def app(office_database: OfficeDatabases, tmp_path: Path) -> AsyncIterator[tuple[ReportingOffice, FastAPI]]:
    office = ReportingOffice(tmp_path, office_database("reporting"))
    async with office.inside() as opened:
        yield office, opened


@asynccontextmanager
async def signed_in(
    app: tuple[ReportingOffice, FastAPI], role: str = "delivering_body", body: str = "health_office"
) -> AsyncIterator[AsyncClient]:
    office, opened = app
    async with office.client(opened, role, body=body) as client:
        client.headers.update({"Accept": "text/html", "Accept-Language": "en"})
        yield client


@pytest.fixture
async def body(app: tuple[ReportingOffice, FastAPI]) -> AsyncIterator[AsyncClient]:
    async with signed_in(app) as client:
        yield client


def text_of(page: Response) -> str:
    return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", page.text.partition("<main")[2])))


def key_of(page: Response) -> str:
    found = re.search(r'name="idempotency_key" value="([^"]+)"', page.text)
    assert found is not None, page.text
    return found[1]


async def send(client: AsyncClient, path: str, typed: Mapping[str, str]) -> Response:
    page = await client.get(path)
    assert page.status_code == 200, page.text
    return await client.post(path.partition("?")[0], data={**typed, "idempotency_key": key_of(page)})


async def send_file(client: AsyncClient, act: str, content: str, **fields: str) -> Response:
    key = key_of(await client.get(PLACE))
    return await client.post(
        f"{PLACE}/file",
        data={"act": act, "idempotency_key": key, **fields},
        files={"file": ("cases.csv", content.encode(), "text/csv")},
    )


async def told(client: AsyncClient) -> list[tuple[str, str, str]]:
    """Of everything that was ever delivered: what happened, the last day, the first number."""
    answer = await client.get("/indicators/tuberculosis_cases/deliveries", headers={"Accept": "application/json"})
    return [
        (each["happened"], each["to_on"], each["rows"][0]["value"] if each["rows"] else "") for each in answer.json()
    ]


async def test_a_body_sees_what_it_delivers_and_nothing_else(app: tuple[ReportingOffice, FastAPI]) -> None:
    async with signed_in(app) as health, signed_in(app, "statistics", "reporting") as statistics:
        own, every = await health.get("/deliver"), await statistics.get("/deliver")
        assert f'href="{PLACE}"' in own.text
        assert 'href="/deliver/funding_granted"' not in own.text
        assert 'href="/deliver/funding_granted"' in every.text
    async with signed_in(app, body="job_centre") as other:
        answer = await send(other, f"{PLACE}/figures", TYPED)
        assert (answer.status_code, "another body" in text_of(answer)) == (422, True)


async def test_who_only_delivers_arrives_at_what_they_deliver(body: AsyncClient) -> None:
    answer = await body.get("/")
    assert (answer.status_code, answer.headers["location"]) == (303, "/deliver")


async def test_a_period_is_typed_booked_and_told_with_its_number(body: AsyncClient) -> None:
    answer = await send(body, f"{PLACE}/figures", TYPED)
    assert answer.status_code == 303, text_of(answer)
    page = text_of(await body.get(answer.headers["location"]))
    assert "It is booked." in page
    assert "54" in page
    assert await told(body) == [("delivered", "2018-12-31", "54")]


async def test_a_form_that_is_sent_twice_books_once(body: AsyncClient) -> None:
    key = key_of(await body.get(f"{PLACE}/figures"))
    places = {
        (await body.post(f"{PLACE}/figures", data={**TYPED, "idempotency_key": key})).headers["location"]
        for _ in range(2)
    }
    assert len(places) == 1
    assert len(await told(body)) == 1


async def test_what_was_typed_is_never_lost_and_each_error_has_its_place(body: AsyncClient) -> None:
    wrong = {**TYPED, "to_on": "2018-11-30", "value_0": "fifty", "source": "Report of <b>May</b>"}
    answer = await send(body, f"{PLACE}/figures", wrong)
    assert answer.status_code == 422
    assert 'value="fifty"' in answer.text
    assert "Report of &lt;b&gt;May&lt;/b&gt;" in answer.text
    assert 'id="value_0-error"' in answer.text
    assert 'id="from_on-error"' in answer.text
    empty = await send(body, f"{PLACE}/figures", {**TYPED, "value_0": ""})
    assert (empty.status_code, 'id="value_0-error"' in empty.text) == (422, True)
    assert await told(body) == []


async def test_a_delivered_period_is_revised_kept_made_final_and_withdrawn(body: AsyncClient) -> None:
    assert (await send(body, f"{PLACE}/figures", TYPED)).status_code == 303
    shown = await body.get(f"{PLACE}/figures?from_on=2018-01-01&to_on=2018-12-31")
    assert 'value="54"' in shown.text
    revised = {**TYPED, "value_0": "55"}
    without_reason = await send(body, f"{PLACE}/figures", revised)
    assert (without_reason.status_code, "55" in without_reason.text) == (422, True)
    assert (await send(body, f"{PLACE}/figures", {**revised, "reason": "late_reports"})).status_code == 303
    days = {"from_on": "2018-01-01", "to_on": "2018-12-31"}

    async def do(step: str, **fields: str) -> int:
        key = key_of(await body.get(PLACE))
        return (await body.post(f"{PLACE}/{step}", data={**days, **fields, "idempotency_key": key})).status_code

    key = key_of(await body.get(PLACE))
    backwards = {**days, "new_from_on": "2015-01-01", "new_to_on": "2015-12-31", "idempotency_key": key}
    refused = await body.post(f"{PLACE}/keep", data=backwards)
    assert (refused.status_code, 'value="2015-12-31"' in refused.text) == (422, True)
    assert await do("keep", new_from_on="2019-01-01", new_to_on="2019-12-31", state="final") == 303
    assert await do("finalise") == 303
    assert await do("finalise") == 422
    assert await do("withdraw", reason="whim") == 422
    assert await do("withdraw", reason="other") == 303
    assert [happened for happened, _, _ in await told(body)] == [
        "withdrawn",
        "finalised",
        "kept",
        "revised",
        "delivered",
    ]


async def test_a_file_is_checked_first_and_then_booked(body: AsyncClient) -> None:
    checked = await send_file(body, "check", FILE)
    assert (checked.status_code, "nothing was booked yet" in text_of(checked)) == (200, True)
    assert "2 days or periods: delivered" in text_of(checked)
    assert await told(body) == []
    booked = await send_file(body, "book", FILE)
    assert booked.status_code == 303, text_of(booked)
    assert len(await told(body)) == 2
    again = await send_file(body, "check", FILE)
    assert "It changes nothing." in text_of(again)


async def test_a_wrong_file_is_told_line_by_line_and_nothing_is_booked(body: AsyncClient) -> None:
    wrong = FILE.replace(";61", ";many").replace("31.12.2018", "30.11.2018")
    for act in ("check", "book"):
        answer = await send_file(body, act, wrong)
        assert answer.status_code == 422
        cells = re.findall(r'<tr><td class="figure">(\d*)</td><td>(\w*)</td>', answer.text)
        assert cells == [("2", "value"), ("3", "from")]
    empty = await send_file(body, "check", "")
    assert (empty.status_code, "The file is empty" in text_of(empty)) == (422, True)
    assert await told(body) == []
