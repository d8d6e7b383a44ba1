"""The walk along a ledger that proves it whole: every number there, every hash right, every record chained. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from verbund.events.envelope import sequence_of
from verbund.ledger.record import GENESIS, Head

_NEVER = 2**63  # beyond every number of a ledger


@dataclass(frozen=True, slots=True)
class Mark:
    """What somebody outside the database vouches for: at this number the ledger had this very hash."""

    number: int
    hash: bytes
    said: str
    """Who vouches, in words for a person: `the checkpoint of 2026-11-25T08:15:00Z`."""


@dataclass(frozen=True, slots=True)
class Damage:
    """Why a ledger cannot be believed, and from which number to which."""

    ledger: str
    first: int
    last: int
    reason: str
    """What was seen first; there may be more behind it."""
    places: int = 1
    """At how many places something is wrong."""


class Walk:
    """Walks one ledger in order of numbers, goes on behind what is wrong, and remembers from where to where it is.

    Where a record does not go on from the one before it, both are counted: the chain tells that one of them was
    changed, and not which.
    """

    def __init__(self, ledger: str, number: int = 0, last_hash: bytes = GENESIS, marks: Sequence[Mark] = ()) -> None:
        """Starts behind `number`, whose hash is believed to be `last_hash`; `marks` lie behind it."""
        self.ledger = ledger
        self.number = number
        self.hash = last_hash
        self._believed = number
        self._marks = sorted(marks, key=lambda mark: mark.number, reverse=True)
        self._next_mark = self._marks[-1].number if self._marks else _NEVER
        self._bad: tuple[int, int] | None = None
        self._reason = ""
        self._places = 0
        self._source = f'"source":"{ledger}"'.encode()

    @property
    def damage(self) -> Damage | None:
        """What is wrong so far."""
        if self._bad is None:
            return None
        return Damage(self.ledger, *self._bad, self._reason, self._places)

    def take(self, number: int, own_hash: bytes, content: bytes) -> None:
        """The next record; `content` is its previous hash (32 bytes) followed by its body, the very bytes hashed."""
        # The attributes stand in canonical bytes, one behind the other, so they are found without decoding them.
        if (
            number != self.number + 1
            or content[:32] != self.hash
            or sha256(content).digest() != own_hash
            or b'"sequence":"%020d",%b' % (number, self._source) not in content
        ):
            self._judge(number, own_hash, content)
        self.number, self.hash = number, own_hash
        if number >= self._next_mark:
            self._compare()

    def finish(self, head: Head) -> Damage | None:
        """The ledger has to end where its head and the last mark say; returns what is wrong with it, if anything."""
        if head.number > self.number:
            self._add(self.number + 1, head.number, f"the head says {head.number}, the last record is {self.number}")
        elif head.number < self.number:
            self._add(head.number + 1, self.number, f"the head says {head.number}, the last record is {self.number}")
        elif head.hash != self.hash and not self._is_bad(self.number):
            self._add(max(self.number, 1), max(self.number, 1), "the head holds another hash than the last record")
        if self._marks:
            last = self._marks[0]
            self._add(self.number + 1, last.number, f"{last.said} vouches for {last.number}, which is not there")
        return self.damage

    def _judge(self, number: int, own_hash: bytes, content: bytes) -> None:
        expected = self.number + 1
        if number != expected:
            missing = (
                f"record {expected} is missing" if number == expected + 1 else f"{expected} to {number - 1} are missing"
            )
            self._add(expected, number - 1, missing)
        elif content[:32] != self.hash and not self._is_bad(number - 1):
            reason = f"record {number} does not go on from the one before it"
            self._add(max(number - 1, self._believed + 1), number, reason)
        if sha256(content).digest() != own_hash:
            self._add(number, number, f"the bytes of {number} do not fit their hash")
        elif b'"sequence":"%b",' % sequence_of(number).encode() not in content:
            self._add(number, number, f"the event at {number} carries another number")
        elif self._source not in content:
            self._add(number, number, f"the event at {number} comes from another ledger")

    def _compare(self) -> None:
        """Hold the walk against the marks it has come to; one whose very record is missing says nothing more."""
        while self._marks and self._marks[-1].number <= self.number:
            mark = self._marks.pop()
            if mark.number == self.number and mark.hash == self.hash:
                self._believed = mark.number
            elif mark.number == self.number:
                self._add(
                    self._believed + 1, mark.number, f"{mark.said} vouches for another history up to {mark.number}"
                )
        self._next_mark = self._marks[-1].number if self._marks else _NEVER

    def _is_bad(self, number: int) -> bool:
        return self._bad is not None and self._bad[1] >= number

    def _add(self, first: int, last: int, reason: str) -> None:
        self._reason = self._reason or reason
        self._places += 1
        self._bad = (first, last) if self._bad is None else (min(self._bad[0], first), max(self._bad[1], last))
