"""An office restored from an older backup is noticed and stops; a rebuild brings the cube back, whole or not at all."""

import asyncio
import json
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Event
from time import monotonic
from typing import Any

import httpx
import psycopg
import pytest
from conftest import OfficeDatabase, OfficeDatabases
from stage.backups import back_up, restore
from stage.checker import Evidence, check
from stage.facts import BOOK
from stage.reading_office import ask, reading, until, until_not_ready, until_ready
from stage.registration_office import NEW_RESIDENT, RegistrationOffice, open_office
from stage.reporting_office import ReportingOffice
from stage.waiting import comes_to_wait

from reporting.rebuild import rebuild
from verbund.database import make_engine
from verbund.feeds.ledger_view import Source
from verbund.feeds.positions import resume_ledger
from verbund.feeds.rebuild import CannotRebuild, Progress, RebuildContext, Rebuilt

DEADLINE_SECONDS = 30.0

# What the figures come from, and how far the book was read: the same before and after whatever must not change it.
CUBE = """
    select batch_head.generation, batch_head.number, position.number, encode(position.hash, 'hex'),
           (select md5(string_agg(delta::text, ';' order by delta::text)) from cube.delta)
    from cube.batch_head, feed.position
"""

# Rebuilds and kills itself where progress is told for the nth time.
DYING = """
import json, os, signal, sys
from pathlib import Path
from reporting.rebuild import rebuild
from verbund.feeds.ledger_view import Source
from verbund.feeds.rebuild import RebuildContext
from verbund.settings import DatabaseSettings

told = json.loads(sys.argv[1])
calls = 0

def progress(ledger, done, total):
    global calls
    calls += 1
    if calls == told["dies_at"]:
        os.kill(os.getpid(), signal.SIGKILL)

rebuild(RebuildContext(
    reader="reporting", reader_role="reporting_reader", database=DatabaseSettings(**told["database"]),
    sources=[Source(**told["source"])], hash_key_file=Path(told["hash_key_file"]), progress=progress))
"""


@dataclass
class City:
    """A registration office that books and a reporting office that reads, both on databases that can be restored."""

    office: RegistrationOffice
    reporting: OfficeDatabase
    folder: Path
    acknowledged: list[dict[str, Any]] = field(default_factory=list)

    @property
    def registration(self) -> OfficeDatabase:
        return self.office.database

    async def register(self, count: int, **fields: Any) -> list[dict[str, Any]]:
        """Receipts of residents who came."""
        return [await self.office.register(**fields) for _ in range(count)]

    async def back_up(self, file: Path) -> None:
        """In a thread, as everything that takes long: the offices of this process go on meanwhile."""
        await asyncio.to_thread(back_up, self.registration.superuser(), file)

    async def restore(self, file: Path) -> None:
        await asyncio.to_thread(restore, self.registration.superuser(), file)

    async def until_read(self, number: int) -> None:
        await until(self.reporting, "select number from feed.position", (number,))

    def context(self, progress: Progress = lambda ledger, done, total: None) -> RebuildContext:
        return RebuildContext(
            reader="reporting",
            reader_role="reporting_reader",
            database=self.reporting.settings("owner"),
            sources=[Source(office="registration", database=self.registration.settings("feed_reporting"))],
            hash_key_file=self.folder / "hash-key",
            progress=progress,
        )

    async def rebuild(self) -> list[Rebuilt]:
        """In a thread, as it has a loop of its own; the database lets go of whoever went within moments."""
        deadline = monotonic() + DEADLINE_SECONDS
        while True:
            try:
                return list(await asyncio.to_thread(rebuild, self.context()))
            except CannotRebuild as error:
                if monotonic() > deadline or not any(word in str(error) for word in ("lets go", "at work")):
                    raise
            await asyncio.sleep(0.05)

    def check(self) -> int:
        """Compare the cube with the raw ledgers by code that shares nothing with the reader; returns the sums."""
        office, reporting = self.registration.superuser().conninfo(), self.reporting.superuser().conninfo()
        secret = (self.folder / "hash-key").read_bytes().strip()
        return check(Evidence(office, reporting, secret), self.acknowledged)["sums"]

    async def dashboard(self) -> str:
        """The coordination group's page."""
        folder = self.folder / f"page-{monotonic()}"
        folder.mkdir()
        page = ReportingOffice(folder, self.reporting)
        deadline = monotonic() + DEADLINE_SECONDS
        async with page.inside() as app, page.client(app, "coordination") as client:
            # Its first connections may be lost while the very first page is drawn, in this process of all.
            while (answer := await client.get("/")).status_code != 200:
                assert monotonic() < deadline, answer.text
                await asyncio.sleep(0.1)
        return answer.text


@asynccontextmanager
async def city(office_database: OfficeDatabases, folder: Path) -> AsyncIterator[City]:
    registration, reporting = office_database("registration"), office_database("reporting")
    async with open_office(registration, folder) as office:
        yield City(office, reporting, folder)


@pytest.mark.parametrize(
    ("booked_anew", "reason"), [(0, "head_below_position"), (2, "other_hash"), (3, "chain_broken")]
)
async def test_a_restored_office_is_noticed_stops_and_is_brought_back_by_a_rebuild(
    office_database: OfficeDatabases, tmp_path: Path, booked_anew: int, reason: str
) -> None:
    async with city(office_database, tmp_path) as here:
        here.acknowledged += await here.register(3)
        await here.back_up(tmp_path / "backup")
        lost = await here.register(2, nationality="125")
        async with reading(here.reporting, here.registration, tmp_path):
            await here.until_read(6)
        before = ask(here.reporting, CUBE)

        await here.restore(tmp_path / "backup")
        here.acknowledged += await here.register(booked_anew, nationality="000", area="11")
        async with reading(here.reporting, here.registration, tmp_path) as reader:
            await until_not_ready(reader, f"{BOOK} stopped: {reason}")
            assert f"reading is stopped ({reason})" in await here.dashboard()
            assert ask(here.reporting, CUBE) == before
            with pytest.raises(CannotRebuild, match="A reader is at work"):
                await asyncio.to_thread(rebuild, here.context())
        assert ask(here.reporting, CUBE) == before

        assert await here.rebuild() == [Rebuilt(BOOK, before=6, number=4 + booked_anew)]
        assert here.check() > 0
        assert "reading is stopped" not in await here.dashboard()
        here.acknowledged += await here.register(len(lost), nationality="125")  # booked again, as the runbook says
        async with reading(here.reporting, here.registration, tmp_path) as reader:
            await here.until_read(6 + booked_anew)
            await until_ready(reader)
        here.check()


async def test_an_office_whose_newest_backup_is_restored_after_an_older_one_only_has_to_be_resumed(
    office_database: OfficeDatabases, tmp_path: Path
) -> None:
    async with city(office_database, tmp_path) as here:
        here.acknowledged += await here.register(2)
        await here.back_up(tmp_path / "older")
        here.acknowledged += await here.register(2)
        await here.back_up(tmp_path / "newest")
        async with reading(here.reporting, here.registration, tmp_path) as reader:
            await here.until_read(5)
            await here.restore(tmp_path / "older")
            await until_not_ready(reader, "head_below_position")
            await here.restore(tmp_path / "newest")
            engine = make_engine(here.reporting.settings("reader"))
            async with engine.begin() as connection:
                assert await resume_ledger(connection, BOOK)
            await engine.dispose()
            here.acknowledged += await here.register(1)
            await here.until_read(6)
        here.check()


async def test_after_a_restoration_requests_repeated_under_their_keys_book_what_was_lost_and_nothing_else(
    office_database: OfficeDatabases, tmp_path: Path
) -> None:
    async with city(office_database, tmp_path) as here:

        async def post(key: str) -> httpx.Response:
            headers = {"Idempotency-Key": key}
            return await here.office.ask("POST", "/residences", headers=headers, json=NEW_RESIDENT)

        keys = [f"kept-{n}" for n in range(4)]
        receipts = []
        for key in keys:
            if key == keys[2]:
                await here.back_up(tmp_path / "backup")
            receipts.append((await post(key)).json())
        await here.restore(tmp_path / "backup")
        again = [await post(key) for key in keys]
        assert [answer.status_code for answer in again] == [201] * 4
        assert [answer.headers.get("Idempotency-Replayed") for answer in again] == ["true", "true", None, None]
        assert [answer.json() for answer in again[:2]] == receipts[:2]
        here.acknowledged += [answer.json() for answer in again]
        await here.rebuild()
        here.check()


async def test_a_rebuild_is_a_new_generation_and_repeats_exactly(
    office_database: OfficeDatabases, tmp_path: Path
) -> None:
    async with city(office_database, tmp_path) as here:
        here.acknowledged += await here.register(4)
        async with reading(here.reporting, here.registration, tmp_path):
            await here.until_read(5)
        sums = here.check()
        for generation in (2, 3):
            await here.rebuild()
            assert here.check() == sums
            assert ask(here.reporting, "select generation, number from cube.batch_head") == [(generation, 1)]


async def test_a_rebuild_takes_a_cube_of_another_version_to_this_one(
    office_database: OfficeDatabases, tmp_path: Path
) -> None:
    async with city(office_database, tmp_path) as here:
        here.acknowledged += await here.register(2)
        async with reading(here.reporting, here.registration, tmp_path):
            await here.until_read(3)
        with psycopg.connect(here.reporting.superuser().conninfo()) as connection:
            connection.execute("update cube.batch_head set versions = jsonb_build_object('registration', 999)")
        async with reading(here.reporting, here.registration, tmp_path) as reader:
            await until_not_ready(reader, f"{BOOK} stopped: other_version")
        await here.rebuild()
        here.acknowledged += await here.register(1)
        async with reading(here.reporting, here.registration, tmp_path):
            await here.until_read(4)
        here.check()


@pytest.mark.parametrize("dies_at", [1, 2])
async def test_a_rebuild_killed_midway_changed_nothing_and_can_be_repeated(
    office_database: OfficeDatabases, tmp_path: Path, dies_at: int
) -> None:
    """At 1 everything is emptied and nothing folded, at 2 everything is folded and nothing committed."""
    async with city(office_database, tmp_path) as here:
        here.acknowledged += await here.register(3)
        async with reading(here.reporting, here.registration, tmp_path):
            await here.until_read(4)
        before = ask(here.reporting, CUBE)
        context = here.context()
        told = {
            "dies_at": dies_at,
            "database": context.database.model_dump(mode="json"),
            "source": context.sources[0].model_dump(mode="json"),
            "hash_key_file": str(context.hash_key_file),
        }
        died = await asyncio.to_thread(
            subprocess.run, [sys.executable, "-c", DYING, json.dumps(told)], timeout=60, check=False
        )
        assert died.returncode == -signal.SIGKILL
        assert ask(here.reporting, CUBE) == before
        here.check()
        assert await here.rebuild() == [Rebuilt(BOOK, before=4, number=4)]
        here.check()
        assert ask(here.reporting, "select generation from cube.batch_head") == [(2,)]


async def test_of_two_rebuilds_at_once_the_second_is_refused(office_database: OfficeDatabases, tmp_path: Path) -> None:
    async with city(office_database, tmp_path) as here:
        here.acknowledged += await here.register(1)
        refusals: list[str] = []

        def begin_another(ledger: str, done: int, total: int) -> None:
            with ThreadPoolExecutor(1) as other, pytest.raises(CannotRebuild) as refused:
                other.submit(rebuild, here.context()).result()
            refusals.append(str(refused.value))

        assert await asyncio.to_thread(rebuild, here.context(begin_another)) == [Rebuilt(BOOK, before=0, number=2)]
        assert len(refusals) == 2
        assert all("Another rebuild is under way" in refusal for refusal in refusals)
        here.check()


async def test_a_reader_that_starts_during_a_rebuild_waits_and_goes_on_from_it(
    office_database: OfficeDatabases, tmp_path: Path
) -> None:
    async with city(office_database, tmp_path) as here:
        here.acknowledged += await here.register(3)
        async with reading(here.reporting, here.registration, tmp_path):
            await here.until_read(4)
        emptied, go_on = Event(), Event()

        def hold(ledger: str, done: int, total: int) -> None:
            emptied.set()
            assert go_on.wait(DEADLINE_SECONDS)

        rebuilding = asyncio.create_task(asyncio.to_thread(rebuild, here.context(hold)))
        assert await asyncio.to_thread(emptied.wait, DEADLINE_SECONDS)
        here.acknowledged += await here.register(2)
        async with reading(here.reporting, here.registration, tmp_path):
            assert await comes_to_wait(rebuilding, here.reporting.superuser())
            go_on.set()
            await rebuilding
            await here.until_read(6)
        here.check()


async def test_a_ledger_that_is_not_whole_is_not_folded_and_nothing_changes(
    office_database: OfficeDatabases, tmp_path: Path
) -> None:
    async with city(office_database, tmp_path) as here:
        here.acknowledged += await here.register(4)
        async with reading(here.reporting, here.registration, tmp_path):
            await here.until_read(5)
        before = ask(here.reporting, CUBE)
        with psycopg.connect(here.registration.superuser().conninfo()) as connection:
            connection.execute("alter table ledger.record disable trigger never_changed")
            connection.execute("delete from ledger.record where number = 3")
        with pytest.raises(CannotRebuild, match=r"read on from number 0 \(hole\)"):
            await here.rebuild()
        assert ask(here.reporting, CUBE) == before


async def test_figures_of_an_office_that_is_no_source_any_more_are_not_lost_without_a_word(
    office_database: OfficeDatabases, tmp_path: Path
) -> None:
    async with city(office_database, tmp_path) as here:
        await here.register(1)
        async with reading(here.reporting, here.registration, tmp_path):
            await here.until_read(2)
        before = ask(here.reporting, CUBE)
        with pytest.raises(CannotRebuild, match="Ledgers of registration were read"):
            await asyncio.to_thread(rebuild, replace(here.context(), sources=()))
        assert ask(here.reporting, CUBE) == before
