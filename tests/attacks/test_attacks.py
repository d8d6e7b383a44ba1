"""Attackers of the disclosure control, in random cities: what they learn beyond what a published count says itself.

`make attack` sends them through 200 cities; here a seeded selection. Each prints how often it was right.
"""

import os
import random
from collections.abc import Callable
from functools import cache, lru_cache

import pytest
from attacks.attackers import ATTACKS
from attacks.city import City, random_city
from attacks.guessing import Guess, Series, series
from attacks.outlets import ByDistrict, Live, Naked, Outlet, Protected, Redrawn

from verbund.disclosure import Perturbation, perturbation_table

CITIES = int(os.environ.get("VERBUND_CITIES", "8"))
SEED = os.environ.get("VERBUND_SEED", "20261126")
K = 10
"""Bookings between two ticks: as few as an outlet of the house may take together."""

K_OF_DISTRICT = 40
"""Bookings that touch a district between two ticks of its own, where it has ticks of its own."""

UNBEATEN = ("asking again", "watching the counter", "averaging over ticks", "linear programming")
BEATEN = ("differencing overlaps", "differencing ticks")
"""Attacks that beat guessing by a property of the method (docs/reliability.md, Protection)."""
BROKEN: list[tuple[str, type[Naked] | type[Redrawn] | type[Live]]] = [
    *((name, Naked) for name in ATTACKS),
    ("asking again", Redrawn),
    ("watching the counter", Live),
]
"""Planted outlets, each with the attack that has to break it."""


@cache
def perturbation() -> Perturbation:
    return Perturbation(perturbation_table())


@cache
def city(number: int) -> City:
    return random_city(random.Random(f"{SEED} {number}"))


@lru_cache(2 * CITIES)
def outlet(kind: Callable[..., Outlet], number: int, k: int) -> Outlet:
    return kind(city(number), perturbation(), k)


@cache
def attacked(name: str, kind: Callable[..., Outlet], bench: Callable[..., Outlet] = Protected, k: int = K) -> Series:
    guesses: list[Guess] = []
    for number in range(CITIES):
        beside = outlet(bench, number, k)
        assert isinstance(beside, Protected)
        chance = random.Random(f"{SEED} {number} {name}")
        guesses += ATTACKS[name](city(number), outlet(kind, number, k), beside, chance)
    found = series(guesses)
    print(f"\n{name} upon {getattr(kind, '__name__', kind)}: {found} (VERBUND_SEED={SEED}, {CITIES} cities)")  # noqa: T201
    return found


@pytest.mark.parametrize("name", UNBEATEN)
def test_the_protected_outlet_tells_the_attacker_no_more_than_a_guess(name: str) -> None:
    assert not attacked(name, Protected).beats_guessing


@pytest.mark.parametrize("name", BEATEN)
@pytest.mark.xfail(reason="known: what is published together, and how often it moves, is for the outlet to decide")
def test_the_protected_outlet_tells_even_the_subtracting_attacker_no_more_than_a_guess(name: str) -> None:
    assert not attacked(name, Protected).beats_guessing


def test_a_district_with_ticks_of_its_own_does_not_tell_who_registered() -> None:
    assert not attacked("differencing ticks", ByDistrict, ByDistrict, K_OF_DISTRICT).beats_guessing


@pytest.mark.parametrize(("name", "kind"), BROKEN, ids=[f"{name}-{kind.__name__}" for name, kind in BROKEN])
def test_a_planted_outlet_is_broken(name: str, kind: Callable[..., Outlet]) -> None:
    assert attacked(name, kind).beats_guessing
