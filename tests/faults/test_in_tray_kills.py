"""A process that works off its office's in-tray is killed, wherever it is: each event is carried out once, in order."""

import asyncio
import os
import random
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from subprocess import Popen

import pytest
from conftest import OfficeDatabases
from stage.school import School, found_school, until
from stage.trays import tell

KILLS = int(os.environ.get("VERBUND_TRAY_KILLS", "10"))
"""Deaths by SIGKILL in one run; a whole run makes 200."""


@pytest.fixture
def school(office_database: OfficeDatabases) -> School:
    return found_school(office_database)


async def test_killed_before_its_commit_it_has_carried_out_and_marked_nothing(school: School, tmp_path: Path) -> None:
    await school.open()
    await tell(school.registration, [1, 2, 3])
    with school.held_up("deferred"):
        with school.process(tmp_path) as first:
            server = await school.until_waiting_for("advisory")
            first.kill()
        # Its server's process would commit all the same, once it is let go: nobody told it that its client is dead.
        school.change(f"select pg_terminate_backend({server})")
        await until(lambda: not school.waits_for("advisory"))
        assert [state for _, state, _ in school.rows()] == ["waiting"] * 3
        assert school.counted() == []
    with school.process(tmp_path):
        await school.until_settled(3)
    assert school.counted() == [1, 2, 3]


async def test_killed_after_its_commit_before_it_heard_of_it_it_carries_nothing_out_again(
    school: School, tmp_path: Path
) -> None:
    await school.open()
    await tell(school.registration, [1, 2, 3])
    with school.held_up("deferred") as let_go:
        with school.process(tmp_path) as first:
            await school.until_waiting_for("advisory")
            first.kill()
        let_go()
        await school.until_settled(3)
    await tell(school.registration, [4])
    with school.process(tmp_path):
        await school.until_settled(4)
    assert school.counted() == [1, 2, 3, 4]
    assert school.ask("select count(*), max(version) from tally.sum") == [(4, 1)]


class Processes:
    """Processes of the school; a killed one is followed by a new one."""

    def __init__(self, school: School, folder: Path, count: int) -> None:
        self._school = school
        self._folder = folder
        self._stacks = [ExitStack() for _ in range(count)]
        self._running: list[Popen[str]] = []

    def __enter__(self) -> "Processes":
        self._running = [self._start(stack) for stack in self._stacks]
        return self

    def __exit__(self, *error: object) -> None:
        for stack in self._stacks:
            stack.close()

    def _start(self, stack: ExitStack) -> Popen[str]:
        return stack.enter_context(self._school.process(self._folder))

    def kill(self, at: int) -> None:
        self._running[at].kill()
        self._stacks[at].close()
        self._running[at] = self._start(self._stacks[at])


def amounts() -> Iterator[int]:
    while True:
        yield from range(1, 900)


async def test_two_processes_killed_again_and_again_carry_out_each_event_once_and_in_order(
    school: School, tmp_path: Path, seed: int
) -> None:
    chance = random.Random(seed)
    await school.open()
    source = amounts()
    told: list[int] = []

    async def say_more() -> None:
        more = [next(source) for _ in range(chance.randint(1, 400))]
        await tell(school.registration, more)
        told.extend(more)

    def settled() -> int:
        count: int = school.ask("select count(*) from tray.event where state <> 'waiting'")[0][0]
        return count

    await say_more()
    with Processes(school, tmp_path, 2) as processes:
        for _ in range(KILLS):
            await say_more()
            some = min(settled() + chance.choice([0, 1, chance.randint(1, 300)]), len(told))
            await until(lambda some=some: settled() >= some)  # type: ignore[misc]
            await asyncio.to_thread(processes.kill, chance.randrange(2))
        await until(lambda: settled() == len(told))
    assert school.counted() == told
    assert school.ask("select count(*), max(version) from tally.sum") == [(len(told), 1)]
    assert school.ask("select distinct state from tray.event") == [("done",)]
    print(f"killed {KILLS} times; told and carried out {len(told)} events")  # noqa: T201 - for the long run
