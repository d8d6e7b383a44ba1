"""`verbund tray`: what offices told each other, what became of it, and the word of a person to try it again."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Annotated

import psycopg
import typer
from sqlalchemy.ext.asyncio import AsyncConnection

from verbund.cli.databases import databases
from verbund.cli.output import AsJson, Output
from verbund.database import make_engine
from verbund.desk.tray_rows import retry
from verbund.embedded.environment import reader_of
from verbund.embedded.home import EmbeddedSettings
from verbund.events.ledger_ids import receiver_of
from verbund.events.offices import Office, find_offices
from verbund.feeds.in_tray import read_anew
from verbund.postgres import Server
from verbund.settings import DatabaseSettings

tray = typer.Typer(help="What other offices told an office, and what became of it.", no_args_is_help=True)

_COLUMNS = ("office", "arrival", "ledger", "number", "type", "state", "code", "received at", "settled at")
_SHOWN = ("arrival", "ledger", "number", "event", "state", "code", "received at")
# Nothing of its content: that is between the two offices.
_LIST = """
    select arrival, ledger, number, type, state, code, date_trunc('second', received_at)::text,
           date_trunc('second', settled_at)::text from tray.event
    where state = any(%s) order by arrival limit %s
"""
_OPEN = ["waiting", "refused", "failed"]
_ALL = [*_OPEN, "done", "ignored"]


@tray.command("list")
def list_events(
    *,
    everything: Annotated[bool, typer.Option("--all", help="Also what is done, and what was ignored.")] = False,
    limit: Annotated[int, typer.Option(min=1, help="At most so many for each office, the oldest first.")] = 1_000,
    as_json: AsJson = False,
) -> None:
    """List what waits, and what was refused or failed, for every office that reads trays; never what it says."""
    output = Output(as_json=as_json)
    rows: list[tuple[object, ...]] = []
    with databases(EmbeddedSettings(), output) as cluster:
        for office in _readers():
            with psycopg.connect(_settings(cluster, office).conninfo()) as connection:
                found = connection.execute(_LIST, (_ALL if everything else _OPEN, limit)).fetchall()
            rows.extend((office.name, *row) for row in found)
    output.document({"events": [dict(zip(_COLUMNS, row, strict=True)) for row in rows]})
    output.table("In-trays", _SHOWN, [_shown(*row) for row in rows])


@tray.command("retry")
def retry_event(
    office: Annotated[str, typer.Argument(help="The office that was told, such as registration.")],
    arrival: Annotated[int, typer.Argument(help="The event's number of arrival there, as the list shows it.")],
    *,
    as_json: AsJson = False,
) -> None:
    """Let an event that was refused or failed be taken up once more, once its cause is mended."""
    output = Output(as_json=as_json)
    reader = _reader(office, output)
    with databases(EmbeddedSettings(), output) as cluster:
        if not asyncio.run(_commit(_settings(cluster, reader), lambda connection: retry(connection, arrival))):
            output.fail(f"{office} has no refused or failed event {arrival}; `verbund tray list` shows those it has.")
    output.say(f"event {arrival} of {office} waits again", office=office, arrival=arrival, waiting=True)


@tray.command("accept")
def accept(
    ledger: Annotated[str, typer.Argument(help="Such as /05913000/problem-properties/to/registration.")],
    *,
    as_json: AsJson = False,
) -> None:
    """Read a stopped tray anew from its first record, as its office has it since it was restored from a backup.

    What it told before stays carried out, although it knows nothing of that any more; what it tells now is so too.
    """
    output = Output(as_json=as_json)
    try:
        reader = _reader(receiver_of(ledger) or "", output)
    except ValueError as error:
        output.fail(str(error))
    with databases(EmbeddedSettings(), output) as cluster:
        process = reader_of(reader)
        role = process.database_role if process is not None else "desk"
        settings = cluster.settings(f"{reader.package}_{role}", reader.package)
        if not asyncio.run(_commit(settings, lambda connection: read_anew(connection, ledger))):
            output.fail(f"{ledger} is not stopped; `verbund status` shows the ledgers and their state.")
    output.say(f"{ledger} is read anew from its first record", ledger=ledger, accepted=True)


def _shown(_office: object, *row: object) -> tuple[object, ...]:
    """A line for people: the ledger names the office, and the state says whether it is settled."""
    arrival, ledger, number, type_, state, code, received_at, _settled_at = row
    return str(arrival), ledger, number, str(type_).removeprefix("de.verbund."), state, code, received_at


def _readers() -> list[Office]:
    return [office for office in find_offices() if office.reads_trays]


def _reader(name: str, output: Output) -> Office:
    office = next((office for office in _readers() if office.name == name), None)
    if office is None:
        output.fail(f"No office {name!r} reads trays here.")
    return office


def _settings(cluster: Server, office: Office) -> DatabaseSettings:
    return cluster.settings(f"{office.package}_desk", office.package)


async def _commit(settings: DatabaseSettings, do: Callable[[AsyncConnection], Awaitable[bool]]) -> bool:
    engine = make_engine(settings, size=1)
    try:
        async with engine.begin() as connection:
            return await do(connection)
    finally:
        await engine.dispose()
