"""Who may do what at the registration office, and the way from a request to its desk and its database."""

from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy.ext.asyncio import AsyncEngine

from registration.commands import Command
from registration.domain import Resident
from registration.store.reading import Reading
from verbund.desk.desk import Desk
from verbund.service.permissions import Permission
from verbund.service.principals import Principal

_CLERKS = frozenset({"clerk", "second_clerk", "office_lead"})

BOOK = Permission("book_residences", roles=_CLERKS, purpose="keeping the register (§ 3 BMG)")
READ = Permission("read_residences", roles=_CLERKS, purpose="keeping the register (§ 3 BMG)")
LOAD = Permission("load_residences", roles=frozenset({"initial_load"}), purpose="initial load of the register")


# Coroutines, though they wait for nothing: FastAPI hands plain functions to a thread, at the price of a small request.
async def _desk(request: Request) -> Desk[Command, Resident]:
    desk = request.app.state.desk
    assert isinstance(desk, Desk)
    return desk


async def _engine(request: Request) -> AsyncEngine:
    engine = request.app.state.engine
    assert isinstance(engine, AsyncEngine)
    return engine


RegistrationDesk = Annotated[Desk[Command, Resident], Depends(_desk)]
"""For the signature of a route: the office's desk."""
Registry = Annotated[AsyncEngine, Depends(_engine)]
"""For the signature of a route: the office's database, to look something up."""


def reading(principal: Principal, permission: Permission, what: str) -> Reading:
    """The record of a reading of personal data by whom this door has let in. `what`: what was looked at."""
    return Reading(principal.subject, permission.purpose, what)
