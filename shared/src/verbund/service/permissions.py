"""Permissions: which roles may use a route, and for what purpose; declared there, checked before its body is read.

    BOOK = Permission("book_residences", roles=frozenset({"clerk", "office_lead"}), purpose="registration")

    @router.post("/residences")
    async def register_residence(principal: Annotated[Principal, permit(BOOK)], ...)

A route that needs no principal declares it as `dependencies=[permit(BOOK)]`. `build_service` refuses to start with a
route that declares none, or more than one.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from fastapi import Depends, Request
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute
from starlette.types import Scope

from verbund.errors import Forbidden
from verbund.service.principals import OFFICE_ROLES, ROLES, Principal

_PRINCIPAL = "verbund.principal"


@dataclass(frozen=True, slots=True)
class Permission:
    """What a route is for and who may use it; `purpose` is what a record of reading personal data will name."""

    name: str
    roles: frozenset[str]
    purpose: str

    def __post_init__(self) -> None:
        unknown = self.roles - ROLES
        if unknown or not self.roles:
            raise ValueError(f"permission {self.name!r}: unknown roles {sorted(unknown)}, or none at all")

    @property
    def public(self) -> bool:
        """Whether nobody needs a token; whoever shows one may see more."""
        return "public" in self.roles

    @property
    def is_for_all_alike(self) -> bool:
        """Whether a token changes nothing, so that none is looked at."""
        return self.roles == frozenset({"public"})

    def check(self, principal: Principal, office: str) -> None:
        """Raise `Forbidden` where none of the principal's roles opens this at `office`."""
        granted = self.roles & principal.roles
        if principal.office != office:
            granted -= OFFICE_ROLES
        if not granted:
            raise Forbidden("not_permitted", "Your access does not include this ({permission}).", permission=self.name)


PUBLIC = Permission("public", roles=frozenset({"public"}), purpose="public information")
"""Open to everybody, with or without a token."""


@dataclass(frozen=True, slots=True)
class _Granted:
    """Hands the principal, who was checked against `permission` before the body was read, to the route."""

    permission: Permission

    async def __call__(self, request: Request) -> Principal:
        return principal_of(request.scope)


def permit(permission: Permission) -> Any:
    """Declares the permission of a route: `Annotated[Principal, permit(X)]`, or one of its `dependencies`."""
    return Depends(_Granted(permission))


def principal_of(scope: Scope) -> Principal:
    """Whom the door has let in; raises `LookupError` outside a service that `build_service` made (nobody is let in)."""
    principal = scope[_PRINCIPAL]
    assert isinstance(principal, Principal)
    return principal


def let_in(scope: Scope, principal: Principal) -> None:
    """Note whom the door has let in; called by the door alone."""
    scope[_PRINCIPAL] = principal


def permission_of(route: BaseRoute) -> Permission:
    """The one permission a route declares; raises `LookupError` where there is none, or more than one."""
    if not isinstance(route, APIRoute):
        raise LookupError(f"{route!r} is no route with a permission (routers are not nested here, each is named)")
    found = set(_declared(route.dependant))
    if len(found) != 1:
        names = ", ".join(sorted(permission.name for permission in found)) or "none"
        methods = " ".join(sorted(route.methods or ()))
        raise LookupError(f"{methods} {route.path} has to declare one permission, and declares: {names}")
    return found.pop()


def walk(routes: Iterable[BaseRoute]) -> Iterator[tuple[APIRoute, Permission]]:
    """Every route with its permission; raises `LookupError` at the first that has none."""
    for route in routes:
        permission = permission_of(route)
        assert isinstance(route, APIRoute)
        yield route, permission


def _declared(dependant: Dependant) -> Iterator[Permission]:
    for part in dependant.dependencies:
        if isinstance(part.call, _Granted):
            yield part.call.permission
        yield from _declared(part)
