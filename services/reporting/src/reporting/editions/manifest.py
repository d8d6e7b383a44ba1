"""The manifest: everything that an edition is made of, in canonical bytes (RFC 8785). Their hash is the edition's."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from reporting.commands.editions import EditionForm
from reporting.cube import Head
from reporting.editions.rendering import Rendered
from reporting.figures import Answer, Question
from reporting.indicators import Catalogue
from reporting.indicators.published import fingerprint
from verbund.events.canonical import canonical_bytes
from verbund.events.envelope import instant

_FORMAT = 1
_POSITIONS = text("""
    select ledger, number, encode(hash, 'hex') as hash from feed.position
    where starts_with(ledger, :city) order by ledger
""")


@dataclass(frozen=True, slots=True)
class Answered:
    """A question, as it was asked and as it stands for good, with its answer."""

    asked: Question
    pinned: Question
    answer: Answer


@dataclass(frozen=True, slots=True)
class Frozen:
    """What was true at the moment of freezing."""

    asked_at: datetime
    head: Head
    ledgers: Sequence[Mapping[str, Any]]
    """How far each book was read: `ledger`, `number`, `hash`."""
    answered: Sequence[Answered]

    @property
    def batches(self) -> tuple[tuple[int, int], ...]:
        """Generation and number of each batch that an answer stands at."""
        heads = {(self.head.generation, self.head.number)}
        return tuple(sorted(heads | {(each.answer.generation, each.answer.batch) for each in self.answered}))


async def read_positions(connection: AsyncConnection, municipality: str) -> list[dict[str, Any]]:
    """How far the books of a municipality were read, in the same snapshot as the figures."""
    rows = await connection.execute(_POSITIONS, {"city": f"/{municipality}/"})
    return [dict(row._mapping) for row in rows]


def manifest_of(
    edition_id: str, form: EditionForm, frozen: Frozen, files: Sequence[Sequence[Rendered]], catalogue: Catalogue
) -> bytes:
    """The bytes of the manifest; `files` are those of each question, in order."""
    used = {(each.answer.indicator, each.answer.version): None for each in frozen.answered}
    definitions = [catalogue.get_indicator(*key) for key in used]
    return canonical_bytes(
        {
            "manifest": _FORMAT,
            "edition_id": edition_id,
            "municipality": catalogue.city.municipality,
            "title": form.title.model_dump(),
            "frozen_for": form.frozen_for.model_dump(),
            "audience": form.audience,
            "asked_at": instant(frozen.asked_at),
            "cube": {
                "generation": frozen.head.generation,
                "number": frozen.head.number,
                "batch": None if frozen.head.batch is None else str(frozen.head.batch),
            },
            "ledgers": list(frozen.ledgers),
            "definitions": [
                {"fingerprint": fingerprint(indicator), "definition": indicator.model_dump(mode="json")}
                for indicator in definitions
            ],
            "questions": [
                _question(answered, of_question) for answered, of_question in zip(frozen.answered, files, strict=True)
            ],
        }
    )


def _question(answered: Answered, files: Sequence[Rendered]) -> dict[str, Any]:
    answer = answered.answer
    return {
        "asked": answered.asked.model_dump(mode="json"),
        "question": answered.pinned.model_dump(mode="json"),
        "indicator": answer.indicator,
        "version": answer.version,
        "known_on": None if answer.known_on is None else answer.known_on.isoformat(),
        "ticked_at": None if answer.ticked_at is None else instant(answer.ticked_at),
        "generation": answer.generation,
        "batch": answer.batch,
        "files": [
            {"kind": file.kind, "name": file.name, "sha256": file.sha256, "bytes": len(file.body)} for file in files
        ],
    }
