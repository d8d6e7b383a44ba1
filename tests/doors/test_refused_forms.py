"""Bad forms, uploads and wires at the registration office: answers for people, line by line, or none at all."""

import json
import socket
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from conftest import OfficeDatabases, Templates
from stage.refusals import CANARY, Sent, check_problem, post, registration
from stage.registration_office import ADDRESS, NEW_RESIDENT
from stage.served_offices import ServedOffice, furnish, served_office

TYPED = {**{name: value for name, value in NEW_RESIDENT.items() if value}, "residence_kind": "main"}
MOVED = {**ADDRESS, "moved_on": "2018-12-15"}


@pytest.fixture(scope="module")
def offices(templates: Templates) -> Iterator[OfficeDatabases]:
    databases = OfficeDatabases(templates)
    yield databases
    databases.drop_all()


@pytest.fixture(scope="module")
def office(offices: OfficeDatabases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedOffice]:
    folder: Path = tmp_path_factory.mktemp("forms")
    with served_office(offices("registration"), folder) as served:
        furnish(served)
        yield served


# Forms of the pages ---------------------------------------------------------------------------------------------------

# Path, fields, how many of them are said to be wrong.
FORMS: dict[str, tuple[str, Mapping[str, str], int]] = {
    "a name for a day": ("/clerk/register", {**TYPED, "birth_date": "gestern"}, 1),
    "a day to come": ("/clerk/register", {**TYPED, "moved_in_on": "2999-01-01"}, 1),
    "seconds for a day": ("/clerk/register", {**TYPED, "moved_in_on": "1541376000"}, 1),
    "a nationality of nowhere": ("/clerk/register", {**TYPED, "nationality": "Atlantis"}, 1),
    "a quarter of nowhere": ("/clerk/register", {**TYPED, "area": "Phantasien"}, 1),
    "a code that is not offered": ("/clerk/register", {**TYPED, "sex": "x"}, 1),
    "an opening": ("/clerk/register", {**TYPED, "arrival_kind": "opening", "previous_state": ""}, 1),
    "nothing at all": ("/clerk/register", {}, 10),
    "a name that never ends": ("/clerk/register", {**TYPED, "family_name": "x" * 121}, 1),
    "moving before moving in": ("/clerk/residences/{home}/move", {**MOVED, "moved_on": "2018-11-01"}, 1),
    "a reason that is none": (
        "/clerk/residences/{home}/deregister", {"deregistered_on": "2018-12-31", "reason": "eviction"}, 1),
    "deregistering twice": (
        "/clerk/residences/{gone}/deregister", {"deregistered_on": "2018-12-31", "reason": "abroad"}, 1),
}  # fmt: skip


@pytest.mark.parametrize("name", FORMS)
def test_a_bad_form_comes_back_with_what_is_wrong(office: ServedOffice, name: str) -> None:
    path, fields, wrong = FORMS[name]
    before = office.booked()
    answer = _send(office, path, {**fields, "idempotency_key": str(uuid4())})
    assert (answer.status_code, answer.headers["content-type"]) == (422, "text/html; charset=utf-8")
    assert answer.text.count('class="field__error"') == wrong, answer.text
    assert office.booked() == before


def test_a_form_is_taken_from_the_offices_own_pages_only(office: ServedOffice) -> None:
    before = office.booked()
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://elsewhere.test"}, {}):
        answer = _send(office, "/clerk/register", {**TYPED, "idempotency_key": "k"}, headers)
        assert answer.status_code == 403
        assert "foreign_page" in answer.text
    assert office.booked() == before


def test_a_form_without_its_key_or_of_another_kind_books_nothing(office: ServedOffice) -> None:
    before = office.booked()
    assert _send(office, "/clerk/register", TYPED).status_code == 422
    sent = Sent("POST", "/clerk/register", body={"json": registration()})
    assert sent.to(office).status_code == 422
    assert office.booked() == before


def _send(
    office: ServedOffice, path: str, fields: Mapping[str, str], headers: Mapping[str, str] | None = None
) -> httpx.Response:
    """As a browser sends a form of a page that is open in it."""
    shown = {
        "Accept": "text/html",
        "Cookie": f"verbund_session_registration={office.kit.token('clerk', subject='somebody')}",
        **({"Sec-Fetch-Site": "same-origin"} if headers is None else headers),
    }
    return office.client.post(office.placed(path), headers=shown, data=dict(fields))


# Keys -----------------------------------------------------------------------------------------------------------------


def test_a_key_stands_for_one_request(office: ServedOffice) -> None:
    first = post("/residences/{home}/moves", MOVED, Idempotency_Key="reused")
    assert first.to(office).status_code == 201
    before = office.booked()
    for other in (
        post("/residences/{home}/moves", {**MOVED, "street": CANARY}, Idempotency_Key="reused"),
        post("/residences/{gone}/moves", MOVED, Idempotency_Key="reused"),
        post("/residences/{home}/moves?again=1", MOVED, Idempotency_Key="reused"),
        post("/residences/{home}/moves", MOVED, Idempotency_Key="reused", If_Match='"1"'),
    ):
        check_problem(other.to(office), 422, "idempotency_key_reused", "")
    again = first.to(office)
    assert (again.status_code, again.headers["idempotency-replayed"]) == (201, "true")
    assert office.booked() == before


def test_of_a_hundred_posts_with_one_key_one_books(office: ServedOffice) -> None:
    ((before,),) = office.query("select count(*) from ledger.record")
    sent = post("/residences", registration(), Idempotency_Key="hundred")
    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(lambda _: sent.to(office), range(100)))
    booked = [answer.json()["booking_id"] for answer in answers if answer.status_code == 201]
    assert len(set(booked)) == 1
    for answer in answers:
        if answer.status_code != 201:
            check_problem(answer, 409, "request_under_way", "")
    assert office.query("select count(*) from ledger.record") == [(before + 1,)]


# Uploads --------------------------------------------------------------------------------------------------------------

_LOADED = registration(command="RegisterResidence", recorded_at="2018-11-12T09:10:00Z")
_HOME = "11111111-1111-4111-8111-111111111111"


def _line(**changes: Any) -> str:
    row = {**_LOADED, **changes}
    return json.dumps({name: value for name, value in row.items() if value is not ...}, ensure_ascii=False)


# A line, and: status, code, findings.
LINES: dict[str, tuple[bytes, int, str, str]] = {
    "words": (CANARY.encode(), 400, "json_malformed", ""),
    "an empty line": (b"", 400, "json_malformed", ""),
    "latin-1": (_line().encode("latin-1"), 400, "json_malformed", ""),
    "a byte order mark": (b"\xef\xbb\xbf" + _line().encode(), 400, "json_malformed", ""),
    "half a character": (_line().replace("Maria", "\\ud800").encode(), 400, "json_malformed", ""),
    "nested too deep": (b"[" * 50_000, 400, "json_malformed", ""),
    "a list": (b"[]", 422, "invalid", "object_needed@"),
    "a field twice": (_line().replace("{", f'{{"area": "{CANARY}", ', 1).encode(), 400, "field_twice", ""),
    "no command": (_line(command=...).encode(), 422, "invalid", "missing@/command"),
    "an unknown command": (_line(command=CANARY).encode(), 422, "invalid", "not_offered@/command"),
    "no moment": (_line(recorded_at=...).encode(), 422, "invalid", "missing@/recorded_at"),
    "a number for a moment": (_line(recorded_at=1_541_376_000).encode(), 422, "invalid", "moment_needed@/recorded_at"),
    "a name for a moment": (_line(recorded_at=CANARY).encode(), 422, "invalid", "moment_needed@/recorded_at"),
    "no time zone": (
        _line(recorded_at="2018-11-12T09:10:00").encode(), 422, "invalid", "time_zone_missing@/recorded_at"),
    "a moment to come": (
        _line(recorded_at="2999-01-01T00:00:00Z").encode(), 422, "recorded_at_in_future",
        "recorded_at_in_future@/recorded_at"),
    "a booking before the last": (
        _line(recorded_at="2018-01-01T00:00:00Z").encode(), 422, "recorded_at_backwards",
        "recorded_at_backwards@/recorded_at"),
    "an unknown field": (_line(ethnicity=CANARY).encode(), 422, "invalid", "unknown_field@/ethnicity"),
    "seconds for a day": (_line(moved_in_on=0).encode(), 422, "invalid", "date_needed@/moved_in_on"),
    "an unknown area": (_line(area="Zaunkoenig").encode(), 422, "unknown_area", "unknown_area@/area"),
    "a move of nobody": (
        _line(command="MoveResidence").encode(), 400, "residence_id_missing", ""),
}  # fmt: skip


@pytest.fixture(scope="module")
def loading(offices: OfficeDatabases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedOffice]:
    """An office in its initial load, that knows one residence already."""
    folder: Path = tmp_path_factory.mktemp("load")
    with served_office(offices("registration"), folder) as served:
        (first,) = _upload(served, [_line(residence_id=_HOME).encode()])
        assert first["status"] == 201
        yield served


@pytest.mark.parametrize("name", LINES)
def test_a_bad_line_says_why_and_the_next_one_is_read(loading: ServedOffice, name: str) -> None:
    line, status, code, at = LINES[name]
    before = loading.booked()
    bad, after = _upload(loading, [line, b'{"command": "MoveResidence"}'])
    findings = " ".join(f"{found['code']}@{found['pointer']}" for found in bad["errors"])
    assert (bad["line"], bad["status"], bad["code"], findings) == (1, status, code, at)
    assert CANARY not in json.dumps(bad, ensure_ascii=False)
    assert (after["line"], after["code"]) == (2, "invalid")
    assert loading.booked() == before


def test_an_upload_over_the_limit_is_not_begun(loading: ServedOffice) -> None:
    before = loading.booked()
    answer = _post_lines(loading, [b"x" * (4 * 1024 * 1024 + 1)])
    check_problem(answer, 413, "too_large", "")
    assert loading.booked() == before


def _post_lines(office: ServedOffice, lines: list[bytes]) -> httpx.Response:
    headers = {"Content-Type": "application/x-ndjson", "Idempotency-Key": str(uuid4())}
    content = b"\n".join(lines) + b"\n"
    return office.ask("POST", "/initial-load/bookings", "initial_load", headers=headers, content=content)


def _upload(office: ServedOffice, lines: list[bytes]) -> list[dict[str, Any]]:
    answer = _post_lines(office, lines)
    assert answer.status_code == 200, answer.text
    return [json.loads(line) for line in answer.text.splitlines()]


# The wire -------------------------------------------------------------------------------------------------------------

_BODY = json.dumps(registration()).encode()
_CHUNKED = b"Transfer-Encoding: chunked\r\n"


def _length(size: int) -> bytes:
    return b"Content-Length: %d\r\n" % size


# Headers beside the usual ones, body, and the statuses that go back in order: what cannot be told apart ends the
# connection, so that nothing after it is taken for a request.
WIRES: dict[str, tuple[bytes, bytes, list[int]]] = {
    "two lengths": (_length(len(_BODY)) + _length(len(_BODY) + 1), _BODY, [400]),
    "the same length twice": (_length(len(_BODY)) * 2, _BODY, [400]),
    "a length and chunks": (_length(len(_BODY)) + _CHUNKED, b"0\r\n\r\n", [400]),
    "chunks and a length": (_CHUNKED + _length(4), b"0\r\n\r\n", [400]),
    "a negative length": (b"Content-Length: -1\r\n", _BODY, [400]),
    "a length with a sign": (b"Content-Length: +%d\r\n" % len(_BODY), _BODY, [400]),
    "a length in hex": (b"Content-Length: 0x10\r\n", _BODY, [400]),
    "an unknown encoding": (b"Transfer-Encoding: identity\r\n", _BODY, [400]),
    "a chunk of no size": (_CHUNKED, b"zz\r\n" + _BODY, [400]),
    "a header without a colon": (b"Zaunkoenig\r\n" + _length(len(_BODY)), _BODY, [400]),
    "a blank before the colon": (b"Content-Length : %d\r\n" % len(_BODY), _BODY, [400]),
    "a NUL in a header": (b"X-Name: a\0b\r\n" + _length(len(_BODY)), _BODY, [400]),
    "a length beyond the limit": (_length(10**12), b"", [413]),
    "a length beyond all numbers": (b"Content-Length: " + b"9" * 40 + b"\r\n", b"", [400]),
}  # fmt: skip


@pytest.mark.parametrize("name", WIRES)
def test_what_could_hide_a_second_request_is_not_read(office: ServedOffice, name: str) -> None:
    headers, body, statuses = WIRES[name]
    before = office.booked()
    hidden = b"GET /livez HTTP/1.1\r\nHost: hidden\r\n\r\n"
    said = _talk(office, b"POST /residences HTTP/1.1", headers, body + hidden)
    assert [int(line.split()[1]) for line in said.splitlines() if line.startswith(b"HTTP/1.1 ")] == statuses, said
    assert office.booked() == before
    assert office.client.get("/livez").status_code == 200


@pytest.mark.parametrize("line", [b"BOOK /residences HTTP/1.1", b"POST /residences HTTP/9.9", b"\x16\x03\x01\x02\x00"])
def test_what_is_no_request_is_not_read(office: ServedOffice, line: bytes) -> None:
    before = office.booked()
    assert b" 400 " in _talk(office, line, _length(len(_BODY)), _BODY).partition(b"\r\n")[0]
    assert office.booked() == before


def _talk(office: ServedOffice, line: bytes, headers: bytes, body: bytes) -> bytes:
    """Everything that the service says before it closes the connection, or is silent for a second."""
    url = httpx.URL(office.url)
    usual = {
        "Host": f"{url.host}:{url.port}",
        **office.bearer("clerk"),
        "Content-Type": "application/json",
        "Idempotency-Key": str(uuid4()),
    }
    head = b"".join(f"{name}: {value}\r\n".encode() for name, value in usual.items())
    said = b""
    with socket.create_connection((url.host, url.port or 80), timeout=1) as wire:
        wire.sendall(line + b"\r\n" + head + headers + b"\r\n" + body)
        try:
            while more := wire.recv(65_536):
                said += more
        except (TimeoutError, ConnectionResetError):
            pass
    return said
