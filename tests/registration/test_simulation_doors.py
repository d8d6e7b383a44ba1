"""The plan goes through HTTP doors once, whatever breaks on the way; then the city lives.

The office here is a stand-in on a loopback port: its rules are the office's own, its desk is a dictionary.
"""

import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from registration.commands import (
    ChangeNationality,
    Command,
    CorrectionForm,
    CorrectRegistration,
    DeregisterResidence,
    DeregistrationForm,
    MoveForm,
    MoveResidence,
    NationalityForm,
    RegisterResidence,
    ResidenceForm,
)
from registration.domain import Resident, decide, evolve
from registration.domain.lists import lists_of
from registration.domain.views import residences_of
from registration.simulation.bookings import Booking
from registration.simulation.doors import Doors, OfficeSilent, Refused
from registration.simulation.loader import RowRefused, chunks, close, is_closed, load_bookings
from registration.simulation.pace import CityLife, live_on
from registration.simulation.plan import EARLIEST_END, plan_city
from registration.simulation.printed import CITY, printed_figures
from registration.simulation.quarters import Quarters
from verbund.errors import Problem

_COMMANDS: dict[str, tuple[type[Any], type[Any]]] = {
    "RegisterResidence": (RegisterResidence, ResidenceForm),
    "MoveResidence": (MoveResidence, MoveForm),
    "DeregisterResidence": (DeregisterResidence, DeregistrationForm),
    "ChangeNationality": (ChangeNationality, NationalityForm),
    "CorrectRegistration": (CorrectRegistration, CorrectionForm),
}
_ROUTES = {
    "moves": "MoveResidence",
    "deregistrations": "DeregisterResidence",
    "nationality-changes": "ChangeNationality",
    "corrections": "CorrectRegistration",
}


@dataclass
class Office:
    """What the stand-in has booked, and what it does wrong on purpose."""

    residents: dict[str, Resident] = field(default_factory=dict)
    resident_of: dict[str, str] = field(default_factory=dict)
    answers: dict[str, tuple[str, dict[str, Any]]] = field(default_factory=dict)
    booked: list[str] = field(default_factory=list)
    latest: datetime = datetime(1, 1, 1, tzinfo=UTC)
    closed: bool = False
    troubles: Iterator[str] = field(default_factory=lambda: iter(()))
    """For each request in turn: `busy` (503), `cut` (booked, and the line is cut before the answer), or `none`."""

    def book(self, key: str, command: str, said: dict[str, Any], at: datetime | None) -> dict[str, Any]:
        """The receipt of a booking, or of the same one made before; raises `Problem`."""
        spelt = json.dumps([command, said, at and at.isoformat()], sort_keys=True)
        if key in self.answers:
            assert self.answers[key][0] == spelt, "an idempotency key came back with another request"
            return self.answers[key][1]
        if (at is None) != self.closed:
            raise Problem("initial_load_closed" if self.closed else "initial_load_open", "")
        if at is not None and at < self.latest:
            raise Problem("recorded_at_backwards", "")
        filed = self._filed(command, dict(said), at)
        if isinstance(filed, RegisterResidence):
            self.resident_of[filed.residence_id] = filed.resident_id
        resident_id = self.resident_of.get(filed.residence_id, "")
        known = self.residents.get(resident_id)
        subject, data = decide(known, filed, at or datetime.now(UTC), lists_of(CITY))
        self.residents[resident_id] = evolve(known, subject, data)
        self.latest = at or self.latest
        self.booked.append(command)
        receipt = {"residence_id": filed.residence_id, "booking_id": filed.booking_id}
        self.answers[key] = (spelt, receipt)
        return receipt

    def _filed(self, name: str, said: dict[str, Any], at: datetime | None) -> Command:
        command, form = _COMMANDS[name]
        numbers: dict[str, Any] = {"phase": "initial_load" if at else "daily_business"}
        if "residence_id" in said:
            numbers["residence_id"] = said.pop("residence_id")
        if said.get("resident_id"):
            numbers["resident_id"] = said["resident_id"]
        filed: Command = command(form=form.model_validate(said), **numbers)
        return filed


class _Door(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 1 << 16  # head and body in one packet
    office: Office

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing."""

    def do_GET(self) -> None:
        asked = parse_qs(urlsplit(self.path).query)
        if not asked:
            self._answer(200, {"status": "ready"})
            return
        listed = [
            {"residence_id": one.residence_id, "nationality": one.nationality, "since": one.since.isoformat()}
            for resident in reversed(self.office.residents.values())
            for one in residences_of(resident)
            if (one.status, one.area) == (*asked["status"], *asked["area"])
        ]
        self._send(200, json.dumps(listed[: int(asked["limit"][0])]).encode())

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        assert self.headers["Authorization"] == "Bearer good"
        key = self.headers["Idempotency-Key"]
        trouble = next(self.office.troubles, "none")
        if trouble == "busy":
            self._answer(503, {"code": "overloaded", "detail": "Try again."})
        elif self.path == "/initial-load/bookings":
            results = list(self._rows(key, body))
            if trouble == "cut":
                self.close_connection = True
                return
            self._send(200, b"".join(json.dumps(result).encode() + b"\n" for result in results))
        elif self.path == "/initial-load/closing":
            self.office.closed = True
            self._answer(201, {})
        else:
            self._book_one(key, json.loads(body))

    def _rows(self, key: str, body: bytes) -> Iterator[dict[str, Any]]:
        for line, text in enumerate(body.splitlines(), start=1):
            row = json.loads(text)
            at = datetime.fromisoformat(row.pop("recorded_at"))
            try:
                receipt = self.office.book(f"{key}:{line}", row.pop("command"), row, at)
                yield {"line": line, "status": 201, **receipt}
            except Problem as problem:
                yield {"line": line, "status": 409, "code": problem.code, "detail": problem.message}

    def _book_one(self, key: str, said: dict[str, Any]) -> None:
        parts = self.path.strip("/").split("/")
        command = "RegisterResidence" if len(parts) == 1 else _ROUTES[parts[2]]
        try:
            numbers = {} if len(parts) == 1 else {"residence_id": parts[1]}
            self._answer(201, self.office.book(key, command, {**said, **numbers}, None))
        except Problem as problem:
            self._answer(problem.status, {"code": problem.code, "detail": problem.message})

    def _answer(self, status: int, content: dict[str, Any]) -> None:
        self._send(status, json.dumps(content).encode())

    def _send(self, status: int, content: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


@pytest.fixture
def office() -> Office:
    return Office()


@pytest.fixture
def doors(office: Office) -> Iterator[Doors]:
    handler = type("Door", (_Door,), {"office": office})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    with Doors(f"http://127.0.0.1:{server.server_port}", lambda: "good", Event()) as opened:
        yield opened
    server.shutdown()
    server.server_close()
    thread.join()


@cache
def beginning() -> Sequence[Booking]:
    """The first years of a plan: long enough for returns and for corrections of corrections."""
    return plan_city(1, EARLIEST_END, printed_figures())[:5000]


def load(doors: Doors, bookings: Sequence[Booking], stop: Event | None = None) -> bool:
    return load_bookings(doors, bookings, 1, stop or Event(), lambda done, total: None)


def test_every_booking_is_made_once_and_then_the_load_is_closed(office: Office, doors: Doors) -> None:
    doors.wait_until_ready()
    assert not is_closed(doors)
    seen: list[tuple[int, int]] = []
    assert load_bookings(doors, beginning(), 1, Event(), lambda done, total: seen.append((done, total)))
    close(doors, 1)
    assert office.booked == [booking.command for booking in beginning()]
    assert seen[0] == (0, len(beginning()))
    assert seen[-1] == (len(beginning()), len(beginning()))
    assert is_closed(doors)


def test_a_load_through_a_bad_line_books_everything_once(office: Office, doors: Doors) -> None:
    office.troubles = iter(["busy", "none", "cut", "busy", "cut", "none", "cut"])
    assert load(doors, beginning())
    assert office.booked == [booking.command for booking in beginning()]


def test_a_load_that_was_broken_off_goes_on_with_a_longer_plan(office: Office, doors: Doors) -> None:
    assert load(doors, beginning()[:3210])
    assert load(doors, beginning())
    assert office.booked == [booking.command for booking in beginning()]


def test_a_load_stops_when_it_is_told_to(office: Office, doors: Doors) -> None:
    stop = Event()
    stop.set()
    assert not load(doors, beginning(), stop)
    assert office.booked == []


def test_a_refused_row_stops_the_load_and_is_named(office: Office, doors: Doors) -> None:
    bad = list(beginning()[:700])
    number = next(i for i, booking in enumerate(bad) if i > 600 and booking.command == "RegisterResidence")
    bad[number] = replace(bad[number], fields={**bad[number].fields, "area": "99"})
    with pytest.raises(RowRefused, match=f"booking {number + 1} .*unknown_area") as refused:
        load(doors, bad)
    assert refused.value.line == number + 1
    assert refused.value.code == "unknown_area"


def test_a_correction_never_stands_in_one_chunk_with_what_it_corrects() -> None:
    bookings = beginning()
    cut = list(chunks(bookings))
    assert [booking for chunk in cut for booking in chunk] == list(bookings)
    assert max(len(chunk) for chunk in cut) <= 1000
    for chunk in cut:
        references = {booking.reference for booking in chunk}
        assert not [booking for booking in chunk if booking.corrects in references]


@pytest.mark.parametrize("seed", [5])
def test_the_city_lives_on_without_a_refusal(office: Office, doors: Doors, seed: int) -> None:
    load(doors, beginning()[:2000])
    close(doors, 1)
    before = len(office.booked)
    life = CityLife(doors, Quarters(printed_figures()), random.Random(seed))
    for _ in range(200):
        life.book_something()
    lived = office.booked[before:]
    assert len(lived) == 200
    assert set(lived) >= set(_COMMANDS) - {"ChangeNationality"}


def test_the_city_lives_until_it_is_stopped(office: Office, doors: Doors) -> None:
    load(doors, beginning())
    close(doors, 1)
    stop, before = Event(), len(office.booked)
    office.troubles = _stop_after(30, stop)
    live_on(CityLife(doors, Quarters(printed_figures()), random.Random(5)), 60_000.0, stop, random.Random(5))
    assert len(office.booked) == before + 31


def test_a_city_whose_every_booking_is_refused_says_so(office: Office, doors: Doors) -> None:
    load(doors, beginning())
    before = len(office.booked)
    life = CityLife(doors, Quarters(printed_figures()), random.Random(5))
    with pytest.raises(Refused, match="initial_load_open"):
        live_on(life, 60_000.0, Event(), random.Random(5))
    assert len(office.booked) == before


def test_waiting_for_a_silent_office_ends_when_the_simulation_is_stopped() -> None:
    stop = Event()
    stop.set()
    with Doors("http://127.0.0.1:1", lambda: "good", stop) as doors, pytest.raises(OfficeSilent):
        doors.wait_until_ready()


def _stop_after(requests: int, stop: Event) -> Iterator[str]:
    for _ in range(requests):
        yield "none"
    stop.set()
    yield "none"
