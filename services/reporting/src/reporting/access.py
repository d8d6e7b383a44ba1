"""The way from a request to reporting's desk and to the tables of its books."""

from typing import Annotated, Any, Literal

from fastapi import Depends, Path, Query, Request
from sqlalchemy.ext.asyncio import AsyncEngine

from reporting.audiences import ROLES_WITH_FIGURES, Audience, audience_of
from reporting.books import InBook
from reporting.commands.editions import EditionId
from reporting.editions.restatement import Restatement
from reporting.editions.restating import Restating
from reporting.image import Image
from reporting.indicators import Catalogue
from verbund.desk.desk import Desk
from verbund.service.permissions import Permission, principal_of

READ_EDITIONS = Permission("read_editions", roles=ROLES_WITH_FIGURES, purpose="steering")
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


async def _restated(
    edition_id: EditionPath,
    against: Annotated[
        EditionId | Literal["now"], Query(description="The number of a later edition, or what is known `now`.")
    ],
    books: Books,
    image: AskedImage,
    catalogue: AskedCatalogue,
    audience: AskingAudience,
) -> Restatement:
    return await Restating(books, image, catalogue, audience).restate(edition_id, against)


Restated = Annotated[Restatement, Depends(_restated)]
"""For the signature of a route: the restatement that its address asks for."""
