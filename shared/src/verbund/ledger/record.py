"""What stands in a ledger, and how one record is chained to the one before it. Pure: no database here."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from typing import Any, NamedTuple

import uuid_utils

from verbund.events.envelope import Data, Event, encode, sequence_of

_Event = Event[Any]  # named once: the brackets are looked up at every mention

GENESIS = bytes(32)
"""The previous hash of a ledger's first record."""


class Record(NamedTuple):
    """One numbered record: the very bytes that travel, and their place in the chain."""

    ledger: str
    number: int
    previous: bytes
    hash: bytes
    body: bytes


@dataclass(frozen=True, slots=True)
class Head:
    """Where a ledger ends: number and hash of its last record, and the latest time that it knows."""

    ledger: str
    number: int
    hash: bytes
    time: datetime


@dataclass(frozen=True, slots=True)
class Beat:
    """An unnumbered sign of life of a ledger: where it ends, and when its office last said so itself."""

    ledger: str
    number: int
    hash: bytes
    at: datetime | None
    """None where the office never ran."""
    as_of: datetime | None = None
    """When the ledger was seen to end there, for a beat that travelled; None for one that was just looked up."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What is to be booked: everything of an event but its place in a ledger."""

    subject: str
    data: Data
    actor: str
    time: datetime
    traceparent: str | None = None
    causation_id: str | None = None


def chain_hash(previous: bytes, body: bytes) -> bytes:
    """SHA-256 of the previous record's hash (32 bytes) and a record's canonical bytes."""
    return sha256(previous + body).digest()


def seal(head: Head, entries: Sequence[Entry]) -> tuple[Head, list[Record]]:
    """Number and chain the entries behind `head`, in their order; returns the new head and the records.

    Raises `ValueError` where an entry is older than what the ledger already knows: time never goes backwards in it.
    """
    records = []
    for entry in entries:
        if entry.time < head.time:
            raise ValueError(f"{head.ledger}: an entry of {entry.time} behind one of {head.time}")
        number = head.number + 1
        body = encode(_event(head.ledger, number, entry))
        record = Record(head.ledger, number, head.hash, chain_hash(head.hash, body), body)
        records.append(record)
        head = replace(head, number=number, hash=record.hash, time=entry.time)
    return head, records


def _event(ledger: str, number: int, entry: Entry) -> Event[Any]:
    # Unchecked construction: every part comes from checked models, and this is the hottest line of a booking.
    return _Event.model_construct(
        id=str(uuid_utils.uuid7()),
        source=ledger,
        type=entry.data.type,
        subject=entry.subject,
        time=entry.time,
        sequence=sequence_of(number),
        actor=entry.actor,
        traceparent=entry.traceparent,
        causationid=entry.causation_id,
        data=entry.data,
    )
