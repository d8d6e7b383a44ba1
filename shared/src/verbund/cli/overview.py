"""What there is to know of a running municipality: processes, ledgers, how far readers are, what was parked."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import httpx
import psutil
import psycopg
from psycopg.rows import class_row
from pydantic import BaseModel, ConfigDict

from verbund.embedded.home import Home
from verbund.embedded.kafka_probe import find_brokers
from verbund.embedded.ports import LOOPBACK
from verbund.embedded.postgres import Cluster
from verbund.embedded.record import Running, Started
from verbund.events.offices import Office
from verbund.postgres import Server

_READY_SECONDS = 2.0

_HEADS = """
    select head.ledger, head.number, head.time as latest_at, beat.at as beat_at
    from ledger.head left join ledger.beat on beat.office = split_part(head.ledger, '/', 3) order by head.ledger
"""
_POSITIONS = """
    select ledger, number, recorded_at, heard_at, moved_at, stop_reason from feed.position order by ledger
"""
_PARKED = "select count(*) from feed.parked where settled is null"


class ProcessState(BaseModel):
    """One process: alive, and ready for work or why not."""

    name: str
    port: int
    pid: int | None
    uptime_seconds: float | None
    memory_bytes: int | None
    restarts: int
    not_ready: str | None
    """None where it is ready."""


class LedgerState(BaseModel):
    """Where a ledger ends."""

    model_config = ConfigDict(frozen=True)

    ledger: str
    number: int
    latest_at: datetime
    """The latest time that the office knows."""
    beat_at: datetime | None


class PositionState(BaseModel):
    """How far a reader is in a ledger."""

    ledger: str
    number: int
    recorded_at: datetime | None
    heard_at: datetime | None
    """The last sign of life of the office that keeps the ledger."""
    moved_at: datetime | None
    stop_reason: str | None
    reader: str = ""
    lag: int | None = None
    """Records that the reader has not taken yet."""
    heard_seconds_ago: float | None = None


class Overview(BaseModel):
    """Everything at one moment."""

    home: str
    supervisor: Started
    processes: list[ProcessState]
    ledgers: list[LedgerState]
    positions: list[PositionState]
    parked: dict[str, int]
    """Records that a reader could not take, by reader."""

    @property
    def is_well(self) -> bool:
        """Whether every process is ready and no reader has stopped."""
        return not any(process.not_ready for process in self.processes) and not any(
            position.stop_reason for position in self.positions
        )

    @property
    def lag(self) -> int:
        return sum(position.lag or 0 for position in self.positions)


def look(running: Running, home: Home, offices: Sequence[Office]) -> Overview:
    """Ask the processes and the databases; raises `psycopg.OperationalError` where PostgreSQL does not answer."""
    server = Cluster(home.folder, running.postgres_port)
    ledgers = [state for office in offices for state in ledgers_of(office, server)]
    positions = [state for office in offices for state in positions_of(office, server, ledgers)]
    return Overview(
        home=str(home.folder),
        supervisor=running.supervisor,
        processes=_processes(running),
        ledgers=ledgers,
        positions=positions,
        parked={office.name: _parked(office, server) for office in offices if reads_feeds(office)},
    )


def reads_feeds(office: Office) -> bool:
    """Whether the office keeps positions in ledgers of others."""
    return _has(office, "verbund.feeds.migrations")


def ledgers_of(office: Office, server: Server) -> list[LedgerState]:
    """Where the ledgers of an office end; empty where it keeps none."""
    if not office.keeps_ledgers:
        return []
    with _connect(office, server) as connection, connection.cursor(row_factory=class_row(LedgerState)) as cursor:
        return cursor.execute(_HEADS).fetchall()


def positions_of(office: Office, server: Server, ledgers: Sequence[LedgerState]) -> list[PositionState]:
    """How far an office is in the ledgers that it reads; empty where it reads none."""
    if not reads_feeds(office):
        return []
    heads = {state.ledger: state.number for state in ledgers}
    with _connect(office, server) as connection, connection.cursor(row_factory=class_row(PositionState)) as cursor:
        states = cursor.execute(_POSITIONS).fetchall()
    for state in states:
        state.reader = office.name
        state.lag = heads[state.ledger] - state.number if state.ledger in heads else None
        if state.heard_at is not None:
            state.heard_seconds_ago = (datetime.now(UTC) - state.heard_at).total_seconds()
    return states


def _has(office: Office, migrations: str) -> bool:
    return any(package == migrations for package, _ in office.migrations)


def _parked(office: Office, server: Server) -> int:
    with _connect(office, server) as connection:
        row = connection.execute(_PARKED).fetchone()
    return int(str(row[0])) if row else 0


def _connect(office: Office, server: Server) -> psycopg.Connection[tuple[object, ...]]:
    return psycopg.connect(server.settings(f"{office.package}_owner", office.package).conninfo())


def _processes(running: Running) -> list[ProcessState]:
    supervised = [_supervised(started, _why_not_ready) for started in running.processes]
    return supervised if running.kafka is None else [*supervised, _supervised(running.kafka, _why_kafka_not_ready)]


def _supervised(started: Started, why_not_ready: Callable[[Started], str | None]) -> ProcessState:
    process = started.find()
    return ProcessState(
        name=started.name,
        port=started.port,
        pid=started.pid if process else None,
        uptime_seconds=started.uptime_seconds if process else None,
        memory_bytes=_memory(process) if process else None,
        restarts=started.restarts,
        not_ready=why_not_ready(started) if process else "it does not run",
    )


def _memory(process: psutil.Process) -> int | None:
    try:
        return int(process.memory_info().rss)
    except psutil.Error:
        return None


def _why_not_ready(started: Started) -> str | None:
    try:
        answer = httpx.get(f"http://{LOOPBACK}:{started.port}/readyz", timeout=_READY_SECONDS, trust_env=False)
    except httpx.HTTPError as error:
        return f"no answer ({type(error).__name__})"
    return None if answer.is_success else answer.text[:500]


def _why_kafka_not_ready(started: Started) -> str | None:
    return None if find_brokers(started.port) else "it does not serve"
