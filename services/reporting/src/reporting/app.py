"""The reporting office as a process: its doors, its pages, its live views."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI
from sqlalchemy.ext.asyncio import AsyncEngine

from reporting import api, live, pages
from reporting.alerts import AlertsBook, Evaluator, Webhook
from reporting.alerts.reading import audiences_told
from reporting.alerts.signing import read_key
from reporting.alerts.webhook import Receiver
from reporting.audiences import Audience
from reporting.books import Book, ReportingRules
from reporting.deliveries import DeliveriesBook
from reporting.editions import DraftClearing, EditionsBook
from reporting.image import Image
from reporting.indicators import read_catalogue
from reporting.notes import NotesBook
from reporting.office import OFFICE
from reporting.settings import ReportingSettings, WebhookSettings
from reporting.targets import TargetsBook
from verbund.database import make_engine
from verbund.desk.desk import Desk
from verbund.service.build import Probe, build_service
from verbund.service.pages import Pages
from verbund.settings import read_secret

_ENGINE_SIZE = 8  # pages and figures read for some hundredths of a second each; the live views take one more
_BOOKS_SIZE = 4  # the desk uses two connections at most; the others are for looking things up


def create(settings: ReportingSettings | None = None) -> FastAPI:
    """The application; its settings come from the environment where none are given."""
    settings = settings or ReportingSettings()
    engine = make_engine(settings.database, size=_ENGINE_SIZE)
    books = make_engine(settings.books, size=_BOOKS_SIZE)
    image = Image(engine, settings.municipality, memory=settings.image_memory)
    catalogue = read_catalogue(settings.municipality, settings.catalogue)
    place = (settings.municipality, catalogue)
    own: list[Book[Any, Any]] = [
        DeliveriesBook(catalogue),
        EditionsBook(settings.municipality),
        NotesBook(*place),
        TargetsBook(*place),
        AlertsBook(*place),
    ]
    desk = Desk(ReportingRules(own), books, settings.municipality)
    evaluator = Evaluator(image, catalogue, desk.carry_out)
    webhook = None if settings.webhook is None else Webhook(books, catalogue, _receiver(settings.webhook))
    hub = live.Hub(image, catalogue, live.Waker(settings.database, settings.municipality))
    look = pages.pages_of(catalogue.city)
    return build_service(
        OFFICE,
        OFFICE.door,
        settings,
        routers=[*api.routers_of(catalogue), *pages.routers, live.router],
        parts=[
            _disposed(engine),
            desk,
            evaluator,
            *([] if webhook is None else [webhook]),
            DraftClearing(books, settings.municipality),
            _warmed(look),
            hub,
            live.OnStopSignal(hub.streams.end_all),
        ],
        probes=[
            Probe("desk", desk.trouble),
            Probe("live views", hub.probe),
            Probe("alerts", evaluator.probe),
            *([] if webhook is None else [Probe("webhook", webhook.probe)]),
        ],
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
        upload_limits={"/deliveries": 2 * 1024 * 1024, "/deliver/": 2 * 1024 * 1024},
    )


def _receiver(settings: WebhookSettings) -> Receiver:
    """Raises `BadSecret` where the secret is none: such a service does not start."""
    audiences = audiences_told(Audience(settings.audience))
    return Receiver(settings.url, read_key(read_secret(settings.secret_file)), audiences)


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
