"""What a feed delivers, whichever way it came: records with their place in the chain, and what came along with them."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from verbund.kafka.messages import Stray
from verbund.ledger.record import Beat, Record


@dataclass(frozen=True, slots=True)
class Hint:
    """Where to go on reading a partition of a topic. It proves nothing: only numbers decide what is new."""

    topic: str
    partition: int
    topic_id: UUID
    """Another one means another topic of the same name, whose offsets begin anew."""
    next_offset: int
    ledgers: frozenset[str] = frozenset()
    """Whose records were read there: while one of them has a hole, the place in front of it is kept."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Records of one or several ledgers, each ledger's in the order received."""

    records: Sequence[Record]
    beats: Sequence[Beat] = ()
    """Signs of life that came among these records, the latest of each ledger."""
    strays: Sequence[Stray] = ()
    hints: Sequence[Hint] = ()

    @property
    def ledgers(self) -> list[str]:
        return sorted({record.ledger for record in self.records} | {beat.ledger for beat in self.beats})

    @property
    def records_by_ledger(self) -> dict[str, list[Record]]:
        """The records of each ledger that has some, in the order received."""
        by_ledger: dict[str, list[Record]] = {}
        for record in self.records:
            by_ledger.setdefault(record.ledger, []).append(record)
        return by_ledger
