"""Two tallies of which one tells the other what it adds: registration keeps a tray for the school, which reads it.

As a module it is the school's process: `python -m stage.trays <file>` reads the tray and carries out until it is ended.
"""

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
from conftest import OfficeDatabase
from stage.tally import KNOWN, Add, Added, Sum, Tally, order

from verbund.database import make_engine
from verbund.desk.desk import Desk, DeskLimits
from verbund.desk.in_tray import InTray
from verbund.desk.orders import CloseInitialLoad
from verbund.events.envelope import Data, Event
from verbund.events.offices import Office, Process, get_office
from verbund.feeds.in_tray import TrayEffect
from verbund.feeds.ledger_feed import LedgerFeed
from verbund.feeds.ledger_view import Source
from verbund.feeds.reader import Reader
from verbund.settings import DatabaseSettings

MUNICIPALITY = "05913000"
TRAY = f"/{MUNICIPALITY}/registration/to/school"
BOOK = f"/{MUNICIPALITY}/school/book"

_sums = count(1)

REGISTRATION = replace(get_office("registration"), readers=("reporting", "school"))
SCHOOL = Office(
    name="school",
    processes=(Process(name="school", port=8150, app="", database_role="desk"),),
    migrations=(
        ("verbund.ledger.migrations", "ledger_version"),
        ("verbund.feeds.migrations", "feed_version"),
        ("verbund.feeds.tray_migrations", "tray_version"),
    ),
    reads=("registration",),
)


class Counted(Data, office="school", version=1):
    """The school has counted something."""

    amount: int


class SchoolLoadClosed(Data, office="school", version=1):
    """The school's initial load is closed."""


SCHOOL_EVENTS: Mapping[str, type[Data]] = {Counted.type: Counted, SchoolLoadClosed.type: SchoolLoadClosed}


class SchoolTally(Tally):
    """The rules of the school: those of the tally."""

    office = "school"
    receivers: tuple[str, ...] = ()
    added = Counted
    closed = SchoolLoadClosed


CommandFor = Callable[[Event[Any]], Add | None]


def add_what_was_added(event: Event[Any]) -> Add | None:
    """A sum of its own for each event: one that is counted twice shows."""
    return Add(f"n{event.number}", event.data.amount) if isinstance(event.data, Added) else None


@asynccontextmanager
async def school_at_work(
    school: DatabaseSettings,
    tray: DatabaseSettings,
    command_for: CommandFor = add_what_was_added,
    limits: DeskLimits | None = None,
) -> AsyncIterator[tuple[Desk[Add, Sum], InTray[Add, Sum]]]:
    """The school's desk, in-tray and feed, as one process has them."""
    engine = make_engine(school)
    reader = Reader(engine, TrayEffect("school", MUNICIPALITY), KNOWN)
    office: Desk[Add, Sum] = Desk(SchoolTally(), engine, MUNICIPALITY, limits)
    async with (
        office as desk,
        InTray(desk, engine, school, command_for, KNOWN) as in_tray,
        LedgerFeed(Source(office="registration", database=tray), reader, "school"),
    ):
        yield desk, in_tray


async def tell(registration: OfficeDatabase, amounts: Sequence[int]) -> None:
    """Registration books these amounts, and each of them into its tray for the school."""
    office: Desk[Add, Sum] = Desk(Tally(), make_engine(registration.settings("desk")), MUNICIPALITY)
    async with office as desk:
        if await desk.initial_load_closed_at() is None:
            await desk.carry_out(order(CloseInitialLoad()))
        orders = [order(Add(f"s{next(_sums)}", amount, receiver="school")) for amount in amounts]
        await asyncio.gather(*(desk.carry_out(each) for each in orders))


def ask(database: OfficeDatabase, sql: str) -> list[tuple[Any, ...]]:
    """What stands in a database, seen by a superuser."""
    with psycopg.connect(database.superuser().conninfo()) as connection:
        return connection.execute(sql.encode()).fetchall()


async def main(told: Mapping[str, Any]) -> None:
    """Be the school's process until SIGTERM."""
    ended = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    school, tray = (DatabaseSettings.model_validate(told[name]) for name in ("school", "tray"))
    async with school_at_work(school, tray):
        print("at work", flush=True)  # noqa: T201 - whoever started it waits for this word
        await ended.wait()


if __name__ == "__main__":
    asyncio.run(main(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))))
