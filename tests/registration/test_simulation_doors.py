"""The plan goes through the office's HTTP doors once, whatever breaks on the way; then the city lives.

The office is the real one on its real database, behind a line that fails on purpose.
"""

import asyncio
import json
import random
import socket
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cache
from itertools import pairwise
from pathlib import Path
from threading import Event
from time import monotonic, sleep
from typing import Any

import psycopg
import pytest
import uvicorn
from conftest import OfficeDatabase, OfficeDatabases
from stage.faulty_proxy import FaultyProxy, Trouble, faulty_proxy
from stage.registration_office import RegistrationOffice, loading_office

from registration.simulation.bookings import Booking
from registration.simulation.doors import Doors, OfficeSilent, Refused
from registration.simulation.loader import RowRefused, chunks, close, is_closed, load_bookings
from registration.simulation.pace import CityLife, live_on
from registration.simulation.plan import EARLIEST_END, plan_city
from registration.simulation.printed import printed_figures
from registration.simulation.quarters import Quarters
from registration.simulation.run import SIMULATION
from verbund.embedded.simulation import SimulationContext

_FACTS = {
    "RegisterResidence": "ResidenceRegistered",
    "MoveResidence": "ResidenceMoved",
    "DeregisterResidence": "ResidenceDeregistered",
    "ChangeNationality": "NationalityChanged",
    "CorrectRegistration": "RegistrationCorrected",
}
_FIRST_CHUNK = 977  # bookings of the plan with seed 1 before the first correction of one of them


@dataclass(frozen=True)
class Line:
    """An office in its initial load, and the way to it."""

    office: RegistrationOffice
    proxy: FaultyProxy

    @property
    def facts(self) -> list[str]:
        """What the office booked, by kind, in order."""
        return [type(event.data).__name__ for event in self.office.events()]

    @contextmanager
    def doors(self, role: str = "initial_load", stop: Event | None = None) -> Iterator[Doors]:
        with Doors(self.proxy.url, lambda: self.token(role), stop or Event()) as opened:
            yield opened

    def token(self, *roles: str, lifetime: timedelta = timedelta(hours=1)) -> str:
        """A fresh one, of one principal for good: idempotency keys hold for one principal."""
        return self.office.kit.token(*roles, lifetime=lifetime, subject="simulation")

    def context(self, stop: Event, progress: Callable[[str, int, int], None]) -> SimulationContext:
        return SimulationContext(
            registration_url=self.proxy.url,
            reporting_url="http://127.0.0.1:1",
            issue_token=lambda office, roles: self.token(*roles),
            seed=1,
            pace_per_minute=60_000.0,
            stop=stop,
            progress=progress,
        )


@contextmanager
def served(database: OfficeDatabase, folder: Path) -> Iterator[Line]:
    """The office behind a port, in a thread with a loop of its own: the simulation waits for it in this one."""
    opened: Future[tuple[RegistrationOffice, uvicorn.Server]] = Future()

    async def serve(listener: socket.socket) -> None:
        async with loading_office(database, folder) as office:
            config = uvicorn.Config(office.app, lifespan="off", ws="none", log_config=None, access_log=False)
            server = uvicorn.Server(config)
            opened.set_result((office, server))
            await server.serve(sockets=[listener])

    with socket.create_server(("127.0.0.1", 0)) as listener, ThreadPoolExecutor(1) as pool:
        running = pool.submit(lambda: asyncio.run(serve(listener)))
        either: tuple[Future[Any], ...] = (opened, running)
        wait(either, return_when=FIRST_COMPLETED)
        if running.done():
            running.result()
        office, server = opened.result()
        try:
            with faulty_proxy(listener.getsockname()[1]) as proxy:
                yield Line(office, proxy)
        finally:
            server.should_exit = True
            running.result()


@pytest.fixture
def line(office_database: OfficeDatabases, tmp_path: Path) -> Iterator[Line]:
    with served(office_database("registration"), tmp_path) as opened:
        yield opened


@pytest.fixture
def doors(line: Line) -> Iterator[Doors]:
    with line.doors() as opened:
        yield opened


@cache
def plan() -> Sequence[Booking]:
    return plan_city(1, EARLIEST_END, printed_figures())


def beginning(bookings: int = 2_000) -> Sequence[Booking]:
    """The first year: long enough for corrections of corrections, in chunks of many sizes."""
    return plan()[:bookings]


def load(doors: Doors, bookings: Sequence[Booking], stop: Event | None = None) -> bool:
    return load_bookings(doors, bookings, 1, stop or Event(), lambda done, total: None)


def until(what: str, fulfilled: Callable[[], bool]) -> None:
    deadline = monotonic() + 30
    while not fulfilled():
        assert monotonic() < deadline, f"not within 30 s: {what}"
        sleep(0.02)


def assert_booked_once(office: RegistrationOffice, bookings: Sequence[Booking]) -> None:
    """The book holds these bookings in this order, each as of when it was known, and nothing else."""
    booked = [
        (type(event.data).__name__, getattr(event.data, "residence_id", None), event.time) for event in office.events()
    ]
    assert booked == [
        (
            _FACTS[booking.command],
            None if booking.command == "CorrectRegistration" else booking.residence_id,
            booking.recorded_at,
        )
        for booking in bookings
    ]


def test_every_booking_is_made_once_and_then_the_load_is_closed(line: Line, doors: Doors) -> None:
    doors.wait_until_ready()
    assert not is_closed(doors)
    seen: list[tuple[int, int]] = []
    assert load_bookings(doors, beginning(1_200), 1, Event(), lambda done, total: seen.append((done, total)))
    assert_booked_once(line.office, beginning(1_200))
    assert seen[0] == (0, len(beginning(1_200)))
    assert seen[-1] == (len(beginning(1_200)), len(beginning(1_200)))
    assert not is_closed(doors)
    close(doors, 1)
    assert is_closed(doors)
    assert line.facts[len(beginning(1_200)) :] == ["InitialLoadClosed"]


def test_a_load_is_closed_once_whoever_closes_it(line: Line, doors: Doors) -> None:
    line.proxy.troubles = iter([Trouble.CUT])
    close(doors, 1)
    close(doors, 2)
    assert line.facts == ["InitialLoadClosed"]


def test_a_load_through_a_bad_line_books_everything_once(line: Line, doors: Doors) -> None:
    bad = [Trouble.BUSY, Trouble.NONE, Trouble.CUT, Trouble.BUSY, Trouble.CUT_HALFWAY, Trouble.NONE, Trouble.CUT]
    line.proxy.troubles = iter(bad)
    assert load(doors, beginning())
    assert_booked_once(line.office, beginning())
    assert [passage.trouble for passage in line.proxy.passages[: len(bad)]] == bad
    for passage, following in pairwise(line.proxy.passages):
        assert (passage.key == following.key) == (passage.trouble is not Trouble.NONE)


def test_rows_that_are_under_way_are_waited_for_and_booked_once(line: Line) -> None:
    line.proxy.troubles = iter([Trouble.CUT_UNDER_WAY])
    rows = beginning(250)  # as many as the office has under way at once
    with (
        psycopg.connect(line.office.database.superuser().conninfo()) as holding,
        ThreadPoolExecutor(1) as pool,
        line.doors() as doors,
    ):
        holding.execute("select from ledger.head for update")
        loading = pool.submit(load, doors, rows)
        until("the second upload is answered", lambda: bool(line.proxy.passages))
        holding.rollback()
        assert loading.result()
    told = [json.loads(row).get("code") for row in line.proxy.passages[0].answer.splitlines()]
    assert told == ["request_under_way"] * len(rows)
    assert_booked_once(line.office, rows)


def test_an_office_that_says_when_to_try_again_is_left_alone_until_then(line: Line, doors: Doors) -> None:
    line.proxy.troubles = iter([Trouble.BUSY_FOR_A_SECOND])
    assert load(doors, beginning(3))
    refused, through = (passage.at for passage in line.proxy.passages)
    assert through - refused >= 1
    assert_booked_once(line.office, beginning(3))


def test_a_load_that_was_broken_off_goes_on_with_a_longer_plan(
    office_database: OfficeDatabases, tmp_path: Path
) -> None:
    """The second time another process of the simulation, and another one of the office."""
    database = office_database("registration")
    with served(database, tmp_path) as line, line.doors() as doors:
        line.proxy.troubles = iter([Trouble.NONE, Trouble.CUT])
        assert load(doors, beginning(1_000))
        keys = line.proxy.keys
    with served(database, tmp_path) as line, line.doors() as doors:
        assert load(doors, beginning(1_100))
        assert line.proxy.keys[:2] == list(dict.fromkeys(keys))
        assert_booked_once(line.office, beginning(1_100))


def test_a_load_stops_when_it_is_told_to(line: Line, doors: Doors) -> None:
    stop = Event()
    stop.set()
    assert not load(doors, beginning(), stop)
    assert line.facts == []


def test_a_load_that_is_stopped_stays_open_and_a_closed_one_is_left_alone(line: Line, doors: Doors) -> None:
    stop, seen = Event(), list[int]()

    def stop_soon(phase: str, done: int, total: int) -> None:
        seen.append(done)
        if done:
            stop.set()

    SIMULATION.load(line.context(stop, stop_soon))
    assert seen == [0, _FIRST_CHUNK]
    assert_booked_once(line.office, beginning(_FIRST_CHUNK))
    assert not is_closed(doors)
    close(doors, 1)
    SIMULATION.load(line.context(Event(), stop_soon))
    assert seen == [0, _FIRST_CHUNK]
    assert len(line.facts) == _FIRST_CHUNK + 1


def test_a_refused_row_stops_the_load_and_is_named(line: Line, doors: Doors) -> None:
    bad = list(beginning(1_200))
    number = next(i for i, booking in enumerate(bad) if i > 600 and booking.command == "RegisterResidence")
    bad[number] = replace(bad[number], fields={**bad[number].fields, "area": "99"})
    with pytest.raises(RowRefused, match=rf"booking {number + 1} .*422 unknown_area .*\w+") as refused:
        load(doors, bad)
    assert refused.value.line == number + 1
    assert refused.value.code == "unknown_area"
    assert len(line.proxy.passages) == 1, "the load went on after a refused row"
    (told,) = [row for row in map(json.loads, line.proxy.passages[0].answer.splitlines()) if row["line"] == number + 1]
    assert str(refused.value).endswith(told["detail"])


def test_a_correction_never_stands_in_one_chunk_with_what_it_corrects() -> None:
    bookings = plan()[:5_000]
    cut = list(chunks(bookings))
    assert [booking for chunk in cut for booking in chunk] == list(bookings)
    assert max(len(chunk) for chunk in cut) <= 1000
    for chunk in cut:
        references = {booking.reference for booking in chunk}
        assert not [booking for booking in chunk if booking.corrects in references]


def test_an_expired_token_is_replaced_and_the_request_sent_again(line: Line) -> None:
    tokens = iter([line.token("initial_load", lifetime=timedelta(minutes=-5)), line.token("initial_load")])
    with Doors(line.proxy.url, lambda: next(tokens), Event()) as doors:
        assert load(doors, beginning(3))
    assert_booked_once(line.office, beginning(3))


def test_doors_that_are_closed_to_the_simulation_are_not_knocked_at_again(line: Line) -> None:
    with line.doors("clerk") as doors, pytest.raises(Refused, match=r"^403 "):
        load(doors, beginning(3))
    assert len(line.proxy.passages) == 1


@pytest.mark.parametrize("seed", [5])
def test_the_city_lives_on_without_a_refusal(line: Line, doors: Doors, seed: int) -> None:
    load(doors, beginning(300))
    close(doors, 1)
    before = len(line.facts)
    with line.doors("clerk") as clerk:
        life = CityLife(clerk, Quarters(printed_figures()), random.Random(seed))
        for _ in range(100):
            life.book_something()
    lived = line.facts[before:]
    assert len(lived) == 100
    assert set(lived) >= set(_FACTS.values()) - {"NationalityChanged"}


def test_the_city_books_each_movement_once_through_a_bad_line(line: Line, doors: Doors) -> None:
    load(doors, beginning(300))
    close(doors, 1)
    before = len(line.facts)
    line.proxy.troubles = iter([Trouble.CUT, Trouble.NONE, Trouble.BUSY, Trouble.CUT_HALFWAY])
    with line.doors("clerk") as clerk:
        life = CityLife(clerk, Quarters(printed_figures()), random.Random(5))
        for _ in range(5):
            life.book_something()
    assert len(line.facts) == before + 5
    assert next(line.proxy.troubles, None) is None


def test_the_city_lives_until_it_is_stopped(line: Line, doors: Doors) -> None:
    load(doors, beginning(300))
    close(doors, 1)
    stop, before = Event(), len(line.facts)
    line.proxy.troubles = _stop_after(30, stop)
    with line.doors("clerk", stop) as clerk:
        live_on(CityLife(clerk, Quarters(printed_figures()), random.Random(5)), 60_000.0, stop, random.Random(5))
    assert len(line.facts) == before + 31


def test_the_simulation_lives_with_a_clerks_rights_until_it_is_stopped(line: Line, doors: Doors) -> None:
    load(doors, beginning(300))
    close(doors, 1)
    stop, before = Event(), len(line.facts)
    line.proxy.troubles = _stop_after(5, stop)
    SIMULATION.live(line.context(stop, lambda phase, done, total: None))
    assert before < len(line.facts) <= before + 6
    assert {event.actor for event in line.office.events()[before:]} == {"clerk:simulation"}


def test_a_city_whose_every_booking_is_refused_says_so(line: Line, doors: Doors) -> None:
    load(doors, beginning(300))
    before = len(line.facts)
    with line.doors("clerk") as clerk, pytest.raises(Refused, match="initial_load_open"):
        live_on(CityLife(clerk, Quarters(printed_figures()), random.Random(5)), 60_000.0, Event(), random.Random(5))
    assert len(line.facts) == before


def test_waiting_for_a_silent_office_ends_when_the_simulation_is_stopped() -> None:
    stop = Event()
    stop.set()
    with Doors("http://127.0.0.1:1", lambda: "good", stop) as doors, pytest.raises(OfficeSilent):
        doors.wait_until_ready()


def _stop_after(requests: int, stop: Event) -> Iterator[Trouble]:
    for _ in range(requests):
        yield Trouble.NONE
    stop.set()
    yield Trouble.NONE
