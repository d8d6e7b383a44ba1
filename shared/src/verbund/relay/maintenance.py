"""What a person may do to a relay's positions: look, resume a stopped ledger, have it sent again from a number.

Everything is compare-and-set: a relay that is at work meanwhile finds out, and goes on from what a person said.
"""

from dataclasses import dataclass
from datetime import datetime

import psycopg
from psycopg import Connection
from psycopg.rows import class_row

from verbund.ledger.record import GENESIS
from verbund.settings import DatabaseSettings

_POSITIONS = """
    select head.ledger, head.number as head_number, coalesce(position.number, 0) as number, position.moved_at,
           position.stop_reason
    from ledger.head left join relay.position on position.ledger = head.ledger order by head.ledger collate "C"
"""
_LEASE = """
    select office, epoch, holder, extract(epoch from clock_timestamp() - alive_at)::float as silent_seconds
    from relay.lease
"""
_RESUME = """
    update relay.position set stop_reason = null, stopped_at = null
    where ledger = %s and stop_reason is not null returning number
"""
_SET_BACK = """
    update relay.position set number = %(to)s, hash = %(hash)s
    where ledger = %(ledger)s and number = %(from)s returning number
"""
_TRIES = 50  # a relay at work moves the position some ten times a second


@dataclass(frozen=True, slots=True)
class Sent:
    """How far a ledger was sent."""

    ledger: str
    head_number: int
    number: int
    moved_at: datetime | None
    stop_reason: str | None

    @property
    def unsent(self) -> int:
        return max(self.head_number - self.number, 0)


@dataclass(frozen=True, slots=True)
class Lease:
    """Which relay of an office sends."""

    office: str
    epoch: int
    holder: str
    silent_seconds: float


class NoSuchRecord(Exception):
    """The ledger has no record with this number."""


def list_sent(database: DatabaseSettings) -> list[Sent]:
    """Every ledger of an office, also one that no relay has seen yet."""
    with psycopg.connect(database.conninfo()) as connection, connection.cursor(row_factory=class_row(Sent)) as cursor:
        return cursor.execute(_POSITIONS).fetchall()


def find_lease(database: DatabaseSettings) -> Lease | None:
    """Who has it; None where no relay ever ran."""
    with psycopg.connect(database.conninfo()) as connection, connection.cursor(row_factory=class_row(Lease)) as cursor:
        return cursor.execute(_LEASE).fetchone()


def resume_sending(database: DatabaseSettings, ledger: str) -> bool:
    """Send a stopped ledger on; False where it was not stopped. A fault that is still there stops it again."""
    with psycopg.connect(database.conninfo()) as connection:
        return connection.execute(_RESUME, (ledger,)).fetchone() is not None


def set_back(database: DatabaseSettings, ledger: str, first: int) -> int:
    """Have everything from number `first` on sent again; returns how many records that are.

    Zero where none of them was sent yet. Raises `NoSuchRecord` where there is no record to begin behind.
    """
    with psycopg.connect(database.conninfo()) as connection:
        known_hash = _hash_of(connection, ledger, first - 1)
        for _ in range(_TRIES):
            row = connection.execute("select number from relay.position where ledger = %s", (ledger,)).fetchone()
            if row is None or row[0] < first:
                return 0
            words = {"ledger": ledger, "from": row[0], "to": first - 1, "hash": known_hash}
            if connection.execute(_SET_BACK, words).fetchone() is not None:
                return int(row[0]) - first + 1
    raise TimeoutError(f"{ledger} moves on faster than it can be set back")


def _hash_of(connection: Connection, ledger: str, number: int) -> bytes:
    if number == 0:
        return GENESIS
    row = connection.execute(
        "select hash from ledger.record where ledger = %s and number = %s", (ledger, number)
    ).fetchone()
    if row is None:
        raise NoSuchRecord(f"{ledger} has no record {number}")
    return bytes(row[0])
