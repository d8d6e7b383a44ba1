"""`verbund checkpoint`: sign where the ledgers end, so that they can be held against it later."""

import typer

from verbund.cli.databases import databases
from verbund.cli.output import AsJson, Output
from verbund.embedded.checkpoints import Broken, checkpoint_office
from verbund.embedded.home import EmbeddedSettings
from verbund.events.offices import find_offices


def checkpoint(*, as_json: AsJson = False) -> None:
    """Sign the head of every ledger that has moved; what is not whole is not signed, and named, with exit code 1."""
    output = Output(as_json=as_json)
    settings = EmbeddedSettings()
    if not settings.layout.has_data:
        output.fail(f"There are no ledgers on {settings.layout.folder} yet.")
    whole = True
    with databases(settings, output) as cluster:
        for office in find_offices():
            if office.keeps_ledgers:
                database = cluster.settings(f"{office.package}_owner", office.package)
                try:
                    signed = checkpoint_office(settings.layout, office, database)
                except Broken as broken:
                    whole = False
                    output.complain(str(broken), office=office.name)
                    continue
                for one in signed:
                    output.say(f"{one.ledger}: signed at {one.number:,}", ledger=one.ledger, number=one.number)
                if not signed:
                    output.say(f"{office.name}: nothing new since the last checkpoint", office=office.name)
    if not whole:
        raise typer.Exit(1)
