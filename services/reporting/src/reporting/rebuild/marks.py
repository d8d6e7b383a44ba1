"""Where editions stand in the books: a rebuild ends its slices there, so that their batches have a number again.

What is counted behind a mark is numbered behind it. So what an edition was made of is the batches up to one number in
the rebuilt cube too, and what was booked since is told to the batch.
"""

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg

from reporting.rebuild.ledgers import History
from verbund.feeds.sift import Position

# The manifest is what is proved by its hash; the answers of protected cells, which stand at earlier ticks, have no
# positions of their own.
_EDITIONS = """
    select municipality, edition_id::text, convert_from(manifest, 'UTF8')::json -> 'ledgers',
           convert_from(manifest, 'UTF8')::json -> 'cube' from editions.edition order by municipality, number
"""
_CARRY = """
    update editions.cut as cut
    set generation = head.generation,
        number = (
            select count(slice.batch) from rebuild.slice as slice where slice.municipality = mark.municipality
            and slice.last <= coalesce((mark.positions ->> slice.ledger)::bigint, 0)
        )
    from jsonb_to_recordset(%s::jsonb) as mark (
        municipality text, edition_id uuid, generation integer, number bigint, positions jsonb
    )
    join cube_next.batch_head as head using (municipality)
    where cut.municipality = mark.municipality and cut.edition_id = mark.edition_id
    and cut.frozen_generation = mark.generation and cut.frozen_number = mark.number
"""


@dataclass(frozen=True, slots=True)
class Mark:
    """How far each book was read when an edition was frozen."""

    municipality: str
    edition_id: str
    generation: int
    number: int
    """Generation and number of the batch, as they were then."""
    positions: Mapping[str, Position]

    def end(self, ledger: str) -> int:
        """The number of the last record of a book that the edition knows."""
        position = self.positions.get(ledger)
        return 0 if position is None else position.number


Marks = Sequence[Mark]


def read_marks(connection: psycopg.Connection[Any], ledgers: History, heads: Collection[str]) -> Marks:
    """Those that lie on the books as they are now (`heads`), in order.

    An edition that was made of other records than stand there, as before a restore, has no place among them.
    """
    found = [
        Mark(municipality, edition_id, cube["generation"], cube["number"], _positions(books))
        for municipality, edition_id, books, cube in connection.execute(_EDITIONS)
    ]
    numbers: defaultdict[str, set[int]] = defaultdict(set)
    for mark in found:
        for position in mark.positions.values():
            numbers[position.ledger].add(position.number)
    hashes: dict[str, Mapping[int, bytes]] = {
        ledger: ledgers.hashes(ledger, sorted(wanted)) if ledger in heads else {} for ledger, wanted in numbers.items()
    }
    return _in_order(
        mark
        for mark in found
        if all(hashes[each.ledger].get(each.number) == each.hash for each in mark.positions.values())
    )


def ends_in(marks: Marks, ledger: str) -> list[int]:
    """The numbers of the records of a book behind which a slice has to end."""
    return sorted({mark.end(ledger) for mark in marks} - {0})


def as_json(marks: Marks) -> str:
    """For a statement."""
    return json.dumps(
        [
            {
                "municipality": mark.municipality,
                "edition_id": mark.edition_id,
                "generation": mark.generation,
                "number": mark.number,
                "positions": {position.ledger: position.number for position in mark.positions.values()},
            }
            for mark in marks
        ]
    )


def carry_over(connection: psycopg.Connection[Any], marks: Marks) -> None:
    """In the transaction of the changeover: the numbers that their batches have in the cube that comes."""
    connection.execute(_CARRY, (as_json(marks),))


def _positions(books: Iterable[Mapping[str, Any]]) -> dict[str, Position]:
    found = (Position(book["ledger"], book["number"], bytes.fromhex(book["hash"])) for book in books)
    return {position.ledger: position for position in found if position.number > 0}


def _in_order(marks: Iterable[Mark]) -> Marks:
    """Without those that know less than an earlier one: batches have one order."""
    kept: dict[str, list[Mark]] = {}
    for mark in marks:
        chain = kept.setdefault(mark.municipality, [])
        if not chain or all(mark.end(ledger) >= position.number for ledger, position in chain[-1].positions.items()):
            chain.append(mark)
    return [mark for chain in kept.values() for mark in chain]
