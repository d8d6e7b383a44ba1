"""A real cube for tests: events go in by the reader's role, questions are asked by the role of the web."""

from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from stage.facts import BOOK, CITY

from reporting.audiences import Audience
from reporting.deltas import Delta, Sum, cell_of, delta_functions
from reporting.figures import Answer, Question, answer
from reporting.image import Image
from reporting.indicators import Catalogue, read_catalogue
from reporting.reader import CubeEffect
from reporting.ticking import Ticker
from verbund.database import make_engine
from verbund.events.envelope import Event
from verbund.events.offices import Office, find_offices
from verbund.settings import DatabaseSettings

_TABLES = (
    *("cube.delta", "cube.cell", "cube.batch", "cube.batch_head", "figures.tick"),
    *("feed.position", "feed.parked"),
)
SECRET = b"a secret of the reporting office"


def with_cells(deltas: Iterable[Delta]) -> list[Sum]:
    """As they are appended to a cube, without being added up."""
    return [(cell_of(delta.measure, delta.dims), delta) for delta in deltas]


class Stage:
    """One cube, one catalogue."""

    def __init__(self, reader: AsyncEngine, web: AsyncEngine, superuser: AsyncEngine) -> None:
        self.reader = reader
        self.web = web
        self.superuser = superuser
        self.effect = CubeEffect(SECRET, delta_functions(find_offices()))
        self.catalogue: Catalogue = read_catalogue(CITY)
        self.image = Image(web, CITY)

    def know(self, offices: Sequence[Office]) -> None:
        """Count and ask as if these were the announced offices."""
        self.effect = CubeEffect(SECRET, delta_functions(offices))
        self.catalogue = read_catalogue(CITY, offices=offices)

    async def take(self, events: Iterable[Event[Any]]) -> None:
        """Take these events in as one transaction, as the reader does."""
        given = list(events)
        if not given:
            return
        async with self.reader.begin() as connection:
            await self.effect.apply(connection, given)
            await self.effect.finish(connection)

    async def ask(self, question: Question, audience: Audience, at: datetime) -> Answer:
        async with self.image.moment() as moment:
            return await answer(moment, self.catalogue, question, audience, at)

    async def tick(self, at: datetime) -> None:
        """Write the ticks that are due at an instant, as the reader does."""
        await Ticker(self.reader, lambda _: self.catalogue, clock=lambda: at).round()

    async def stand(self, at: datetime, **columns: Any) -> None:
        """Say how far the registration office's book was read; `at` is when it was last heard of."""
        row = {"ledger": BOOK, "hash": bytes(32), "heard_at": at, "recorded_at": at, "number": 1, **columns}
        names, values = ", ".join(row), ", ".join(f":{name}" for name in row)
        async with self.reader.begin() as connection:
            await connection.execute(text(f"insert into feed.position ({names}) values ({values})"), row)

    async def clear(self) -> None:
        async with self.superuser.begin() as connection:
            for table in _TABLES:
                await connection.execute(text(f"delete from {table}"))  # a truncate takes far longer


@asynccontextmanager
async def stage(settings: Callable[[str], DatabaseSettings]) -> AsyncIterator[Stage]:
    """On a database of the reporting office; `settings` gives them by role: `reader`, `web`, `superuser`."""
    engines = [make_engine(settings(role), size=3) for role in ("reader", "web", "superuser")]
    try:
        yield Stage(*engines)
    finally:
        for engine in engines:
            await engine.dispose()
