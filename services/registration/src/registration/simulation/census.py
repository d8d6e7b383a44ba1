"""The day of the printed shares: who lives in which area then, and who is how old."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from registration.simulation.lives import Person, is_counted
from registration.simulation.printed import Printed
from registration.simulation.quarters import Quarters


@dataclass(frozen=True, slots=True)
class Census:
    """What the printed shares ask of single residents."""

    on: date
    areas: dict[int, str]
    """Area on that day, by number of the person."""


def take_census(persons: Sequence[Person], printed: Printed, quarters: Quarters, seed: int) -> Census:
    """Places everybody counted on the printed day, and shifts years of birth until the printed ages come out.

    Raises `ValueError` where the counted residents are not as many as printed.
    """
    rng = random.Random(f"{seed}/census")
    counted = sorted((p for p in persons if is_counted(p, printed.shares_on)), key=lambda p: p.number)
    places = [code for code, n in quarters.on_printed_day.items() for _ in range(n)]
    if len(places) != len(counted):
        raise ValueError(f"{len(counted)} residents are counted where {len(places)} are printed")
    rng.shuffle(places)
    for age, printed_persons in printed.aged.items():
        _shift_ages(counted, printed.shares_on.year - age, printed_persons, rng)
    return Census(printed.shares_on, {p.number: code for p, code in zip(counted, places, strict=True)})


def _shift_ages(counted: Sequence[Person], born_until: int, wanted: int, rng: random.Random) -> None:
    """Exactly `wanted` of the counted are born in `born_until` or before; others get much older or younger."""
    old = [p for p in counted if p.born_on.year <= born_until]
    # Nobody who was born here: whoever came before the printed day was born long enough before it either way.
    younger = [p for p in counted if born_until + 12 < p.born_on.year <= born_until + 25]
    for person in rng.sample(old, max(0, len(old) - wanted)):
        person.born_on = person.born_on.replace(year=person.born_on.year + 40)
    for person in rng.sample(younger, max(0, wanted - len(old))):
        person.born_on = person.born_on.replace(year=person.born_on.year - 25)
