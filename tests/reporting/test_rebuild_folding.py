"""Whoever folds for a rebuild adds each slice once, and only as long as the build is theirs."""

import os
import signal
from pathlib import Path
from uuid import uuid4

import psutil
import pytest
from conftest import OfficeDatabases
from stage.facts import BOOK
from stage.reading_office import ask, reading, until
from stage.rebuilding import city

from reporting.deltas import DeltaFunction, deltas_of
from reporting.rebuild.build import Stretch
from reporting.rebuild.folding import Folder, Folders, TakenOver
from verbund.feeds.rebuild import CannotRebuild


async def test_whoever_lost_the_build_adds_nothing_to_it(office_database: OfficeDatabases, tmp_path: Path) -> None:
    async with city(office_database, tmp_path) as here:
        here.acknowledged += await here.register(3)
        with here.build_begun() as epoch:
            with Folder(here.bench(epoch)) as mine:
                assert mine.fold(Stretch(BOOK, 1, 2)) == Stretch(BOOK, 1, 2)
            with Folder(here.bench(uuid4())) as others, pytest.raises(TakenOver):
                others.fold(Stretch(BOOK, 3, 4))
        assert ask(here.reporting, "select first, last from rebuild.slice") == [(1, 2)]


async def test_what_is_counted_for_another_city_is_refused_and_not_left_out(
    office_database: OfficeDatabases, tmp_path: Path
) -> None:
    elsewhere = DeltaFunction(1, lambda *given: [one._replace(municipality="05915000") for one in deltas_of(*given)])
    async with city(office_database, tmp_path) as here:
        here.acknowledged += await here.register(3)
        with here.build_begun() as epoch, Folder(here.bench(epoch)) as folder:
            folder._functions = {"registration": elsewhere}
            with pytest.raises(CannotRebuild, match="counted for 05915000"):
                folder.fold(Stretch(BOOK, 1, 4))
        assert ask(here.reporting, "select count(*) from rebuild.slice") == [(0,)]


async def test_processes_that_fold_end_with_whoever_started_them_and_a_killed_one_is_noticed(
    office_database: OfficeDatabases, tmp_path: Path
) -> None:
    async with city(office_database, tmp_path) as here:
        here.acknowledged += await here.register(11)
        before = set(psutil.Process().children())
        with here.build_begun() as epoch, Folders(here.bench(epoch), workers=2) as folders:
            folders.fold([Stretch(BOOK, n, n) for n in range(1, 5)], lambda done: None)
            started = [each for each in psutil.Process().children() if each not in before and is_folding(each)]
            assert len(started) == 2
            os.kill(started[0].pid, signal.SIGKILL)
            with pytest.raises(CannotRebuild, match="was killed"):
                folders.fold([Stretch(BOOK, n, n) for n in range(5, 13)], lambda done: None)
        assert not [each for each in started if each.is_running()]


async def test_processes_that_fold_end_with_a_killed_rebuild_and_the_next_one_goes_on(
    office_database: OfficeDatabases, tmp_path: Path
) -> None:
    async with city(office_database, tmp_path) as here:
        here.acknowledged += await here.register(29)
        async with reading(here.reporting, here.registration, tmp_path):
            await here.until_read(30)
        assert await here.rebuild_killed_at(4, size=3, workers=2)
        sessions = "select count(*) from pg_stat_activity where datname = current_database() and usename = {}"
        await until(here.reporting, sessions.format("'reporting_owner'"), (0,))
        ((folded,),) = ask(here.reporting, "select count(*) from rebuild.slice")
        assert 3 <= folded < 10
        assert not (await here.rebuild()).accepted
        here.check()


def is_folding(process: psutil.Process) -> bool:
    return "spawn_main" in " ".join(process.cmdline())
