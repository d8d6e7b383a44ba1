"""What reading the books does to the cube: events become deltas, deltas become a numbered batch."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache, partial
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy.ext.asyncio import AsyncConnection
from uuid_utils.compat import uuid7

from reporting.cube import append, number_batch
from reporting.deltas import DeltaFunction, Sums, delta_functions, each_delta, record_key
from verbund.events.envelope import Event
from verbund.events.ledger_ids import municipality_of, office_of
from verbund.events.offices import find_offices
from verbund.settings import read_secret

_REMEMBERED_KEYS = 100_000  # record keys of subjects seen lately: a correction names the same one several times


@dataclass(slots=True)
class _Counted:
    """What the events of a transaction add, and whose they are."""

    sums: Sums = field(default_factory=Sums)
    books: set[str] = field(default_factory=set)


class CubeEffect:
    """Adds events to the cube. May serve several transactions at once: what was counted is kept by connection."""

    def __init__(self, secret: bytes, functions: Mapping[str, DeltaFunction]) -> None:
        """`secret`: the office's, for record keys. `functions`: by office, what counts its events."""
        self._functions = functions
        self._record_key = lru_cache(_REMEMBERED_KEYS)(partial(record_key, secret))
        self._counted: WeakKeyDictionary[AsyncConnection, _Counted] = WeakKeyDictionary()

    @property
    def versions(self) -> dict[str, int]:
        """By office, the version of the function that counts its events."""
        return {office: function.version for office, function in self._functions.items()}

    async def apply(self, connection: AsyncConnection, events: Sequence[Event[Any]]) -> None:
        """Count what these events add. Raises `LookupError` for an office or a unit that nothing here counts."""
        counted = self._counted.setdefault(connection, _Counted())
        counted.books.update(event.source for event in events)
        counted.sums.add(each_delta(events, self._functions, self._record_key))

    async def finish(self, connection: AsyncConnection) -> None:
        """Append what was counted, one numbered batch for each municipality; what adds up to nothing leaves none.

        Raises `CubeOfAnotherVersion` where other functions made the cube.
        """
        counted = self._counted.pop(connection, _Counted())
        sums = counted.sums.by_municipality()
        # In order, as the heads are locked later: two readers never wait for each other in a circle.
        batches = {municipality: uuid7() for municipality in sorted(sums)}
        for municipality, batch in batches.items():
            await append(connection, municipality, batch, sums[municipality])
        for municipality, batch in batches.items():
            await number_batch(connection, municipality, batch, self._versions_in(municipality, counted.books))

    def _versions_in(self, municipality: str, books: Collection[str]) -> dict[str, int]:
        offices = {office_of(book) for book in books if municipality_of(book) == municipality}
        return {office: self._functions[office].version for office in sorted(offices)}


def cube_effect(hash_key_file: Path) -> CubeEffect:
    """What reading the books does, with the functions of this release. `hash_key_file`: the office's secret."""
    return CubeEffect(read_secret(hash_key_file).encode(), delta_functions(find_offices()))
