"""The reader of the books as a process: takes what the offices book into the cube."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Protocol

from fastapi import FastAPI
from sqlalchemy.ext.asyncio import AsyncEngine

from reporting.cube import CubeOfAnotherVersion, list_books_of_other_versions
from reporting.deltas import delta_functions
from reporting.office import OFFICE
from reporting.reader import CubeEffect
from reporting.settings import ReaderSettings
from verbund.database import make_engine
from verbund.events.offices import find_offices, known_events
from verbund.feeds.ledger_feed import LedgerFeed
from verbund.feeds.reader import Reader
from verbund.kafka.topics import reader_principal, topics_read_by
from verbund.service.build import Probe, build_service
from verbund.settings import read_secret


def create(settings: ReaderSettings | None = None) -> FastAPI:
    """The application; its settings come from the environment where none are given."""
    settings = settings or ReaderSettings()
    engine = make_engine(settings.database)
    effect = CubeEffect(read_secret(settings.hash_key_file).encode(), delta_functions(find_offices()))
    reader = Reader(engine, effect, known_events())
    feeds = _feeds(settings, reader)
    return build_service(
        OFFICE,
        OFFICE.processes[1],
        settings,
        routers=[],
        parts=[_of_this_version(engine, effect, reader), *feeds.values()],
        probes=[Probe(name, feed.trouble) for name, feed in feeds.items()],
    )


class _Feed(AbstractAsyncContextManager[object], Protocol):
    async def trouble(self) -> str | None: ...


def _feeds(settings: ReaderSettings, reader: Reader) -> Mapping[str, _Feed]:
    """What brings the books, by the name of its probe."""
    if settings.kafka is None or settings.feed == "ledger":
        return {f"books of {source.office}": LedgerFeed(source, reader, OFFICE.name) for source in settings.sources}
    # Faust takes twenty megabytes: not where nobody asks for it.
    from verbund.feeds.kafka.feed import KafkaFeed

    topics = topics_read_by(OFFICE.name, find_offices())
    return {"books on Kafka": KafkaFeed(settings.kafka, reader_principal(OFFICE.name), topics, reader)}


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
