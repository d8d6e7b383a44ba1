"""Who may book what at the reporting office, and the way from a request to its desk and to the tables of its books."""

from typing import Annotated, Any, get_args

from fastapi import Depends, Path, Query, Request
from sqlalchemy.ext.asyncio import AsyncEngine

from reporting.audiences import STEERING_ROLES, Audience, audience_of
from reporting.books import InBook
from reporting.commands.editions import Against, EditionId
from reporting.editions.restatement import Restatement
from reporting.editions.restating import Restating
from reporting.image import Image
from reporting.indicators import Catalogue
from verbund.desk.desk import Desk
from verbund.errors import Forbidden
from verbund.events.reporting.alerts import WatchedBy
from verbund.events.reporting.notes import AuthorRole
from verbund.service.permissions import Permission, principal_of
from verbund.service.principals import Principal

READ_EDITIONS = Permission("read_editions", roles=STEERING_ROLES, purpose="steering")
FREEZE = Permission("freeze_editions", roles=frozenset({"chair", "statistics"}), purpose="steering")


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


async def _image(request: Request) -> Image:
    image = request.app.state.image
    assert isinstance(image, Image)
    return image


async def _audience(request: Request) -> Audience:
    return audience_of(principal_of(request.scope).roles)


ReportingDesk = Annotated[Desk[Any, InBook], Depends(_desk)]
"""For the signature of a route: the office's desk."""
Books = Annotated[AsyncEngine, Depends(_books)]
"""For the signature of a route: the tables of the books, to look something up."""
AskedCatalogue = Annotated[Catalogue, Depends(_catalogue)]
"""For the signature of a route: what can be asked about the city."""
AskedImage = Annotated[Image, Depends(_image)]
"""For the signature of a route: what figures are answered from."""
AskingAudience = Annotated[Audience, Depends(_audience)]
"""For the signature of a route: the audience that whoever asks belongs to."""
EditionPath = Annotated[EditionId, Path(examples=["5f0c1f0e-8a55-4f4e-9a52-2f6c1f5b9d33"])]
"""For the signature of a route: the number of an edition in its address."""

_AUTHORS = frozenset({"statistics", "coordination", "chair"})

READ_REMARKS = Permission("read_remarks", roles=STEERING_ROLES, purpose="steering")
WRITE_NOTES = Permission("write_notes", roles=_AUTHORS, purpose="steering")
SET_TARGETS = Permission("set_targets", roles=_AUTHORS, purpose="steering")
WATCH_FIGURES = Permission("watch_figures", roles=_AUTHORS, purpose="steering")
ACKNOWLEDGE_ALERTS = Permission("acknowledge_alerts", roles=_AUTHORS, purpose="steering")


DELIVER = Permission(
    "deliver_figures", roles=frozenset({"delivering_body", "statistics"}), purpose="reporting of the city"
)


def body_of(principal: Principal, catalogue: Catalogue, indicator_id: str) -> str:
    """In whose name somebody delivers: the statistics office does it for whoever the figures are from."""
    if "statistics" in principal.roles:
        return catalogue.get_indicator(indicator_id).source_office
    return principal.office


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


async def _restated(
    edition_id: EditionPath,
    against: Annotated[Against, Query(description="The number of a later edition, or what is known `now`.")],
    books: Books,
    image: AskedImage,
    catalogue: AskedCatalogue,
    audience: AskingAudience,
) -> Restatement:
    return await Restating(books, image, catalogue, audience).restate(edition_id, against)


Restated = Annotated[Restatement, Depends(_restated)]
"""For the signature of a route: the restatement that its address asks for."""
