"""What a feed delivers, whichever way it came: records with their place in the chain, and signs of life."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from verbund.ledger.record import Record


@dataclass(frozen=True, slots=True)
class Batch:
    """Records of one or several ledgers, each ledger's in the order received."""

    records: Sequence[Record]

    @property
    def ledgers(self) -> list[str]:
        return sorted({record.ledger for record in self.records})


@dataclass(frozen=True, slots=True)
class Beat:
    """An unnumbered sign of life of a ledger: where it ends, and when its office last said so itself."""

    ledger: str
    number: int
    hash: bytes
    at: datetime | None
    """None where the office never ran."""
