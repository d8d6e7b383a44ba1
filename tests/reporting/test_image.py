"""The image: whatever is booked, restored or rebuilt, it answers what a list of all deltas would."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import date, timedelta
from random import Random
from time import sleep
from typing import Any
from uuid import UUID, uuid4

import duckdb
import pytest
from sqlalchemy import text
from stage.cube import Stage, with_cells
from stage.facts import CITY

from reporting.cube import append, number_batch, snapshot
from reporting.deltas import Delta, summed
from reporting.image import Image, Moment, Reading, Row
from reporting.image import image as following
from reporting.image.columns import Columns
from reporting.image.loading import load
from reporting.rebuild import COMPACTING
from verbund.disclosure import KEY_MODULUS
from verbund.errors import Unavailable
from verbund.feeds.compaction import CannotCompact, Compacted, CompactionContext
from verbund.metrics import IMAGE_BATCH, IMAGE_GENERATION, IMAGE_ROWS
from verbund.settings import DatabaseSettings

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


async def put(cube: Stage, deltas: Sequence[Delta], city: str = CITY) -> UUID:
    batch = uuid4()
    async with cube.reader.begin() as connection:
        await append(connection, city, batch, with_cells(summed(deltas)))
        await number_batch(connection, city, batch, VERSIONS)
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


async def lose_what_is_behind(cube: Stage, number: int) -> None:
    """As a backup that ends with this batch leaves it."""
    await forge(
        cube,
        "delete from cube.delta where batch in (select batch from cube.batch where number > :number)",
        number=number,
    )
    await forge(cube, "delete from cube.batch where number > :number", number=number)
    await forge(cube, "update cube.batch_head set number = :number", number=number)


@pytest.mark.usefixtures("few")
@pytest.mark.parametrize("is_seen", [True, False], ids=["while it is behind", "when it has come further"])
@pytest.mark.parametrize("further", [1, 2, 3])
async def test_a_restored_cube_is_noticed_by_its_batches(cube: Stage, *, is_seen: bool, further: int) -> None:
    """Another batch under a number that is held; whether the head is below, at, or above what is held."""
    chance, image = Random(further), Image(cube.web, CITY)
    stays, lost, more = (some_deltas(chance, 30) for _ in range(3))
    for batch in (stays, lost, more):
        await put(cube, batch)
    async with image.moment() as moment:
        await check(moment, [*stays, *lost, *more], chance, 3)
    await lose_what_is_behind(cube, 1)
    if is_seen:
        async with image.moment() as moment:
            await check(moment, stays, chance)
    booked = list(stays)
    for _ in range(further):
        booked += (batch := some_deltas(chance, 30))
        await put(cube, batch)
    async with image.moment() as moment:
        await check(moment, booked, chance)


@pytest.mark.usefixtures("few")
async def test_another_generation_is_loaded_afresh_though_its_batches_have_the_same_names(cube: Stage) -> None:
    chance, image = Random(1), Image(cube.web, CITY)
    await put(cube, one := summed(some_deltas(chance, 30)))
    async with image.moment() as moment:
        await check(moment, one, chance)
    await forge(cube, "update cube.delta set n = n + 1")
    await forge(cube, "update cube.batch_head set generation = 2")
    async with image.moment() as moment:
        await check(moment, [delta._replace(n=delta.n + 1) for delta in one], chance)


@pytest.mark.usefixtures("few")
async def test_another_generation_is_loaded_afresh(cube: Stage) -> None:
    chance, image = Random(1), Image(cube.web, CITY)
    await put(cube, one := some_deltas(chance, 30))
    async with image.moment() as moment:
        await check(moment, one, chance)
    await lose_what_is_behind(cube, 0)
    await put(cube, other := some_deltas(chance, 30))
    await forge(cube, "update cube.batch_head set generation = 2")
    async with image.moment() as moment:
        assert (moment.head.generation, moment.head.number) == (2, 1)
        await check(moment, other, chance)


@pytest.mark.usefixtures("few")
@pytest.mark.parametrize("held", [False, True], ids=["loaded later", "extended later"])
async def test_an_earlier_snapshot_is_answered_from_what_it_sees(cube: Stage, *, held: bool) -> None:
    chance, image = Random(1), Image(cube.web, CITY)
    await put(cube, before := some_deltas(chance, 30))
    if held:
        async with image.moment() as moment:
            await check(moment, before, chance, 3)
    async with snapshot(cube.web) as earlier:
        await earlier.execute(text("select"))
        await put(cube, after := some_deltas(chance, 30))
        async with image.moment() as moment:
            await check(moment, [*before, *after], chance)
            columns = moment.columns
        moment = await image.follow(earlier)
        assert moment.columns is columns  # nothing was loaded for it
        await check(moment, before, chance)


async def test_whoever_asks_keeps_what_was_there_when_another_generation_comes(cube: Stage) -> None:
    chance, image = Random(1), Image(cube.web, CITY)
    await put(cube, before := some_deltas(chance, 30))
    async with snapshot(cube.web) as earlier:
        first = await image.follow(earlier)
        await lose_what_is_behind(cube, 0)
        await put(cube, after := some_deltas(chance, 30))
        await forge(cube, "update cube.batch_head set generation = 2")
        async with image.moment() as moment:
            await check(moment, after, chance, 5)
        await check(first, before, chance, 5)
        await check(await image.follow(earlier), before, chance, 5)
    async with image.moment() as moment:
        await check(moment, after, chance, 5)


async def test_many_follow_at_once_and_each_sees_its_own_moment(cube: Stage) -> None:
    chance, image, booked = Random(2), Image(cube.web, CITY), list[list[Delta]]()

    async def look(seed: int) -> None:
        while len(booked) < 25:
            async with image.moment() as moment:
                known = [delta for batch in booked[: moment.head.number] for delta in batch]
                if moment.head.number <= len(booked):
                    await check(moment, known, Random(seed), 1)

    async def book() -> None:
        for _ in range(25):
            batch = some_deltas(chance, 20)
            await put(cube, batch)
            booked.append(batch)

    async with asyncio.timeout(60):
        await asyncio.gather(book(), *(look(i) for i in range(6)))
    async with image.moment() as moment:
        await check(moment, [delta for batch in booked for delta in batch], chance)


async def test_what_is_booked_while_it_loads_counts_once(cube: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    chance, image, loop = Random(7), Image(cube.web, CITY), asyncio.get_running_loop()
    await put(cube, before := some_deltas(chance, 60))
    after = some_deltas(chance, 60)

    def busy(*given: Any) -> None:
        if after not in booked:
            booked.append(after)
            asyncio.run_coroutine_threadsafe(put(cube, after), loop).result(20)
        load(*given)

    booked = [before]
    monkeypatch.setattr(following, "_FEW", 0)
    monkeypatch.setattr(following, "load", busy)
    async with image.moment() as moment:
        await check(moment, before, chance)
    async with image.moment() as moment:
        await check(moment, [*before, *after], chance)


async def test_whoever_gives_up_waiting_leaves_nothing_twice(cube: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its thread goes on, and comes when somebody else has taken the same batches in."""
    chance, image, take_in, waits = Random(3), Image(cube.web, CITY), Columns.take_in, [0.3, 0.0, 0.0]

    def late(*given: Any) -> None:
        sleep(waits.pop(0) if waits else 0)
        take_in(*given)

    await put(cube, booked := some_deltas(chance, 30))
    async with image.moment():
        monkeypatch.setattr(Columns, "take_in", late)
    await put(cube, more := some_deltas(chance, 30))
    with suppress(TimeoutError):
        async with asyncio.timeout(0.1), image.moment():
            pytest.fail("it did not wait")
    async with image.moment() as moment:
        await check(moment, [*booked, *more], chance, 3)
        await asyncio.sleep(0.4)
        await check(moment, [*booked, *more], chance, 3)


@pytest.mark.parametrize("number", [0, 2_000], ids=["as streams", "row by row"])
async def test_what_fails_half_way_is_taken_in_whole_the_next_time(
    cube: Stage, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    chance, image = Random(4), Image(cube.web, CITY)
    monkeypatch.setattr(following, "_FEW", number)
    await put(cube, booked := some_deltas(chance, 60))
    async with image.moment() as moment:
        await check(moment, booked, chance, 3)
    await put(cube, more := some_deltas(chance, 60))
    with monkeypatch.context() as patch:
        patch.setattr(Columns, "finish", _full)
        with pytest.raises(Unavailable, match="figures_not_loaded"):
            async with image.moment():
                pytest.fail("it did not fail")
    async with image.moment() as moment:
        await check(moment, [*booked, *more], chance)


def _full(*given: Any) -> None:
    raise duckdb.OutOfMemoryException("no room")


@pytest.mark.usefixtures("few")
async def test_an_image_holds_one_municipality(cube: Stage) -> None:
    chance, image = Random(5), Image(cube.web, CITY)
    await put(cube, booked := some_deltas(chance, 30))
    await put(cube, [delta._replace(municipality="05112000") for delta in some_deltas(chance, 30)], "05112000")
    async with image.moment() as moment:
        await check(moment, booked, chance)


async def test_it_says_what_it_holds(cube: Stage) -> None:
    image = Image(cube.web, CITY)
    for _ in range(2):
        await put(cube, [some_delta(Random(6))])
        async with image.moment():
            pass
    told = [next(iter(each.collect())).samples[0].value for each in (IMAGE_ROWS, IMAGE_GENERATION, IMAGE_BATCH)]
    assert told == [2, 1, 2]


class TestCompaction:
    @staticmethod
    async def compact(
        settings: Callable[[str], DatabaseSettings],
        cuts: Sequence[int] = (),
        progress: Callable[[str, int, int], None] = lambda phase, done, total: None,
    ) -> Compacted:
        context = CompactionContext(settings("owner"), progress, {CITY: cuts})
        (done,) = await asyncio.to_thread(COMPACTING, context)
        return done

    @pytest.mark.usefixtures("few")
    @pytest.mark.parametrize("number", range(3))
    async def test_changes_no_answer(
        self, cube: Stage, reporting_settings: Callable[[str], DatabaseSettings], number: int
    ) -> None:
        """Not at the end, and not at any batch that was to be kept; what is booked meanwhile follows."""
        chance, image, booked = Random(number), Image(cube.web, CITY), list[list[Delta]]()
        for _ in range(5):
            # Few places, so that many rows fall into one; and a first day that was taken back.
            batch = [delta._replace(effective_on=FIRST, recorded_on=FIRST) for delta in some_deltas(chance, 20)]
            first = some_delta(chance)._replace(effective_on=FIRST - timedelta(20), recorded_on=FIRST, n=1, key=5)
            booked += [summed([*batch, first]), [first._replace(n=-1, key=KEY_MODULUS - 5)]]
        for batch in booked:
            await put(cube, batch)
        cuts, loop = sorted(chance.sample(range(1, 11), 3)), asyncio.get_running_loop()

        def book(phase: str, done: int, total: int) -> None:
            if (phase, done) == ("comparing both cubes", 0):
                batch = summed(some_deltas(Random(number), 20))
                asyncio.run_coroutine_threadsafe(put(cube, batch), loop).result(20)
                booked.append(batch)

        async with image.moment() as moment:
            await check(moment, [delta for batch in booked for delta in batch], chance, 4)
        done = await self.compact(reporting_settings, cuts, book)
        assert done.generation == 2
        assert done.rows < sum(map(len, booked))
        assert list(done.numbers) == sorted({*cuts, 10})
        async with image.moment() as moment:
            assert (moment.head.generation, moment.head.number) == (2, len(done.numbers) + 1)
            await check(moment, [delta for batch in booked for delta in batch], chance)
            for old, new in done.numbers.items():
                then = replace(moment, head=replace(moment.head, number=new))
                await check(then, [delta for batch in booked[:old] for delta in batch], chance)
        await put(cube, more := some_deltas(chance, 20))
        async with image.moment() as moment:
            await check(moment, [*more, *(delta for batch in booked for delta in batch)], chance, 4)

    async def test_of_nothing_is_nothing_and_of_a_compact_cube_the_same(
        self, cube: Stage, reporting_settings: Callable[[str], DatabaseSettings]
    ) -> None:
        assert await asyncio.to_thread(COMPACTING, CompactionContext(reporting_settings("owner"), print)) == []
        await put(cube, summed(some_deltas(Random(1), 20)))
        first, second = [await self.compact(reporting_settings) for _ in range(2)]
        assert (first.rows, first.numbers) == (second.rows, second.numbers)

    async def test_refuses_a_batch_that_is_not_there_and_goes_round_a_rebuild(
        self, cube: Stage, reporting_settings: Callable[[str], DatabaseSettings]
    ) -> None:
        await put(cube, booked := some_deltas(Random(1), 20))
        with pytest.raises(CannotCompact, match="has no batch 2: it has 1"):
            await self.compact(reporting_settings, [2])
        await forge(cube, "insert into rebuild.build (source, versions) values ('ledgers', '{}')")
        with pytest.raises(CannotCompact, match="rebuild --abandon"):
            await self.compact(reporting_settings)
        await forge(cube, "delete from rebuild.build")
        async with Image(cube.web, CITY).moment() as moment:
            assert moment.head.generation == 1
            await check(moment, booked, Random(1), 3)
