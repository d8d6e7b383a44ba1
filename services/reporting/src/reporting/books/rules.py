"""The reporting office at its desk: hands each command to the book that it belongs to."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy.ext.asyncio import AsyncConnection

from reporting.books.book import Book
from verbund.desk.orders import Answer, Draft, Kept, Loaded
from verbund.events.reporting import OFFICE

Command = Any
"""One of the commands of one of the books."""


class InBook(NamedTuple):
    """A state, and the book whose it is."""

    book: Book[Any, Any]
    state: Any


class ReportingRules:
    """What reporting gives its desk: one ledger, one order of facts, and for each matter a book of its own."""

    office = OFFICE
    receivers: tuple[str, ...] = ()

    def __init__(self, books: Sequence[Book[Any, Any]]) -> None:
        self._books = tuple(books)
        self._by_command = {command: book for book in books for command in book.commands}
        self._by_event = {event: book for book in books for event in book.events}

    async def load(self, connection: AsyncConnection, commands: Sequence[Command]) -> Loaded[InBook]:
        """The states that these commands are about, book by book."""
        keys: list[str] = [""] * len(commands)
        states: dict[str, InBook] = {}
        for number, book in enumerate(self._books):
            places = [place for place, command in enumerate(commands) if self._by_command[type(command)] is book]
            if not places:
                continue
            loaded = await book.load(connection, [commands[place] for place in places])
            for place, key in zip(places, loaded.keys, strict=True):
                keys[place] = f"{number}/{key}"  # two books may call their matters alike
            states |= {f"{number}/{key}": InBook(book, state) for key, state in loaded.states.items()}
        return Loaded(keys, states)

    def decide(self, state: InBook | None, command: Command, at: datetime) -> tuple[Draft, ...]:
        return self._by_command[type(command)].decide(None if state is None else state.state, command, at)

    def evolve(self, state: InBook | None, draft: Draft, at: datetime) -> InBook:
        book = self._by_event[type(draft.data)]
        return InBook(book, book.evolve(None if state is None else state.state, draft, at))

    def etag(self, state: InBook) -> str:
        return state.book.etag(state.state)

    def answer(self, kept: Kept[Command, InBook]) -> Answer:
        return kept.state.book.answer(_unwrapped(kept))

    async def keep(self, connection: AsyncConnection, kept: Sequence[Kept[Command, InBook]]) -> None:
        for book in self._books:
            own = [_unwrapped(one) for one in kept if one.state.book is book]
            if own:
                await book.keep(connection, own)

    def initial_load_closed(self, at: datetime) -> Draft:
        """Never asked for: reporting begins with nothing to load (migration 0006)."""
        raise AssertionError("reporting has no initial load")


def _unwrapped(kept: Kept[Command, InBook]) -> Kept[Any, Any]:
    return replace(kept, state=kept.state.state)
