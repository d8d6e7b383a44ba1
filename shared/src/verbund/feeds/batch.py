"""What a feed delivers, whichever way it came: records with their place in the chain."""

from collections.abc import Sequence
from dataclasses import dataclass

from verbund.ledger.record import Record


@dataclass(frozen=True, slots=True)
class Batch:
    """Records of one or several ledgers, each ledger's in the order received."""

    records: Sequence[Record]

    @property
    def ledgers(self) -> list[str]:
        return sorted({record.ledger for record in self.records})
