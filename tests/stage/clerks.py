"""Clerks at a registration office that fails: each booking is sent under one key until it is answered.

Whatever a clerk books is right by itself, so every refusal is a fault of the office.
"""

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from threading import Event
from time import monotonic, sleep
from typing import Any
from uuid import UUID

import httpx
from stage.municipality import Municipality, until

_ANSWER_SECONDS = 15.0  # longer than the desk tries before it says that it does not know
_GIVE_UP_SECONDS = 120.0
_PAUSE_SECONDS = 0.1
_NO_TIME_SECONDS = (0.002, 0.03)  # who waits so short a time rarely hears the answer, and it is booked all the same
_AREAS = ("04", "05", "06", "11", "unplaced")
_NATIONALITIES = ("000", "125", "152", "154")
_LAST_DAY = date(2024, 6, 30)  # well in the past, so that no booking lies in the future

Receipt = dict[str, Any]


@dataclass
class _Home:
    """A residence as its clerk knows it: every booking that holds, with what it said."""

    residence_id: str
    day: date
    bookings: list[tuple[str, str, str]]
    """Kind, booking id, and its area or nationality."""

    def nationality(self) -> str:
        return next(said for kind, _, said in reversed(self.bookings) if kind == "nationality")


class Clerk:
    """Books without a pause; the same seed chooses the same bookings."""

    def __init__(self, municipality: Municipality, seed: int) -> None:
        self._random = random.Random(seed)
        self._headers = {"Authorization": f"Bearer {municipality.token('registration', 'clerk')}"}
        self._url = municipality.url("registration")
        self._homes: list[_Home] = []
        self._twins = ThreadPoolExecutor(2, thread_name_prefix="twin")
        self.receipts: list[Receipt] = []
        """Of every booking that was answered 201."""
        self.counted: Counter[str] = Counter()
        """What was booked, and what came instead of an answer."""

    def work(self, stop: Event) -> None:
        """Book until told to stop."""
        with self._twins, self._door() as door:
            while not stop.is_set():
                self._book(door)

    def _door(self) -> httpx.Client:
        limits = httpx.Limits(max_connections=3)
        return httpx.Client(base_url=self._url, headers=self._headers, limits=limits, trust_env=False)

    def _book(self, door: httpx.Client) -> None:
        if not self._homes or self._random.random() < 0.35:
            self._register(door)
            return
        home = self._homes[self._random.randrange(len(self._homes))]
        home.day += timedelta(days=self._random.randint(1, 150))
        acts = [self._move, self._move, self._change_nationality, self._correct, self._deregister]
        act = self._deregister if home.day > _LAST_DAY else self._random.choice(acts)
        act(door, home)

    def _register(self, door: httpx.Client) -> None:
        day = date(2016, 1, 1) + timedelta(days=self._random.randrange(1000))
        area, nationality = self._random.choice(_AREAS), self._random.choice(_NATIONALITIES)
        person = {
            "family_name": "Muster",
            "given_names": "Alex",
            "birth_date": f"{self._random.randint(1940, 2005)}-05-17",
            "sex": self._random.choice(["f", "m", "d", "unknown"]),
            "nationality": nationality,
            "moved_in_on": str(day),
            "arrival_kind": "abroad",
            "previous_state": "154",
        }
        receipt = self._post(door, "registration", "/residences", {**person, **self._address(area)})
        said = [("nationality", receipt["booking_id"], nationality), ("registration", receipt["booking_id"], area)]
        self._homes.append(_Home(receipt["residence_id"], day, said))

    def _move(self, door: httpx.Client, home: _Home) -> None:
        area = self._random.choice(_AREAS)
        receipt = self._post_about(door, "move", home, "moves", {"moved_on": str(home.day), **self._address(area)})
        home.bookings.append(("move", receipt["booking_id"], area))

    def _change_nationality(self, door: httpx.Client, home: _Home) -> None:
        other = self._random.choice([each for each in _NATIONALITIES if each != home.nationality()])
        form = {"changed_on": str(home.day), "nationality": other}
        receipt = self._post_about(door, "nationality change", home, "nationality-changes", form)
        home.bookings.append(("nationality", receipt["booking_id"], other))

    def _correct(self, door: httpx.Client, home: _Home) -> None:
        """Cancel the latest booking, or say another area in it."""
        kind, booking_id, said = home.bookings.pop()
        amendment = None
        if kind == "registration" or (kind == "move" and self._random.random() < 0.5):
            said = self._random.choice([area for area in _AREAS if area != said])
            amendment = {"area": said}
            home.bookings.append((kind, booking_id, said))
        form = {"booking_id": booking_id, "reason": "typing_error" if amendment else "booked_in_error"}
        self._post_about(door, "correction", home, "corrections", {**form, "amendment": amendment})

    def _deregister(self, door: httpx.Client, home: _Home) -> None:
        """Forgotten afterwards, or, now and then, cancelled: then they live there as before."""
        form = {"deregistered_on": str(home.day), "reason": self._random.choice(["abroad", "death"])}
        receipt = self._post_about(door, "deregistration", home, "deregistrations", form)
        if home.day <= _LAST_DAY and self._random.random() < 0.3:
            form = {"booking_id": receipt["booking_id"], "reason": "wrong_person"}
            self._post_about(door, "correction", home, "corrections", {**form, "amendment": None})
        else:
            self._homes.remove(home)

    def _address(self, area: str) -> dict[str, str]:
        confirmation = self._random.choice(["present", "missing", "refused"])
        number = str(self._random.randint(1, 90))
        return {"area": area, "street": "Beispielweg", "house_number": number, "landlord_confirmation": confirmation}

    def _post_about(self, door: httpx.Client, what: str, home: _Home, where: str, form: dict[str, Any]) -> Receipt:
        return self._post(door, what, f"/residences/{home.residence_id}/{where}", form)

    def _post(self, door: httpx.Client, what: str, path: str, form: dict[str, Any]) -> Receipt:
        """Send it once, or twice at the same time, under one key; now and then somebody hangs up at first."""
        key = str(UUID(int=self._random.getrandbits(128), version=4))
        times = 2 if self._random.random() < 0.1 else 1
        patience = [
            self._random.uniform(*_NO_TIME_SECONDS) if self._random.random() < 0.1 else _ANSWER_SECONDS
            for _ in range(times)
        ]
        sent = [self._twins.submit(self._until_answered, door, path, form, key, each) for each in patience[1:]]
        receipt = self._until_answered(door, path, form, key, patience[0])
        for each in sent:
            assert each.result() == receipt, f"{path}: two answers to one key"
            self.counted["twice at once"] += 1
        self.counted[what] += 1
        self.receipts.append(receipt)
        return receipt

    def _until_answered(
        self, door: httpx.Client, path: str, form: dict[str, Any], key: str, patience: float
    ) -> Receipt:
        deadline = monotonic() + _GIVE_UP_SECONDS
        while monotonic() < deadline:
            try:
                answer = door.post(path, json=form, headers={"Idempotency-Key": key}, timeout=patience)
            except httpx.HTTPError as error:
                self.counted[type(error).__name__] += 1
            else:
                if answer.status_code == 201:
                    self.counted["replayed"] += "Idempotency-Replayed" in answer.headers
                    receipt: Receipt = answer.json()
                    return receipt
                code = answer.json()["code"]
                # Under way is what a lost line or the other one of two has sent. Everything else is a fault.
                assert answer.status_code == 503 or code == "request_under_way", f"{path} {form}: {answer.text}"
                self.counted[code] += 1
            patience = _ANSWER_SECONDS
            sleep(_PAUSE_SECONDS)
        raise AssertionError(f"no answer to {path} within {_GIVE_UP_SECONDS:.0f} s")


class Clerks:
    """Clerks at work, and what has become of their bookings so far."""

    def __init__(self, clerks: Sequence[Clerk], working: Sequence[Future[None]]) -> None:
        self._clerks = clerks
        self._working = working

    @property
    def receipts(self) -> list[Receipt]:
        return [receipt for clerk in self._clerks for receipt in clerk.receipts]

    @property
    def counted(self) -> Counter[str]:
        return sum((clerk.counted for clerk in self._clerks), Counter())

    def await_bookings(self, more: int) -> None:
        """Let them book on; a clerk that gave up says why."""
        goal = self._booked() + more
        until(
            lambda: self._booked() >= goal or any(each.done() for each in self._working),
            f"{more} more bookings",
            _GIVE_UP_SECONDS,
        )
        for each in self._working:
            if each.done():
                each.result()

    def _booked(self) -> int:
        return sum(len(clerk.receipts) for clerk in self._clerks)


@contextmanager
def clerks_at_work(municipality: Municipality, seed: int, count: int) -> Iterator[Clerks]:
    """So many clerks book until this is left; then each of them has its last answer."""
    clerks = [Clerk(municipality, seed + number) for number in range(count)]
    stop = Event()
    with ThreadPoolExecutor(count, thread_name_prefix="clerk") as pool:
        working = [pool.submit(clerk.work, stop) for clerk in clerks]
        try:
            yield Clerks(clerks, working)
        finally:
            stop.set()
        for each in working:
            each.result()
