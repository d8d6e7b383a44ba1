"""Proof that a ledger is whole: every number there, every hash right, every record chained to the one before."""

from collections.abc import Iterator
from dataclasses import dataclass

import psycopg
from psycopg import Connection
from psycopg.rows import tuple_row

from verbund.events.envelope import sequence_of
from verbund.ledger.record import GENESIS, Head, Record, chain_hash
from verbund.settings import DatabaseSettings

_FETCH = 20_000  # rows held at a time: about 20 MB


@dataclass(frozen=True, slots=True)
class Fault:
    """The first thing wrong in a ledger; `number` is the first number that cannot be believed."""

    ledger: str
    number: int
    reason: str


class Verifier:
    """Walks one ledger from its first record; `take` each record, then `finish` against the head."""

    def __init__(self, ledger: str) -> None:
        self.ledger = ledger
        self.number = 0
        self.hash = GENESIS

    def take(self, record: Record) -> Fault | None:
        """Check the next record; after a fault the walk is over."""
        expected = self.number + 1
        if record.number != expected:
            return Fault(self.ledger, expected, f"record {expected} is missing; the next one is {record.number}")
        if record.previous != self.hash:
            return Fault(self.ledger, expected, "the record does not go on from the one before it")
        if chain_hash(record.previous, record.body) != record.hash:
            return Fault(self.ledger, expected, "the bytes do not fit their hash")
        # The attribute stands in canonical bytes, so it is found without decoding them.
        if f'"sequence":"{sequence_of(expected)}"'.encode() not in record.body:
            return Fault(self.ledger, expected, "the event carries another number than the record")
        self.number = expected
        self.hash = record.hash
        return None

    def finish(self, head: Head) -> Fault | None:
        """Check that the ledger ends where its head says."""
        if head.number != self.number:
            bad = min(head.number, self.number) + 1
            return Fault(self.ledger, bad, f"the head says {head.number}, the last record is {self.number}")
        if head.hash != self.hash:
            return Fault(self.ledger, max(self.number, 1), "the head holds another hash than the last record")
        return None


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a verification has come: records of `total` seen, and the fault that ended it."""

    ledger: str
    done: int
    total: int
    fault: Fault | None = None


def verify_ledgers(settings: DatabaseSettings) -> Iterator[Progress]:
    """Verify every ledger of an office in one snapshot; yields progress, a fault at most once per ledger."""
    with psycopg.connect(settings.conninfo(), row_factory=tuple_row) as connection:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        connection.read_only = True
        heads = [
            Head(*row)
            for row in connection.execute("select ledger, number, hash, time from ledger.head order by ledger")
        ]
        known = {head.ledger for head in heads}
        for (ledger,) in connection.execute("select distinct ledger from ledger.record").fetchall():
            if ledger not in known:
                yield Progress(ledger, 0, 0, Fault(ledger, 1, "the ledger has records and no head"))
        for head in heads:
            yield from _verify(connection, head)


def _verify(connection: Connection[tuple[object, ...]], head: Head) -> Iterator[Progress]:
    verifier = Verifier(head.ledger)
    with connection.cursor("verify") as cursor:
        cursor.itersize = _FETCH
        cursor.execute(
            "select ledger, number, previous, hash, body from ledger.record where ledger = %s order by number",
            (head.ledger,),
        )
        for row in cursor:
            fault = verifier.take(Record(*row))  # type: ignore[arg-type]
            if fault is not None:
                yield Progress(head.ledger, verifier.number, head.number, fault)
                return
            if verifier.number % _FETCH == 0:
                yield Progress(head.ledger, verifier.number, head.number)
    yield Progress(head.ledger, verifier.number, head.number, verifier.finish(head))
