"""What each process of the embedded default is told through its environment."""

import json
import os
from collections.abc import Sequence

from verbund.embedded.home import EmbeddedSettings
from verbund.embedded.postgres import Cluster
from verbund.events.offices import Office, Process
from verbund.postgres import Server
from verbund.settings import DatabaseSettings


def environment_of(
    process: Process, office: Office, offices: Sequence[Office], settings: EmbeddedSettings, cluster: Cluster
) -> dict[str, str]:
    """The environment of one process: the caller's own, and the VERBUND_ variables that make it what it is."""
    home = settings.layout
    databases = {"DATABASE": process.database_role, "BOOKS": process.books_role}
    told: dict[str, str] = {
        "VERBUND_HOME": str(home.folder),
        "VERBUND_MUNICIPALITY": settings.municipality,
        "VERBUND_PORT": str(process.port + settings.port_offset),
        "VERBUND_TOKENS__ISSUER": home.issuer.issuer,
        "VERBUND_TOKENS__JWKS_FILE": str(home.issuer.jwks_file),
        "VERBUND_HASH_KEY_FILE": str(home.hash_key_file(office)),
        "VERBUND_TICKETS": str(home.tickets),
    }
    for which, role in databases.items():
        if role is not None:
            database = cluster.settings(f"{office.package}_{role}", office.package)
            told |= {f"VERBUND_{which}__{name.upper()}": str(value) for name, value in database.model_dump().items()}
    told["VERBUND_FEED"] = settings.feed
    if settings.feed == "kafka":
        told["VERBUND_KAFKA__BROKERS"] = json.dumps([settings.kafka_broker])
        told["VERBUND_KAFKA__INSTANCE"] = process.name
    if process is reader_of(office):
        sources = [
            {"office": source.name, "database": feed_settings(office, source, cluster).model_dump(mode="json")}
            for source in sources_of(office, offices)
        ]
        told["VERBUND_SOURCES"] = json.dumps(sources)
    return {**os.environ, **told}


def reader_of(office: Office) -> Process | None:
    """The process that reads other offices' ledgers: the one with the role for it, else the door."""
    if not office.reads:
        return None
    readers = [process for process in office.processes if process.database_role == "reader"]
    return readers[0] if readers else office.door


def sources_of(office: Office, offices: Sequence[Office]) -> list[Office]:
    """The offices whose ledgers `office` reads: those it names, or with `*` all that keep one for it."""
    return [
        source
        for source in offices
        if office.name in source.readers and ("*" in office.reads or source.name in office.reads)
    ]


def feed_settings(reader: Office, source: Office, server: Server) -> DatabaseSettings:
    """How `reader` reaches its view of the ledgers of `source`."""
    return server.settings(f"{source.package}_feed_{reader.package}", source.package)
