"""Reads what follows in a ledger, and whether it goes on from where the relay stands: nothing else is sent."""

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from hashlib import sha256

import psycopg

from verbund.ledger.record import Head, Record
from verbund.ledger.verify import read_records
from verbund.relay.store import Position
from verbund.settings import DatabaseSettings

Fault = str
"""Why a ledger cannot be sent on: `hole`, `chain_broken`, `hash_mismatch`, `other_hash`, `head_below_position`."""


class Ledgers:
    """One connection to an office's ledgers, read in one thread; close it after use."""

    def __init__(self, database: DatabaseSettings) -> None:
        self._database = database
        self._connection: psycopg.Connection | None = None
        self._thread = ThreadPoolExecutor(1, "ledgers")

    async def read(self, ledger: str, after: int, up_to: int) -> list[Record]:
        """The records behind `after`, up to and with number `up_to`, in order; raises `psycopg.Error`."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._read, ledger, after, up_to)

    async def read_on(self, ledger: str, position: Position, up_to: int) -> tuple[Sequence[Record], Fault | None]:
        """The same as far as they go on from the position, and what is wrong behind them."""
        return await asyncio.get_running_loop().run_in_executor(
            self._thread, lambda: going_on(position, self._read(ledger, position.number, up_to), up_to)
        )

    def _read(self, ledger: str, after: int, up_to: int) -> list[Record]:
        if self._connection is None or self._connection.closed:
            self._connection = psycopg.connect(self._database.conninfo(), autocommit=True)
        try:
            return [
                Record(ledger, number, content[:32], own_hash, content[32:])
                for number, own_hash, content in read_records(self._connection, ledger, after=after, up_to=up_to)
            ]
        except psycopg.Error:
            self._connection.close()
            raise

    def close(self) -> None:
        """Let go of the connection; what is being read meanwhile fails."""
        if self._connection is not None:
            with suppress(psycopg.Error):
                self._connection.close()
        self._thread.shutdown(wait=False, cancel_futures=True)


def check_head(position: Position, head: Head) -> Fault | None:
    """Whether a ledger can be the one that was sent up to `position`."""
    if head.number < position.number:
        return "head_below_position"
    if head.number == position.number and head.hash != position.hash:
        return "other_hash"
    return None


def going_on(position: Position, records: Sequence[Record], up_to: int) -> tuple[Sequence[Record], Fault | None]:
    """Those of `records` that go on from the position without a gap, and what is wrong with the next one.

    `up_to`: the number up to which there have to be records.
    """
    number, last_hash = position.number, position.hash
    for place, record in enumerate(records):
        fault = _fault(number, last_hash, record)
        if fault is not None:
            return records[:place], fault
        number, last_hash = record.number, record.hash
    return records, "hole" if number < up_to else None


def _fault(number: int, last_hash: bytes, record: Record) -> Fault | None:
    if record.number != number + 1:
        return "hole"
    if record.previous != last_hash:
        return "chain_broken"
    if sha256(record.previous + record.body).digest() != record.hash:
        return "hash_mismatch"
    return None
