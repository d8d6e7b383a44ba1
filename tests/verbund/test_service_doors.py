"""Every door of every announced office: nobody comes in without a token, with a foreign one, or in the wrong role."""

import json
from importlib import import_module
from pathlib import Path

import pytest
from fastapi import FastAPI
from stage.doors import doors_that_open_wrongly
from stage.service_kit import ISSUER, MUNICIPALITY, ServiceKit

from verbund.events.offices import Process, find_offices
from verbund.service.permissions import PUBLIC, walk

PROCESSES = [process for office in find_offices() for process in office.processes]
KIT_ITSELF = {
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
RELEASED = {"/public", "/public/indicators/{indicator_id}", "/public/figures/{indicator_id}.{kind}"}
"""What the statistics office has released to everybody."""
OPEN_TO_ALL = KIT_ITSELF | RELEASED | {"/assets/{name}"}


@pytest.fixture
def kit(tmp_path: Path) -> ServiceKit:
    (tmp_path / "own").mkdir()
    return ServiceKit(tmp_path / "own")


@pytest.fixture
def stranger(tmp_path: Path) -> ServiceKit:
    (tmp_path / "strange").mkdir()
    return ServiceKit(tmp_path / "strange")


def _create(process: Process, kit: ServiceKit, monkeypatch: pytest.MonkeyPatch) -> FastAPI:
    """The application as it is served, but for its database, which is not there: no request gets so far."""
    nowhere = {"port": 1, "password_file": str(kit.folder / "password")}
    environment = {
        "MUNICIPALITY": MUNICIPALITY,
        "PORT": str(process.port),
        "DATABASE__NAME": "none",
        "DATABASE__USER": "none",
        "DATABASE__PORT": "1",
        "DATABASE__PASSWORD_FILE": str(kit.folder / "password"),
        "BOOKS__NAME": "none",
        "BOOKS__USER": "none",
        "BOOKS__PORT": "1",
        "BOOKS__PASSWORD_FILE": str(kit.folder / "password"),
        "TOKENS__ISSUER": ISSUER,
        "TOKENS__JWKS_FILE": str(kit.jwks_file),
        "HASH_KEY_FILE": str(kit.folder / "hash-key"),
        "SOURCES": json.dumps([{"office": "registration", "database": {"name": "none", "user": "none", **nowhere}}]),
        "KAFKA__BROKERS": '["127.0.0.1:1"]',
    }
    for name, value in environment.items():
        monkeypatch.setenv(f"VERBUND_{name}", value)
    module, _, function = process.app.partition(":")
    app = getattr(import_module(module), function)()
    assert isinstance(app, FastAPI)
    return app


@pytest.mark.parametrize("process", PROCESSES, ids=lambda process: process.name)
async def test_no_door_of_an_office_opens_wrongly(
    process: Process, kit: ServiceKit, stranger: ServiceKit, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert await doors_that_open_wrongly(_create(process, kit, monkeypatch), kit, stranger) == []


@pytest.mark.parametrize("process", PROCESSES, ids=lambda process: process.name)
def test_only_what_tells_nothing_of_anybody_is_open_to_all(
    process: Process, kit: ServiceKit, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = _create(process, kit, monkeypatch)
    assert {route.path for route, permission in walk(app.routes) if permission == PUBLIC} <= OPEN_TO_ALL
