"""`verbund verify`: proof that nothing in the ledgers was changed, lost or put in."""

from typing import Annotated

import typer

from verbund.cli.databases import databases
from verbund.cli.output import AsJson, Output, ProgressBars
from verbund.cli.overview import keeps_ledgers
from verbund.embedded.home import EmbeddedSettings
from verbund.embedded.postgres import Cluster
from verbund.events.offices import Office, find_offices, get_office
from verbund.ledger.verify import Progress, verify_ledgers


def verify(
    *,
    office: Annotated[str | None, typer.Option("--office", help="Only the ledgers of this office.")] = None,
    as_json: AsJson = False,
) -> None:
    """Walk every ledger from its first record and name the first bad number; exit code 1 where there is one."""
    output = Output(as_json=as_json)
    try:
        offices = find_offices() if office is None else (get_office(office),)
    except LookupError as error:
        output.fail(str(error))
    settings = EmbeddedSettings()
    if not settings.layout.has_data:
        output.fail(f"There are no ledgers on {settings.layout.folder} yet.")
    with databases(settings, output) as cluster, ProgressBars(output) as bars:
        ends = [end for one in offices if keeps_ledgers(one) for end in _verify(one, cluster, bars)]
    for end in ends:
        if end.fault is None:
            output.say(f"{end.ledger}: {end.done:,} records, whole", ledger=end.ledger, records=end.done)
    faults = [end.fault for end in ends if end.fault is not None]
    for fault in faults:
        output.complain(
            f"{fault.ledger}: first bad number {fault.number}: {fault.reason}",
            ledger=fault.ledger,
            first_bad_number=fault.number,
            reason=fault.reason,
        )
    if faults:
        raise typer.Exit(1)


def _verify(office: Office, cluster: Cluster, bars: ProgressBars) -> list[Progress]:
    """How the walk through each ledger of an office ended."""
    ends: dict[str, Progress] = {}
    for progress in verify_ledgers(cluster.settings(f"{office.package}_owner", office.package)):
        ends[progress.ledger] = progress
        bars.show(progress.ledger, progress.done, progress.total)
    return list(ends.values())
