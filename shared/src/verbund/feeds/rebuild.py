"""What `verbund rebuild` and the office that rebuilds agree on: what is given, what is answered, what is refused."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from verbund.feeds.ledger_view import Source
from verbund.kafka.settings import KafkaSettings
from verbund.settings import DatabaseSettings

Begin = Literal["where it was", "anew"]
"""Whether a rebuild that did not come to its end is gone on with."""
Progress = Callable[[str, int, int], None]
"""`progress(ledger, done, total)`: how many of how many records are folded."""


@dataclass(frozen=True, slots=True)
class RebuildContext:
    """What a rebuild is given."""

    reader: str
    """The office that reads."""
    database: DatabaseSettings
    """The office's own, under its owner's role: a reader may not remove anything."""
    sources: Sequence[Source]
    hash_key_file: Path
    progress: Progress
    kafka: KafkaSettings | None = None
    """Where the topics are that are read instead of the sources; None reads the sources."""
    begin: Begin = "where it was"
    """What becomes of a rebuild that did not come to its end."""
    accept: bool = False
    """Whether to change over although sums differ."""
    workers: int = 0
    """How many processes fold; 0 is as many as there are cores."""


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """A ledger that was folded anew."""

    ledger: str
    before: int
    """How far it had been read; 0 where it never was."""
    number: int
    """How far it is read now; 0 where its office has it no more."""


@dataclass(frozen=True, slots=True)
class Difference:
    """Where what was rebuilt is not what stood. Sums only: whose facts they are stands in no answer."""

    municipality: str
    office: str
    measure: str
    places: int
    """In how many places (cell, dates, cause) the sums differ."""
    before: int
    """Sum of these places as it stood."""
    after: int
    """The same as rebuilt; equal sums may be made of other record keys."""


@dataclass(frozen=True, slots=True)
class Place:
    """One place whose sum differs. A cell is named by its number: its facts could be those of one person."""

    municipality: str
    measure: str
    cell: int
    effective_on: str
    recorded_on: str
    cause: str
    before: int
    after: int


@dataclass(frozen=True, slots=True)
class Differences:
    """Everything in which two cubes differ, and the first places where they do."""

    sums: Sequence[Difference] = ()
    places: Sequence[Place] = ()

    def __bool__(self) -> bool:
        return bool(self.sums)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a rebuild that came to its end."""

    ledgers: Sequence[Rebuilt]
    accepted: Differences = field(default_factory=Differences)


class CannotRebuild(Exception):
    """What stood is unchanged; the message says why, and what to do."""


class SumsDiffer(CannotRebuild):
    """What was rebuilt is not what stood, and nobody accepted that."""

    def __init__(self, differences: Differences) -> None:
        super().__init__("What was folded anew differs from what stands.")
        self.differences = differences


@dataclass(frozen=True, slots=True)
class Rebuilding:
    """What `Office.rebuild` names."""

    run: Callable[[RebuildContext], Outcome]
    """Build, compare, change over; raises `CannotRebuild`. What was built is kept until then, and gone on with."""
    abandon: Callable[[DatabaseSettings], bool]
    """Remove what was built so far; False where there was nothing. Raises `CannotRebuild`."""
