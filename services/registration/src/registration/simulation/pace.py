"""The city goes on living: ordinary commands of a clerk through the ordinary doors, at a chosen pace."""

import random
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from logging import getLogger
from threading import Event
from typing import Any
from uuid import uuid4

from registration.simulation import names
from registration.simulation.doors import Doors, OfficeSilent, Refused
from registration.simulation.office_hours import BERLIN
from registration.simulation.printed import EU2, GERMANY
from registration.simulation.quarters import Quarters

_log = getLogger(__name__)

_LATE = 0.12  # share of registrations after more than two weeks
_MISTYPED = 0.06  # share of registrations with a wrong nationality, corrected some bookings later
_CORRECTED_AFTER = 5  # bookings
_AREAS_TRIED = 20
_REFUSALS_IN_A_ROW = 25  # so many are no coincidence: the simulation and the office disagree on a rule
_EXPECTED_REFUSALS = frozenset({404, 409, 412, 422})  # gone, or booked otherwise by somebody at the office


@dataclass(frozen=True, slots=True)
class Listed:
    """A resident as the office lists them: without a name."""

    residence_id: str
    since: date
    """The last day on which something happened, as far as the simulation knows: the next thing comes after it."""


class CityLife:
    """Makes one booking after the other; not deterministic, as the clock and other clerks have their say in it."""

    def __init__(self, doors: Doors, quarters: Quarters, rng: random.Random) -> None:
        self._doors = doors
        self._quarters = quarters
        self._rng = rng
        self._touched: dict[str, date] = {}
        """When something last happened to whom, by residence; the office refuses what it knows better."""
        self._mistyped: deque[tuple[int, str, str, str]] = deque()
        """When it is due (in bookings), residence, booking, true nationality."""
        self._made = 0

    def book_something(self) -> None:
        """One booking; raises `Refused` or `OfficeSilent`."""
        self._made += 1
        if self._mistyped and self._mistyped[0][0] <= self._made:
            self._correct()
            return
        acts: Mapping[Callable[[date], None], int] = {
            self._register: 37,
            self._deregister: 32,
            self._move: 24,
            self._bear: 5,
            self._naturalise: 1,
            self._die: 1,
        }
        act = self._rng.choices(list(acts), list(acts.values()))[0]
        act(datetime.now(BERLIN).date())

    def _register(self, today: date) -> None:
        rng = self._rng
        days = 15 + rng.randrange(45) if rng.random() < _LATE else rng.randrange(12)
        nationality = rng.choices(EU2, (43, 57))[0]
        mistyped = rng.random() < _MISTYPED
        typed = next(n for n in EU2 if n != nationality) if mistyped else nationality
        born_on = date(today.year - 2 - rng.randrange(60), 1 + rng.randrange(12), 1 + rng.randrange(28))
        fields = self._registration(typed, born_on, today - timedelta(days=days))
        fields |= {"arrival_kind": "abroad", "previous_state": names.previous_state(nationality, rng)}
        receipt = self._post("/residences", fields)
        self._touched[receipt["residence_id"]] = today
        if mistyped:
            due = self._made + _CORRECTED_AFTER
            self._mistyped.append((due, receipt["residence_id"], receipt["booking_id"], nationality))

    def _bear(self, today: date) -> None:
        on = today - timedelta(days=self._rng.randrange(10))
        nationality = self._rng.choices(EU2, (43, 57))[0]
        fields = self._registration(nationality, on, on) | {"arrival_kind": "birth"}
        del fields["landlord_confirmation"]
        receipt = self._post("/residences", fields)
        self._touched[receipt["residence_id"]] = today

    def _registration(self, nationality: str, born_on: date, moved_in_on: date) -> dict[str, Any]:
        return {
            "family_name": names.family_name(self._rng),
            "given_names": names.given_name(self._rng),
            "birth_date": born_on.isoformat(),
            "sex": self._rng.choice("fm"),
            "nationality": nationality,
            "moved_in_on": moved_in_on.isoformat(),
            "residence_kind": "main",
            **self._address(),
        }

    def _move(self, today: date) -> None:
        resident = self._somebody(today)
        on = self._lately(resident, today)
        self._post(f"/residences/{resident.residence_id}/moves", {"moved_on": on.isoformat(), **self._address()})

    def _deregister(self, today: date) -> None:
        resident = self._somebody(today)
        on = self._lately(resident, today)
        reason = "abroad" if self._rng.random() < 0.7 else "other_municipality"
        self._leave(resident, on, reason)

    def _die(self, today: date) -> None:
        resident = self._somebody(today)
        self._leave(resident, self._lately(resident, today), "death")

    def _leave(self, resident: Listed, on: date, reason: str) -> None:
        fields = {"deregistered_on": on.isoformat(), "reason": reason}
        self._post(f"/residences/{resident.residence_id}/deregistrations", fields)

    def _naturalise(self, today: date) -> None:
        resident = self._somebody(today)
        on = self._lately(resident, today)
        fields = {"changed_on": on.isoformat(), "nationality": GERMANY}
        self._post(f"/residences/{resident.residence_id}/nationality-changes", fields)

    def _correct(self) -> None:
        _, residence_id, booking_id, nationality = self._mistyped.popleft()
        fields = {"booking_id": booking_id, "reason": "typing_error", "amendment": {"nationality": nationality}}
        self._post(f"/residences/{residence_id}/corrections", fields)

    def _somebody(self, today: date) -> Listed:
        """A random one of those registered last in a random area; raises `LookupError` where there is nobody."""
        for _ in range(_AREAS_TRIED):
            listed = self._doors.get(
                "/residences", area=self._quarters.draw(self._rng), status="registered", limit="200"
            )
            able = [
                Listed(row["residence_id"], since)
                for row in listed
                if row["nationality"] in EU2
                and (since := self._touched.get(row["residence_id"], date.fromisoformat(row["since"]))) < today
            ]
            if able:
                return self._rng.choice(able)
        raise LookupError("nobody lives in the city to whom something could happen today")

    def _lately(self, resident: Listed, today: date) -> date:
        """Today or some days ago, and after all that happened to the resident so far."""
        on = max(resident.since + timedelta(days=1), today - timedelta(days=self._rng.randrange(10)))
        self._touched[resident.residence_id] = today
        return on

    def _address(self) -> dict[str, str]:
        confirmation = self._rng.choices(("present", "missing", "refused"), (86, 12, 2))[0]
        return {
            "area": self._quarters.draw(self._rng),
            "street": names.street(self._rng),
            "house_number": names.house_number(self._rng),
            "postal_code": names.NO_POSTAL_CODE,
            "landlord_confirmation": confirmation,
        }

    def _post(self, path: str, fields: Mapping[str, Any]) -> dict[str, Any]:
        return self._doors.post(path, str(uuid4()), fields)


def live_on(life: CityLife, pace_per_minute: float, stop: Event, rng: random.Random) -> None:
    """Bookings at random moments, so many a minute on average, until `stop` is set.

    An office that is away for a while is waited for. A refusal is told in the log; raises
    `Refused` where the office refuses everything.
    """
    refused = 0
    while not stop.wait(rng.expovariate(pace_per_minute / 60) if pace_per_minute > 0 else None):
        try:
            life.book_something()
        except OfficeSilent as silence:
            _log.warning("the city waits for the office", extra={"reason": str(silence)})
        except Refused as refusal:
            refused += 1
            if refused >= _REFUSALS_IN_A_ROW or refusal.status not in _EXPECTED_REFUSALS:
                raise
            _log.info("the office refused a booking of the city", extra={"code": refusal.code})
        else:
            refused = 0
