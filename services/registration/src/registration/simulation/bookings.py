"""What the office booked of a life: when it got to know, what it typed, and what it corrected later."""

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from registration.simulation import names, slips
from registration.simulation.census import Census
from registration.simulation.lives import LifeEvent, LifeKind, Person
from registration.simulation.office_hours import (
    departure_delay,
    notice_delay,
    recorded,
    registration_delay,
    taken_over,
)
from registration.simulation.printed import GERMANY
from registration.simulation.quarters import Quarters

Reference = tuple[int, int]
"""Names a booking within the plan: number of the person, and the booking's place among those of the person."""

_PLACED: tuple[LifeKind, ...] = ("opening", "birth", "arrival", "move")
_SAME_AREA = 0.25  # share of moves that stay within the statistischer Bezirk (assumption)


@dataclass(frozen=True, slots=True)
class Booking:
    """One row for the office's initial load."""

    recorded_at: datetime
    reference: Reference
    command: str
    residence_id: str
    """The residence that the booking is about; given by the plan for a new one too."""
    fields: Mapping[str, Any]
    """The fields of the command, as JSON values."""
    corrects: Reference | None = None
    """Which booking a CorrectRegistration is about; its `booking_id` is known once that one is booked."""


class Biographer:
    """Turns lives into bookings. The bookings up to a day are the same whatever comes later in a life."""

    def __init__(self, seed: int, quarters: Quarters, census: Census) -> None:
        self._seed = seed
        self._quarters = quarters
        self._census = census
        self._rng = random.Random()

    def bookings_of(self, person: Person) -> Iterator[Booking]:
        """All bookings about the person; their order by `recorded_at` is the order in which they can be booked."""
        self._rng.seed((self._seed << 40) + person.number)
        return _Biography(person, self._quarters, self._census, self._rng).write()


class _Biography:
    def __init__(self, person: Person, quarters: Quarters, census: Census, rng: random.Random) -> None:
        self._person = person
        self._quarters = quarters
        self._rng = rng
        self._after: datetime | None = None
        self._written = 0
        self._area = ""
        self._residence_id = ""
        self._resident_id = _pseudonym(rng)
        self._names = {"family_name": names.family_name(rng), "given_names": names.given_name(rng)}
        self._printed_area = census.areas.get(person.number)
        self._printed_event = self._event_of(census)

    def _event_of(self, census: Census) -> LifeEvent | None:
        """The event that brought the person to the area where the census finds them."""
        if self._printed_area is None:
            return None
        return [event for event in self._person.events if event.on <= census.on and event.kind in _PLACED][-1]

    def write(self) -> Iterator[Booking]:
        events = self._person.events
        for index, event in enumerate(events):
            following = events[index + 1].on if index + 1 < len(events) else date.max
            if event.kind == "move":
                yield from self._move(event)
            elif event.kind == "naturalisation":
                yield self._book(
                    event.on,
                    notice_delay(self._rng),
                    "ChangeNationality",
                    {"changed_on": event.on.isoformat(), "nationality": GERMANY},
                )
            elif event.kind in _PLACED:
                yield from self._register(event, following)
            else:
                yield from self._deregister(event, events[index - 1].on)

    def _register(self, event: LifeEvent, following: date) -> Iterator[Booking]:
        self._residence_id = _pseudonym(self._rng)
        self._settle(event)
        truth = self._registration(event)
        if event.kind == "opening":
            self._after = taken_over(event.on, self._rng)
            yield self._row(self._after, "RegisterResidence", truth)
            return
        if event.kind == "birth":
            yield self._book(event.on, notice_delay(self._rng), "RegisterResidence", truth)
            return
        slip = slips.of_a_registration(truth, event, self._person, self._quarters, self._rng)
        # Slips are corrected within the year after the fact: only what was booked in time has one here.
        delay = registration_delay(self._rng) if slip is None else int(self._rng.random() * 12)
        booking = self._book(event.on, delay, "RegisterResidence", {**truth, **(slip.typed if slip else {})})
        yield booking
        if slip is not None:
            yield from self._correct(booking, slip)
        if (following - event.on).days > slips.ROOM_DAYS and self._rng.random() < slips.FALSELY_GONE:
            yield from self._gone_by_mistake(event.on)
        if self._rng.random() < slips.WRONG_PERSON:
            yield from self._somebody_else(event, truth)

    def _registration(self, event: LifeEvent) -> dict[str, Any]:
        rng, person = self._rng, self._person
        fields: dict[str, Any] = {
            "resident_id": self._resident_id,
            **self._names,
            "birth_date": person.born_on.isoformat(),
            "sex": person.sex,
            "nationality": person.nationality,
            "moved_in_on": event.on.isoformat(),
            "residence_kind": "main",
            **self._address(),
        }
        if event.kind != "arrival":
            # Nobody asks for a landlord's confirmation then (§ 19 BMG is about moving in).
            del fields["landlord_confirmation"]
            return fields | {"arrival_kind": event.kind}
        draw = rng.random()
        if draw < 0.62:
            return fields | {"arrival_kind": "abroad", "previous_state": names.previous_state(person.nationality, rng)}
        if draw < 0.95:
            return fields | {
                "arrival_kind": "other_municipality",
                "previous_municipality": names.previous_municipality(rng),
            }
        return fields | {"arrival_kind": "unknown"}

    def _move(self, event: LifeEvent) -> Iterator[Booking]:
        self._settle(event)
        fields = {"moved_on": event.on.isoformat(), **self._address()}
        yield self._book(event.on, registration_delay(self._rng), "MoveResidence", fields)

    def _deregister(self, event: LifeEvent, previous_on: date) -> Iterator[Booking]:
        if event.kind == "death":
            fields = {"deregistered_on": event.on.isoformat(), "reason": "death"}
            yield self._book(event.on, notice_delay(self._rng), "DeregisterResidence", fields)
            return
        reason = "abroad" if self._rng.random() < 0.7 else "other_municipality"
        truth = {"deregistered_on": event.on.isoformat(), "reason": reason}
        slip = slips.of_a_departure(event.on, previous_on, self._rng)
        delay = departure_delay(self._rng) if slip is None else int(self._rng.random() * 30)
        booking = self._book(event.on, delay, "DeregisterResidence", {**truth, **(slip.typed if slip else {})})
        yield booking
        if slip is not None:
            yield from self._correct(booking, slip)

    def _correct(self, wrong: Booking, slip: slips.Slip) -> Iterator[Booking]:
        """The corrections of a booking, each of the one before it; other bookings may come in between."""
        for step in slip.corrections:
            recorded_at = recorded(wrong.recorded_at.date(), step.after_days, wrong.recorded_at, self._rng)
            fields = {"reason": step.reason, "amendment": step.amendment}
            yield (wrong := self._row(recorded_at, "CorrectRegistration", fields, corrects=wrong.reference))

    def _gone_by_mistake(self, since: date) -> Iterator[Booking]:
        """A departure of somebody who never left, cancelled some weeks later, before anything else is booked."""
        on = since + timedelta(days=60 + int(self._rng.random() * 90))
        fields = {"deregistered_on": on.isoformat(), "reason": "other_municipality"}
        booking = self._book(on, int(self._rng.random() * 20), "DeregisterResidence", fields)
        yield booking
        for cancellation in self._correct(booking, slips.CANCELLED):
            self._after = cancellation.recorded_at
            yield cancellation

    def _somebody_else(self, event: LifeEvent, fields: Mapping[str, Any]) -> Iterator[Booking]:
        """The same registration booked a second time for somebody who never came, cancelled some weeks later."""
        own_residence, own_after = self._residence_id, self._after
        self._residence_id = _pseudonym(self._rng)
        other = {"resident_id": _pseudonym(self._rng), "given_names": names.given_name(self._rng)}
        booking = self._book(event.on, int(self._rng.random() * 12), "RegisterResidence", {**fields, **other})
        yield booking
        yield from self._correct(booking, slips.CANCELLED)
        self._residence_id, self._after = own_residence, own_after

    def _settle(self, event: LifeEvent) -> None:
        if event is self._printed_event and self._printed_area is not None:
            self._area = self._printed_area
        elif event.kind != "move" or self._rng.random() >= _SAME_AREA:
            self._area = self._quarters.draw(self._rng)

    def _address(self) -> dict[str, str]:
        draw = self._rng.random()
        return {
            "area": self._area,
            "street": names.street(self._rng),
            "house_number": names.house_number(self._rng),
            "postal_code": names.NO_POSTAL_CODE,
            "landlord_confirmation": "present" if draw < 0.86 else "missing" if draw < 0.98 else "refused",
        }

    def _book(self, on: date, days_later: int, command: str, fields: Mapping[str, Any]) -> Booking:
        """A booking some days after the day of the fact, and after all others about the person so far."""
        self._after = recorded(on, days_later, self._after, self._rng)
        return self._row(self._after, command, fields)

    def _row(
        self,
        recorded_at: datetime,
        command: str,
        fields: Mapping[str, Any],
        corrects: Reference | None = None,
    ) -> Booking:
        self._written += 1
        reference = (self._person.number, self._written)
        return Booking(recorded_at, reference, command, self._residence_id, fields, corrects)


def _pseudonym(rng: random.Random) -> str:
    """A random UUID (version 4) in lower case."""
    bits = f"{rng.getrandbits(128):032x}"
    return f"{bits[:8]}-{bits[8:12]}-4{bits[13:16]}-a{bits[17:20]}-{bits[20:]}"
