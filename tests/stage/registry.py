"""The registration office without mechanism: a clerk who books at random, and a plain reading of what was booked.

The reading (`Register`) asks of every day anew what held on it. It keeps no history and computes no differences, so it
shares nothing with the code under test but the meaning of the bookings.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

Facts = tuple[str, str, int, str, str]  # area, nationality, birth year, sex, kind of residence


@dataclass(frozen=True)
class Slip:
    """One slip of paper in the order of booking; `corrects` names the slip that it puts right."""

    number: str
    known_on: date
    kind: str
    residence: str
    values: dict[str, Any]
    """Empty amendments are possible; for a cancellation, see `cancels`."""
    corrects: str | None = None
    cancels: bool = False

    @property
    def on(self) -> date:
        on: date = self.values["effective_on"]
        return on


class Register:
    """What the office knew at the end of a day."""

    def __init__(self, slips: Sequence[Slip], known_on: date) -> None:
        self._slips = [slip for slip in slips if slip.known_on <= known_on]
        true = [self._true(slip) for slip in self._slips if slip.corrects is None]
        self._true_slips = [slip for slip in true if slip is not None]

    def says_the_same_as(self, other: "Register") -> bool:
        """Whether the same is true in both, of the bookings and of the person."""
        return self._essence() == other._essence()

    def _essence(self) -> tuple[Any, ...]:
        of_person = ("birth_year", "sex")
        bookings = [
            (slip.number, {name: value for name, value in slip.values.items() if name not in of_person})
            for slip in self._true_slips
        ]
        return (bookings, *(self._of_person(name) for name in of_person))

    def _of_kind(self, kind: str) -> list[Slip]:
        return [slip for slip in self._true_slips if slip.kind == kind]

    def _true(self, slip: Slip) -> Slip | None:
        """The slip with all that was put right on it, or None where it is torn."""
        values, cancels = dict(slip.values), slip.cancels
        for other in self._slips:
            if other.corrects != slip.number:
                continue
            righting = self._true(other)
            if righting is None:
                continue
            if righting.cancels:
                return None
            if slip.corrects is None and righting.values.get("arrival_kind") not in (None, values.get("arrival_kind")):
                values.update(previous_state=None, previous_municipality=None)
            values.update(righting.values)
            cancels = False
        return Slip(slip.number, slip.known_on, slip.kind, slip.residence, values, slip.corrects, cancels)

    def _of_person(self, name: str) -> Any:
        """Birth year or sex: the last word of any correction of any registration, else what was said first."""
        first = next(slip for slip in self._slips if slip.kind == "registration" and slip.corrects is None)
        told = first.values[name]
        registrations = {s.number for s in self._slips if s.kind == "registration" and s.corrects is None}
        for slip in self._slips:
            if slip.corrects in registrations:
                righting = self._true(slip)
                if righting is not None and not righting.cancels and name in righting.values:
                    told = righting.values[name]
        return told

    def _over(self, residence: str, day: date) -> bool:
        """Whether the residence has ended by the end of the day."""
        return any(
            slip.on <= day and (slip.residence == residence or slip.values["reason"] == "death")
            for slip in self._of_kind("deregistration")
        )

    def _first_of_its_time(self, slip: Slip) -> bool:
        """Whether the resident had no other residence when this one began."""
        return not any(
            (other.on, other.residence) < (slip.on, slip.residence) and not self._over(other.residence, slip.on)
            for other in self._of_kind("registration")
        )

    def _nationality(self, day: date) -> str:
        told = [(s.on, 1, s.residence, s) for s in self._of_kind("registration") if self._first_of_its_time(s)]
        told += [(s.on, 3, s.residence, s) for s in self._of_kind("nationality")]
        told = [one for one in told if one[0] <= day]
        assert told, "somebody lives here and nobody ever said of what nationality"
        nationality: str = max(told, key=lambda one: one[:3])[3].values["nationality"]
        return nationality

    def _area(self, residence: str, day: date, *, before: Slip | None = None) -> str:
        placed = [
            (slip.on, slip.kind == "move", slip)
            for slip in (*self._of_kind("registration"), *self._of_kind("move"))
            if slip.residence == residence and slip.on <= day and slip is not before
        ]
        assert placed, "somebody leaves or moves who never moved in"
        area: str = max(placed, key=lambda one: one[:2])[2].values["area"]
        return area

    def _kind(self, registration: Slip, day: date) -> str:
        """Main or secondary, at the end of the day; on one day it is made the main one last."""
        told = [(registration.on, False, registration.values["residence_kind"])]
        told += [
            (slip.on, slip.values["residence_kind"] == "main", slip.values["residence_kind"])
            for slip in self._of_kind("kind")
            if slip.residence == registration.residence and slip.on <= day
        ]
        kind: str = max(told, key=lambda one: one[:2])[2]
        return kind

    def stock(self, day: date) -> Counter[Facts]:
        """Who lives here at the end of the day, by their facts."""
        return Counter(
            (
                self._area(slip.residence, day),
                self._nationality(day),
                self._of_person("birth_year"),
                self._of_person("sex"),
                self._kind(slip, day),
            )
            for slip in self._of_kind("registration")
            if slip.on <= day and not self._over(slip.residence, day)
        )

    def flows(self) -> Counter[tuple[str, date, str | None, str | None]]:
        """Kind, day, area before and area after of everything that crossed a border of an area."""
        return Counter(self._flows())

    def _flows(self) -> Iterator[tuple[str, date, str | None, str | None]]:
        for slip in self._of_kind("registration"):
            kind = slip.values["arrival_kind"]
            yield (kind if kind == "birth" else "arrival", slip.on, None, slip.values["area"])
        for slip in self._of_kind("move"):
            yield ("move", slip.on, self._area(slip.residence, slip.on, before=slip), slip.values["area"])
        for slip in self._of_kind("deregistration"):
            died = slip.values["reason"] == "death"
            ended = [slip.residence]
            if died:
                ended = [
                    other.residence
                    for other in self._of_kind("registration")
                    if other.on < slip.on
                    and not any(
                        end.residence == other.residence and end.on <= slip.on and end.values["reason"] != "death"
                        for end in self._of_kind("deregistration")
                    )
                ]
            for residence in ended:
                yield ("death" if died else "departure", slip.on, self._area(residence, slip.on), None)

    def acts(self) -> Counter[tuple[date, str, bool, str]]:
        """Day of booking, area, late, confirmation of every registration that was booked."""
        return Counter(
            (slip.known_on, slip.values["area"], self._late(slip), slip.values["landlord_confirmation"])
            for slip in (*self._of_kind("registration"), *self._of_kind("move"))
            if slip.kind == "move" or slip.values["arrival_kind"] != "birth"
        )

    @staticmethod
    def _late(slip: Slip) -> bool:
        allowed = 14 if slip.on >= date(2015, 11, 1) else 7
        return (slip.known_on - slip.on).days > allowed
