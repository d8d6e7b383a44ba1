"""Notes, targets and thresholds at the pages: what is typed is booked as at the doors for programs, or comes back."""

import asyncio
import re
from collections.abc import AsyncIterator, Iterator, Mapping
from datetime import date
from html import unescape

import pytest
from conftest import OfficeDatabases, Templates
from fastapi import FastAPI
from httpx import AsyncClient, Response
from stage.booking import execute
from stage.figures_of_dortmund import BULGARIA, comes, resident
from stage.reporting_office import ReportingOffice

PLACE = "/indicators/population"
TYPED_NOTE = {
    "cell": "",
    "from_on": "2016-03-01",
    "to_on": "",
    "words_de": "Der Schalter war „zu“ <b>.",
    "words_en": "The counter was closed.",
}
TYPED_TARGET = {
    "cell": "district:SB02",
    "from_on": "2018-01-01",
    "to_on": "2018-12-31",
    "agreed_on": "2017-12-06",
    "aim": "between",
    "low": "9000",
    "high": "9100",
    "source_de": "Jahresplanung",
    "source_en": "Plan of the year",
}
TYPED_THRESHOLD = {
    "cell": "",
    "audience": "coordination",
    "side": "over",
    "limit": "10",
    "back": "8",
    "valid_from": "2018-01-01",
    "valid_until": "",
}
FORMS = {"notes": TYPED_NOTE, "targets": TYPED_TARGET, "thresholds": TYPED_THRESHOLD}


@pytest.fixture(scope="module")
def office(templates: Templates, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ReportingOffice]:
    databases = OfficeDatabases(templates)
    office = ReportingOffice(tmp_path_factory.mktemp("office"), databases("reporting"))
    openings = comes("openings", resident("05", BULGARIA), date(2013, 1, 1), 9)
    asyncio.run(office.cube.take_in(list(openings)))
    yield office
    databases.drop_all()


@pytest.fixture
async def app(office: ReportingOffice) -> AsyncIterator[FastAPI]:
    """The office, with nothing booked yet."""
    for table in ("notes.note", "targets.target", "alerts.change", "alerts.alert", "alerts.threshold"):
        await execute(office.database, f"delete from {table}")
    async with office.inside() as app:
        yield app


@pytest.fixture
async def chair(office: ReportingOffice, app: FastAPI) -> AsyncIterator[AsyncClient]:
    async with office.client(app, "chair") as client:
        client.headers["Accept"] = "text/html"
        yield client


def key_of(page: Response) -> str:
    found = re.search(r'name="idempotency_key" value="([^"]+)"', page.text)
    assert found is not None, page.text
    return found.group(1)


async def send(client: AsyncClient, path: str, typed: Mapping[str, str]) -> Response:
    """Open the form, fill it in, send it."""
    page = await client.get(path)
    assert page.status_code == 200, page.text
    return await client.post(path, data={**typed, "idempotency_key": key_of(page)})


async def count(client: AsyncClient, matter: str) -> int:
    return len((await client.get(f"/{matter}", headers={"Accept": "application/json"})).json())


@pytest.mark.parametrize("matter", FORMS)
async def test_what_is_typed_is_booked_and_stands_in_the_list(chair: AsyncClient, matter: str) -> None:
    answer = await send(chair, f"{PLACE}/{matter}/new", FORMS[matter])
    assert answer.status_code == 303, answer.text
    listed = await chair.get(answer.headers["location"])
    assert re.search(r"This is booked, as number \d+\.", listed.text)
    assert await count(chair, matter) == 1


async def test_a_note_is_booked_as_it_was_typed(chair: AsyncClient) -> None:
    await send(chair, f"{PLACE}/notes/new", {**TYPED_NOTE, "cell": "district:SB02"})
    (note,) = (await chair.get("/notes")).json()
    assert (note["de"], note["author_role"]) == (TYPED_NOTE["words_de"], "chair")
    assert (note["breakdown"], note["value"], note["to_on"]) == ("district", "SB02", None)
    assert "<b>" not in (await chair.get(f"{PLACE}/remarks?lang=de")).text


async def test_numbers_may_be_typed_with_a_comma(chair: AsyncClient) -> None:
    answer = await send(chair, f"{PLACE}/targets/new", {**TYPED_TARGET, "cell": "", "low": "9000,5"})
    assert answer.status_code == 422
    assert "decimals" in answer.text
    assert 'value="9000,5"' in answer.text


@pytest.mark.parametrize("matter", FORMS)
async def test_a_form_that_is_sent_twice_books_once(chair: AsyncClient, matter: str) -> None:
    page = await chair.get(f"{PLACE}/{matter}/new")
    fields = {**FORMS[matter], "idempotency_key": key_of(page)}
    answers = await asyncio.gather(*(chair.post(f"{PLACE}/{matter}/new", data=fields) for _ in range(3)))
    assert {answer.status_code for answer in answers} == {303}
    assert await count(chair, matter) == 1


@pytest.mark.parametrize(
    ("matter", "wrong", "field"),
    [
        ("notes", {"from_on": "gestern"}, "from_on"),
        ("notes", {"from_on": "2020-01-01", "to_on": "2019-01-01"}, "from_on"),
        ("notes", {"words_en": ""}, "words_en"),
        ("notes", {"cell": "district:nowhere"}, "cell"),
        ("targets", {"low": "viel"}, "low"),
        ("targets", {"high": ""}, "high"),
        ("targets", {"low": "9200"}, "low"),
        ("targets", {"aim": "perfect"}, "aim"),
        ("targets", {"source_de": ""}, "source_de"),
        ("thresholds", {"back": "12"}, "back"),
        ("thresholds", {"limit": ""}, "limit"),
        ("thresholds", {"side": "beside"}, "side"),
        ("thresholds", {"valid_until": "2017-01-01"}, "valid_from"),
    ],
)
async def test_a_wrong_form_comes_back_with_what_was_typed_and_what_is_wrong(
    chair: AsyncClient, matter: str, wrong: Mapping[str, str], field: str
) -> None:
    typed = {**FORMS[matter], **wrong}
    answer = await send(chair, f"{PLACE}/{matter}/new", typed)
    assert answer.status_code == 422
    assert f'<a href="#{field}">' in answer.text, answer.text
    assert f'id="{field}-error"' in answer.text
    page = unescape(answer.text)
    for name, text in typed.items():
        if text and name not in ("cell", "aim", "side", "audience"):
            assert f'name="{name}"' in page
            assert f'value="{text}"' in page, name
    assert await count(chair, matter) == 0


async def test_a_form_that_came_back_is_booked_when_it_is_mended(chair: AsyncClient) -> None:
    page = await chair.get(f"{PLACE}/notes/new")
    key = {"idempotency_key": key_of(page)}
    refused = await chair.post(f"{PLACE}/notes/new", data={**TYPED_NOTE, "from_on": "", **key})
    assert (refused.status_code, key_of(refused)) == (422, key["idempotency_key"])
    assert (await chair.post(f"{PLACE}/notes/new", data={**TYPED_NOTE, **key})).status_code == 303
    assert await count(chair, "notes") == 1


async def test_a_note_is_corrected_unless_somebody_was_faster(chair: AsyncClient) -> None:
    await send(chair, f"{PLACE}/notes/new", TYPED_NOTE)
    (note,) = (await chair.get("/notes")).json()
    path = f"{PLACE}/notes/{note['note_id']}"
    page = await chair.get(path)
    assert 'value="The counter was closed."' in page.text
    seen = re.search(r'name="seen" value="([^"]+)"', page.text)
    assert seen is not None
    fields = {**TYPED_NOTE, "words_en": "Otherwise.", "seen": unescape(seen.group(1))}
    first = await chair.post(path, data={**fields, "idempotency_key": key_of(page)})
    assert first.status_code == 303
    other = await chair.post(path, data={**fields, "words_en": "Late.", "idempotency_key": "another"})
    assert (other.status_code, 'value="Late."' in other.text) == (422, True)
    assert (await chair.get("/notes")).json()[0]["en"] == "Otherwise."


@pytest.mark.parametrize(("matter", "verb"), [("notes", "withdraw"), ("targets", "withdraw"), ("thresholds", "remove")])
async def test_what_stands_in_the_list_is_taken_back_with_a_button(chair: AsyncClient, matter: str, verb: str) -> None:
    await send(chair, f"{PLACE}/{matter}/new", FORMS[matter])
    page = await chair.get(f"{PLACE}/remarks")
    (path,) = re.findall(rf'action="([^"]+/{verb})"', page.text)
    for key in ("one click", "a second click"):
        answer = await chair.post(path, data={"idempotency_key": key.replace(" ", "-")})
        assert answer.status_code == 303, answer.text
    assert await count(chair, matter) == 0


async def test_who_may_not_book_is_offered_nothing_and_may_read(
    office: ReportingOffice, app: FastAPI, chair: AsyncClient
) -> None:
    await send(chair, f"{PLACE}/notes/new", TYPED_NOTE)
    async with office.client(app, "expert_group_reader") as reader:
        page = await reader.get(f"{PLACE}/remarks", headers={"Accept": "text/html"})
        assert "The counter was closed." in page.text
        assert "<form" not in page.text
        assert f"{PLACE}/notes/new" not in page.text
        refused = await reader.post(f"{PLACE}/notes/new", data={**TYPED_NOTE, "idempotency_key": "a-key"})
    assert refused.status_code == 403


async def test_the_group_is_offered_the_cells_alone_that_it_sees_exactly(
    office: ReportingOffice, app: FastAPI, chair: AsyncClient
) -> None:
    own = (await chair.get(f"{PLACE}/notes/new")).text
    async with office.client(app, "statistics") as client:
        everything = (await client.get(f"{PLACE}/notes/new")).text
    assert 'value="district:SB02"' in own
    assert 'value="area:05"' not in own
    assert 'value="area:05"' in everything
    refused = await send(chair, f"{PLACE}/notes/new", {**TYPED_NOTE, "cell": "area:05"})
    assert refused.status_code == 422
    assert "finer than you see exactly" in refused.text


async def test_an_indicators_page_leads_to_what_is_booked_about_it(chair: AsyncClient) -> None:
    assert f'href="{PLACE}/remarks"' in (await chair.get(PLACE)).text
