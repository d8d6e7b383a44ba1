"""`verbund feeds`: what readers have set aside or stopped at, and the word of a person that they may go on."""

import asyncio
from typing import Annotated

import typer

from verbund.cli.databases import databases
from verbund.cli.output import AsJson, Output
from verbund.cli.parked import parked
from verbund.database import make_engine
from verbund.embedded.environment import reader_of
from verbund.embedded.home import EmbeddedSettings
from verbund.events.offices import Office, find_offices
from verbund.feeds.positions import resume_ledger
from verbund.postgres import Server
from verbund.settings import DatabaseSettings

feeds = typer.Typer(help="Ledgers that were stopped, and records that were parked.", no_args_is_help=True)

feeds.add_typer(parked, name="parked")


@feeds.command("resume")
def resume(
    ledger: Annotated[str, typer.Argument(help="Such as /05913000/registration/book.")], *, as_json: AsJson = False
) -> None:
    """Read a stopped ledger on, once its cause is mended; a cause that is still there stops it again."""
    output = Output(as_json=as_json)
    resumed = False
    with databases(EmbeddedSettings(), output) as server:
        for office in _readers():
            resumed |= asyncio.run(_resume(_settings(server, office), ledger))
    if not resumed:
        output.fail(f"{ledger} is not stopped; `verbund status` shows the ledgers and their state.")
    output.say(f"{ledger} is read on", ledger=ledger, resumed=True)


def _readers() -> list[Office]:
    return [office for office in find_offices() if office.reads]


def _settings(server: Server, office: Office) -> DatabaseSettings:
    reader = reader_of(office)
    if reader is None:
        raise LookupError(f"{office.name} reads no ledgers")
    return server.settings(f"{office.package}_{reader.database_role}", office.package)


async def _resume(settings: DatabaseSettings, ledger: str) -> bool:
    engine = make_engine(settings, size=1)
    try:
        async with engine.begin() as connection:
            return await resume_ledger(connection, ledger)
    finally:
        await engine.dispose()
