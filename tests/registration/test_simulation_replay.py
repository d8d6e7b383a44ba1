"""The office's own rules book the whole plan, and what they count is what was printed."""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

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
from registration.places import areas
from registration.simulation.bookings import Booking, Reference
from registration.simulation.loader import row_of
from registration.simulation.plan import plan_city
from registration.simulation.printed import CITY, EU2, printed_figures
from verbund.events.registration import ResidentTransition

UNTIL = date(2026, 11, 20)

_FORMS: dict[str, tuple[type[Any], type[Any]]] = {
    "MoveResidence": (MoveResidence, MoveForm),
    "DeregisterResidence": (DeregisterResidence, DeregistrationForm),
    "ChangeNationality": (ChangeNationality, NationalityForm),
    "CorrectRegistration": (CorrectRegistration, CorrectionForm),
}


def command_of(row: dict[str, Any]) -> Command:
    fields = {name: value for name, value in row.items() if name not in ("command", "recorded_at", "residence_id")}
    if row["command"] == "RegisterResidence":
        form = ResidenceForm.model_validate(fields)
        assert form.resident_id is not None
        return RegisterResidence(
            form=form, residence_id=row["residence_id"], resident_id=form.resident_id, phase="initial_load"
        )
    command, form_type = _FORMS[row["command"]]
    booked: Command = command(
        form=form_type.model_validate(fields), residence_id=row["residence_id"], phase="initial_load"
    )
    return booked


def replay(bookings: Sequence[Booking]) -> Iterator[ResidentTransition]:
    """Everything that the office's rules say about residents while they book the plan row by row."""
    lists = lists_of(CITY)
    residents: dict[str, Resident] = {}
    resident_of: dict[str, str] = {}
    booking_ids: dict[Reference, str] = {}
    for booking in bookings:
        command = command_of(row_of(booking, booking_ids))
        if isinstance(command, RegisterResidence):
            resident_of[command.residence_id] = command.resident_id
        resident_id = resident_of[command.residence_id]
        booked = decide(residents.get(resident_id), command, booking.recorded_at, lists)
        residents[resident_id] = evolve(residents.get(resident_id), booked.subject, booked.data)
        booking_ids[booking.reference] = command.booking_id
        yield from (t for t in booked.data.transitions if isinstance(t, ResidentTransition))


@pytest.mark.parametrize("seed", [1])
def test_the_office_books_the_whole_plan_and_counts_what_was_printed(seed: int) -> None:
    printed = printed_figures()
    stock: Counter[tuple[date, str, str, int]] = Counter()
    flows: Counter[tuple[int, str]] = Counter()
    for t in replay(plan_city(seed, UNTIL, printed)):
        if t.before is not None:
            stock[t.effective_on, t.before.nationality, t.before.area, t.before.birth_year] -= t.sign * t.n
        if t.after is not None:
            stock[t.effective_on, t.after.nationality, t.after.area, t.after.birth_year] += t.sign * t.n
        facts = t.after or t.before
        if facts is not None and facts.nationality in EU2:
            flows[t.effective_on.year, t.kind] += t.sign * t.n

    def persons(on: date, *, nationalities: Sequence[str] = EU2, places: Sequence[str] = (), born: int = 9999) -> int:
        return sum(
            n
            for (since, nationality, area, year), n in stock.items()
            if since <= on and nationality in nationalities and (not places or area in places) and year <= born
        )

    assert persons(printed.opening_on) == printed.opening
    for (year, nationality), expected in printed.stock.items():
        assert persons(date(year, 12, 31), nationalities=[nationality]) == expected
    for code, expected in printed.areas.items():
        inside = [leaf for leaf, area in areas(CITY).items() if code in (leaf, area.parent)]
        assert persons(printed.shares_on, places=inside) == expected
    assert persons(printed.shares_on, born=2018 - 65) == 110
    assert (flows[2018, "arrival"], flows[2018, "departure"]) == (3250, 2850)
    assert flows[2014, "arrival"] + flows[2014, "departure"] == 14_000
    assert flows[2015, "arrival"] + flows[2015, "departure"] == 10_500
