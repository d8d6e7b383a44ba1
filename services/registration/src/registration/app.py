"""The registration office as a process."""

from fastapi import FastAPI

from registration.api import routers
from registration.domain import lists_of
from registration.office import OFFICE
from registration.pages import pages_of, pages_router
from registration.settings import RegistrationSettings
from registration.store.rules import RegistrationRules
from verbund.database import make_engine
from verbund.desk.desk import Desk
from verbund.service.build import Probe, build_service

_ENGINE_SIZE = 8  # the desk uses two connections at most; the others are for looking things up


def create(settings: RegistrationSettings | None = None) -> FastAPI:
    """The application; its settings come from the environment where none are given."""
    settings = settings or RegistrationSettings()
    engine = make_engine(settings.database, size=_ENGINE_SIZE)
    desk = Desk(RegistrationRules(lists_of(settings.municipality)), engine, settings.municipality)
    pages = pages_of(settings.municipality)
    return build_service(
        OFFICE,
        OFFICE.door,
        settings,
        routers=[*routers, pages_router],
        parts=[desk],
        probes=[Probe("desk", desk.trouble)],
        state={"desk": desk, "engine": engine, "pages": pages},
        pages=pages,
        upload_limits={"/initial-load/bookings": 4 * 1024 * 1024},
    )
