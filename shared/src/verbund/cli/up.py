"""`verbund up`: everything of the embedded default in the foreground, until Ctrl-C."""

import asyncio
from typing import Annotated

import typer

from verbund.cli.homes import home_in_words
from verbund.cli.output import AsJson, Output
from verbund.cli.tokens import Issuing
from verbund.embedded import record
from verbund.embedded.backbone import Backbone
from verbund.embedded.home import EmbeddedSettings
from verbund.embedded.kafka_java import KafkaFailed
from verbund.embedded.ports import PortTaken
from verbund.embedded.postgres import ClusterFailed
from verbund.embedded.supervisor import Supervisor, WhenReady
from verbund.events.offices import find_offices
from verbund.kafka.settings import KafkaSettings
from verbund.kafka.topics import topics_of
from verbund.relay.client.connecting import CannotSend
from verbund.relay.topics import Wanted, create_topics

OnKafka = Annotated[
    bool, typer.Option("--kafka", help="With a Kafka of its own between the offices, as in production; needs Java.")
]


def up(*, kafka: OnKafka = False, as_json: AsJson = False) -> None:
    """Start PostgreSQL and every office on this machine, keep them alive, and stop them cleanly on Ctrl-C."""
    output = Output(as_json=as_json)
    settings = settings_with(kafka=kafka)
    supervisor = make_supervisor(settings, output)

    async def say_ready() -> None:
        output.say(f"ready: {supervisor.link}", ready=True, link=supervisor.link, home=str(settings.layout.folder))
        output.say("Sign in with the link that `verbund open` prints. Ctrl-C stops everything.")

    supervise(supervisor, settings, say_ready, output)


def settings_with(*, kafka: bool) -> EmbeddedSettings:
    """What the environment says, and what was said in the command."""
    return EmbeddedSettings(feed="kafka") if kafka else EmbeddedSettings()


def make_supervisor(settings: EmbeddedSettings, output: Output) -> Supervisor:
    """Of all offices, with a Kafka between them where the settings say so."""
    backbone = Backbone(settings, make_topics) if settings.feed == "kafka" else None
    return Supervisor(settings, find_offices(), output.say, backbone)


def make_topics(kafka: KafkaSettings) -> None:
    """The topics of all offices, as far as they are missing."""
    try:
        differing = create_topics(kafka, Wanted(topics_of(find_offices())))
    except CannotSend as error:
        raise KafkaFailed(f"the topics could not be made: {error}") from error
    if differing:
        raise KafkaFailed(f"topic {differing[0].name} is not as it has to be: see `verbund kafka topics`")


def supervise(supervisor: Supervisor, settings: EmbeddedSettings, when_ready: WhenReady, output: Output) -> None:
    """Run a supervisor under the lock of its home; what keeps it from running is said in words, with exit code 1."""
    if settings.postgres_server is not None:
        output.fail("VERBUND_POSTGRES_SERVER is set, and what is started here brings its own PostgreSQL. Unset it.")
    try:
        with record.lock(settings.layout):
            # The offices believe tokens by the issuer's public key, which has to be there before them.
            Issuing(settings)
            asyncio.run(supervisor.run(when_ready))
    except (record.AlreadyRunning, PortTaken, ClusterFailed, KafkaFailed) as error:
        output.fail(str(error))
    except OSError as error:
        output.fail(home_in_words(settings.layout, error))
