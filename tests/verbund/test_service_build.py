"""A service as a whole: its parts, its health, its headers, its description."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from fastapi import APIRouter, FastAPI, Request, Response
from pydantic import BaseModel, Field
from stage.service_kit import OFFICE, ServiceKit, ask

from verbund.service import health
from verbund.service.build import Probe
from verbund.service.pages import templates_for
from verbund.service.permissions import PUBLIC, Permission, permit, walk

READ = Permission("read_things", roles=frozenset({"clerk", "statistics"}), purpose="counting things")


class Thing(BaseModel):
    """A thing of the office."""

    name: str = Field(description="What it is called.", examples=["cup"])


def _router() -> APIRouter:
    router = APIRouter()

    @router.post("/things/{thing_id}", dependencies=[permit(READ)], responses={409: {"description": "Gone"}})
    async def change_thing(thing_id: int, thing: Thing) -> Thing:
        return thing

    @router.get("/things/{thing_id}", dependencies=[permit(READ)])
    async def read_thing(thing_id: int) -> Thing:
        return Thing(name=str(thing_id))

    @router.get("/kept", dependencies=[permit(PUBLIC)])
    async def read_kept(response: Response) -> str:
        response.headers["Cache-Control"] = "public, max-age=60"
        return "kept"

    @router.get("/state", dependencies=[permit(PUBLIC)])
    async def read_state(request: Request) -> str:
        colour: str = request.app.state.colour
        return colour

    return router


@pytest.fixture
def kit(tmp_path: Path) -> ServiceKit:
    return ServiceKit(tmp_path)


@pytest.fixture
def app(kit: ServiceKit) -> FastAPI:
    return kit.service(_router(), state={"colour": "red"})


class Diary:
    """Parts of a service that write down when they are entered and left."""

    def __init__(self) -> None:
        self.pages: list[str] = []

    @asynccontextmanager
    async def part(self, name: str, *, fails: str = "") -> AsyncIterator[None]:
        self.pages.append(f"{name} in")
        if fails:
            raise RuntimeError(fails)
        try:
            yield
        finally:
            self.pages.append(f"{name} out")


async def test_parts_are_entered_in_order_and_left_in_reverse(kit: ServiceKit) -> None:
    diary = Diary()
    app = kit.service(_router(), parts=[diary.part("ledger"), diary.part("desk")])
    async with app.router.lifespan_context(app):
        assert diary.pages == ["ledger in", "desk in"]
    assert diary.pages == ["ledger in", "desk in", "desk out", "ledger out"]


async def test_a_part_that_cannot_start_stops_the_service_and_the_parts_before_it_are_left(kit: ServiceKit) -> None:
    diary = Diary()
    app = kit.service(_router(), parts=[diary.part("ledger"), diary.part("desk", fails="no database")])
    with pytest.raises(RuntimeError, match="no database"):
        async with app.router.lifespan_context(app):
            pytest.fail("started")
    assert diary.pages == ["ledger in", "desk in", "ledger out"]


async def test_state_is_at_hand_in_a_route(app: FastAPI) -> None:
    assert (await ask(app, "GET", "/state")).json() == "red"


async def _fine() -> str | None:
    return None


async def _wrong() -> str | None:
    return "the database does not answer"


async def _broken() -> str | None:
    raise ValueError("Erika Mustermann")


async def _hanging() -> str | None:
    await asyncio.get_running_loop().create_future()
    return None


async def test_a_process_is_ready_when_every_probe_is_fine(kit: ServiceKit) -> None:
    answer = await ask(kit.service(probes=[Probe("desk", _fine)]), "GET", "/readyz")
    assert answer.status_code == 200
    assert answer.json() == {"state": "ready", "probes": {"desk": "ok", "issuer's keys": "ok"}}


@pytest.mark.parametrize(
    ("check", "said"),
    [(_wrong, "the database does not answer"), (_broken, "failed: ValueError"), (_hanging, "no answer")],
)
async def test_a_process_is_not_ready_while_a_probe_is_not_fine(
    kit: ServiceKit, monkeypatch: pytest.MonkeyPatch, check: Any, said: str
) -> None:
    monkeypatch.setattr(health, "_PATIENCE_SECONDS", 0.05)
    answer = await ask(kit.service(probes=[Probe("desk", check), Probe("feed", _fine)]), "GET", "/readyz")
    assert answer.status_code == 503
    assert answer.json() == {"state": "not ready", "probes": {"desk": said, "feed": "ok", "issuer's keys": "ok"}}


async def test_a_process_without_the_issuers_keys_lives_and_is_not_ready(kit: ServiceKit) -> None:
    kit.jwks_file.unlink()
    app = kit.service()
    assert (await ask(app, "GET", "/livez")).json() == {"state": "alive"}
    assert (await ask(app, "GET", "/readyz")).status_code == 503


async def test_the_release_is_told(app: FastAPI) -> None:
    told = (await ask(app, "GET", "/version")).json()
    assert re.fullmatch(r"\d+\.\d+\.\d+.*", told.pop("version"))
    assert told == {"office": "registration", "process": "registration"}


def test_an_office_without_a_distribution_has_the_platforms_release() -> None:
    assert health.release_of(OFFICE) == health.release_of(type(OFFICE)(name="none", processes=(), migrations=()))


@pytest.mark.parametrize("path", ["/livez", "/nowhere", "/docs", "/things/1", "/metrics", "/kept"])
async def test_every_answer_tells_browsers_to_take_nothing_from_elsewhere(app: FastAPI, path: str) -> None:
    headers = (await ask(app, "GET", path)).headers
    policy = dict(part.strip().partition(" ")[::2] for part in headers["content-security-policy"].split(";"))
    assert policy["default-src"] == policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
    assert policy["frame-ancestors"] == policy["base-uri"] == policy["object-src"] == "'none'"
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert "geolocation=()" in headers["permissions-policy"]


async def test_nothing_is_kept_unless_its_handler_says_so(app: FastAPI, kit: ServiceKit) -> None:
    kept = await ask(app, "GET", "/kept")
    assert kept.headers.get_list("cache-control") == ["public, max-age=60"]
    for path in ("/things/1", "/livez", "/nowhere"):
        answer = await ask(app, "POST", path, json={"name": "cup"}, headers=kit.bearer("clerk"))
        assert answer.headers.get_list("cache-control") == ["no-store"]


async def test_the_description_tells_permissions_and_problems(app: FastAPI) -> None:
    document = (await ask(app, "GET", "/openapi.json")).json()
    operation = document["paths"]["/things/{thing_id}"]["post"]
    assert operation["x-permission"] == {
        "name": "read_things",
        "roles": ["clerk", "statistics"],
        "purpose": "counting things",
    }
    assert operation["security"] == [{"bearer": []}]
    assert list(operation["responses"]) == ["200", "400", "401", "403", "404", "409", "413", "415", "422", "5XX"]
    assert operation["responses"]["409"]["description"] == "Gone"
    for status in operation["responses"].keys() - {"200"}:
        assert set(operation["responses"][status]["content"]) == {"application/problem+json", "text/html"}
    assert list(document["paths"]["/kept"]["get"]["responses"]) == ["200", "400", "5XX"]
    assert document["components"]["securitySchemes"]["bearer"]["scheme"] == "bearer"
    assert document["paths"]["/livez"]["get"]["security"] == []
    assert "HTTPValidationError" not in json.dumps(document)
    assert document["info"]["title"] == "Verbund: registration"


async def test_an_address_names_the_methods_of_all_its_routes(app: FastAPI) -> None:
    answer = await ask(app, "DELETE", "/things/1", headers={"Accept-Language": "en"})
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, POST")
    assert answer.json()["detail"] == "This address takes only: GET, POST."


async def test_a_real_problem_fits_its_description(app: FastAPI, kit: ServiceKit) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    schema = (await ask(app, "GET", "/openapi.json")).json()["components"]["schemas"]["Problem"]
    for body in ({}, {"name": 1}):
        problem = (await ask(app, "POST", "/things/1", json=body, headers=kit.bearer("clerk"))).json()
        jsonschema.validate(problem, schema)
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate({**problem, "code": None}, schema)


async def test_the_reference_is_a_page_without_scripts_and_without_anything_from_elsewhere(app: FastAPI) -> None:
    answer = await ask(app, "GET", "/docs")
    assert answer.status_code == 200
    assert "/things/{thing_id}" in answer.text
    assert "What it is called." in answer.text
    assert "<script" not in answer.text
    assert re.findall(r'(?:src|href)="([^"#]*)"', answer.text) == ["/docs.css", "/openapi.json", "/asyncapi.json"]
    style = await ask(app, "GET", "/docs.css")
    assert (style.status_code, style.headers["content-type"]) == (200, "text/css; charset=utf-8")
    assert "url(" not in style.text


async def test_an_offices_pages_bring_their_assets(kit: ServiceKit) -> None:
    app = kit.service(pages=templates_for("verbund.service"))
    page = await ask(app, "GET", "/nowhere", headers={"Accept": "text/html"})
    address = re.search(r'href="(/assets/style-[^"]*\.css)"', page.text)
    assert address is not None
    style = await ask(app, "GET", address[1])
    assert (style.status_code, style.headers["content-type"]) == (200, "text/css; charset=utf-8")


def test_every_route_of_the_kit_itself_is_public(app: FastAPI) -> None:
    own = {route.path for route, permission in walk(app.routes) if permission == PUBLIC} - {"/kept", "/state"}
    assert own == {
        "/livez",
        "/readyz",
        "/version",
        "/metrics",
        "/openapi.json",
        "/asyncapi.json",
        "/docs",
        "/docs.css",
        "/sign-in",
        "/sign-out",
    }
