"""`verbund up`: everything of the embedded default in the foreground, until Ctrl-C."""

import asyncio

from verbund.cli.homes import home_in_words
from verbund.cli.output import AsJson, Output
from verbund.cli.tokens import Issuing
from verbund.embedded import record
from verbund.embedded.home import EmbeddedSettings
from verbund.embedded.ports import PortTaken
from verbund.embedded.postgres import ClusterFailed
from verbund.embedded.supervisor import Supervisor, WhenReady
from verbund.events.offices import find_offices


def up(*, as_json: AsJson = False) -> None:
    """Start PostgreSQL and every office on this machine, keep them alive, and stop them cleanly on Ctrl-C."""
    output = Output(as_json=as_json)
    settings = EmbeddedSettings()
    supervisor = Supervisor(settings, find_offices(), output.say)

    async def say_ready() -> None:
        output.say(f"ready: {supervisor.link}", ready=True, link=supervisor.link, home=str(settings.layout.folder))
        output.say("Sign in with the link that `verbund open` prints. Ctrl-C stops everything.")

    supervise(supervisor, settings, say_ready, output)


def supervise(supervisor: Supervisor, settings: EmbeddedSettings, when_ready: WhenReady, output: Output) -> None:
    """Run a supervisor under the lock of its home; what keeps it from running is said in words, with exit code 1."""
    try:
        with record.lock(settings.layout):
            # The offices believe tokens by the issuer's public key, which has to be there before them.
            Issuing(settings)
            asyncio.run(supervisor.run(when_ready))
    except (record.AlreadyRunning, PortTaken, ClusterFailed) as error:
        output.fail(str(error))
    except OSError as error:
        output.fail(home_in_words(settings.layout, error))
