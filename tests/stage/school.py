"""The school of `stage.trays` on real databases: told things, at work in this process, looked into, held up."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from typing import Any

import psycopg
from conftest import OfficeDatabase, OfficeDatabases
from stage.tally import order, tables_for
from stage.trays import (
    BOOK,
    MUNICIPALITY,
    REGISTRATION,
    SCHOOL,
    SCHOOL_EVENTS,
    TRAY,
    CommandFor,
    Counted,
    SchoolTally,
    add_what_was_added,
    ask,
    reading,
    school_at_work,
)

from verbund.database import make_engine
from verbund.desk.desk import Desk, DeskLimits
from verbund.desk.orders import CloseInitialLoad
from verbund.events.envelope import Event, decode
from verbund.feeds.in_tray import read_anew
from verbund.feeds.settings import ReadingSettings
from verbund.kafka.settings import KafkaSettings

DEADLINE_SECONDS = 40.0


class School:
    """The school and who tells it things, each with a database of its own."""

    def __init__(self, registration: OfficeDatabase, school: OfficeDatabase) -> None:
        self.registration = registration
        self.database = school
        self.kafka: KafkaSettings | None = None
        for database, role in ((registration, "registration_desk"), (school, "school_desk")):
            with psycopg.connect(database.settings("owner").conninfo()) as connection:
                connection.execute(tables_for(role).encode())

    @property
    def settings(self) -> ReadingSettings:
        """What its process is told, from the ledger or, once `kafka` is there, from Kafka."""
        database = self.database.settings("desk")
        if self.kafka is not None:
            return reading(database, None, self.kafka)
        return reading(database, self.registration.settings("feed_school"))

    def work(self, command_for: CommandFor = add_what_was_added, limits: DeskLimits | None = None) -> Any:
        return school_at_work(self.settings, command_for, limits)

    @contextmanager
    def process(self, folder: Path) -> Iterator[subprocess.Popen[str]]:
        """A process of the school that is at work; killed at the end, if it still lives."""
        file = folder / "school.json"
        file.write_text(self.settings.model_dump_json())
        paths = [str(Path(__file__).parents[1]), os.environ.get("PYTHONPATH", "")]
        with (
            (folder / "school.log").open("a") as log,
            subprocess.Popen(
                [sys.executable, "-m", "stage.trays", str(file)],
                env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))},
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            ) as running,
        ):
            try:
                assert running.stdout is not None
                assert running.stdout.readline() == "at work\n", (folder / "school.log").read_text()[-3000:]
                yield running
            finally:
                running.kill()

    def desk(self) -> Desk[Any, Any]:
        return Desk(SchoolTally(), make_engine(self.database.settings("desk")), MUNICIPALITY)

    async def open(self) -> None:
        """Close the initial load, so that the school takes up what it is told."""
        async with self.desk() as desk:
            await desk.carry_out(order(CloseInitialLoad()))

    async def hear_again(self) -> bool:
        """Read the stopped tray anew, as an operator decides."""
        engine = make_engine(self.database.settings("desk"))
        async with engine.begin() as connection:
            was_stopped = await read_anew(connection, TRAY)
        await engine.dispose()
        return was_stopped

    def ask(self, sql: str) -> list[tuple[Any, ...]]:
        return ask(self.database, sql)

    def change(self, sql: str) -> None:
        """As only a superuser can."""
        with psycopg.connect(self.database.superuser().conninfo()) as connection:
            connection.execute(sql.encode())

    def events(self) -> list[Event[Any]]:
        rows = self.ask(f"select body from ledger.record where ledger = '{BOOK}' order by number")
        return [decode(body, SCHOOL_EVENTS) for (body,) in rows]

    def counted(self) -> list[int]:
        """The amounts in the school's book, in its order."""
        return [event.data.amount for event in self.events() if isinstance(event.data, Counted)]

    def rows(self) -> list[tuple[Any, ...]]:
        """Number, state and code of every row, in the order of their arrival."""
        return self.ask("select number, state, code from tray.event order by arrival")

    async def until_settled(self, count: int) -> None:
        await until(lambda: self.ask("select count(*) from tray.event where state <> 'waiting'")[0][0] >= count)

    @contextmanager
    def held_up(self, how: str) -> Iterator[Callable[[], None]]:
        """Whoever counts something waits for a lock: at the commit (`deferred`) or at once (`immediate`).

        Yields what lets them go on; at the latest the end of the block does.
        """
        self.change(f"""
            create function tally.wait() returns trigger language plpgsql as $$
            begin perform pg_advisory_xact_lock(1); return null; end $$;
            create constraint trigger waits after insert on tally.sum deferrable initially {how}
                for each row execute function tally.wait();
        """)
        with psycopg.connect(self.database.superuser().conninfo()) as connection:
            connection.execute("select pg_advisory_xact_lock(1)")
            yield connection.commit
        self.change("drop trigger waits on tally.sum")

    async def until_waiting_for(self, lock: str) -> int:
        """Wait until a transaction waits for such a lock (`advisory`: it is held up); returns its server process."""
        await until(lambda: bool(self.waits_for(lock)))
        return self.waits_for(lock)[0]

    def waits_for(self, lock: str) -> list[int]:
        """The server's processes that wait for such a lock."""
        sql = f"select pid from pg_stat_activity where datname = current_database() and wait_event = '{lock}'"
        return [pid for (pid,) in self.ask(sql)]


def found_school(databases: OfficeDatabases) -> School:
    """A school and a registration office that keeps a tray for it, both of them new."""
    return School(databases.of(REGISTRATION), databases.of(SCHOOL))


async def until(condition: Callable[[], bool]) -> None:
    deadline = monotonic() + DEADLINE_SECONDS
    while not condition():
        assert monotonic() < deadline, "it did not become true in time"
        await asyncio.sleep(0.02)
