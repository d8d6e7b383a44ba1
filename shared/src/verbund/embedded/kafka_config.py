"""How a broker is set up: the files it is started with, written anew at every start."""

import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from verbund.embedded.ports import LOOPBACK

Properties = Mapping[str, str]

_NODE_STEP = 10
_KEPT_LOG = "10MB"


@dataclass(frozen=True, slots=True)
class Security:
    """Who may come in to a cluster, and how."""

    properties: Properties
    tls: ssl.SSLContext | None = None
    """How to come in as a broker; None where nobody is asked."""
    format_words: Sequence[str] = ()
    """What Kafka's own program is told besides when data folders are made."""


OPEN = Security({"listener.security.protocol.map": "CLIENT:PLAINTEXT,INTERNAL:PLAINTEXT,CONTROLLER:PLAINTEXT"})
"""Everybody on this machine may do everything."""

_SETTINGS: Properties = {
    "process.roles": "broker,controller",
    "controller.listener.names": "CONTROLLER",
    "inter.broker.listener.name": "INTERNAL",
    # A topic is made by who knows how it has to be, never by a slip of the pen.
    "auto.create.topics.enable": "false",
    # A reader gets its partitions at once instead of after three seconds.
    "group.initial.rebalance.delay.ms": "0",
    # How long a broker that died counts as alive: no other one leads its topics meanwhile, and it cannot come back.
    "broker.session.timeout.ms": "3000",
    "broker.heartbeat.interval.ms": "500",
    # Few, because each is a file to open; the defaults (50) are for hundreds of groups.
    "offsets.topic.num.partitions": "4",
    "transaction.state.log.num.partitions": "4",
    "share.coordinator.state.topic.num.partitions": "4",
    "log.retention.hours": "168",
    "log.segment.bytes": str(64 << 20),
    # By default a quarter of the heap that we give.
    "log.cleaner.dedupe.buffer.size": str(16 << 20),
}

_LOGGING = """\
# Written at every start. Warnings and worse, in a file that does not grow for good.
rootLogger.level = WARN
rootLogger.appenderRef.file.ref = file
appender.file.type = RollingFile
appender.file.name = file
appender.file.fileName = {file}
appender.file.filePattern = {file}.%i
appender.file.layout.type = PatternLayout
appender.file.layout.pattern = %d{{ISO8601}} %p %c{{1}}: %m%n
appender.file.policies.type = Policies
appender.file.policies.size.type = SizeBasedTriggeringPolicy
appender.file.policies.size.size = {size}
appender.file.strategy.type = DefaultRolloverStrategy
appender.file.strategy.max = 1
"""


@dataclass(frozen=True, slots=True)
class Place:
    """One broker of a cluster: its number and its three loopback ports."""

    id: int
    port: int
    """For clients."""
    controller_port: int
    """For the controllers, which keep what the brokers agree on."""
    internal_port: int
    """For the brokers among each other."""


def places_from(port: int, brokers: int) -> list[Place]:
    """The places of a cluster whose first broker serves on `port`, the next ones ten ports further each; the ports
    of a broker's controller and of the brokers among each other stand just below."""
    first = range(port, port + brokers * _NODE_STEP, _NODE_STEP)
    return [Place(number, at, at - 1, at - 2) for number, at in enumerate(first, start=1)]


def server_properties(place: Place, places: Sequence[Place], data: Path, security: Properties) -> Properties:
    """Everything a broker is told. Three or more keep each record three times, and take it when two have it."""
    copies, enough = (3, 2) if len(places) >= 3 else (1, 1)
    doors = f"CLIENT://{LOOPBACK}:{place.port},INTERNAL://{LOOPBACK}:{place.internal_port}"
    return {
        **_SETTINGS,
        "node.id": str(place.id),
        "controller.quorum.voters": ",".join(f"{each.id}@{LOOPBACK}:{each.controller_port}" for each in places),
        "listeners": f"{doors},CONTROLLER://{LOOPBACK}:{place.controller_port}",
        "advertised.listeners": doors,
        "log.dirs": str(data),
        "default.replication.factor": str(copies),
        "min.insync.replicas": str(enough),
        **{f"{topic}.replication.factor": str(copies) for topic in ("offsets.topic", "transaction.state.log")},
        "transaction.state.log.min.isr": str(enough),
        "share.coordinator.state.topic.replication.factor": str(copies),
        "share.coordinator.state.topic.min.isr": str(enough),
        **security,
    }


def write_properties(file: Path, properties: Properties) -> None:
    """A file of settings, closed to other users: some are secrets."""
    file.unlink(missing_ok=True)
    file.touch(mode=0o600)
    lines = [f"{name}={_escaped(value)}\n" for name, value in properties.items()]
    file.write_text("# Written at every start.\n" + "".join(lines), encoding="ascii")


def write_logging(file: Path, log: Path) -> None:
    """What the broker writes down of itself, and where."""
    file.write_text(_LOGGING.format(file=_escaped(str(log)), size=_KEPT_LOG), encoding="ascii")


def _escaped(value: str) -> str:
    """As Java reads files of properties, which it does not take for UTF-8: a folder may be named Bürgeramt."""
    units = value.replace("\\", "\\\\").encode("utf-16-be")
    codes = [int.from_bytes(units[at : at + 2]) for at in range(0, len(units), 2)]
    return "".join(chr(code) if code < 0x80 else f"\\u{code:04x}" for code in codes)
