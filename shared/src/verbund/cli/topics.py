"""`verbund kafka topics`: the topics of all offices, made and held against how they have to be."""

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError

from verbund.cli.output import AsJson, Output
from verbund.embedded.home import EmbeddedSettings
from verbund.embedded.ports import LOOPBACK
from verbund.events.offices import find_offices
from verbund.kafka.settings import KafkaSettings
from verbund.kafka.topics import rights_of, topics_of
from verbund.relay.client.connecting import CannotSend
from verbund.relay.topics import PARTITIONS, Difference, Wanted, check_topics, create_topics


class Protocol(StrEnum):
    """How Kafka is spoken to."""

    PLAINTEXT = "PLAINTEXT"
    SSL = "SSL"
    SASL_PLAINTEXT = "SASL_PLAINTEXT"
    SASL_SSL = "SASL_SSL"


def topics(
    *,
    create: Annotated[bool, typer.Option("--create", help="Make what is missing; never removes anything.")] = False,
    brokers: Annotated[
        list[str] | None, typer.Option(help="host:port, may be repeated; default: the Kafka of `verbund kafka up`.")
    ] = None,
    partitions: Annotated[int, typer.Option(min=1, help="How many readers can share a topic.")] = PARTITIONS,
    replication: Annotated[int, typer.Option(min=1, help="How many brokers keep each record.")] = 1,
    acl: Annotated[
        bool | None, typer.Option("--acl/--no-acl", help="Also rights; default: where Kafka asks who one is.")
    ] = None,
    admin_user: Annotated[str | None, typer.Option(help="Who makes topics and gives rights.")] = None,
    admin_password_file: Annotated[Path | None, typer.Option(exists=True, dir_okay=False)] = None,
    ca_file: Annotated[Path | None, typer.Option(exists=True, dir_okay=False)] = None,
    security_protocol: Protocol = Protocol.PLAINTEXT,
    as_json: AsJson = False,
) -> None:
    """Hold the topics of all offices against how they have to be; exit code 1 where something differs."""
    output = Output(as_json=as_json)
    embedded = EmbeddedSettings()
    try:
        kafka = KafkaSettings(
            brokers=tuple(brokers or [f"{LOOPBACK}:{embedded.kafka_port + embedded.port_offset}"]),
            security_protocol=security_protocol.value,
            ca_file=ca_file,
            user=admin_user,
            password_file=admin_password_file,
        )
    except ValidationError:
        output.fail(f"{security_protocol.value} needs --admin-user and --admin-password-file.")
    found = topics_of(find_offices())
    rights = rights_of(found) if (kafka.uses_sasl if acl is None else acl) else ()
    wanted = Wanted(found, rights, partitions, replication)
    try:
        differences = create_topics(kafka, wanted) if create else check_topics(kafka, wanted)
    except CannotSend as error:
        output.fail(f"Kafka cannot be asked on {', '.join(kafka.brokers)}: {error.failure.detail}")
    _say([topic.name for topic in found], differences, output)
    if differences:
        raise typer.Exit(1)


def _say(names: Sequence[str], differences: Sequence[Difference], output: Output) -> None:
    output.document(
        {
            "topics": names,
            "well": not differences,
            "differences": [
                {"name": each.name, "what": each.what, "wanted": each.wanted, "found": each.found}
                for each in differences
            ],
        }
    )
    if output.as_json:
        return
    if not differences:
        output.say(f"as they have to be: {', '.join(names)}")
        return
    output.table(
        "What differs",
        ("name", "what", "wanted", "found", "remedy"),
        [
            (
                each.name,
                each.what,
                each.wanted,
                each.found,
                "verbund kafka topics --create" if each.mends_itself else "a person has to decide",
            )
            for each in differences
        ],
    )
