"""The reporting office as a process: its doors, its pages, its live views."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from sqlalchemy.ext.asyncio import AsyncEngine

from reporting import api, live, pages
from reporting.books import ReportingRules
from reporting.editions import DraftClearing, EditionsBook
from reporting.image import Image
from reporting.indicators import read_catalogue
from reporting.office import OFFICE
from reporting.settings import ReportingSettings
from verbund.database import make_engine
from verbund.desk.desk import Desk
from verbund.service.build import Probe, build_service
from verbund.service.pages import Pages

_ENGINE_SIZE = 8  # pages and figures read for some hundredths of a second each; the live views take one more
_BOOKS_SIZE = 4  # the desk uses two connections at most; the others are for looking things up


def create(settings: ReportingSettings | None = None) -> FastAPI:
    """The application; its settings come from the environment where none are given."""
    settings = settings or ReportingSettings()
    engine = make_engine(settings.database, size=_ENGINE_SIZE)
    books = make_engine(settings.books, size=_BOOKS_SIZE)
    desk = Desk(ReportingRules((EditionsBook(settings.municipality),)), books, settings.municipality)
    image = Image(engine, settings.municipality, memory=settings.image_memory)
    catalogue = read_catalogue(settings.municipality, settings.catalogue)
    hub = live.Hub(image, catalogue, live.Waker(settings.database, settings.municipality))
    look = pages.pages_of(catalogue.city)
    return build_service(
        OFFICE,
        OFFICE.door,
        settings,
        routers=[pages.router, api.editions.router, pages.editions, api.router_of(catalogue), live.router],
        parts=[
            _disposed(engine),
            desk,
            DraftClearing(books, settings.municipality),
            _warmed(look),
            hub,
            live.OnStopSignal(hub.streams.end_all),
        ],
        probes=[Probe("desk", desk.trouble), Probe("live views", hub.probe)],
        state={
            "desk": desk,
            "books": books,
            "image": image,
            "catalogue": catalogue,
            "hub": hub,
            "held_tiles": hub.held_tiles,
            "pages": look,
        },
        pages=look,
    )


@asynccontextmanager
async def _warmed(look: Pages) -> AsyncIterator[None]:
    """Makes the drawing library ready beside everything else: the first visitor does not wait for it."""
    warming = asyncio.create_task(asyncio.to_thread(pages.warm, look))
    try:
        yield
    finally:
        await warming
        await asyncio.to_thread(pages.end_drawing)


@asynccontextmanager
async def _disposed(engine: AsyncEngine) -> AsyncIterator[None]:
    """Gives the connections back at the end."""
    try:
        yield
    finally:
        await engine.dispose()
