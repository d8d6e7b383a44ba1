"""What reading the books does to the cube: events become deltas, deltas become a numbered batch."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Any
from uuid import UUID
from weakref import WeakKeyDictionary

from sqlalchemy.ext.asyncio import AsyncConnection
from uuid_utils.compat import uuid7

from reporting.cube import append, number_batch
from reporting.deltas import Delta, DeltaFunction, count, delta_functions, record_key
from verbund.events.envelope import Event
from verbund.events.ledger_ids import municipality_of, office_of
from verbund.events.offices import find_offices
from verbund.settings import read_secret

_REMEMBERED_KEYS = 100_000  # record keys of subjects seen lately: a correction names the same one several times


@dataclass(frozen=True, slots=True)
class _Open:
    """A batch that was appended in a transaction and has no number yet."""

    municipality: str
    batch: UUID
    versions: Mapping[str, int]


class CubeEffect:
    """Adds events to the cube. May serve several transactions at once: what is open is kept by connection."""

    def __init__(self, secret: bytes, functions: Mapping[str, DeltaFunction]) -> None:
        """`secret`: the office's, for record keys. `functions`: by office, what counts its events."""
        self._functions = functions
        self._record_key = lru_cache(_REMEMBERED_KEYS)(partial(record_key, secret))
        self._open: WeakKeyDictionary[AsyncConnection, list[_Open]] = WeakKeyDictionary()

    @property
    def versions(self) -> dict[str, int]:
        """By office, the version of the function that counts its events."""
        return {office: function.version for office, function in self._functions.items()}

    async def apply(self, connection: AsyncConnection, events: Sequence[Event[Any]]) -> None:
        """Append what these events add, one batch for each municipality; events that add nothing leave no batch.

        Raises `LookupError` for an office or a unit that nothing here counts.
        """
        deltas: defaultdict[str, list[Delta]] = defaultdict(list)
        for delta in count(events, self._functions, self._record_key):
            deltas[delta.municipality].append(delta)
        opened = []
        # In order, as the heads are locked later: two readers never wait for each other in a circle.
        for municipality in sorted(deltas):
            offices = {office_of(e.source) for e in events if municipality_of(e.source) == municipality}
            versions = {office: self._functions[office].version for office in sorted(offices)}
            opened.append(_Open(municipality, uuid7(), versions))
            await append(connection, municipality, opened[-1].batch, deltas[municipality])
        self._open[connection] = opened

    async def finish(self, connection: AsyncConnection) -> None:
        """Number the batches; raises `CubeOfAnotherVersion` where other functions made the cube."""
        for batch in self._open.pop(connection, []):
            await number_batch(connection, batch.municipality, batch.batch, batch.versions)


def cube_effect(hash_key_file: Path) -> CubeEffect:
    """What reading the books does, with the functions of this release. `hash_key_file`: the office's secret."""
    return CubeEffect(read_secret(hash_key_file).encode(), delta_functions(find_offices()))
