"""`verbund checkpoint`: sign where the ledgers end, so that they can be held against it later."""

import typer

from verbund.cli.databases import databases
from verbund.cli.homes import home_with_ledgers, offices_with_ledgers
from verbund.cli.output import AsJson, Output
from verbund.embedded.checkpoints import Broken, checkpoint_office


def checkpoint(*, as_json: AsJson = False) -> None:
    """Sign the head of every ledger that has moved; what is not whole is not signed, and named, with exit code 1."""
    output = Output(as_json=as_json)
    offices = offices_with_ledgers(None, output)
    settings = home_with_ledgers(output)
    whole = True
    with databases(settings, output) as cluster:
        for office in offices:
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
