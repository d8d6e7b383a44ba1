"""The initial load: many lines at once, each at the time when the office knew it."""

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from conftest import OfficeDatabases
from stage.registration_office import ADDRESS, NEW_RESIDENT, RegistrationOffice, loading_office

from verbund.events.registration import InitialLoadClosed

HOME = "11111111-1111-4111-8111-111111111111"
SOMEBODY = "22222222-2222-4222-8222-222222222222"


@pytest.fixture
async def office(office_database: OfficeDatabases, tmp_path: Path) -> AsyncIterator[RegistrationOffice]:
    async with loading_office(office_database("registration"), tmp_path) as opened:
        yield opened


def registration(recorded_at: str, **fields: Any) -> dict[str, Any]:
    beginning = {
        "command": "RegisterResidence",
        "recorded_at": recorded_at,
        **NEW_RESIDENT,
        "moved_in_on": "2015-01-10",
    }
    return {**beginning, **fields}


LIFE: list[dict[str, Any]] = [
    registration("2015-01-20T09:00:00Z", residence_id=HOME, resident_id=SOMEBODY),
    {"command": "MoveResidence", "recorded_at": "2016-05-02T09:00:00Z", "residence_id": HOME, "moved_on": "2016-05-01"}
    | ADDRESS,
    {
        "command": "ChangeNationality",
        "recorded_at": "2017-05-02T09:00:00Z",
        "residence_id": HOME,
        "changed_on": "2017-05-01",
        "nationality": "000",
    },
    {
        "command": "DeregisterResidence",
        "recorded_at": "2018-05-02T09:00:00+02:00",
        "residence_id": HOME,
        "deregistered_on": "2018-05-01",
        "reason": "abroad",
    },
]


async def load(
    office: RegistrationOffice, rows: Sequence[Mapping[str, Any] | str], key: str = "load"
) -> list[dict[str, Any]]:
    lines = [row if isinstance(row, str) else json.dumps(row) for row in rows]
    answer = await office.ask(
        "POST",
        "/initial-load/bookings",
        "initial_load",
        headers={"Content-Type": "application/x-ndjson", "Idempotency-Key": key},
        content="\n".join(lines).encode() + b"\n",
    )
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/x-ndjson"
    return [json.loads(line) for line in answer.text.splitlines()]


async def test_lines_are_booked_in_order_at_the_times_they_say(office: RegistrationOffice) -> None:
    results = await load(office, LIFE)
    assert [(result["line"], result["status"]) for result in results] == [(1, 201), (2, 201), (3, 201), (4, 201)]
    assert {result["residence_id"] for result in results} == {HOME}
    assert [event.time.isoformat() for event in office.events()] == [
        "2015-01-20T09:00:00+00:00",
        "2016-05-02T09:00:00+00:00",
        "2017-05-02T09:00:00+00:00",
        "2018-05-02T07:00:00+00:00",
    ]
    assert {event.subject for event in office.events()} == {SOMEBODY}
    assert office.query("select status, since::text, until::text from office.residence") == [
        ("deregistered", "2015-01-10", "2018-05-01")
    ]


async def test_a_line_can_correct_what_a_line_before_it_booked(office: RegistrationOffice) -> None:
    first = (await load(office, LIFE))[0]
    correction = {
        "command": "CorrectRegistration",
        "recorded_at": "2018-06-01T09:00:00Z",
        "residence_id": HOME,
        "booking_id": first["booking_id"],
        "reason": "wrong_document",
        "amendment": {"nationality": "125"},
    }
    (result,) = await load(office, [correction], key="corrections")
    assert result["status"] == 201, result


async def test_a_refused_line_says_why_and_the_others_go_on(office: RegistrationOffice) -> None:
    rows: list[Mapping[str, Any] | str] = [
        LIFE[0],
        "{no json",
        json.dumps({"command": "Conquer", "recorded_at": "2015-01-20T09:00:00Z"}),
        registration("2015-02-01T09:00:00Z", family_nam="Muster"),
        registration("2015-02-01T09:00:00Z", area="4711"),
        registration("2015-02-01T09:00:00"),
        {key: value for key, value in LIFE[1].items() if key != "residence_id"},
        registration("2014-12-31T09:00:00Z"),
        LIFE[3],
    ]
    results = await load(office, rows)
    assert [(result["status"], result.get("code")) for result in results] == [
        (201, None),
        (400, "json_malformed"),
        (422, "invalid"),
        (422, "invalid"),
        (422, "unknown_area"),
        (422, "invalid"),
        (400, "residence_id_missing"),
        (422, "recorded_at_backwards"),
        (201, None),
    ]
    assert results[3]["errors"][0]["pointer"] == "/family_nam"
    assert results[4]["errors"][0]["pointer"] == "/area"
    assert len(office.events()) == 2


async def test_an_upload_that_broke_off_is_sent_again_and_books_only_the_rest(office: RegistrationOffice) -> None:
    first = await load(office, LIFE[:2], key="city")
    again = await load(office, LIFE, key="city")
    assert again[:2] == first
    assert [result["status"] for result in again] == [201] * 4
    assert len(office.events()) == 4


async def test_a_residence_number_belongs_to_one_resident(office: RegistrationOffice) -> None:
    other = registration("2016-01-01T09:00:00Z", residence_id=HOME)
    results = await load(office, [LIFE[0], other])
    assert [(result["status"], result.get("code")) for result in results] == [(201, None), (409, "residence_exists")]


async def test_the_stock_at_the_beginning_is_opening_and_no_registration(office: RegistrationOffice) -> None:
    opening = registration("2007-01-01T09:00:00Z", arrival_kind="opening", moved_in_on="2006-12-31")
    del opening["previous_state"], opening["landlord_confirmation"]
    (result,) = await load(office, [opening])
    assert result["status"] == 201, result
    (transition,) = office.events()[0].data.transitions
    assert (transition.unit, transition.kind) == ("resident", "opening")


async def test_many_lines_go_through_many_transactions(office: RegistrationOffice) -> None:
    rows = [registration("2015-01-20T09:00:00Z", house_number=str(number)) for number in range(600)]
    results = await load(office, rows)
    assert {result["status"] for result in results} == {201}
    assert [result["number"] for result in results] == list(range(1, 601))
    assert office.query("select count(distinct house_number) from vault.address") == [(600,)]


async def test_before_the_load_is_closed_nobody_books_and_after_it_nobody_loads(office: RegistrationOffice) -> None:
    early = await office.post("/residences", NEW_RESIDENT)
    assert (early.status_code, early.json()["code"]) == (409, "initial_load_open")
    closed = await office.ask("POST", "/initial-load/closing", "initial_load")
    assert closed.status_code == 201, closed.text
    assert isinstance(office.events()[-1].data, InitialLoadClosed)
    (late,) = await load(office, LIFE[:1], key="late")
    assert (late["status"], late["code"]) == (409, "initial_load_closed")
    assert (await office.post("/residences", NEW_RESIDENT)).status_code == 201


async def test_an_open_load_has_no_time_of_closing(office: RegistrationOffice) -> None:
    await load(office, LIFE[:1])
    answer = await office.ask("GET", "/initial-load", "initial_load")
    assert (answer.status_code, answer.json()) == (200, {"closed_at": None})


async def test_a_closed_load_says_when_it_was_closed(office: RegistrationOffice) -> None:
    receipt = (await office.ask("POST", "/initial-load/closing", "initial_load")).json()
    answer = await office.ask("GET", "/initial-load", "initial_load")
    assert answer.status_code == 200, answer.text
    closed_at = datetime.fromisoformat(answer.json()["closed_at"])
    assert closed_at == datetime.fromisoformat(receipt["closed_at"]) == office.events()[-1].time


async def test_a_load_cannot_be_closed_twice_and_keeps_its_time(office: RegistrationOffice) -> None:
    receipt = (await office.ask("POST", "/initial-load/closing", "initial_load")).json()
    again = await office.ask("POST", "/initial-load/closing", "initial_load")
    assert (again.status_code, again.json()["code"]) == (409, "initial_load_closed")
    kept = (await office.ask("GET", "/initial-load", "initial_load")).json()["closed_at"]
    assert datetime.fromisoformat(kept) == datetime.fromisoformat(receipt["closed_at"])


async def test_only_lines_of_json_are_taken(office: RegistrationOffice) -> None:
    answer = await office.ask("POST", "/initial-load/bookings", "initial_load", json=LIFE[0])
    assert (answer.status_code, answer.json()["code"]) == (415, "content_type_wrong")


async def test_a_clerk_cannot_load(office: RegistrationOffice) -> None:
    assert (await office.ask("POST", "/initial-load/bookings", "clerk", content=b"")).status_code == 403
    assert (await office.ask("POST", "/initial-load/closing", "clerk")).status_code == 403


@pytest.mark.parametrize("role", ["clerk", "second_clerk", "office_lead", "coordination", "statistics", "operator"])
async def test_only_a_loader_asks_whether_the_load_is_closed(office: RegistrationOffice, role: str) -> None:
    answer = await office.ask("GET", "/initial-load", role)
    assert (answer.status_code, "closed_at" in answer.text) == (403, False)


async def test_nobody_without_a_token_asks_whether_the_load_is_closed(office: RegistrationOffice) -> None:
    answer = await office.client.get("/initial-load")
    assert (answer.status_code, "closed_at" in answer.text) == (401, False)
