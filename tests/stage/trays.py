"""Two tallies of which one tells the other what it adds: registration keeps a tray for the school, which reads it.

As a module it is the school's process: `python -m stage.trays <file>` reads the tray and carries out until it is ended.
"""

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
from conftest import OfficeDatabase
from stage.ledgers import disable_trigger
from stage.tally import KNOWN, Add, Added, LoadClosed, Sum, Tally, order

from verbund.database import make_engine
from verbund.desk.desk import Desk, DeskLimits
from verbund.desk.in_tray import InTray
from verbund.desk.orders import CloseInitialLoad
from verbund.events.envelope import Data, Event
from verbund.events.offices import Office, Process, get_office
from verbund.feeds.ledger_view import Source
from verbund.feeds.settings import ReadingSettings
from verbund.feeds.shapes import tray_feeds
from verbund.kafka.settings import KafkaSettings
from verbund.settings import DatabaseSettings, IssuerSettings

MUNICIPALITY = "05913000"
TRAY = f"/{MUNICIPALITY}/registration/to/school"
BOOK = f"/{MUNICIPALITY}/school/book"

_sums = count(1)

REGISTRATION = replace(get_office("registration"), readers=("reporting", "school"), events=(Added, LoadClosed))
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
OFFICES = (REGISTRATION, SCHOOL)


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


def reading(
    school: DatabaseSettings, tray: DatabaseSettings | None, kafka: KafkaSettings | None = None
) -> ReadingSettings:
    """What the school's process is told: its database, and where the tray is read."""
    return ReadingSettings(
        municipality=MUNICIPALITY,
        port=8150,
        database=school,
        tokens=IssuerSettings(issuer="urn:nobody", jwks_file=Path("nowhere")),
        hash_key_file=Path("nowhere"),
        feed="ledger" if kafka is None else "kafka",
        sources=() if tray is None else (Source(office="registration", database=tray),),
        kafka=kafka,
    )


@asynccontextmanager
async def school_at_work(
    settings: ReadingSettings,
    command_for: CommandFor = add_what_was_added,
    limits: DeskLimits | None = None,
) -> AsyncIterator[tuple[Desk[Add, Sum], InTray[Add, Sum]]]:
    """The school's desk, in-tray and feed, as one process has them."""
    engine = make_engine(settings.database)
    office: Desk[Add, Sum] = Desk(SchoolTally(), engine, MUNICIPALITY, limits)
    async with AsyncExitStack() as parts:
        desk = await parts.enter_async_context(office)
        in_tray = await parts.enter_async_context(InTray(desk, engine, settings.database, command_for, KNOWN))
        for feed in tray_feeds(SCHOOL, settings, engine, OFFICES).values():
            await parts.enter_async_context(feed)
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


def restore(registration: OfficeDatabase, number: int) -> None:
    """The tray with its first records only, as an older backup would bring it back."""
    with psycopg.connect(registration.superuser().conninfo()) as connection:
        disable_trigger(connection)
        connection.execute("delete from ledger.record where ledger = %s and number > %s", (TRAY, number))
        connection.execute(
            "update ledger.head set number = record.number, hash = record.hash from ledger.record"
            " where head.ledger = record.ledger and record.ledger = %s and record.number = %s",
            (TRAY, number),
        )


async def main(told: Mapping[str, Any]) -> None:
    """Be the school's process until SIGTERM."""
    ended = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    async with school_at_work(ReadingSettings(**told)):
        print("at work", flush=True)  # noqa: T201 - whoever started it waits for this word
        await ended.wait()


if __name__ == "__main__":
    asyncio.run(main(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))))
