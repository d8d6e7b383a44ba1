"""`verbund rebuild`: what reporting made of the ledgers, emptied and folded anew."""

from typing import Annotated

import typer

from verbund.cli.databases import databases
from verbund.cli.homes import home_with_ledgers
from verbund.cli.output import AsJson, Output, ProgressBars
from verbund.cli.overview import ledgers_of, positions_of
from verbund.cli.places import resolve
from verbund.embedded import record
from verbund.embedded.environment import feed_settings, reader_of, sources_of
from verbund.embedded.home import EmbeddedSettings
from verbund.events.offices import Office, find_offices
from verbund.feeds.ledger_view import Source
from verbund.feeds.rebuild import CannotRebuild, Rebuild, RebuildContext
from verbund.postgres import Server, prepare_databases


def rebuild(
    *, yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False, as_json: AsJson = False
) -> None:
    """Empty reporting's cube and fold it anew from the ledgers: all or nothing, and only while nothing runs.

    For an office that was restored from an older backup, and for a release that counts by other rules.
    """
    output = Output(as_json=as_json)
    settings = home_with_ledgers(output)
    if record.find_running(settings.layout) is not None:
        output.fail(f"Verbund runs on {settings.layout.folder}: stop it first (Ctrl-C), readers must not be at work.")
    if as_json and not yes:
        output.fail("With --json nothing is asked: say --yes.")
    offices = [office for office in find_offices() if office.rebuild is not None]
    with databases(settings, output) as server:
        prepare_databases(server, find_offices(), output.note)
        for office in offices:
            _show(office, server, output)
        if not yes:
            typer.confirm("Empty what was made of these ledgers, and fold it anew?", abort=True, err=True)
        for office in offices:
            _rebuild(office, settings, server, output)


def _show(office: Office, server: Server, output: Output) -> None:
    ledgers = [state for one in find_offices() for state in ledgers_of(one, server)]
    heads = {state.ledger: state.number for state in ledgers}
    output.table(
        f"Read by {office.name}",
        ("ledger", "read up to", "ends at", "state"),
        [
            (state.ledger, state.number, heads.get(state.ledger), state.stop_reason or "reading")
            for state in positions_of(office, server, ledgers)
        ],
    )


def _rebuild(office: Office, settings: EmbeddedSettings, server: Server, output: Output) -> None:
    assert office.rebuild is not None
    run: Rebuild = resolve(office.rebuild)
    with ProgressBars(output) as bars:
        try:
            rebuilt = run(_context(office, settings, server, bars))
        except CannotRebuild as error:
            output.fail(f"{error} Nothing was changed.")
    for one in rebuilt:
        output.say(
            f"{one.ledger}: {one.number:,} records folded; it had been read up to {one.before:,}",
            ledger=one.ledger,
            records=one.number,
            before=one.before,
        )


def _context(office: Office, settings: EmbeddedSettings, server: Server, bars: ProgressBars) -> RebuildContext:
    reader = reader_of(office)
    assert reader is not None, f"{office.name} rebuilds and reads nothing"
    return RebuildContext(
        reader=office.name,
        reader_role=f"{office.package}_{reader.database_role}",
        database=server.settings(f"{office.package}_owner", office.package),
        sources=[
            Source(office=source.name, database=feed_settings(office, source, server))
            for source in sources_of(office, find_offices())
        ],
        hash_key_file=settings.layout.hash_key_file(office),
        progress=bars.show,
    )
