"""Bad requests at the registration office's doors: each with its exact answer, and nothing is booked."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import OfficeDatabases, Templates
from stage.refusals import CANARY, Sent, check_problem, get, post, raw, register, registration
from stage.registration_office import ADDRESS
from stage.served_offices import ServedOffice, furnish, served_office

JSON = "application/json"
FORM = json.dumps(registration(), ensure_ascii=False)
HOME = "/residences/{home}"
GONE = "/residences/{gone}"
NOWHERE = "/residences/00000000-0000-4000-8000-000000000000"
MOVE = {**ADDRESS, "street": CANARY, "moved_on": "2018-12-15"}
GO = {"deregistered_on": "2018-12-31", "reason": "abroad"}
CHANGE = {"changed_on": "2018-12-20", "nationality": "000"}
CORRECT = {"booking_id": "{booking}", "reason": "typing_error", "amendment": {"family_name": CANARY}}


def key(value: str | None) -> Sent:
    return post("/residences", registration(), Idempotency_Key=value)


# What is sent, and: status, code, findings (code of the finding @ place in the request).
REFUSED: dict[str, tuple[Sent, int, str, str]] = {
    # Wrong types
    "a number for a name": (register(family_name=17), 422, "invalid", "text_needed@/family_name"),
    "yes for a name": (register(family_name=True), 422, "invalid", "text_needed@/family_name"),
    "a list for a name": (register(given_names=[CANARY]), 422, "invalid", "text_needed@/given_names"),
    "an object for a name": (register(given_names={"a": CANARY}), 422, "invalid", "text_needed@/given_names"),
    "a number for a key of three digits": (register(nationality=154), 422, "invalid", "text_needed@/nationality"),
    "a huge number": (register(house_number=10**4_000), 422, "invalid", "text_needed@/house_number"),
    "a list instead of a form": (post("/residences", [registration()]), 422, "invalid", "object_needed@"),
    "text instead of a form": (post("/residences", CANARY), 422, "invalid", "object_needed@"),
    "null instead of a form": (raw(b"null"), 422, "invalid", "object_needed@"),
    "nothing instead of a form": (raw(b""), 422, "invalid", "missing@"),
    # Days
    "seconds for a day": (register(moved_in_on=1_541_376_000), 422, "invalid", "date_needed@/moved_in_on"),
    "seconds for a day, as text": (register(moved_in_on="1541376000"), 422, "invalid", "date_needed@/moved_in_on"),
    "an exponent for a day": (
        raw(FORM.replace('"2018-11-05"', "1e400").encode()), 422, "invalid", "date_needed@/moved_in_on"),
    "a moment for a day": (register(moved_in_on="2018-11-05T00:00:00Z"), 422, "invalid", "date_needed@/moved_in_on"),
    "a day written the German way": (register(birth_date="14.05.1987"), 422, "invalid", "date_needed@/birth_date"),
    "a day that does not exist": (register(moved_in_on="2018-02-30"), 422, "invalid", "date_needed@/moved_in_on"),
    "the year nought": (register(moved_in_on="0000-01-01"), 422, "invalid", "date_needed@/moved_in_on"),
    "a name for a day": (register(birth_date=CANARY), 422, "invalid", "date_needed@/birth_date"),
    "moving in in the future": (register(moved_in_on="2999-01-01"), 422, "day_in_future", "day_in_future@/moved_in_on"),
    "a birth in the future": (
        register(birth_date="2999-01-01"), 422, "impossible_birth_date", "impossible_birth_date@/birth_date"),
    "a birth before anybody's": (
        register(birth_date="1802-01-01"), 422, "impossible_birth_date", "impossible_birth_date@/birth_date"),
    "moving in before the birth": (
        register(moved_in_on="1987-05-13"), 422, "before_birth", "before_birth@/moved_in_on"),
    "moving before moving in": (
        post(f"{HOME}/moves", {**MOVE, "moved_on": "2018-11-01"}),
        422, "before_moving_in", "before_moving_in@/moved_on"),
    "moving out before moving in": (
        post(f"{HOME}/deregistrations", {**GO, "deregistered_on": "2018-11-01"}),
        422, "before_moving_in", "before_moving_in@/deregistered_on"),
    # Codes
    "an unknown nationality": (
        register(nationality="777"), 422, "unknown_nationality", "unknown_nationality@/nationality"),
    "digits of another script": (register(postal_code="٤٤١٤٥"), 422, "invalid", "wrong_form@/postal_code"),
    "a municipality in digits of another script": (
        register(arrival_kind="other_municipality", previous_state=None, previous_municipality="٠٥٩١١٠٠٠"),
        422, "invalid", "wrong_form@/previous_municipality"),
    "an unknown area": (register(area="4711"), 422, "unknown_area", "unknown_area@/area"),
    "an area that is a name": (register(area=CANARY), 422, "invalid", "wrong_form@/area"),
    "a name that could be an area": (register(area="Zaunkoenig"), 422, "unknown_area", "unknown_area@/area"),
    "an unknown state": (register(previous_state="778"), 422, "unknown_state", "unknown_state@/previous_state"),
    "an unknown sex": (register(sex=CANARY), 422, "invalid", "not_offered@/sex"),
    "a code in capitals": (register(arrival_kind="Abroad"), 422, "invalid", "not_offered@/arrival_kind"),
    "an unknown reason": (
        post(f"{HOME}/deregistrations", {**GO, "reason": CANARY}), 422, "invalid", "not_offered@/reason"),
    "an opening in daily business": (
        register(arrival_kind="opening", previous_state=...), 422, "only_in_initial_load",
        "only_in_initial_load@/arrival_kind"),
    # Fields
    "an unknown field": (register(ethnicity=CANARY), 422, "invalid", "unknown_field@/ethnicity"),
    "a field that is somebody's name": (register(**{CANARY: "1"}), 422, "invalid", "unknown_field@"),
    "an unknown field in an amendment": (
        post(f"{HOME}/corrections", {**CORRECT, "amendment": {"familyname": CANARY}}),
        422, "invalid", "unknown_field@/amendment/familyname"),
    "a missing field": (register(street=...), 422, "invalid", "missing@/street"),
    "an empty name": (register(family_name="  "), 422, "invalid", "too_short@/family_name"),
    "a name that never ends": (register(family_name="x" * 121), 422, "invalid", "too_long@/family_name"),
    "half a character": (
        raw(FORM.replace("Maria", "\\ud800").encode()), 422, "invalid", "text_needed@/given_names"),
    "two things wrong": (
        register(sex="x", street=...), 422, "invalid", "missing@/street not_offered@/sex"),
    # Bodies
    "too large": (register(landlord=CANARY * 4_000), 413, "too_large", ""),
    "nested too deep": (raw(b"[" * 60_000), 400, "json_malformed", ""),
    "cut off": (raw(FORM[:-1].encode()), 400, "json_malformed", ""),
    "two bodies in one": (raw((FORM + FORM).encode()), 400, "json_malformed", ""),
    "a field twice": (raw(FORM.replace("{", f'{{"area": "{CANARY}", ', 1).encode()), 400, "field_twice", ""),
    "not a number": (raw(FORM.replace('"154"', "NaN", 1).encode()), 400, "json_malformed", ""),
    "latin-1": (raw(FORM.encode("latin-1"), f"{JSON}; charset=latin-1"), 400, "json_malformed", ""),
    "bytes that are no UTF-8": (raw(FORM.encode().replace(b"Maria", b"\xc3\x28")), 400, "json_malformed", ""),
    "UTF-16": (raw(FORM.encode("utf-16")), 400, "nul_character", ""),
    "a byte order mark": (raw(b"\xef\xbb\xbf" + FORM.encode()), 400, "json_malformed", ""),
    "NUL in a name": (register(family_name=f"{CANARY}\0"), 400, "nul_character", ""),
    "a NUL byte": (raw(FORM.encode() + b"\0"), 400, "nul_character", ""),
    "JSON that calls itself text": (raw(FORM.encode(), "text/plain"), 415, "content_type_wrong", ""),
    "JSON that calls itself a form": (
        raw(FORM.encode(), "application/x-www-form-urlencoded"), 415, "content_type_wrong", ""),
    "JSON that calls itself nothing": (raw(FORM.encode(), None), 415, "content_type_wrong", ""),
    "lines for a form": (raw(FORM.encode(), "application/x-ndjson"), 415, "content_type_wrong", ""),
    # What is booked already
    "a second main residence": (
        register(resident_id="{resident}", family_name=..., given_names=..., birth_date=..., sex=...),
        409, "main_residence_open", "main_residence_open@/moved_in_on"),
    "deregistering twice": (
        post(f"{GONE}/deregistrations", GO), 409, "residence_over", "residence_over@/deregistered_on"),
    "moving after the end": (post(f"{GONE}/moves", MOVE), 409, "residence_over", "residence_over@/moved_on"),
    "the nationality there is": (
        post(f"{HOME}/nationality-changes", {**CHANGE, "nationality": "154"}),
        422, "same_nationality", "same_nationality@/nationality"),
    "a residence that is not there": (post(f"{NOWHERE}/moves", MOVE), 404, "no_such_residence", ""),
    "a resident who is not there": (
        register(resident_id="00000000-0000-4000-8000-000000000000", family_name=..., given_names=...,
                 birth_date=..., sex=...), 404, "no_such_resident", ""),
    "a booking that is not there": (
        post(f"{HOME}/corrections", {**CORRECT, "booking_id": "00000000-0000-4000-8000-000000000000"}),
        404, "no_such_booking", ""),
    "a correction that says nothing": (
        post(f"{HOME}/corrections", {**CORRECT, "amendment": {}}), 422, "nothing_stated", "nothing_stated@/amendment"),
    "a stale view": (post(f"{HOME}/deregistrations", GO, If_Match='"1"'), 412, "stale", ""),
    "a view of anything": (post(f"{HOME}/deregistrations", GO, If_Match=CANARY.encode()), 412, "stale", ""),
    "several views": (post(f"{HOME}/deregistrations", GO, If_Match='"1", "2"'), 412, "stale", ""),
    # Keys
    "no key": (key(None), 400, "idempotency_key_missing", ""),
    "an empty key": (key(""), 400, "idempotency_key_invalid", ""),
    "a key with a blank": (key("a b"), 400, "idempotency_key_invalid", ""),
    "a key with an umlaut": (
        post("/residences", registration(), Idempotency_Key=CANARY.encode()), 400, "idempotency_key_invalid", ""),
    "a key that never ends": (key("k" * 256), 400, "idempotency_key_invalid", ""),
    # Addresses
    "no number of a residence": (get(f"/residences/{CANARY}"), 404, "not_found", ""),
    "a number in capitals": (get("/residences/00000000-0000-4000-8000-00000000ABCD"), 404, "not_found", ""),
    "an address that is nowhere": (get(f"/{CANARY}"), 404, "not_found", ""),
    "a slash too much": (get("/residences/"), 404, "not_found", ""),
    "up and down": (get("/residences/%2e%2e/%2e%2e/etc/passwd"), 404, "not_found", ""),
    "a percent sign too much": (get("/residences/%25%32%66"), 404, "not_found", ""),
    "NUL in the path": (get(f"/residences/%00{CANARY}"), 400, "nul_character", ""),
    "bytes that are no UTF-8 in the path": (get("/residences/%ff%fe"), 404, "not_found", ""),
    "a path without end": (get("/" + "a/" * 3_000), 404, "not_found", ""),
    "a wrong method": (Sent("DELETE", HOME), 405, "method_not_allowed", ""),
    "a method of other protocols": (Sent("PROPFIND", "/residences"), 405, "method_not_allowed", ""),
    # Lists
    "a cursor of words": (get(f"/residences?cursor={CANARY}"), 400, "cursor_invalid", ""),
    "a cursor of another list": (get("/residences?cursor=WyJhIl0"), 400, "cursor_invalid", ""),
    "a cursor with a second end": (get("/residences?cursor=WzFd="), 400, "cursor_invalid", ""),
    "no entries on a page": (get("/residences?limit=0"), 422, "invalid", "too_small@query:limit"),
    "too many on a page": (get("/residences?limit=201"), 422, "invalid", "too_large@query:limit"),
    "words for a limit": (get(f"/residences?limit={CANARY}"), 422, "invalid", "number_needed@query:limit"),
    "half a limit": (get("/residences?limit=1.5"), 422, "invalid", "number_needed@query:limit"),
    "a limit beyond numbers": (get(f"/residences?limit={'9' * 30}"), 422, "invalid", "too_large@query:limit"),
    "two limits": (get("/residences?limit=1&limit=2"), 422, "given_twice", "given_twice@query:limit"),
    "a state that is none": (get(f"/residences?status={CANARY}"), 422, "invalid", "not_offered@query:status"),
    "an area that is none": (get(f"/residences?area={CANARY}"), 422, "invalid", "wrong_form@query:area"),
    "NUL in a parameter": (get("/residences?area=%00"), 400, "nul_character", ""),
    # Load
    "a booking at its own time, after the load": (
        Sent("POST", "/initial-load/closing", ("initial_load",)), 409, "initial_load_closed", "initial_load_closed@"),
    "an upload as JSON": (
        Sent("POST", "/initial-load/bookings", ("initial_load",), {}, {"json": [registration()]}),
        415, "content_type_wrong", ""),
}  # fmt: skip


@pytest.fixture(scope="module")
def office(templates: Templates, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedOffice]:
    databases = OfficeDatabases(templates)
    folder: Path = tmp_path_factory.mktemp("registration")
    with served_office(databases("registration"), folder) as served:
        furnish(served)
        yield served
    databases.drop_all()


@pytest.mark.parametrize("name", REFUSED)
def test_a_bad_request_is_refused_exactly_and_books_nothing(office: ServedOffice, name: str) -> None:
    sent, status, code, at = REFUSED[name]
    before = office.booked()
    check_problem(sent.to(office), status, code, at)
    assert office.booked() == before
