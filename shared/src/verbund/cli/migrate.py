"""`verbund migrate`: roles, databases and schemas of every office, brought to this release."""

from verbund.cli.databases import databases
from verbund.cli.output import AsJson, Output
from verbund.embedded.home import EmbeddedSettings
from verbund.events.offices import find_offices
from verbund.postgres import ServerUnfit, prepare_databases


def migrate(*, as_json: AsJson = False) -> None:
    """Bring the databases of every office to this release; may be repeated.

    With VERBUND_POSTGRES_SERVER on that server, under its superuser `postgres`: every role's password is the file
    `<role>.password` among the secrets. Without, on this machine's own; `verbund up` does the same at every start.
    """
    output = Output(as_json=as_json)
    with databases(EmbeddedSettings(), output) as server:
        try:
            prepare_databases(server, find_offices(), output.say)
        except ServerUnfit as error:
            output.fail(str(error))
    output.say("every database is up to date")
