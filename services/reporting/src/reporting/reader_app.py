"""The reader of the books as a process: takes what the offices book into the cube."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from sqlalchemy.ext.asyncio import AsyncEngine

from reporting import parked_records
from reporting.cube import CubeOfAnotherVersion, list_books_of_other_versions
from reporting.indicators import read_catalogue
from reporting.office import OFFICE
from reporting.reader import CubeEffect, cube_effect
from reporting.settings import ReaderSettings
from reporting.ticking import Ticker
from verbund.database import make_engine
from verbund.events.offices import find_offices, known_events
from verbund.feeds.reader import Reader
from verbund.feeds.shapes import feeds_into
from verbund.service.build import Probe, build_service


def create(settings: ReaderSettings | None = None) -> FastAPI:
    """The application; its settings come from the environment where none are given."""
    settings = settings or ReaderSettings()
    engine = make_engine(settings.database)
    effect = cube_effect(settings.hash_key_file)
    reader = Reader(engine, effect, known_events())
    feeds = feeds_into(reader, "books", OFFICE, settings, find_offices())
    ticker = Ticker(engine, lambda municipality: read_catalogue(municipality, settings.catalogue))
    return build_service(
        OFFICE,
        OFFICE.processes[1],
        settings,
        routers=[parked_records.router],
        parts=[_of_this_version(engine, effect, reader), *feeds.values(), ticker],
        probes=[*(Probe(name, feed.trouble) for name, feed in feeds.items()), Probe("ticks", ticker.probe)],
        state={"engine": engine, "effect": effect},
    )


@asynccontextmanager
async def _of_this_version(engine: AsyncEngine, effect: CubeEffect, reader: Reader) -> AsyncIterator[None]:
    """Stops the books that other delta functions counted: half of them would count by other rules."""
    try:
        async with engine.connect() as connection:
            books = await list_books_of_other_versions(connection, effect.versions)
        for book in books:
            await reader.stop(book, CubeOfAnotherVersion.reason)
        yield
    finally:
        await engine.dispose()
