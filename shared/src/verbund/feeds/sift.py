"""Sifting: which of the received records are new, in order and unbroken. Pure; the whole exactness stands on it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from verbund.ledger.record import GENESIS, Beat, Record, chain_hash


@dataclass(frozen=True, slots=True)
class Position:
    """How far a ledger was read: number and hash of the last record whose effect stands in the reader's database."""

    ledger: str
    number: int = 0
    hash: bytes = GENESIS


@dataclass(frozen=True, slots=True)
class Sifted:
    """What received records of one ledger come to."""

    fresh: tuple[Record, ...]
    """To be applied, contiguous from the position on."""
    position: Position
    """Where the position stands when `fresh` has been applied."""
    repeats: int = 0
    foreign: tuple[Record, ...] = ()
    """Their bytes do not fit their own hash: not the office's records."""
    hole: bool = False
    """A number is missing in front of some, which were left alone: read again from the position."""
    stop: str | None = None
    """Why this ledger cannot be read on by itself."""


def sift(position: Position, records: Sequence[Record]) -> Sifted:
    """Sort out records of one ledger against its position.

    Lower numbers are repeats, the next number is fresh if its hash is right and it goes on from the position's hash,
    a higher number is a hole: what is behind it is left alone until what is missing has come, which on a wire may be
    later. Nothing behind a break is applied.
    """
    fresh: list[Record] = []
    foreign: list[Record] = []
    repeats = 0
    number, last_hash = position.number, position.hash
    highest = number
    for record in records:
        if chain_hash(record.previous, record.body) != record.hash:
            foreign.append(record)
            continue
        if record.number <= number:
            if record.number == number and record.hash != last_hash:
                return _sifted(position, fresh, repeats, foreign, stop="other_hash")
            repeats += 1
            continue
        if record.number > number + 1:
            highest = max(highest, record.number)
            continue
        if record.previous != last_hash:
            return _sifted(position, fresh, repeats, foreign, stop="chain_broken")
        fresh.append(record)
        number, last_hash = record.number, record.hash
    return _sifted(position, fresh, repeats, foreign, hole=highest > number)


def sift_beat(position: Position, beat: Beat, heard: datetime | None = None) -> str | None:
    """Why a ledger that ends like this cannot be the one that was read, or None where it can.

    `heard`: as of when its last beat was; an older one that travelled says nothing any more.
    """
    if beat.as_of is not None and heard is not None and beat.as_of <= heard:
        return None
    if beat.number < position.number:
        return "head_below_position"
    if beat.number == position.number and beat.hash != position.hash:
        return "other_hash"
    return None


def _sifted(
    position: Position,
    fresh: list[Record],
    repeats: int,
    foreign: list[Record],
    *,
    hole: bool = False,
    stop: str | None = None,
) -> Sifted:
    if fresh:
        position = Position(position.ledger, fresh[-1].number, fresh[-1].hash)
    return Sifted(tuple(fresh), position, repeats, tuple(foreign), hole, stop)
