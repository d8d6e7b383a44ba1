"""Slips of the office: what was typed wrong, and how it was put right weeks later. How often: assumptions."""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from registration.simulation.lives import LifeEvent, Person
from registration.simulation.printed import EU2
from registration.simulation.quarters import Quarters
from verbund.events.registration import CorrectionReason

FALSELY_GONE = 0.0015
"""Share of registrations followed by a departure that never was."""
WRONG_PERSON = 0.001
"""Share of registrations booked a second time for somebody who never came."""
ROOM_DAYS = 330
"""Time that a departure booked by mistake and its cancellation need at most, with all that is booked late before."""

_WRONG_SHARE = 0.012  # of registrations
_WRONG_DAY_OF_DEPARTURE = 0.005
_RESIDENCE_YEARS_BEFORE_BIRTH_SLIPS = 3  # so that a wrong day of moving in is never before the day of birth


@dataclass(frozen=True, slots=True)
class Correction:
    after_days: int
    """Days after the booking that it corrects."""
    reason: CorrectionReason
    amendment: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class Slip:
    """Wrong values of a booking, and the corrections after which it is right: the first of the booking, each further
    one of the correction before it."""

    typed: Mapping[str, Any]
    corrections: tuple[Correction, ...]


CANCELLED = Slip({}, (Correction(30, "booked_in_error", None),))


def of_a_registration(
    truth: Mapping[str, Any], event: LifeEvent, person: Person, quarters: Quarters, rng: random.Random
) -> Slip | None:
    """The slip in a registration of somebody who arrived, if there is one."""
    if rng.random() >= _WRONG_SHARE:
        return None
    draw = rng.random()
    if draw < 0.40:
        return _nationality(truth, rng)
    if draw < 0.65 and event is person.events[0] and person.born_on.year + 3 < event.on.year:
        wrong = event.on - timedelta(days=1 + int(rng.random() * 60))
        return _slip("moved_in_on", wrong.isoformat(), event.on.isoformat(), "typing_error", rng)
    if draw < 0.80 and event is person.events[0]:
        wrong = person.born_on.replace(year=person.born_on.year - 10)
        return _slip("birth_date", wrong.isoformat(), truth["birth_date"], "wrong_document", rng)
    wrong_area = quarters.draw(rng)
    if wrong_area == truth["area"]:
        return None
    return _slip("area", wrong_area, truth["area"], "information_of_person", rng)


def of_a_departure(on: date, previous_on: date, rng: random.Random) -> Slip | None:
    """The slip in the day of a departure, if there is one; the wrong day too is after the event before it."""
    room = min(45, (on - previous_on).days - 1)
    if rng.random() >= _WRONG_DAY_OF_DEPARTURE or room < 1:
        return None
    wrong = on - timedelta(days=1 + int(rng.random() * room))
    return _slip("deregistered_on", wrong.isoformat(), on.isoformat(), "information_of_other_authority", rng)


def _nationality(truth: Mapping[str, Any], rng: random.Random) -> Slip:
    (other,) = set(EU2) - {truth["nationality"]}
    if rng.random() < 0.85:
        return _slip("nationality", other, truth["nationality"], "typing_error", rng)
    # Corrected to the next wrong value, and only then to the true one: a correction of a correction.
    first = Correction(_after_days(rng), "typing_error", {"nationality": "130"})
    second = Correction(20 + int(rng.random() * 20), "information_of_person", {"nationality": truth["nationality"]})
    return Slip({"nationality": other}, (first, second))


_DATES = ("moved_in_on", "deregistered_on")


def _slip(name: str, wrong: str, true: str, reason: CorrectionReason, rng: random.Random) -> Slip:
    amended = "effective_on" if name in _DATES else name
    return Slip({name: wrong}, (Correction(_after_days(rng), reason, {amended: true}),))


def _after_days(rng: random.Random) -> int:
    """Two weeks to eight months."""
    return 14 + int(rng.random() ** 2 * 220)
