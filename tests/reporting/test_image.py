"""The image: whatever is booked, restored or rebuilt, it answers what a list of all deltas would."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, timedelta
from random import Random
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text
from stage.cube import Stage, with_cells
from stage.facts import CITY

from reporting.cube import append, number_batch
from reporting.deltas import KEY_MODULUS, Delta, summed
from reporting.image import Image, Moment, Reading, Row
from reporting.image import image as following

FIRST, LAST = date(2018, 1, 1), date(2018, 3, 1)
VERSIONS = {"registration": 1}
# Measures and facts that no catalogue knows, cells without facts, values that are no words: all of it is data.
FACTS = {
    "residents": {"area": ("04", "05", "61"), "nationality": ("125", "154"), "birth_year": ("1950", "1985")},
    "moves": {"area_from": ("04", "05"), "area_to": ("04", "05", "it's; --"), "nationality": ("125",)},
    "controls": {},
}


def some_deltas(chance: Random, most: int) -> list[Delta]:
    return [some_delta(chance) for _ in range(chance.randint(1, most))]


def some_delta(chance: Random) -> Delta:
    measure = chance.choice(list(FACTS))
    facts = {name: chance.choice(values) for name, values in FACTS[measure].items() if chance.random() < 0.9}
    days = (LAST - FIRST).days
    effective_on = FIRST + timedelta(chance.randint(0, days))
    n = chance.choice((-2, -1, 1, 1, 3))
    key = chance.choice((0, 1, KEY_MODULUS - 1, chance.randrange(KEY_MODULUS)))
    recorded_on = effective_on + timedelta(chance.randint(0, 9))
    return Delta(CITY, measure, tuple(sorted(facts.items())), effective_on, recorded_on, "booked", n, key)


def some_reading(chance: Random) -> Reading:
    names = sorted({name for facts in FACTS.values() for name in facts} | {"shoe_size"})
    days = sorted({FIRST + timedelta(chance.randint(-5, 70)) for _ in range(chance.choice((1, 1, 2, 5)))})
    from_the_beginning = len(days) == 1 or chance.random() < 0.5
    pushed = {
        name: frozenset(chance.sample(("04", "05", "125", "1985", "", "nowhere", "it's; --"), 3))
        for name in chance.sample(names, chance.choice((0, 0, 1, 2)))
    }
    return Reading(
        measures=tuple(chance.sample([*FACTS, "unheard_of"], chance.randint(1, 3))),
        facts=tuple(chance.sample(names, chance.randint(0, 3))),
        pushed=pushed,
        days=tuple(days),
        from_the_beginning=from_the_beginning,
        known_on=chance.choice((None, FIRST + timedelta(chance.randint(-5, 70)))),
    )


def expected(deltas: Sequence[Delta], reading: Reading) -> dict[tuple[Any, ...], tuple[int, int]]:
    """What a reading says, by going through the deltas one by one."""
    sums: defaultdict[tuple[Any, ...], tuple[int, int]] = defaultdict(lambda: (0, 0))
    for delta in deltas:
        facts = dict(delta.dims)
        if delta.measure not in reading.measures or delta.effective_on > reading.days[-1]:
            continue
        if not reading.from_the_beginning and delta.effective_on <= reading.days[0]:
            continue
        if reading.known_on is not None and delta.recorded_on > reading.known_on:
            continue
        if any(facts.get(name, "") not in values for name, values in reading.pushed.items()):
            continue
        bucket = sum(delta.effective_on > day for day in reading.days)
        place = (delta.measure, bucket, *(facts.get(name, "") for name in reading.facts))
        n, key = sums[place]
        sums[place] = (n + delta.n, (key + delta.key) % KEY_MODULUS)
    return dict(sums)


def said(rows: Sequence[Row]) -> dict[tuple[Any, ...], tuple[int, int]]:
    found = {(measure, bucket, *facts): (n, key) for measure, bucket, n, key, *facts in rows}
    assert len(found) == len(rows)
    return found


async def check(moment: Moment, deltas: Sequence[Delta], chance: Random, readings: int = 12) -> None:
    """The image answers at this moment what these deltas say."""
    for _ in range(readings):
        reading = some_reading(chance)
        assert said(await moment.read(reading)) == expected(deltas, reading), reading
        known = [d for d in deltas if reading.known_on is None or d.recorded_on <= reading.known_on]
        first = {m: min(d.effective_on for d in known if d.measure == m) for m in {d.measure for d in known}}
        wanted = {measure: day for measure, day in first.items() if measure in reading.measures}
        assert await moment.read_first_days(reading.measures, reading.known_on) == wanted, reading


async def put(cube: Stage, deltas: Sequence[Delta]) -> UUID:
    batch = uuid4()
    async with cube.reader.begin() as connection:
        await append(connection, CITY, batch, with_cells(summed(deltas)))
        await number_batch(connection, CITY, batch, VERSIONS)
    return batch


async def forge(cube: Stage, statement: str, **values: Any) -> None:
    """What no process of the office may do."""
    async with cube.superuser.begin() as connection:
        await connection.execute(text(statement), values)


@pytest.fixture(params=[0, 20, 2_000], ids=["as streams", "either way", "row by row"])
def few(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    """Up to how many rows are taken in one by one: both ways give the same image."""
    monkeypatch.setattr(following, "_FEW", request.param)
    number: int = request.param
    return number


@pytest.mark.usefixtures("few")
@pytest.mark.parametrize("number", range(6))
async def test_an_image_that_was_extended_equals_one_loaded_afresh_and_the_list_of_deltas(
    cube: Stage, number: int
) -> None:
    """Random batches, followed now and then, by two images at different times; random readings of every moment."""
    chance = Random(number)
    image, booked = Image(cube.web, CITY), list[Delta]()
    for _ in range(12):
        batch = summed(some_deltas(chance, 30))
        await put(cube, batch)
        booked += batch
        if chance.random() < 0.6:
            async with image.moment() as moment:
                await check(moment, booked, chance, 4)
    async with image.moment() as extended, Image(cube.web, CITY).moment() as afresh:
        await check(extended, booked, chance)
        await check(afresh, booked, chance)
        for reading in (some_reading(chance) for _ in range(20)):
            assert sorted(await extended.read(reading)) == sorted(await afresh.read(reading))
