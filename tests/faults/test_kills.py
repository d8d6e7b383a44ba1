"""Kill whatever can be killed while clerks book: nothing answered 2xx is lost, nothing counts twice."""

import os
import random
import signal
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from threading import Event
from time import monotonic, sleep
from typing import Any
from uuid import uuid4

import httpx
import psycopg
import pytest
from stage.checker import check
from stage.municipality import Municipality, running_municipality, until

KILLS = 12
CLERKS = 4
VICTIMS = ("registration", "reporting-reader", "postgres")
AREAS = ("04", "05", "06", "11", "unplaced")


class Clerk:
    """Registers people and moves some of them; repeats each request under its key until it is answered."""

    def __init__(self, municipality: Municipality, seed: int) -> None:
        self._random = random.Random(seed)
        headers = {"Authorization": f"Bearer {municipality.token('registration', 'clerk')}"}
        self._door = httpx.Client(
            base_url=municipality.url("registration"), headers=headers, timeout=15, trust_env=False
        )
        self.acknowledged: list[str] = []

    def work(self, stop: Event) -> None:
        residences: list[str] = []
        while not stop.is_set():
            if residences and self._random.random() < 0.4:
                residence = residences.pop()
                self._post(f"/residences/{residence}/moves", self._move())
            else:
                residences.append(self._post("/residences", self._person())["residence_id"])
        self._door.close()

    def _post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        key = str(uuid4())
        deadline = monotonic() + 90
        while monotonic() < deadline:
            with suppress(httpx.HTTPError):
                answer = self._door.post(path, json=body, headers={"Idempotency-Key": key})
                if answer.status_code == 201:
                    receipt: dict[str, Any] = answer.json()
                    self.acknowledged.append(receipt["booking_id"])
                    return receipt
                # What the killed process did not answer may still be under way (409). Everything else is a fault.
                assert answer.status_code in (409, 503), f"{answer.status_code}: {answer.text}"
            sleep(0.05)
        raise AssertionError(f"no answer to {path} within 90 s")

    def _person(self) -> dict[str, Any]:
        return {
            "area": self._random.choice(AREAS),
            "street": "Beispielweg",
            "house_number": str(self._random.randint(1, 90)),
            "landlord_confirmation": self._random.choice(["present", "missing", "refused"]),
            "family_name": "Muster",
            "given_names": "Alex",
            "birth_date": f"{self._random.randint(1940, 2005)}-05-17",
            "sex": self._random.choice(["f", "m", "d", "unknown"]),
            "nationality": self._random.choice(["125", "154", "000"]),
            "moved_in_on": f"2026-0{self._random.randint(1, 9)}-1{self._random.randint(0, 9)}",
            "arrival_kind": "abroad",
            "previous_state": "154",
        }

    def _move(self) -> dict[str, Any]:
        body = self._person()
        place = {name: body[name] for name in ("area", "street", "house_number", "landlord_confirmation")}
        return {**place, "moved_on": f"2026-1{self._random.randint(0, 0)}-1{self._random.randint(0, 9)}"}


@pytest.fixture
def seed() -> int:
    """Printed when the test fails; set VERBUND_SEED to see the same kills again."""
    seed = int(os.environ.get("VERBUND_SEED", random.SystemRandom().randrange(2**32)))
    print(f"seed {seed}")  # noqa: T201 - shown by pytest with a failure
    return seed


def test_killed_at_any_point_nothing_answered_is_lost_and_nothing_counts_twice(seed: int) -> None:
    chance = random.Random(seed)
    with running_municipality() as municipality:
        close_initial_load(municipality)
        clerks = [Clerk(municipality, seed + n) for n in range(CLERKS)]
        stop = Event()
        killed: list[str] = []
        with ThreadPoolExecutor(CLERKS) as pool:
            working = [pool.submit(clerk.work, stop) for clerk in clerks]
            try:
                for _ in range(KILLS):
                    await_bookings(clerks, working, chance.randint(5, 80))
                    killed.append(kill(municipality, chance.choice(VICTIMS)))
                await_bookings(clerks, working, 20)
            finally:
                stop.set()
            for clerk in working:
                clerk.result()
        acknowledged = [booking for clerk in clerks for booking in clerk.acknowledged]
        office, reporting = (municipality.superuser(name).conninfo() for name in ("registration", "reporting"))
        until(lambda: is_caught_up(office, reporting), "the reader has caught up")
        counted = check(office, reporting, acknowledged)
    assert counted["bookings"] >= len(acknowledged) >= 5 * KILLS
    print(f"killed {killed}; {counted}")  # noqa: T201 - shown by pytest with a failure


def await_bookings(clerks: Sequence[Clerk], working: Sequence[Future[None]], more: int) -> None:
    """Let the clerks book on: what is killed next is in the middle of work."""
    goal = sum(len(clerk.acknowledged) for clerk in clerks) + more
    until(
        lambda: sum(len(clerk.acknowledged) for clerk in clerks) >= goal or any(each.done() for each in working),
        f"{more} more bookings",
    )
    for each in working:
        if each.done():
            each.result()  # a clerk that gave up says why


def close_initial_load(municipality: Municipality) -> None:
    """From here on clerks can book."""
    answer = httpx.post(
        f"{municipality.url('registration')}/initial-load/closing",
        headers={
            "Authorization": f"Bearer {municipality.token('registration', 'initial_load')}",
            "Idempotency-Key": str(uuid4()),
        },
        trust_env=False,
    )
    assert answer.status_code == 201, answer.text


def kill(municipality: Municipality, victim: str) -> str:
    """SIGKILL the process; PostgreSQL falls with its first process and recovers from its log when started again."""
    pid = municipality.pid(victim)
    if pid is None:
        return f"{victim} (was down already)"
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
    return f"{victim} at {datetime.now(UTC):%H:%M:%S.%f}"


def is_caught_up(office: str, reporting: str) -> bool:
    """Whether every position stands at its ledger's head."""
    with suppress(psycopg.OperationalError):
        with psycopg.connect(office) as connection:
            heads = connection.execute("select ledger, number from ledger.head where ledger like '%/book'").fetchall()
        with psycopg.connect(reporting) as connection:
            positions: dict[str, int] = dict(connection.execute("select ledger, number from feed.position").fetchall())
        return all(positions.get(ledger, 0) == number for ledger, number in heads)
    return False
