"""`verbund feeds parked`: records that could not be understood, and what a person decides about them."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from getpass import getuser
from typing import Annotated, TypeVar

import typer
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from verbund.cli.databases import databases
from verbund.cli.output import AsJson, Output
from verbund.cli.places import resolve
from verbund.database import make_engine
from verbund.embedded.environment import reader_of
from verbund.embedded.home import EmbeddedSettings
from verbund.events.offices import Office, find_offices, known_events
from verbund.feeds.in_tray import TrayEffect
from verbund.feeds.parked import (
    Decision,
    NotReplayed,
    ParkedRecord,
    discard,
    find_parked,
    list_parked,
    read_attributes,
    read_payload,
    replay,
    settled_in_words,
)
from verbund.feeds.reader import Effect

T = TypeVar("T")

parked = typer.Typer(
    help="Records that could not be understood: list them, look at one, take them once more, or discard them.",
    invoke_without_command=True,
)

OfficeName = Annotated[str, typer.Option("--office", help="The office that reads.")]
Id = Annotated[int, typer.Argument(help="As the list numbers it.")]
Ids = Annotated[list[int] | None, typer.Argument(help="As the list numbers them.")]
OfLedger = Annotated[str | None, typer.Option("--ledger", help="Only of this ledger.")]
OfReason = Annotated[str | None, typer.Option("--reason", help="Only those parked for this reason.")]


@dataclass(frozen=True, slots=True)
class _Desk:
    """The readers' databases, one office's at a time."""

    office: Office
    engine: AsyncEngine
    effect: Effect


@parked.callback()
def list_all(
    context: typer.Context,
    *,
    ledger: OfLedger = None,
    reason: OfReason = None,
    settled: Annotated[bool, typer.Option("--settled", help="Also those that were replayed or discarded.")] = False,
    as_json: AsJson = False,
) -> None:
    """List records that could not be understood: figures miss them."""
    if context.invoked_subcommand is not None:
        return
    output = Output(as_json=as_json)

    async def found(desk: _Desk) -> list[ParkedRecord]:
        async with desk.engine.connect() as connection:
            return await list_parked(connection, ledger=ledger, reason=reason, with_settled=settled)

    every = [(office, one) for office in _readers() for one in _at(office, output, found)]
    output.document({"parked": [{"office": office.name, **asdict(one)} for office, one in every]})
    output.table(
        "Parked records",
        ("office", "id", "ledger", "number", "reason", "detail", "bytes", "parked at", "state"),
        [
            (
                *(office.name, str(one.id), one.ledger, one.number, one.reason, one.detail, one.size),
                *(f"{one.parked_at:%Y-%m-%d %H:%M}", settled_in_words(one)),
            )
            for office, one in every
        ],
    )


@parked.command("show")
def show(
    number: Id,
    *,
    office: OfficeName = "reporting",
    payload: Annotated[
        bool, typer.Option("--payload", help="Also what it says; that you look is written into the log.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Say where a parked record came from, why it was parked, and what it says of itself besides its data."""
    output = Output(as_json=as_json)

    async def look(desk: _Desk) -> tuple[ParkedRecord | None, dict[str, str], bytes | None]:
        async with desk.engine.connect() as connection:
            one = await find_parked(connection, number)
            if one is None:
                return None, {}, None
            attributes = dict(await read_attributes(connection, number))
            return one, attributes, await read_payload(connection, one, _me()) if payload else None

    one, attributes, body = _at(_reader(office, output), output, look)
    if one is None:
        output.fail(f"{office} has no parked record {number}.")
    said = {"payload": body.decode("utf-8", "replace")} if body is not None else {}
    output.document({**asdict(one), "attributes": attributes, **said})
    output.table(
        f"Parked record {number}",
        ("what", "value"),
        [(name, str(value)) for name, value in {**asdict(one), **attributes, **said}.items() if value is not None],
    )


@parked.command("replay")
def replay_some(
    numbers: Ids = None,
    *,
    everything: Annotated[bool, typer.Option("--all", help="All that are parked.")] = False,
    reason: OfReason = None,
    ledger: OfLedger = None,
    office: OfficeName = "reporting",
    as_json: AsJson = False,
) -> None:
    """Take parked records once more, as this release understands them: each takes effect once, however often."""
    output = Output(as_json=as_json)
    if bool(numbers) == everything:
        output.fail("Say which ones, or --all.")

    async def run(desk: _Desk) -> bool:
        wanted = numbers or []
        if everything:
            async with desk.engine.connect() as connection:
                wanted = [one.id for one in await list_parked(connection, ledger=ledger, reason=reason)]
        return all([await _replay_one(desk, each, output) for each in wanted])

    if not _at(_reader(office, output), output, run):
        raise typer.Exit(1)


async def _replay_one(desk: _Desk, number: int, output: Output) -> bool:
    try:
        one = await replay(desk.engine, desk.effect, known_events(find_offices()), number, Decision(_me()))
    except NotReplayed as error:
        output.complain(f"{number} stays parked: {error}", id=number, code=error.code)
        return False
    except LookupError as error:
        output.complain(f"{error}.", id=number)
        return False
    output.say(f"{number}: {settled_in_words(one)}", id=number, settled=one.settled, settled_at=one.settled_at)
    return one.settled == "replayed"


@parked.command("discard")
def discard_some(
    numbers: Annotated[list[int], typer.Argument(help="As the list numbers them.")],
    *,
    why: Annotated[str, typer.Option("--reason", help="Why; it is kept with your name.")],
    office: OfficeName = "reporting",
    as_json: AsJson = False,
) -> None:
    """Remove what parked records say for good; that they were there, and who discarded them why, stays."""
    output = Output(as_json=as_json)
    if not why.strip():
        output.fail("Say why.")

    async def run(desk: _Desk) -> bool:
        return all([await _discard_one(desk, each, why.strip(), output) for each in numbers])

    if not _at(_reader(office, output), output, run):
        raise typer.Exit(1)


async def _discard_one(desk: _Desk, number: int, why: str, output: Output) -> bool:
    try:
        one = await discard(desk.engine, number, why, Decision(_me()))
    except LookupError as error:
        output.complain(f"{error}.", id=number)
        return False
    output.say(f"{number}: {settled_in_words(one)}", id=number, settled=one.settled, settled_at=one.settled_at)
    return one.settled == "discarded"


def _readers() -> list[Office]:
    return [office for office in find_offices() if office.reads]


def _reader(name: str, output: Output) -> Office:
    found = next((office for office in _readers() if office.name == name), None)
    if found is None:
        output.fail(f"{name} reads no ledgers; there are: {', '.join(office.name for office in _readers())}.")
    return found


def _at(office: Office, output: Output, work: Callable[[_Desk], Awaitable[T]]) -> T:
    """Do this in the database of an office, under its reader's role."""
    settings = EmbeddedSettings()
    reader = reader_of(office)
    assert reader is not None, f"{office.name} reads no ledgers"
    role = f"{office.package}_{reader.database_role}"
    with databases(settings, output) as server:
        database = server.settings(role, office.package)

        async def run() -> T:
            engine = make_engine(database, size=2)
            try:
                return await work(_Desk(office, engine, _effect(office, settings)))
            finally:
                await engine.dispose()

        try:
            return asyncio.run(run())
        except SQLAlchemyError as error:
            output.fail(f"The database of {office.name} failed ({type(error).__name__}).")


def _effect(office: Office, settings: EmbeddedSettings) -> Effect:
    """What reading does at this office: what it names itself, else its in-tray."""
    if office.effect is None:
        return TrayEffect(office.name, settings.municipality)
    effect: Effect = resolve(office.effect)(settings.layout.hash_key_file(office))
    return effect


def _me() -> str:
    return f"console:{getuser()}"
