"""Editions at the doors: frozen once, the same bytes for ever, and for whom they were made."""

import hashlib
import io
import json
import zipfile
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from fastapi import FastAPI
from stage.editions import QUESTIONS, edition_form, every_byte, freeze
from stage.figures_of_dortmund import BULGARIA, ROMANIA, comes, resident
from stage.reporting_office import Database, ReportingOffice

from reporting.editions import rendering
from reporting.editions.drafts import clear_drafts

OPENED_ON = date(2016, 12, 31)
NOWHERE = "00000000-0000-4000-8000-000000000000"


def ask(office: ReportingOffice, sql: str) -> list[Any]:
    with psycopg.connect(office.database.superuser().conninfo()) as connection:
        return connection.execute(sql.encode()).fetchall()


def events_of(office: ReportingOffice) -> list[dict[str, Any]]:
    """What stands in the office's book."""
    return [json.loads(bytes(body)) for (body,) in ask(office, "select body from ledger.record order by number")]


@pytest.fixture
async def office(tmp_path: Path, office_database: Any) -> ReportingOffice:
    database: Database = office_database("reporting")
    office = ReportingOffice(tmp_path, database)
    await office.cube.take_in(
        [
            *comes("openings", resident("05", BULGARIA), OPENED_ON, 100),
            *comes("openings", resident("61", ROMANIA), OPENED_ON, 50),
            *comes("arrivals", resident("05", BULGARIA), date(2018, 5, 1), 7),
        ]
    )
    await office.cube.tick()
    return office


@pytest.fixture
async def app(office: ReportingOffice) -> AsyncIterator[FastAPI]:
    async with office.inside() as app:
        yield app


@pytest.fixture
async def statistics(office: ReportingOffice, app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    async with office.client(app, "statistics") as client:
        yield client


@pytest.fixture
async def chair(office: ReportingOffice, app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    async with office.client(app, "chair") as client:
        yield client


async def test_an_edition_answers_as_the_figures_did_when_it_was_frozen(statistics: httpx.AsyncClient) -> None:
    receipt = await freeze(statistics)
    then = (await statistics.get("/figures/population?by=district&as_of=2018-12-31")).json()
    kept = (await statistics.get(f"/editions/{receipt['edition_id']}/figures/2")).json()
    assert kept["cells"] == then["cells"]
    assert (kept["generation"], kept["batch"]) == (then["generation"], then["batch"])


async def test_what_is_booked_afterwards_changes_no_byte(
    office: ReportingOffice, statistics: httpx.AsyncClient
) -> None:
    edition_id = (await freeze(statistics))["edition_id"]
    before = await every_byte(statistics, edition_id)
    await office.cube.take_in([*comes("arrivals", resident("05", BULGARIA), date(2018, 6, 1), 9)])
    assert await every_byte(statistics, edition_id) == before


async def test_the_list_of_hashes_leads_from_the_book_to_every_byte(
    office: ReportingOffice, statistics: httpx.AsyncClient
) -> None:
    receipt = await freeze(statistics)
    edition = (await statistics.get(f"/editions/{receipt['edition_id']}")).json()
    manifest = (await statistics.get(f"/editions/{receipt['edition_id']}/manifest")).content
    assert hashlib.sha256(manifest).hexdigest() == receipt["sha256"] == edition["sha256"]
    assert json.loads(manifest) == edition["manifest"]
    (event,) = events_of(office)
    assert event["data"]["manifest_sha256"] == receipt["sha256"]
    assert (event["data"]["questions"], event["data"]["files"]) == (4, 28)
    for number, question in enumerate(edition["manifest"]["questions"], start=1):
        for file in question["files"]:
            answer = await statistics.get(f"/editions/{receipt['edition_id']}/figures/{number}.{file['kind']}")
            assert hashlib.sha256(answer.content).hexdigest() == file["sha256"]
            assert answer.headers["etag"] == f'"{file["sha256"]}"'
            assert "immutable" in answer.headers["cache-control"]
            assert f'filename="{file["name"]}"' in answer.headers["content-disposition"]


async def test_the_manifest_says_what_every_figure_was_made_of(statistics: httpx.AsyncClient) -> None:
    manifest = (await statistics.get(f"/editions/{(await freeze(statistics))['edition_id']}")).json()["manifest"]
    assert manifest["cube"]["number"] == 1
    assert [position["ledger"] for position in manifest["ledgers"]] == ["/05913000/registration/book"]
    assert {each["definition"]["id"] for each in manifest["definitions"]} == {q["indicator"] for q in QUESTIONS}
    assert all(len(each["fingerprint"]) == 64 for each in manifest["definitions"])
    assert manifest["questions"][1]["question"]["by"] == ["district"]


async def test_nothing_personal_and_no_words_stand_in_the_book(
    office: ReportingOffice, statistics: httpx.AsyncClient
) -> None:
    edition_id = (await freeze(statistics))["edition_id"]
    reason = {"reason": "replaced", "words": "Frau Muster wollte es so."}
    withdrawn = await statistics.post(
        f"/editions/{edition_id}/withdrawals", json=reason, headers={"Idempotency-Key": "two"}
    )
    assert withdrawn.status_code == 201, withdrawn.text
    said = json.dumps(events_of(office), ensure_ascii=False)
    assert "Muster" not in said
    assert "Jahresende" not in said


async def test_the_same_key_freezes_once_and_another_request_under_it_is_refused(
    office: ReportingOffice, statistics: httpx.AsyncClient
) -> None:
    first = await freeze(statistics)
    again = await statistics.post("/editions", json=edition_form(), headers={"Idempotency-Key": "one"})
    assert (again.json(), again.headers["idempotency-replayed"]) == (first, "true")
    other = await statistics.post(
        "/editions", json=edition_form(as_of=None, questions=QUESTIONS[:1]), headers={"Idempotency-Key": "one"}
    )
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    assert len(events_of(office)) == 1
    assert ask(office, "select count(*) from editions.draft") == [(1,)]


async def test_an_edition_is_the_same_whatever_language_asks_and_after_a_restart(office: ReportingOffice) -> None:
    async with office.inside() as app, office.client(app, "statistics", language="de") as german:
        edition_id = (await freeze(german))["edition_id"]
        before = await every_byte(german, edition_id)
    async with office.inside() as app, office.client(app, "statistics", language="en") as english:
        assert await every_byte(english, edition_id) == before


async def test_what_is_kept_is_never_rendered_again(
    statistics: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    edition_id = (await freeze(statistics))["edition_id"]
    before = await every_byte(statistics, edition_id)
    changed = {name: replace(kind, render=lambda _: b"another exporter") for name, kind in rendering.KINDS.items()}
    monkeypatch.setattr(rendering, "KINDS", changed)
    assert await every_byte(statistics, edition_id) == before


async def test_who_has_the_bytes_already_is_not_sent_them_again(statistics: httpx.AsyncClient) -> None:
    address = f"/editions/{(await freeze(statistics))['edition_id']}/figures/1.xlsx"
    tag = (await statistics.get(address)).headers["etag"]
    again = await statistics.get(address, headers={"If-None-Match": tag})
    assert (again.status_code, again.content) == (304, b"")


async def test_the_archive_holds_the_manifest_and_every_file(statistics: httpx.AsyncClient) -> None:
    edition_id = (await freeze(statistics))["edition_id"]
    whole = await every_byte(statistics, edition_id)
    archive = zipfile.ZipFile(io.BytesIO(whole[f"/editions/{edition_id}.zip"]))
    assert archive.read("manifest.json") == whole[f"/editions/{edition_id}/manifest"]
    for number, question in enumerate(json.loads(archive.read("manifest.json"))["questions"], start=1):
        for file in question["files"]:
            assert archive.read(file["name"]) == whole[f"/editions/{edition_id}/figures/{number}.{file['kind']}"]
    assert len(archive.namelist()) == 29


async def test_nobody_freezes_for_a_wider_audience_than_their_own(chair: httpx.AsyncClient) -> None:
    refused = await chair.post("/editions", json=edition_form(), headers={"Idempotency-Key": "one"})
    assert (refused.status_code, refused.json()["code"]) == (403, "wider_audience")
    assert refused.json()["errors"][0]["pointer"] == "/audience"


async def test_an_edition_is_there_for_its_audience_and_for_wider_ones_alone(
    statistics: httpx.AsyncClient, chair: httpx.AsyncClient
) -> None:
    exact = (await freeze(statistics, "one"))["edition_id"]
    questions = [QUESTIONS[0], {"indicator": "population", "by": ["sex"], "as_of": ["2018-12-31"]}]
    shared = (await freeze(statistics, "two", audience="coordination", questions=questions))["edition_id"]
    assert [each["edition_id"] for each in (await statistics.get("/editions")).json()] == [shared, exact]
    assert [each["edition_id"] for each in (await chair.get("/editions")).json()] == [shared]
    for path in ("", "/manifest", "/figures/1", "/figures/1.csv", ".zip", "/restatement?against=now"):
        assert (await chair.get(f"/editions/{exact}{path}")).status_code == 404
        assert (await chair.get(f"/editions/{shared}{path}")).status_code == 200, path
    withdrawal = await chair.post(
        f"/editions/{exact}/withdrawals", json={"reason": "replaced"}, headers={"Idempotency-Key": "three"}
    )
    assert (withdrawal.status_code, withdrawal.json()["code"]) == (404, "no_such_edition")


async def test_what_statistics_freezes_for_the_group_is_protected_as_the_group_sees_it(
    statistics: httpx.AsyncClient, chair: httpx.AsyncClient
) -> None:
    questions = [{"indicator": "population", "by": ["sex"], "as_of": ["2018-12-31"]}]
    edition_id = (await freeze(statistics, audience="coordination", questions=questions))["edition_id"]
    kept = (await chair.get(f"/editions/{edition_id}/figures/1")).json()
    seen = (await chair.get("/figures/population?by=sex&as_of=2018-12-31")).json()
    assert not kept["is_exact"]
    assert kept["cells"] == seen["cells"]


async def test_all_is_the_tile_of_every_indicator_of_the_fields_of_action(statistics: httpx.AsyncClient) -> None:
    receipt = await freeze(
        statistics, questions="all", fields_of_action=["registration_and_population"], as_of="2018-12-31"
    )
    manifest = (await statistics.get(f"/editions/{receipt['edition_id']}")).json()["manifest"]
    indicators = (await statistics.get("/indicators")).json()
    expected = [each["id"] for each in indicators if each["field_of_action"] == "registration_and_population"]
    assert [question["indicator"] for question in manifest["questions"]] == expected


async def test_a_withdrawn_edition_says_why_and_still_answers(statistics: httpx.AsyncClient) -> None:
    edition_id = (await freeze(statistics))["edition_id"]
    before = await every_byte(statistics, edition_id)
    form = {"reason": "wrong_figures", "words": "Das Jahr stimmt nicht."}
    path = f"/editions/{edition_id}/withdrawals"
    stale = await statistics.post(path, json=form, headers={"Idempotency-Key": "two", "If-Match": '"7"'})
    assert stale.status_code == 412
    done = await statistics.post(path, json=form, headers={"Idempotency-Key": "two", "If-Match": '"1"'})
    assert (done.status_code, done.headers["etag"]) == (201, '"2"')
    again = await statistics.post(path, json=form, headers={"Idempotency-Key": "three"})
    assert (again.status_code, again.json()["code"]) == (409, "edition_withdrawn")
    shown = (await statistics.get(f"/editions/{edition_id}")).json()
    assert (shown["withdrawn"]["reason"], shown["withdrawn"]["words"]) == ("wrong_figures", "Das Jahr stimmt nicht.")
    assert await every_byte(statistics, edition_id) == before


async def test_a_long_list_has_pages(statistics: httpx.AsyncClient) -> None:
    frozen = [(await freeze(statistics, key, questions=QUESTIONS[:1]))["edition_id"] for key in "abc"]
    seen, path = [], "/editions?limit=2"
    while path:
        answer = await statistics.get(path)
        seen += [each["edition_id"] for each in answer.json()]
        path = answer.headers.get("link", "").partition("<")[2].partition(">")[0]
    assert seen == frozen[::-1]


async def test_a_draft_that_nobody_sealed_is_cleared_after_a_day_and_an_edition_never(
    office: ReportingOffice, app: FastAPI, statistics: httpx.AsyncClient
) -> None:
    edition_id = (await freeze(statistics))["edition_id"]
    for hours in (1, 25):
        statement = (
            "insert into editions.draft values"
            f" ('05913000', gen_random_uuid(), now() - interval '{hours} hours') returning 1"
        )
        assert ask(office, statement)
    ask(
        office,
        "update editions.draft set begun_at = begun_at - interval '30 hours' where draft_id in"
        " (select draft_id from editions.edition) returning 1",
    )
    assert await clear_drafts(app.state.books, "05913000") == 1
    assert ask(office, "select count(*) from editions.draft") == [(2,)]
    assert await every_byte(statistics, edition_id)
