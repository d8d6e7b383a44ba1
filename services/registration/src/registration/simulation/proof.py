"""Does the plan add up to the printed figures? Counted from the bookings alone, not from how they were made."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from registration.places import areas
from registration.simulation.bookings import Booking, Reference
from registration.simulation.office_hours import end_of
from registration.simulation.printed import CITY, EU2, GERMANY, Printed


class PlanDoesNotAddUp(Exception):
    """The bookings of the plan give other figures than those printed; nothing was loaded."""

    def __init__(self, differences: Sequence["Difference"]) -> None:
        super().__init__("; ".join(f"{d.name}: printed {d.printed}, planned {d.planned}" for d in differences))
        self.differences = tuple(differences)


@dataclass(frozen=True, slots=True)
class Difference:
    name: str
    printed: int
    planned: int


@dataclass(slots=True)
class Spell:
    """A time in which somebody lived in the city with one of the counted nationalities."""

    nationality: str
    birth_year: int
    from_on: date
    beginning: str
    """Arrival kind."""
    areas: list[tuple[date, str]]
    """From which day in which area; in order."""
    until_on: date = date.max
    """The first day on which it was over."""
    ending: str | None = None
    """Reason of the deregistration, or `naturalised`."""

    def holds(self, on: date) -> bool:
        return self.from_on <= on < self.until_on

    def area(self, on: date) -> str:
        return [code for since, code in self.areas if since <= on][-1]


@dataclass(slots=True)
class _Held:
    booking: Booking
    fields: dict[str, Any]
    corrections: list[dict[str, Any] | None] = field(default_factory=list)

    def true_fields(self) -> dict[str, Any] | None:
        """None where the booking was cancelled."""
        fields = self.fields
        for amendment in self.corrections:
            if amendment is None:
                return None
            fields = fields | amendment
        return fields


def spells(bookings: Sequence[Booking], known_on: date) -> list[Spell]:
    """Who lived in the city, as far as booked by the end of the day `known_on`; corrections are followed."""
    found: dict[str, Spell] = {}
    for held in _held(bookings, known_on):
        fields = held.true_fields()
        if fields is None:
            continue
        booking = held.booking
        on = date.fromisoformat(fields.get("effective_on") or fields[_DAY[booking.command]])
        if booking.command == "RegisterResidence":
            found[booking.residence_id] = Spell(
                nationality=fields["nationality"],
                birth_year=int(fields["birth_date"][:4]),
                from_on=on,
                beginning=fields["arrival_kind"],
                areas=[(on, fields["area"])],
            )
        elif booking.command == "MoveResidence":
            found[booking.residence_id].areas.append((on, fields["area"]))
        elif found[booking.residence_id].ending is None:
            spell = found[booking.residence_id]
            spell.until_on, spell.ending = on, fields.get("reason", "naturalised")
    return list(found.values())


_DAY = {
    "RegisterResidence": "moved_in_on",
    "MoveResidence": "moved_on",
    "DeregisterResidence": "deregistered_on",
    "ChangeNationality": "changed_on",
}


def _held(bookings: Sequence[Booking], known_on: date) -> Iterator[_Held]:
    held: dict[Reference, _Held] = {}
    roots: dict[Reference, Reference] = {}
    end = end_of(known_on)
    for booking in bookings:
        if booking.recorded_at >= end:
            break
        if booking.corrects is not None:
            root = roots.get(booking.corrects, booking.corrects)
            roots[booking.reference] = root
            held[root].corrections.append(booking.fields["amendment"])
        else:
            if booking.command == "ChangeNationality" and booking.fields["nationality"] != GERMANY:
                raise ValueError("the plan knows naturalisations only")
            held[booking.reference] = _Held(booking, dict(booking.fields))
    return iter(held.values())


def prove(bookings: Sequence[Booking], printed: Printed, known_on: date) -> None:
    """Raises `PlanDoesNotAddUp` where a printed figure does not come out of what was booked by `known_on`."""
    differences = [d for d in compare(bookings, printed, known_on) if d.printed != d.planned]
    if differences:
        raise PlanDoesNotAddUp(differences)


def compare(bookings: Sequence[Booking], printed: Printed, known_on: date) -> list[Difference]:
    """Every printed figure beside the one that the plan gives."""
    counted = [spell for spell in spells(bookings, known_on) if spell.nationality in EU2]
    return [
        *_stocks(counted, printed),
        *_movements(counted, printed),
        *_shares(counted, printed),
    ]


def _stocks(counted: Sequence[Spell], printed: Printed) -> Iterator[Difference]:
    there = [spell for spell in counted if spell.holds(printed.opening_on)]
    yield Difference(f"stock {printed.opening_on}", printed.opening, len(there))
    for (year, nationality), persons in printed.stock.items():
        on = date(year, 12, 31)
        there = [spell for spell in counted if spell.nationality == nationality and spell.holds(on)]
        yield Difference(f"stock {nationality} {on}", persons, len(there))


def _movements(counted: Sequence[Spell], printed: Printed) -> Iterator[Difference]:
    crossed_in = {"abroad", "other_municipality", "unknown"}
    crossed_out = {"abroad", "other_municipality"}
    for year in printed.movements:
        came = sum(1 for s in counted if s.from_on.year == year and s.beginning in crossed_in)
        went = sum(1 for s in counted if s.until_on.year == year and s.ending in crossed_out)
        yield Difference(f"movements {year}", printed.movements[year], came + went)
        if year in printed.arrivals:
            yield Difference(f"arrivals {year}", printed.arrivals[year], came)
            yield Difference(f"departures {year}", printed.departures[year], went)


def _shares(counted: Sequence[Spell], printed: Printed) -> Iterator[Difference]:
    on = printed.shares_on
    there = [spell for spell in counted if spell.holds(on)]
    places = areas(CITY)
    for code, persons in printed.areas.items():
        inside = {leaf for leaf, area in places.items() if code in (leaf, area.parent)}
        yield Difference(f"area {code} {on}", persons, sum(1 for s in there if s.area(on) in inside))
    for age, persons in printed.aged.items():
        old = sum(1 for spell in there if on.year - spell.birth_year >= age)
        yield Difference(f"aged {age} and over {on}", persons, old)
