"""`verbund tray`: what offices told each other, what became of it, and the word of a person to try it again."""

import asyncio
from typing import Annotated

import psycopg
import typer

from verbund.cli.databases import databases
from verbund.cli.output import AsJson, Output
from verbund.database import make_engine
from verbund.desk.orders import TrayPlace
from verbund.desk.tray_rows import retry
from verbund.embedded.home import EmbeddedSettings
from verbund.events.ledger_ids import receiver_of
from verbund.events.offices import Office, find_offices
from verbund.postgres import Server
from verbund.settings import DatabaseSettings

tray = typer.Typer(help="What other offices told an office, and what became of it.", no_args_is_help=True)

_COLUMNS = ("office", "ledger", "number", "type", "state", "code", "received at", "settled at")
# Nothing of its content: that is between the two offices.
_LIST = """
    select ledger, number, type, state, code, received_at::text, settled_at::text from tray.event
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
    output.table("In-trays", _COLUMNS, rows)


@tray.command("retry")
def retry_event(
    ledger: Annotated[str, typer.Argument(help="Such as /05913000/problem-properties/to/registration.")],
    number: Annotated[int, typer.Argument(help="Its number there.")],
    *,
    as_json: AsJson = False,
) -> None:
    """Let an event that was refused or failed be taken up once more, once its cause is mended."""
    output = Output(as_json=as_json)
    try:
        receiver = receiver_of(ledger)
    except ValueError as error:
        output.fail(str(error))
    office = next((office for office in _readers() if office.name == receiver), None)
    if office is None:
        output.fail(f"{ledger} is no tray that an office here reads.")
    with databases(EmbeddedSettings(), output) as cluster:
        if not asyncio.run(_retry(_settings(cluster, office), TrayPlace(ledger, number))):
            output.fail(
                f"Number {number} of {ledger} was neither refused nor has it failed; `verbund tray list` shows all."
            )
    output.say(f"number {number} of {ledger} waits again", ledger=ledger, number=number, waiting=True)


def _readers() -> list[Office]:
    return [office for office in find_offices() if office.reads_trays]


def _settings(cluster: Server, office: Office) -> DatabaseSettings:
    return cluster.settings(f"{office.package}_desk", office.package)


async def _retry(settings: DatabaseSettings, place: TrayPlace) -> bool:
    engine = make_engine(settings, size=1)
    try:
        async with engine.begin() as connection:
            return await retry(connection, place)
    finally:
        await engine.dispose()
