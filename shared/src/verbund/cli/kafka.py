"""`verbund kafka`: a real Apache Kafka on this machine, for development and tests."""

import signal
import time
from enum import StrEnum
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer

from verbund.cli.homes import home_in_words
from verbund.cli.output import AsJson, Output
from verbund.cli.topics import topics
from verbund.embedded.home import EmbeddedSettings
from verbund.embedded.kafka_cluster import Brokers
from verbund.embedded.kafka_config import places_from
from verbund.embedded.kafka_jars import VERSION, Distribution, ensure_distribution
from verbund.embedded.kafka_java import KafkaFailed
from verbund.embedded.ports import PortTaken

_WATCH_SECONDS = 0.5

kafka = typer.Typer(help="A real Apache Kafka on this machine, and the topics of any Kafka.", no_args_is_help=True)
kafka.command()(topics)


class Size(StrEnum):
    """How many brokers: three keep each record three times and live on when one of them dies."""

    ONE = "1"
    THREE = "3"


@kafka.command()
def fetch(*, as_json: AsJson = False) -> None:
    """Fetch Apache Kafka into the cache folder (VERBUND_CACHE), where it is not there yet, and verify every file."""
    output = Output(as_json=as_json)
    found = distribution(EmbeddedSettings().cache, output)
    output.answer(str(found.jars), {"version": VERSION, "folder": str(found.jars), "java": str(found.java)})


@kafka.command()
def up(
    *,
    brokers: Annotated[Size, typer.Option(help="How many brokers.")] = Size.ONE,
    port: Annotated[
        int | None, typer.Option(min=3, max=65515, help="Where the first one serves; default: VERBUND_KAFKA_PORT.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Start Kafka on loopback ports, with its data in VERBUND_HOME, and stop it cleanly on Ctrl-C."""
    output = Output(as_json=as_json)
    settings = EmbeddedSettings()
    places = places_from(port or settings.kafka_port + settings.port_offset, int(brokers))
    cluster = Brokers(settings.layout.folder, places, distribution(settings.cache, output))
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    try:
        _run(cluster, output)
    except KeyboardInterrupt:
        output.say("stopping Kafka")
    except (KafkaFailed, PortTaken) as error:
        output.fail(str(error))
    except OSError as error:
        output.fail(home_in_words(settings.layout, error))
    finally:
        cluster.stop()


def distribution(cache: Path, output: Output) -> Distribution:
    """Apache Kafka from the cache folder; ends the command, in words, where it cannot be had."""
    try:
        return ensure_distribution(cache.expanduser().absolute(), output.note)
    except KafkaFailed as error:
        output.fail(str(error))
    except OSError as error:
        output.fail(
            f"{cache} cannot be used ({error.strerror}). Make room, or set VERBUND_CACHE to a folder elsewhere."
        )


def _run(cluster: Brokers, output: Output) -> None:
    output.note("starting Kafka")
    cluster.start()
    addresses = ", ".join(cluster.bootstrap)
    output.say(f"Kafka serves on {addresses}. Ctrl-C stops it.", ready=True, brokers=cluster.bootstrap)
    running = set(cluster.brokers)
    while running:
        time.sleep(_WATCH_SECONDS)
        for broker in [each for each in running if not each.is_running]:
            running.remove(broker)
            output.complain(f"The broker on port {broker.place.port} has ended; see {broker.log}")
    raise KafkaFailed("No broker runs any more.")


def _interrupt(number: int, frame: FrameType | None) -> None:
    """Whoever ends this politely, by whatever signal, gets the same clean stop."""
    raise KeyboardInterrupt
