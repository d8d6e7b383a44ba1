"""Attackers of the disclosure control, in random cities: what they learn beyond what a published count says itself.

`make attack` sends them through 200 cities; here a seeded selection. Each prints how often it was right.
"""

import os
import random
from functools import cache, lru_cache

import pytest
from attacks.attackers import ATTACKS
from attacks.city import City, random_city
from attacks.guessing import Guess, Series, series
from attacks.outlets import Live, Modelled, Naked, OwnNoise, Protected, Redrawn

from verbund.disclosure import Perturbation, perturbation_table

CITIES = int(os.environ.get("VERBUND_CITIES", "8"))
SEED = os.environ.get("VERBUND_SEED", "20261126")
K = 10
"""Bookings between two ticks: as few as an outlet of the house may take together."""

BROKEN: list[tuple[str, type[Modelled], type[Modelled]]] = [
    *((name, Naked, Protected) for name in ATTACKS),
    ("asking again", Redrawn, Protected),
    ("watching the counter", Live, Protected),
    ("differencing overlaps", OwnNoise, OwnNoise),
    ("differencing ticks", OwnNoise, OwnNoise),
]
"""Planted outlets, each with the attack that has to break it, and the outlet whose counts the guess is made from."""


@cache
def perturbation() -> Perturbation:
    return Perturbation(perturbation_table())


@cache
def city(number: int) -> City:
    return random_city(random.Random(f"{SEED} {number}"))


@lru_cache(2 * CITIES)
def outlet(kind: type[Modelled], number: int) -> Modelled:
    return kind(city(number), perturbation(), K)


@cache
def attacked(name: str, kind: type[Modelled], bench: type[Modelled]) -> Series:
    guesses: list[Guess] = []
    for number in range(CITIES):
        chance = random.Random(f"{SEED} {number} {name}")
        guesses += ATTACKS[name](city(number), outlet(kind, number), outlet(bench, number), chance)
    found = series(guesses)
    print(f"\n{name} upon {kind.__name__}: {found} (VERBUND_SEED={SEED}, {CITIES} cities)")  # noqa: T201
    return found


@pytest.mark.parametrize("name", ATTACKS)
def test_the_protected_outlet_tells_the_attacker_no_more_than_a_guess(name: str) -> None:
    assert not attacked(name, Protected, Protected).beats_guessing


@pytest.mark.parametrize(("name", "kind", "bench"), BROKEN, ids=[f"{name}-{kind.__name__}" for name, kind, _ in BROKEN])
def test_a_planted_outlet_is_broken(name: str, kind: type[Modelled], bench: type[Modelled]) -> None:
    assert attacked(name, kind, bench).beats_guessing
