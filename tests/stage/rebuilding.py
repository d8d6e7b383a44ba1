"""A city whose reporting is rebuilt: a registration office that books, a reader, and whoever rebuilds beside it."""

import asyncio
import json
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import Any
from uuid import UUID

import psycopg
from conftest import OfficeDatabase, OfficeDatabases
from stage.backups import back_up, restore
from stage.checker import Evidence, check
from stage.reading_office import until
from stage.registration_office import RegistrationOffice, open_office
from stage.reporting_office import ReportingOffice

from reporting.rebuild import REBUILDING, build
from reporting.rebuild.build import take_over
from reporting.rebuild.folding import Bench
from verbund.feeds.batch import Batch
from verbund.feeds.ledger_view import LedgerView, Source
from verbund.feeds.reader import Reader
from verbund.feeds.rebuild import CannotRebuild, Outcome, Progress, RebuildContext

DEADLINE_SECONDS = 30.0

# Rebuilds and kills itself where progress is told for the nth time.
_DYING = """
import json, os, signal, sys
from pathlib import Path
from reporting.rebuild import REBUILDING, build
from verbund.feeds.ledger_view import Source
from verbund.feeds.rebuild import RebuildContext
from verbund.settings import DatabaseSettings

told = json.loads(sys.argv[1])
build.SLICE = told["size"]
calls = 0

def progress(ledger, done, total):
    global calls
    calls += 1
    if calls == told["dies_at"]:
        os.kill(os.getpid(), signal.SIGKILL)

REBUILDING.run(RebuildContext(
    reader="reporting", database=DatabaseSettings(**told["database"]),
    sources=[Source(**told["source"])], hash_key_file=Path(told["hash_key_file"]), progress=progress,
    workers=told["workers"]))
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

    def context(self, progress: Progress = lambda ledger, done, total: None, **choices: Any) -> RebuildContext:
        return RebuildContext(
            reader="reporting",
            database=self.reporting.settings("owner"),
            sources=[Source(office="registration", database=self.registration.settings("feed_reporting"))],
            hash_key_file=self.folder / "hash-key",
            progress=progress,
            **choices,
        )

    async def rebuild(self, **choices: Any) -> Outcome:
        """In a thread, as it waits for databases; they let go of whoever was killed within moments."""
        deadline = monotonic() + DEADLINE_SECONDS
        while True:
            try:
                return await asyncio.to_thread(REBUILDING.run, self.context(**choices))
            except CannotRebuild as error:
                if monotonic() > deadline or "lets go" not in str(error):
                    raise
            await asyncio.sleep(0.05)

    async def read_once(self, reader: Reader) -> None:
        """Read everything that is booked, by a reader of the test's own."""
        view = LedgerView(self.context().sources[0], "reporting")
        for beat in await view.beats():
            await reader.take(Batch(await view.records(beat.ledger, 0, beat.number)))
        await view.close()

    def bench(self, epoch: UUID) -> Bench:
        """What whoever folds needs to know."""
        context = self.context()
        return Bench(context.reader, context.database, context.sources, context.hash_key_file, epoch)

    @contextmanager
    def build_begun(self) -> Iterator[UUID]:
        """A build that is this test's; its epoch."""
        with psycopg.connect(self.reporting.settings("owner").conninfo(), autocommit=True) as connection:
            yield take_over(connection, {}, "ledgers", "anew").epoch

    async def rebuild_killed_at(self, call: int, *, size: int = build.SLICE, workers: int = 1) -> bool:
        """Rebuild in a process that kills itself where progress is told for the nth time; whether it came to that.

        `size`: records of a slice.
        """
        context = self.context()
        told = {
            "dies_at": call,
            "size": size,
            "workers": workers,
            "database": context.database.model_dump(mode="json"),
            "source": context.sources[0].model_dump(mode="json"),
            "hash_key_file": str(context.hash_key_file),
        }
        ended = await asyncio.to_thread(
            subprocess.run, [sys.executable, "-c", _DYING, json.dumps(told)], timeout=60, check=False
        )
        assert ended.returncode in (0, -signal.SIGKILL)
        return ended.returncode != 0

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
