"""The way from a request to reporting's desk and to the tables of its books."""

from typing import Annotated, Any

from fastapi import Depends, Request
from sqlalchemy.ext.asyncio import AsyncEngine

from reporting.books import InBook
from reporting.indicators import Catalogue
from verbund.desk.desk import Desk


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
