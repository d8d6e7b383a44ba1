"""The doors of the registration office for programs, on a real database."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from conftest import OfficeDatabases
from stage.registration_office import ADDRESS, NEW_RESIDENT, RegistrationOffice, open_office

from verbund.events.registration import RegistrationCorrected, ResidenceMoved, ResidenceRegistered


@pytest.fixture
async def office(office_database: OfficeDatabases, tmp_path: Path) -> AsyncIterator[RegistrationOffice]:
    async with open_office(office_database("registration"), tmp_path) as opened:
        yield opened


async def test_a_registration_is_answered_with_its_place_and_its_numbers(office: RegistrationOffice) -> None:
    answer = await office.post("/residences", NEW_RESIDENT)
    assert answer.status_code == 201, answer.text
    receipt = answer.json()
    assert answer.headers["location"] == f"/residences/{receipt['residence_id']}"
    assert answer.headers["etag"] == '"1"'
    event = office.events()[-1]
    assert isinstance(event.data, ResidenceRegistered)
    assert (event.number, event.subject) == (receipt["number"], receipt["resident_id"])
    assert (event.data.booking_id, event.data.residence_id) == (receipt["booking_id"], receipt["residence_id"])


async def test_no_name_and_no_address_leaves_the_vault(office: RegistrationOffice) -> None:
    await office.register()
    everything = office.query(
        "select convert_from(body, 'utf8') from ledger.record union all select state::text from office.resident"
    )
    told = " ".join(text for (text,) in everything)
    # None of these can be a part of an identifier or of an instant by chance.
    for secret in ("Muster", "Maria", "1987-05-14", "12w", '"44145"'):
        assert secret not in told
    answers = office.query("select receipt::text || location || key from desk.answer where location is not null")
    assert not [text for (text,) in answers if "Muster" in text]


async def test_a_repeat_books_once(office: RegistrationOffice) -> None:
    first = await office.post("/residences", NEW_RESIDENT, Idempotency_Key="one")
    again = await office.post("/residences", NEW_RESIDENT, Idempotency_Key="one")
    assert again.json() == first.json()
    assert again.headers["idempotency-replayed"] == "true"
    assert len(office.events()) == 2  # the closing of the initial load, and the registration


async def test_moves_deregistrations_and_corrections_make_a_history(office: RegistrationOffice) -> None:
    receipt = await office.register()
    home = f"/residences/{receipt['residence_id']}"
    moved = await office.post(f"{home}/moves", {**ADDRESS, "moved_on": "2018-12-01"})
    assert moved.status_code == 201, moved.text
    changed = await office.post(f"{home}/nationality-changes", {"changed_on": "2018-12-15", "nationality": "000"})
    assert changed.status_code == 201, changed.text
    corrected = await office.post(
        f"{home}/corrections",
        {
            "booking_id": receipt["booking_id"],
            "reason": "wrong_document",
            "amendment": {"nationality": "125", "family_name": "Munster", "house_number": "12b"},
        },
    )
    assert corrected.status_code == 201, corrected.text
    gone = await office.post(f"{home}/deregistrations", {"deregistered_on": "2019-02-01", "reason": "abroad"})
    assert gone.status_code == 201, gone.text
    assert gone.headers["etag"] == '"5"'

    answer = await office.ask("GET", home)
    shown = answer.json()
    assert answer.headers["etag"] == '"5"'
    assert shown["person"] == {"family_name": "Munster", "given_names": "Maria", "birth_date": "1987-05-14"}
    assert shown["residence"] == {
        "residence_id": receipt["residence_id"],
        "status": "deregistered",
        "residence_kind": "main",
        "area": "04",
        "nationality": "000",
        "since": "2018-11-05",
        "until": "2019-02-01",
        "doubted_on": None,
    }
    assert [line["booked"]["kind"] for line in shown["bookings"]] == [
        "registration",
        "move",
        "nationality_change",
        "correction",
        "deregistration",
    ]
    assert shown["bookings"][0]["holds"]["nationality"] == "125"
    assert shown["bookings"][0]["address"]["house_number"] == "12b"
    assert shown["bookings"][1]["address"]["street"] == "Musterweg"
    signs = [transition.sign for transition in office.events()[-2].data.transitions]
    assert signs == [-1, -1, -1, 1, 1, 1]


async def test_a_correction_books_an_event_without_what_it_corrected_in_the_vault(office: RegistrationOffice) -> None:
    receipt = await office.register()
    await office.post(
        f"/residences/{receipt['residence_id']}/corrections",
        {"booking_id": receipt["booking_id"], "reason": "typing_error", "amendment": {"family_name": "Munster"}},
    )
    data = office.events()[-1].data
    assert isinstance(data, RegistrationCorrected)
    assert data.transitions == ()
    assert office.query("select family_name from vault.person") == [("Munster",)]


async def test_a_second_residence_belongs_to_the_same_resident(office: RegistrationOffice) -> None:
    first = await office.register()
    second = {
        **ADDRESS,
        "resident_id": first["resident_id"],
        "residence_kind": "secondary",
        "nationality": "154",
        "moved_in_on": "2019-01-02",
        "arrival_kind": "unknown",
    }
    answer = await office.post("/residences", second)
    assert answer.status_code == 201, answer.text
    assert answer.json()["resident_id"] == first["resident_id"]
    assert office.query("select count(*) from vault.person") == [(1,)]
    assert office.query("select residence_kind from office.residence order by number") == [("main",), ("secondary",)]


async def test_a_refusal_names_the_field_and_what_is_allowed(office: RegistrationOffice) -> None:
    receipt = await office.register()
    home = f"/residences/{receipt['residence_id']}"
    await office.post(f"{home}/deregistrations", {"deregistered_on": "2019-02-01", "reason": "abroad"})
    answer = await office.post(f"{home}/deregistrations", {"deregistered_on": "2019-02-01", "reason": "abroad"})
    assert answer.status_code == 409
    problem = answer.json()
    assert problem["code"] == "residence_over"
    assert problem["errors"][0]["pointer"] == "/deregistered_on"
    assert problem["allowed"] == ["RegisterResidence", "CorrectRegistration"]


async def test_who_decides_on_an_old_view_is_told_so(office: RegistrationOffice) -> None:
    receipt = await office.register()
    home = f"/residences/{receipt['residence_id']}"
    await office.post(f"{home}/moves", {**ADDRESS, "moved_on": "2018-12-01"}, If_Match='"1"')
    answer = await office.post(f"{home}/moves", {**ADDRESS, "moved_on": "2018-12-02"}, If_Match='"1"')
    assert (answer.status_code, answer.json()["code"]) == (412, "stale")
    assert len([event for event in office.events() if isinstance(event.data, ResidenceMoved)]) == 1


async def test_an_unknown_residence_is_not_found(office: RegistrationOffice) -> None:
    nowhere = "/residences/00000000-0000-4000-8000-000000000000"
    assert (await office.ask("GET", nowhere)).status_code == 404
    assert (await office.post(f"{nowhere}/moves", {**ADDRESS, "moved_on": "2018-12-01"})).status_code == 404
    assert (await office.ask("GET", "/residences/no-number")).status_code == 404


async def test_the_list_goes_from_the_latest_down_page_by_page_and_without_names(office: RegistrationOffice) -> None:
    booked = [(await office.register())["residence_id"] for _ in range(5)]
    listed: list[str] = []
    path = "/residences?limit=2"
    while path:
        answer = await office.ask("GET", path)
        assert "Muster" not in answer.text
        listed += [row["residence_id"] for row in answer.json()]
        path = answer.links.get("next", {}).get("url", "")
    assert listed == list(reversed(booked))
    other = await office.ask("GET", "/residences?area=04")
    assert other.json() == []


async def test_reading_personal_data_is_recorded(office: RegistrationOffice) -> None:
    receipt = await office.register()
    await office.ask("GET", "/residences")
    assert office.query("select count(*) from vault.reading") == [(0,)]
    await office.ask("GET", f"/residences/{receipt['residence_id']}")
    readings = office.query("select reader, what, residence_ids::text[], purpose from vault.reading")
    assert readings == [("somebody", "residence", [receipt["residence_id"]], "keeping the register (§ 3 BMG)")]


async def test_the_office_cannot_change_the_record_of_readings(office: RegistrationOffice) -> None:
    grants = office.query(
        "select privilege_type from information_schema.role_table_grants "
        "where grantee = 'registration_desk' and table_schema = 'vault' and table_name = 'reading'"
    )
    assert grants == [("INSERT",)]


async def test_an_opening_is_for_the_initial_load_only(office: RegistrationOffice) -> None:
    fields = {**NEW_RESIDENT, "arrival_kind": "opening"}
    del fields["previous_state"]
    answer = await office.post("/residences", fields)
    assert (answer.status_code, answer.json()["code"]) == (422, "only_in_initial_load")


async def test_the_reference_shows_examples_that_the_office_books(office: RegistrationOffice) -> None:
    reference = (await office.ask("GET", "/openapi.json")).json()
    examples = reference["paths"]["/residences"]["post"]["requestBody"]["content"]["application/json"]["examples"]
    answer = await office.post("/residences", examples["from abroad"]["value"])
    assert answer.status_code == 201, answer.text


@pytest.mark.parametrize("role", ["coordination", "statistics", "initial_load", "operator"])
async def test_only_clerks_of_the_office_read_and_book(office: RegistrationOffice, role: str) -> None:
    assert (await office.ask("GET", "/residences", role)).status_code == 403
    assert (await office.ask("POST", "/residences", role, json=NEW_RESIDENT)).status_code == 403
