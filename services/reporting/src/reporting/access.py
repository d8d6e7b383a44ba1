"""Who may book what at the reporting office, and the way from a request to its desk and to the tables of its books."""

from typing import Annotated, Any, get_args

from fastapi import Depends, Request
from sqlalchemy.ext.asyncio import AsyncEngine

from reporting.audiences import STEERING_ROLES, Audience, audience_of
from reporting.books import InBook
from reporting.indicators import Catalogue
from verbund.desk.desk import Desk
from verbund.errors import Forbidden
from verbund.events.reporting.alerts import WatchedBy
from verbund.events.reporting.notes import AuthorRole
from verbund.service.permissions import Permission
from verbund.service.principals import Principal


# Coroutines, though they wait for nothing: FastAPI hands plain functions to a thread, at the price of a small request.
async def _desk(request: Request) -> Desk[Any, InBook]:
    desk = request.app.state.desk
    assert isinstance(desk, Desk)
    return desk


async def _books(request: Request) -> AsyncEngine:
    engine = request.app.state.books
    assert isinstance(engine, AsyncEngine)
    return engine


async def _catalogue(request: Request) -> Catalogue:
    catalogue = request.app.state.catalogue
    assert isinstance(catalogue, Catalogue)
    return catalogue


ReportingDesk = Annotated[Desk[Any, InBook], Depends(_desk)]
"""For the signature of a route: the office's desk."""
Books = Annotated[AsyncEngine, Depends(_books)]
"""For the signature of a route: the tables of the books, to look something up."""
AskedCatalogue = Annotated[Catalogue, Depends(_catalogue)]
"""For the signature of a route: what can be asked about the city."""

_AUTHORS = frozenset({"statistics", "coordination", "chair"})

READ_REMARKS = Permission("read_remarks", roles=STEERING_ROLES, purpose="steering")
WRITE_NOTES = Permission("write_notes", roles=_AUTHORS, purpose="steering")
SET_TARGETS = Permission("set_targets", roles=_AUTHORS, purpose="steering")
WATCH_FIGURES = Permission("watch_figures", roles=_AUTHORS, purpose="steering")
ACKNOWLEDGE_ALERTS = Permission("acknowledge_alerts", roles=_AUTHORS, purpose="steering")


def eyes_of(principal: Principal) -> WatchedBy:
    """With which audience's eyes somebody sees figures; raises `Forbidden` for who sees none."""
    return "statistics" if audience_of(principal.roles) is Audience.STATISTICS else "coordination"


def author_role_of(principal: Principal) -> AuthorRole:
    """In which role somebody notes something: in the weightiest one that they have."""
    for role in get_args(AuthorRole):
        if role in principal.roles:
            author_role: AuthorRole = role
            return author_role
    raise Forbidden("no_author", "Your roles do not include writing notes.")
