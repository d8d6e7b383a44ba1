"""Permissions: no door opens to somebody whom its route does not name."""

from pathlib import Path
from typing import Annotated, Any

import pytest
from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.routing import APIRoute
from pydantic import BaseModel
from stage.doors import doors_that_open_wrongly
from stage.service_kit import MUNICIPALITY, OFFICE, ServiceKit, ask

from verbund.service.door import Door
from verbund.service.permissions import PUBLIC, Permission, permission_of, permit, walk
from verbund.service.principals import ANYBODY, OFFICE_ROLES, Principal

BOOK = Permission("book", roles=frozenset({"clerk", "office_lead"}), purpose="test")
JSON = {"Content-Type": "application/json"}
COUNT = Permission("count", roles=frozenset({"statistics", "clerk"}), purpose="test")


class Thing(BaseModel):
    name: str


@pytest.fixture
def kit(tmp_path: Path) -> ServiceKit:
    (tmp_path / "own").mkdir()
    return ServiceKit(tmp_path / "own")


@pytest.fixture
def stranger(tmp_path: Path) -> ServiceKit:
    (tmp_path / "strange").mkdir()
    return ServiceKit(tmp_path / "strange")


def _router() -> APIRouter:
    router = APIRouter()

    @router.post("/things/{thing_id}/parts", status_code=201)
    async def add_part(thing_id: str, part: Thing, principal: Annotated[Principal, permit(BOOK)]) -> str:
        return principal.subject

    @router.get("/things", dependencies=[permit(COUNT)])
    async def list_things() -> list[str]:
        return []

    @router.get("/weather")
    async def read_weather(principal: Annotated[Principal, permit(PUBLIC)]) -> str:
        return principal.subject

    return router


async def test_no_door_opens_to_no_foreign_or_wrong_tokens(kit: ServiceKit, stranger: ServiceKit) -> None:
    assert await doors_that_open_wrongly(kit.service(_router()), kit, stranger) == []


async def test_a_door_left_open_is_found(kit: ServiceKit, stranger: ServiceKit) -> None:
    app = kit.service(_router())
    for route in app.routes:
        if isinstance(route, APIRoute) and route.path == "/things":
            assert isinstance(route.app, Door)
            route.app = Door(route.app.app, PUBLIC)
    wrong = await doors_that_open_wrongly(app, kit, stranger)
    assert wrong
    assert all(sentence.startswith("GET /things:") for sentence in wrong)


async def test_a_door_with_the_wrong_permission_is_found(kit: ServiceKit, stranger: ServiceKit) -> None:
    app = kit.service(_router())
    for route in app.routes:
        if isinstance(route, APIRoute) and isinstance(route.app, Door) and route.path.endswith("/parts"):
            route.app = Door(route.app.app, COUNT)
    wrong = await doors_that_open_wrongly(app, kit, stranger)
    assert any("role statistics" in sentence for sentence in wrong)


@pytest.mark.parametrize("role", ["clerk", "office_lead"])
async def test_each_named_role_opens_its_door(kit: ServiceKit, role: str) -> None:
    app = kit.service(_router())
    answer = await ask(app, "POST", "/things/1/parts", headers=kit.bearer(role, subject="5f1c"), json={"name": "lid"})
    assert (answer.status_code, answer.json()) == (201, "5f1c")


async def test_everybody_comes_in_at_a_public_door_even_with_a_bad_token(kit: ServiceKit) -> None:
    answer = await ask(kit.service(_router()), "GET", "/weather", headers={"Authorization": "Bearer nonsense"})
    assert (answer.status_code, answer.json()) == (200, ANYBODY.subject)


async def test_who_may_not_come_in_is_refused_before_the_body_is_read(kit: ServiceKit) -> None:
    read = []

    async def body() -> Any:
        read.append(True)
        yield b'{"name": '

    app = kit.service(_router())
    answer = await ask(app, "POST", "/things/1/parts", content=body(), headers={"Content-Type": "application/json"})
    assert (answer.status_code, read) == (401, [])
    answer = await ask(app, "POST", "/things/1/parts", content=body(), headers={**kit.bearer("statistics"), **JSON})
    assert (answer.status_code, read) == (403, [])
    answer = await ask(app, "POST", "/things/1/parts", content=body(), headers={**kit.bearer("clerk"), **JSON})
    assert (answer.status_code, read) == (400, [True])


@pytest.mark.parametrize("role", sorted(OFFICE_ROLES))
def test_an_offices_role_holds_in_its_own_office_only(role: str) -> None:
    permission = Permission("any", roles=OFFICE_ROLES, purpose="test")
    permission.check(Principal("5f1c", frozenset({role}), OFFICE.name, MUNICIPALITY), OFFICE.name)
    with pytest.raises(Exception, match="not_permitted"):
        permission.check(Principal("5f1c", frozenset({role}), "reporting", MUNICIPALITY), OFFICE.name)


def test_a_role_above_the_offices_holds_in_each() -> None:
    COUNT.check(Principal("5f1c", frozenset({"statistics"}), "reporting", MUNICIPALITY), OFFICE.name)


def test_a_permission_names_roles_that_exist() -> None:
    with pytest.raises(ValueError, match="mayor"):
        Permission("any", roles=frozenset({"mayor"}), purpose="test")
    with pytest.raises(ValueError, match="none at all"):
        Permission("any", roles=frozenset(), purpose="test")


def _route(**declared: Any) -> APIRoute:
    async def read() -> None:
        return None

    return APIRoute("/things", read, **declared)


def test_a_route_without_a_permission_does_not_start(kit: ServiceKit) -> None:
    router = APIRouter(routes=[_route()])
    with pytest.raises(LookupError, match="GET /things has to declare one permission, and declares: none"):
        kit.service(router)


def test_a_route_with_two_permissions_does_not_start(kit: ServiceKit) -> None:
    router = APIRouter(routes=[_route(dependencies=[permit(BOOK), permit(COUNT)])])
    with pytest.raises(LookupError, match="declares: book, count"):
        kit.service(router)


def test_a_permission_deep_in_the_dependencies_counts() -> None:
    def deeper(principal: Annotated[Principal, permit(BOOK)]) -> str:
        return principal.subject

    assert permission_of(_route(dependencies=[Depends(deeper)])) == BOOK


def test_two_routes_with_one_address_do_not_start(kit: ServiceKit) -> None:
    def router() -> APIRouter:
        return APIRouter(routes=[_route(dependencies=[permit(BOOK)])])

    with pytest.raises(LookupError, match="same address"):
        kit.service(router(), router())


def test_nobody_takes_the_place_of_the_services_own_addresses(kit: ServiceKit) -> None:
    router = APIRouter(routes=[APIRoute("/readyz", lambda: None, dependencies=[permit(BOOK)])])
    with pytest.raises(LookupError, match="same address"):
        kit.service(router)


def test_a_router_inside_a_router_does_not_start(kit: ServiceKit) -> None:
    outer = APIRouter()
    outer.include_router(_router(), prefix="/deep")
    with pytest.raises(LookupError, match="no route with a permission"):
        kit.service(outer)


def test_a_router_may_belong_to_two_applications(kit: ServiceKit) -> None:
    router = _router()
    first, second = kit.service(router), kit.service(router)
    assert [route.path for route, _ in walk(first.routes)] == [route.path for route, _ in walk(second.routes)]
    assert not any(isinstance(route.app, Door) for route, _ in walk(router.routes))


async def test_a_route_outside_of_a_service_lets_nobody_in(kit: ServiceKit) -> None:
    bare = FastAPI()

    @bare.get("/things")
    async def read(principal: Annotated[Principal, permit(BOOK)], request: Request) -> str:
        return principal.subject

    with pytest.raises(KeyError):
        await ask(bare, "GET", "/things", headers=kit.bearer("clerk"))


@pytest.mark.parametrize("header", ["Basic abc", "Bearer", "Bearer ", "bearer", "Token abc", ""])
async def test_other_ways_to_authorise_are_refused(kit: ServiceKit, header: str) -> None:
    answer = await ask(kit.service(_router()), "GET", "/things", headers={"Authorization": header})
    assert answer.status_code == 401
    assert answer.json()["code"] == "token_invalid"
