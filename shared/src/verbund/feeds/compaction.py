"""What `verbund compact` and the office that compacts agree on."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

from verbund.feeds.rebuild import Progress
from verbund.settings import DatabaseSettings


@dataclass(frozen=True, slots=True)
class CompactionContext:
    """What a compaction is given."""

    database: DatabaseSettings
    """The office's own, under its owner's role: a reader may not remove anything."""
    progress: Progress
    cuts: Mapping[str, Collection[int]] = field(default_factory=dict)
    """By municipality, numbers of batches after which others begin: what was true there stays to be asked."""


@dataclass(frozen=True, slots=True)
class Compacted:
    """What became of the cube of a municipality."""

    municipality: str
    generation: int
    rows_before: int
    rows: int
    numbers: Mapping[int, int]
    """The number that each cut has now, and the last batch that was added up."""


class CannotCompact(Exception):
    """What stood is unchanged; the message says why, and what to do."""


Compacting = Callable[[CompactionContext], Sequence[Compacted]]
"""What `Office.compaction` names. Raises `CannotCompact`."""
