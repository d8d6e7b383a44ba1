"""The ledgers that are folded, as their offices have them now."""

from collections.abc import Generator, Sequence
from contextlib import ExitStack
from typing import Any, Protocol

import psycopg
from psycopg import sql

from verbund.events.ledger_ids import office_of
from verbund.feeds.ledger_view import Source
from verbund.feeds.sift import Position
from verbund.feeds.slices import Content
from verbund.ledger.record import GENESIS
from verbund.ledger.store import channel_for
from verbund.ledger.verify import read_records

_HEADS = sql.SQL('select ledger, number, hash from {}.head order by ledger collate "C"')
_HASHES = sql.SQL("select number, hash from {}.record where ledger = %s and number = any(%s)")


class History(Protocol):
    """Ledgers from their first record on, wherever they are read."""

    @property
    def offices(self) -> set[str]: ...
    def heads(self) -> dict[str, Position]: ...
    def hashes(self, ledger: str, numbers: Sequence[int]) -> dict[int, bytes]: ...
    def read(self, ledger: str, first: int, last: int) -> Generator[Content, None, None]: ...


class Ledgers:
    """The reader's own view of the ledgers of several offices; a context manager that closes its connections."""

    def __init__(self, sources: Sequence[Source], reader: str) -> None:
        self._sources = {source.office: source for source in sources}
        self._schema = channel_for(reader)
        self._connections: dict[str, psycopg.Connection[Any]] = {}
        self._opened = ExitStack()

    def __enter__(self) -> "Ledgers":
        return self

    def __exit__(self, *error: object) -> None:
        self._opened.close()

    @property
    def offices(self) -> set[str]:
        return set(self._sources)

    def heads(self) -> dict[str, Position]:
        """Where each ledger ends now."""
        query = _HEADS.format(sql.Identifier(self._schema))
        ends = [Position(*row) for office in sorted(self._sources) for row in self._to(office).execute(query)]
        return {end.ledger: end for end in ends}

    def hashes(self, ledger: str, numbers: Sequence[int]) -> dict[int, bytes]:
        """The hashes of the records at these numbers, as far as they are there; number 0 is in front of the first."""
        query = _HASHES.format(sql.Identifier(self._schema))
        found = self._to(office_of(ledger)).execute(query, (ledger, list(numbers))).fetchall()
        return {0: GENESIS, **dict(found)}

    def read(self, ledger: str, first: int, last: int) -> Generator[Content, None, None]:
        """The records `first` to `last`."""
        connection = self._to(office_of(ledger))
        return read_records(connection, ledger, after=first - 1, up_to=last, schema=self._schema)

    def _to(self, office: str) -> psycopg.Connection[Any]:
        if office not in self._connections:
            database = self._sources[office].database
            connection = self._opened.enter_context(psycopg.connect(database.conninfo(), autocommit=True))
            self._connections[office] = connection
        return self._connections[office]
