"""`verbund export`: ledgers as files that a third party can prove without this program and this machine."""

from pathlib import Path
from typing import Annotated

import typer

from verbund.cli.databases import databases
from verbund.cli.homes import home_with_ledgers, offices_with_ledgers
from verbund.cli.output import AsJson, Output, ProgressBars
from verbund.embedded.checkpoints import Broken, checkpoint_office, read_office
from verbund.embedded.home import EmbeddedSettings
from verbund.events.offices import Office
from verbund.ledger.checkpoints import latest_of
from verbund.ledger.export import NotWhole, export_ledger, file_name
from verbund.ledger.verify import snapshot
from verbund.postgres import Server


def export(
    folder: Annotated[Path, typer.Argument(help="A new or empty folder.", file_okay=False)],
    *,
    office: Annotated[str | None, typer.Option("--office", help="Only the ledgers of this office.")] = None,
    as_json: AsJson = False,
) -> None:
    """Write every ledger, its signed checkpoints and the public key into a folder; docs/verify-an-export.md proves it.

    The events hold no names and no addresses, but facts about single persons under pseudonyms: handle them like that.
    """
    output = Output(as_json=as_json)
    offices = offices_with_ledgers(office, output)
    settings = home_with_ledgers(output)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if any(folder.iterdir()):
            output.fail(f"{folder} is not empty. Name a new folder: nothing is written over.")
        with databases(settings, output) as server, ProgressBars(output) as bars:
            for one in offices:
                _export(settings, one, server, folder, bars, output)
        (folder / "checkpoint.pem").write_bytes(settings.layout.checkpoint_public_key.read_bytes())
    except (Broken, NotWhole, OSError) as error:
        output.fail(str(error))


def _export(
    settings: EmbeddedSettings, office: Office, server: Server, folder: Path, bars: ProgressBars, output: Output
) -> None:
    """Sign where the ledgers of an office end now, and write them up to there."""
    database = server.settings(f"{office.package}_owner", office.package)
    checkpoint_office(settings.layout, office, database)
    (folder / f"{office.name}.checkpoints").write_bytes(settings.layout.checkpoints_file(office).read_bytes())
    latest = latest_of(read_office(settings.layout, office)[0])
    with snapshot(database) as connection:
        for checkpoint in latest.values():
            file = folder / file_name(checkpoint.ledger)
            for number in export_ledger(connection, checkpoint, file):
                bars.show(checkpoint.ledger, number, checkpoint.number)
            output.say(
                f"{checkpoint.ledger}: {checkpoint.number:,} records in {file}",
                ledger=checkpoint.ledger,
                records=checkpoint.number,
                file=str(file),
            )
