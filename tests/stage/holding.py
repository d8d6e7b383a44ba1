"""Holds a process in the middle of its transaction: everything is written but its last step."""

from collections.abc import Iterator
from contextlib import contextmanager

import psutil
import psycopg
from stage.municipality import Municipality, until

# Database and last statement of its transaction, and a lock under which that statement has to wait.
LAST_STEP = {
    "reporting-reader": ("reporting", "insert into cube.batch_head", "lock table cube.batch_head in exclusive mode"),
    "registration": ("registration", "insert into desk.answer", "lock table desk.answer in exclusive mode"),
    "registration-relay": ("registration", "update relay.position", "lock table relay.position in exclusive mode"),
}

_OPEN = "idle in transaction"
Session = tuple[int, str]
"""Process number of PostgreSQL, and its state."""


def sessions(municipality: Municipality, process: psutil.Process, statement: str = "") -> set[Session]:
    """The sessions of a process, or those of which this is the latest statement."""
    ports = [connection.laddr.port for connection in process.net_connections("tcp")]
    query = "select pid, state, wait_event_type from pg_stat_activity where client_port = any(%s) and query like %s"
    with psycopg.connect(municipality.superuser("postgres").conninfo()) as connection:
        rows = connection.execute(query, (ports, f"%{statement}%")).fetchall()
    return {(pid, "waiting" if waits_for == "Lock" else state) for pid, state, waits_for in rows}


@contextmanager
def held_at(municipality: Municipality, name: str) -> Iterator[int]:
    """The process waits for a lock in front of its last step; yields PostgreSQL's process for it."""
    database, statement, hold = LAST_STEP[name]
    process = municipality.process(name)
    caught: set[int] = set()

    def comes_to_wait() -> bool:
        caught.update(pid for pid, state in sessions(municipality, process, statement) if state == "waiting")
        return bool(caught)

    with psycopg.connect(municipality.superuser(database).conninfo()) as holder:
        holder.execute(hold.encode())
        until(comes_to_wait, f"{name} comes to the end of its transaction")
        yield min(caught)


@contextmanager
def stopped_in_its_transaction(municipality: Municipality, name: str) -> Iterator[int]:
    """The process stands still with everything written but the commit; yields PostgreSQL's process for it."""
    process = municipality.process(name)
    with held_at(municipality, name) as pid:
        process.suspend()
    try:
        until(lambda: (pid, _OPEN) in sessions(municipality, process), f"{name} stands in its transaction")
        yield pid
    finally:
        process.resume()


def is_served(municipality: Municipality, pid: int) -> bool:
    """Whether PostgreSQL's process is still there."""
    with psycopg.connect(municipality.superuser("postgres").conninfo()) as connection:
        return connection.execute("select from pg_stat_activity where pid = %s", (pid,)).fetchone() is not None
