"""`verbund migrate`: the schemas of every office's database, brought to this release."""

from verbund.cli.databases import databases
from verbund.cli.output import AsJson, Output
from verbund.embedded.home import EmbeddedSettings
from verbund.embedded.supervisor import prepare_databases
from verbund.events.offices import find_offices


def migrate(*, as_json: AsJson = False) -> None:
    """Bring the databases of every office to this release; `up` does the same at every start."""
    output = Output(as_json=as_json)
    with databases(EmbeddedSettings(), output) as cluster:
        prepare_databases(cluster, find_offices(), output.say)
    output.say("every database is up to date")
