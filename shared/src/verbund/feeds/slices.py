"""Slices: a stretch of a ledger, proved in itself and understood, whoever reads it and whenever. Pure.

Slices may be taken in any order, and at the same time: each says which hash it goes on from and which it ends with, and
they are a ledger when these meet.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from verbund.events.envelope import Data, Event, Undecodable, decode
from verbund.ledger.record import Record

Content = tuple[int, bytes, bytes]
"""Number, own hash and content of a record: the bytes that were hashed, 32 of the previous hash and the body."""


class Unreadable(Exception):
    """A slice is not what a ledger holds; `reason` as in a position that was stopped."""

    def __init__(self, ledger: str, number: int, reason: str) -> None:
        super().__init__(ledger, number, reason)
        self.ledger = ledger
        self.number = number
        """The last number that is well."""
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.ledger} cannot be read on from number {self.number} ({self.reason})"


@dataclass(frozen=True, slots=True)
class SetAside:
    """A record that is whole and cannot be understood."""

    record: Record
    reason: str
    detail: str


@dataclass(frozen=True, slots=True)
class Slice:
    """The records `first` to `last` of a ledger, proved and understood."""

    ledger: str
    first: int
    last: int
    previous: bytes
    """The hash that the first record goes on from."""
    hash: bytes
    """Of the last record."""
    events: tuple[Event[Any], ...]
    set_aside: tuple[SetAside, ...]

    @property
    def recorded_at(self) -> datetime | None:
        """When the last event was booked; None where nothing could be understood."""
        return self.events[-1].time if self.events else None


def read_slice(
    ledger: str, first: int, last: int, contents: Iterable[Content], known: Mapping[str, type[Data]]
) -> Slice:
    """Prove and understand the records `first` to `last`; raises `Unreadable` where one is missing or not right."""
    events: list[Event[Any]] = []
    set_aside: list[SetAside] = []
    number, previous, last_hash = first - 1, b"", b""
    for found, own_hash, content in contents:
        if found != number + 1:
            raise Unreadable(ledger, number, "hole")
        if sha256(content).digest() != own_hash:
            raise Unreadable(ledger, number, "hash_mismatch")
        if number >= first and content[:32] != last_hash:
            raise Unreadable(ledger, number, "chain_broken")
        number, last_hash, previous = found, own_hash, previous or content[:32]
        try:
            events.append(understand(ledger, number, content[32:], known))
        except Undecodable as error:
            record = Record(ledger, number, content[:32], own_hash, content[32:])
            set_aside.append(SetAside(record, error.reason, error.detail))
    if number != last:
        raise Unreadable(ledger, number, "hole")
    return Slice(ledger, first, last, previous, last_hash, tuple(events), tuple(set_aside))


def understand(ledger: str, number: int, body: bytes, known: Mapping[str, type[Data]]) -> Event[Any]:
    """The event at a place in a ledger; raises `Undecodable`, also where it names another place than this."""
    event = decode(body, known)
    if event.source != ledger or event.number != number:
        raise Undecodable("forged_source", "the event names another place than the one it came from")
    return event
