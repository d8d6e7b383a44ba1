"""`verbund compact`: reporting's cube with fewer rows, and the same answers."""

from typing import Annotated

import typer

from verbund.cli.databases import databases
from verbund.cli.homes import home_with_ledgers
from verbund.cli.output import AsJson, Output, ProgressBars
from verbund.cli.places import resolve
from verbund.embedded import record
from verbund.events.offices import Office, find_offices, get_office
from verbund.feeds.compaction import CannotCompact, Compacting, CompactionContext
from verbund.postgres import prepare_databases


def compact(
    office: Annotated[str, typer.Argument(help="The office whose cube is compacted.")] = "reporting",
    *,
    as_json: AsJson = False,
) -> None:
    """Add up what differs in nothing but when it came, so that figures need less memory and load in less time.

    No figure changes, of whatever day and as known on whatever day. Offices, readers and pages go on meanwhile; they
    wait for moments while the compacted cube takes its place, and pages then load it afresh. Interrupted at any
    point, what stands is unchanged. It needs about as much room on the disk as the cube takes.
    """
    output = Output(as_json=as_json)
    settings = home_with_ledgers(output)
    compacting = _compacting(office, output)
    with databases(settings, output) as server, ProgressBars(output) as bars:
        if settings.postgres_server is None and record.find_running(settings.layout) is None:
            prepare_databases(server, find_offices(), output.note)
        found = get_office(office)
        database = server.settings(f"{found.package}_owner", found.package)
        try:
            outcome = compacting(CompactionContext(database, bars.show))
        except CannotCompact as error:
            output.fail(f"{error} Nothing was changed.")
    for one in outcome:
        output.say(
            f"{one.municipality}: {one.rows:,} rows, of {one.rows_before:,}; generation {one.generation}",
            municipality=one.municipality,
            rows=one.rows,
            rows_before=one.rows_before,
            generation=one.generation,
        )
    if not outcome:
        output.say("There is nothing to compact.")


def _compacting(name: str, output: Output) -> Compacting:
    try:
        office: Office = get_office(name)
    except LookupError as error:
        output.fail(str(error))
    if office.compaction is None:
        output.fail(f"{name} keeps no sums that could be compacted.")
    found: Compacting = resolve(office.compaction)
    return found
