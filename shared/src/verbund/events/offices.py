"""How a service announces itself: one entry point in the group `verbund.offices`, by which the platform finds it."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import entry_points
from typing import Literal

from verbund.events.envelope import Data

GROUP = "verbund.offices"

Feed = Literal["ledger", "kafka"]
"""How offices read each other's ledgers: straight from the database, on one machine, or from Kafka."""


@dataclass(frozen=True, slots=True)
class Process:
    """One process of an office: an ASGI application on one loopback port, under one database role."""

    name: str
    port: int
    app: str
    """`module:name` of the function that builds the ASGI application."""
    database_role: str
    """Suffix of the role: `desk` means the role `registration_desk` in the database `registration`."""
    only_with: Feed | None = None
    """The feed for which it runs; None where it runs with each."""
    books_role: str | None = None
    """Suffix of a second role, for a process that does something else besides: its desk signs in under this one."""


@dataclass(frozen=True, slots=True)
class Office:
    """What an office tells the platform of itself. Places in code are `module:name`, imported only where needed."""

    name: str
    """As in ledger names, with hyphens."""
    processes: tuple[Process, ...]
    """The door first."""
    migrations: tuple[tuple[str, str], ...]
    """Pairs of (package of an alembic environment, name of its version table), in this order."""
    events: tuple[type[Data], ...] = ()
    readers: tuple[str, ...] = ()
    """Offices that read ledgers of this one; each has a role `<office>_feed_<reader>` that sees its view alone."""
    reads: tuple[str, ...] = ()
    """Offices whose ledgers this one reads; empty where it reads none, `*` where it reads every book."""
    deltas: str | None = None
    """`module:name` of the delta function, for an office whose deltas do not stand in reporting."""
    catalogue: str | None = None
    """Package whose folder `catalogue` holds the indicators of an office that brings its own, and their words."""
    rebuild: str | None = None
    """`module:name` of what `verbund rebuild` runs, for an office that makes something of the ledgers it reads."""
    compaction: str | None = None
    """`module:name` of what `verbund compact` runs, for an office that keeps sums."""
    effect: str | None = None
    """`module:name` of what makes the effect of reading from the file with the office's secret; None: an in-tray."""
    commands: tuple[tuple[str, str], ...] = ()
    """Pairs of (word, `module:name` of a typer application): what `verbund <word>` runs."""
    simulation: str | None = None
    """`module:name` of the simulation that `verbund simulate` runs."""
    check: str | None = None
    """`module:name` of the comparison with printed figures that `verbund demo --check` runs."""

    @property
    def door(self) -> Process:
        return self.processes[0]

    def processes_with(self, feed: Feed) -> tuple[Process, ...]:
        """The processes that run with this feed."""
        return tuple(process for process in self.processes if process.only_with in (None, feed))

    @property
    def keeps_ledgers(self) -> bool:
        """Whether it has a book of its own."""
        return any(package == "verbund.ledger.migrations" for package, _ in self.migrations)

    @property
    def sends_ledgers(self) -> bool:
        """Whether it has a relay, which sends its ledgers to Kafka."""
        return any(process.database_role == "relay" for process in self.processes)

    @property
    def reads_trays(self) -> bool:
        """Whether it keeps an in-tray for what other offices tell it."""
        return any(package == "verbund.feeds.tray_migrations" for package, _ in self.migrations)

    @property
    def package(self) -> str:
        return self.name.replace("-", "_")


@cache
def find_offices() -> tuple[Office, ...]:
    """All announced offices in order of port; raises `LookupError` where two claim one name or port."""
    offices = sorted((point.load() for point in entry_points(group=GROUP)), key=lambda office: office.door.port)
    names = [process.name for office in offices for process in office.processes]
    ports = [process.port for office in offices for process in office.processes]
    for claimed in (names, ports, [office.name for office in offices]):
        if len(set(claimed)) != len(claimed):
            raise LookupError(f"two offices claim the same: {claimed}")
    return tuple(offices)


def get_office(name: str) -> Office:
    """The office of this name; raises `LookupError` that names those there are."""
    for office in find_offices():
        if office.name == name:
            return office
    raise LookupError(f"no office {name!r}; there are: {', '.join(office.name for office in find_offices())}")


def known_events(offices: Sequence[Office] | None = None) -> dict[str, type[Data]]:
    """Every type of event of these offices and its model; of all announced ones where none are given."""
    return {model.type: model for office in offices or find_offices() for model in office.events}
