"""A cube is rebuilt beside the one that stands, while offices book, the reader reads and pages are open."""

import asyncio
import json
import re
from collections.abc import Callable
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from threading import Event
from typing import Any

import psycopg
import pytest
from conftest import OfficeDatabases
from stage.facts import BOOK
from stage.reading_office import ask, reading, until_ready
from stage.rebuilding import DEADLINE_SECONDS, City, city
from stage.releases import schema_of
from stage.reporting_office import ReportingOffice
from stage.waiting import comes_to_wait

from reporting.cube import read_head, snapshot
from reporting.rebuild import REBUILDING
from reporting.rebuild import build as build_module
from reporting.rebuild.run import CHANGE_OVER, COMPARE
from verbund.database import make_engine
from verbund.feeds.rebuild import CannotRebuild, Rebuilt, SumsDiffer

GENERATION = "select generation from cube.batch_head"


class Held:
    """Holds a rebuild where it comes to a phase, until it is let go."""

    def __init__(self, phase: str, done: int) -> None:
        self.reached, self.go_on = Event(), Event()
        self._at = (phase, done)

    def __call__(self, phase: str, done: int, total: int) -> None:
        if (phase, done) == self._at:
            self.reached.set()
            assert self.go_on.wait(DEADLINE_SECONDS)


async def held_at(here: City, phase: str, done: int, **choices: Any) -> tuple[Held, "asyncio.Task[Any]"]:
    """A rebuild that has come to this phase."""
    hold = Held(phase, done)
    task = asyncio.create_task(asyncio.to_thread(REBUILDING.run, here.context(hold, **choices)))
    reached = asyncio.create_task(asyncio.to_thread(hold.reached.wait, DEADLINE_SECONDS))
    await asyncio.wait([task, reached], return_when=asyncio.FIRST_COMPLETED)
    assert hold.reached.is_set(), task
    return hold, task


@pytest.mark.parametrize("phase", [(BOOK, 0), (BOOK, 4), (COMPARE, 0), (COMPARE, 1)], ids=str)
async def test_what_is_booked_and_read_during_a_rebuild_is_in_both_cubes(
    office_database: OfficeDatabases, tmp_path: Path, phase: tuple[str, int]
) -> None:
    async with city(office_database, tmp_path) as here, reading(here.reporting, here.registration, tmp_path) as reader:
        here.acknowledged += await here.register(3)
        await here.until_read(4)
        hold, rebuilding = await held_at(here, *phase)
        here.acknowledged += await here.register(2)
        await here.until_read(6)
        here.check()
        hold.go_on.set()
        outcome = await rebuilding
        assert (outcome.ledgers, bool(outcome.accepted)) == ([Rebuilt(BOOK, before=6, number=6)], False)
        here.check()
        here.acknowledged += await here.register(1)
        await here.until_read(7)
        await until_ready(reader)
        here.check()


async def test_whoever_reads_on_waits_for_the_changeover_and_goes_on_from_it(
    office_database: OfficeDatabases, tmp_path: Path
) -> None:
    async with city(office_database, tmp_path) as here, reading(here.reporting, here.registration, tmp_path):
        here.acknowledged += await here.register(3)
        await here.until_read(4)
        hold, rebuilding = await held_at(here, CHANGE_OVER, 0)
        here.acknowledged += await here.register(2)
        assert await comes_to_wait(rebuilding, here.reporting.superuser())
        assert ask(here.reporting, "select number from feed.position") == [(4,)]
        hold.go_on.set()
        assert (await rebuilding).ledgers == [Rebuilt(BOOK, before=4, number=6)]  # it took them with it
        here.acknowledged += await here.register(1)
        await here.until_read(7)
        here.check()


async def test_whoever_looks_during_the_changeover_sees_one_cube_and_not_half_of_each(
    office_database: OfficeDatabases, tmp_path: Path
) -> None:
    async with city(office_database, tmp_path) as here, AsyncExitStack() as opened:
        here.acknowledged += await here.register(2)
        async with reading(here.reporting, here.registration, tmp_path):
            await here.until_read(3)
        engine = make_engine(here.reporting.settings("web"))
        opened.push_async_callback(engine.dispose)
        looking = await opened.enter_async_context(snapshot(engine))
        rebuilding = asyncio.create_task(here.rebuild())
        assert await comes_to_wait(rebuilding, here.reporting.superuser())
        head = await read_head(looking, "05913000")  # looks for the first time now, at the cube it came for
        assert (head.generation, head.number) == (1, 1)
        await opened.aclose()
        await rebuilding
        engine = make_engine(here.reporting.settings("web"))
        async with snapshot(engine) as later:
            assert (await read_head(later, "05913000")).generation == 2
        await engine.dispose()
        here.check()


async def test_open_pages_go_on_through_rebuilds_and_show_the_same(
    office_database: OfficeDatabases, tmp_path: Path
) -> None:
    async with city(office_database, tmp_path) as here, reading(here.reporting, here.registration, tmp_path):
        here.acknowledged += await here.register(3)
        await here.until_read(4)
        page = ReportingOffice(tmp_path, here.reporting)
        async with page.inside() as app, page.client(app, "coordination") as client:
            for generation in range(2, 6):  # often enough that the statements are prepared ones
                await here.rebuild()
                here.acknowledged += await here.register(1)
                await here.until_read(generation + 3)

                async def shown() -> tuple[int, int]:
                    answer = await client.get("/figures/arrivals", params={"from": "2018-01-01", "to": "2018-12-31"})
                    assert answer.status_code == 200, answer.text
                    (cell,) = answer.json()["cells"]
                    live = app.state.hub.everything()
                    return cell["values"][0]["number"], live.head.generation

                await until_shown(shown, (generation + 2, generation))
        here.check()


async def until_shown(shown: Callable[[], Any], expected: object) -> None:
    for _ in range(600):
        if (found := await shown()) == expected:
            return
        await asyncio.sleep(0.05)
    pytest.fail(f"{found} instead of {expected}")


async def test_a_rebuild_killed_anywhere_changed_nothing_and_goes_on_from_there(
    office_database: OfficeDatabases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At each place where progress is told, once; in between somebody books and the reader reads on."""
    async with city(office_database, tmp_path) as here, reading(here.reporting, here.registration, tmp_path):
        here.acknowledged += await here.register(3)
        await here.until_read(4)
        read, calls = 4, 0
        while True:
            calls += 1
            died = await here.rebuild_killed_at(calls)
            if not died:
                break
            here.acknowledged += await here.register(1)
            read += 1
            await here.until_read(read)
            here.check()
        assert calls > 8
        # The one that lived, and the one that died with nothing left to do.
        assert ask(here.reporting, GENERATION) == [(3,)]
        here.acknowledged += await here.register(1)
        await here.until_read(read + 1)
        here.check()


async def test_a_rebuild_goes_on_where_it_was_and_folds_nothing_twice(
    office_database: OfficeDatabases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(build_module, "SLICE", 2)
    async with city(office_database, tmp_path) as here:
        here.acknowledged += await here.register(8)
        async with reading(here.reporting, here.registration, tmp_path):
            await here.until_read(9)

        def stop(phase: str, done: int, total: int) -> None:
            if (phase, done) == (BOOK, 4):
                raise CannotRebuild("stopped by hand")

        for begin, begun_at in (("where it was", 4), ("anew", 0)):
            with pytest.raises(CannotRebuild, match="stopped by hand"):
                await asyncio.to_thread(REBUILDING.run, here.context(stop, workers=1))
            told: list[int] = []
            await asyncio.to_thread(REBUILDING.run, here.context(partial(tell, told), begin=begin))
            assert told[0] == begun_at
            here.check()


def tell(told: list[int], phase: str, done: int, total: int) -> None:
    told.append(done)


async def test_a_rebuild_that_several_processes_fold_is_the_same(
    office_database: OfficeDatabases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(build_module, "SLICE", 3)
    async with city(office_database, tmp_path) as here:
        here.acknowledged += await here.register(20)
        async with reading(here.reporting, here.registration, tmp_path):
            await here.until_read(21)
        assert not (await here.rebuild(workers=2)).accepted
        here.check()
        assert ask(here.reporting, "select generation, number from cube.batch_head") == [(2, 7)]


async def test_what_was_folded_of_another_history_is_folded_again(
    office_database: OfficeDatabases, tmp_path: Path
) -> None:
    async with city(office_database, tmp_path) as here:
        here.acknowledged += await here.register(2)
        await here.back_up(tmp_path / "backup")
        await here.register(3)
        async with reading(here.reporting, here.registration, tmp_path):
            await here.until_read(6)

        def stop(phase: str, done: int, total: int) -> None:
            if phase == COMPARE:
                raise CannotRebuild("stopped by hand")

        with pytest.raises(CannotRebuild, match="stopped by hand"):
            await asyncio.to_thread(REBUILDING.run, here.context(stop))
        await here.restore(tmp_path / "backup")
        here.acknowledged += await here.register(4, nationality="125")
        with pytest.raises(SumsDiffer):
            await here.rebuild()
        await here.rebuild(accept=True)
        here.check()


async def test_an_office_that_is_restored_during_a_rebuild_is_not_taken_for_what_was_compared(
    office_database: OfficeDatabases, tmp_path: Path
) -> None:
    async with city(office_database, tmp_path) as here:
        here.acknowledged += await here.register(2)
        await here.back_up(tmp_path / "backup")
        await here.register(3)
        async with reading(here.reporting, here.registration, tmp_path):
            await here.until_read(6)
        hold, rebuilding = await held_at(here, COMPARE, 1)
        await here.restore(tmp_path / "backup")
        hold.go_on.set()
        with pytest.raises(CannotRebuild):
            await rebuilding
        assert ask(here.reporting, GENERATION) == [(1,)]
        await here.rebuild(accept=True)
        here.check()


async def test_a_difference_is_told_by_sums_and_by_nobodys_facts(
    office_database: OfficeDatabases, tmp_path: Path
) -> None:
    async with city(office_database, tmp_path) as here:
        here.acknowledged += await here.register(2)
        async with reading(here.reporting, here.registration, tmp_path):
            await here.until_read(3)
        with psycopg.connect(here.reporting.superuser().conninfo()) as connection:
            connection.execute("update cube.delta set n = n + 5 where measure = 'arrivals'")
        with pytest.raises(SumsDiffer) as refused:
            await here.rebuild()
        (told,) = refused.value.differences.sums
        assert (told.office, told.measure, told.places, told.before, told.after) == (
            "registration",
            "arrivals",
            1,
            7,
            2,
        )
        (place,) = refused.value.differences.places
        assert (place.measure, place.effective_on, place.before, place.after) == ("arrivals", "2018-11-05", 7, 2)
        assert "154" not in json.dumps(str(place))
        with pytest.raises(AssertionError, match="the cube says"):
            here.check()
        await here.rebuild(accept=True)
        here.check()


async def test_another_record_key_alone_is_a_difference(office_database: OfficeDatabases, tmp_path: Path) -> None:
    async with city(office_database, tmp_path) as here:
        here.acknowledged += await here.register(1)
        async with reading(here.reporting, here.registration, tmp_path):
            await here.until_read(2)
        with psycopg.connect(here.reporting.superuser().conninfo()) as connection:
            connection.execute("update cube.delta set key = mod(key + 1, 4294967296) where measure = 'residents'")
        with pytest.raises(SumsDiffer) as refused:
            await here.rebuild()
        assert [(each.measure, each.before, each.after) for each in refused.value.differences.sums] == [
            ("residents", 1, 1)
        ]


async def test_an_abandoned_rebuild_leaves_nothing_behind(office_database: OfficeDatabases, tmp_path: Path) -> None:
    async with city(office_database, tmp_path) as here:
        here.acknowledged += await here.register(2)
        async with reading(here.reporting, here.registration, tmp_path):
            await here.until_read(3)
        assert not REBUILDING.abandon(here.reporting.settings("owner"))
        assert await here.rebuild_killed_at(3)
        assert ask(here.reporting, "select count(*) from cube_next.delta") != [(0,)]
        deadline = asyncio.get_running_loop().time() + DEADLINE_SECONDS
        while True:  # the database lets go of the killed one within moments
            try:
                assert REBUILDING.abandon(here.reporting.settings("owner"))
                break
            except CannotRebuild:
                assert asyncio.get_running_loop().time() < deadline
                await asyncio.sleep(0.05)
        for table in ("cube_next.delta", "cube_next.cell", "rebuild.build", "rebuild.slice"):
            assert ask(here.reporting, f"select count(*) from {table}") == [(0,)]
        here.check()


def test_both_cubes_have_one_shape(office_database: OfficeDatabases) -> None:
    lines = schema_of(office_database("reporting")).splitlines()
    lines = [line for line in lines if "COMMENT" not in line or "SCHEMA" not in line]
    first = sorted(line for line in lines if re.search(r"\bcube\b", line))
    assert len(first) > 20
    assert sorted(line.replace("cube_next", "cube") for line in lines if "cube_next" in line) == first


@pytest.mark.parametrize("ends_by", ["changing over", "being abandoned"])
async def test_a_rebuild_leaves_the_database_in_the_shape_that_it_had(
    office_database: OfficeDatabases, tmp_path: Path, ends_by: str
) -> None:
    async with city(office_database, tmp_path) as here:
        here.acknowledged += await here.register(1)
        before = schema_of(here.reporting)
        if ends_by == "changing over":
            await here.rebuild()
        else:
            with here.build_begun():
                assert schema_of(here.reporting) != before
            assert REBUILDING.abandon(here.reporting.settings("owner"))
        assert schema_of(here.reporting) == before
