"""The registration office as a process would run it, on a real database, asked over HTTP without a network."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import psycopg
from conftest import OfficeDatabase
from fastapi import FastAPI
from stage.service_kit import ISSUER, ServiceKit

from registration.app import create
from registration.settings import RegistrationSettings
from verbund.events.envelope import Event, decode
from verbund.events.registration import EVENTS
from verbund.settings import IssuerSettings

KNOWN = {model.type: model for model in EVENTS}
NEW_RESIDENT: dict[str, Any] = {
    "family_name": "Muster",
    "given_names": "Maria",
    "birth_date": "1987-05-14",
    "sex": "f",
    "nationality": "154",
    "moved_in_on": "2018-11-05",
    "arrival_kind": "abroad",
    "previous_state": "154",
    "area": "05",
    "street": "Musterstraße",
    "house_number": "12w",
    "postal_code": "44145",
    "landlord_confirmation": "present",
    "landlord": "Hausverwaltung Muster",
}
ADDRESS: dict[str, Any] = {
    "area": "04",
    "street": "Musterweg",
    "house_number": "1",
    "landlord_confirmation": "present",
}


@dataclass
class RegistrationOffice:
    """An open office, and whoever asks it."""

    app: FastAPI
    client: httpx.AsyncClient
    kit: ServiceKit
    database: OfficeDatabase
    _keys: Any = None

    def __post_init__(self) -> None:
        self._keys = count(1)

    async def ask(
        self, method: str, path: str, *roles: str, headers: Mapping[str, str] | None = None, **body: Any
    ) -> httpx.Response:
        """One request of somebody with these roles (a clerk where none are given), in English."""
        sent = {"Accept-Language": "en", **self.kit.bearer(*(roles or ("clerk",)), subject="somebody")}
        if method == "POST":
            sent["Idempotency-Key"] = f"key-{next(self._keys)}"
        return await self.client.request(method, path, headers={**sent, **(headers or {})}, **body)

    async def post(self, path: str, fields: Mapping[str, Any], **headers: str) -> httpx.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.ask("POST", path, headers=named, json=fields)

    async def register(self, **fields: Any) -> dict[str, Any]:
        """The receipt of a registration that has to succeed."""
        answer = await self.post("/residences", {**NEW_RESIDENT, **fields})
        assert answer.status_code == 201, answer.text
        receipt: dict[str, Any] = answer.json()
        return receipt

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.database.superuser().conninfo()) as connection:
            return connection.execute(sql.encode()).fetchall()

    def events(self) -> list[Event[Any]]:
        return [decode(body, KNOWN) for (body,) in self.query("select body from ledger.record order by number")]


@asynccontextmanager
async def loading_office(database: OfficeDatabase, folder: Path) -> AsyncIterator[RegistrationOffice]:
    """The office in its initial load."""
    kit = ServiceKit(folder)
    settings = RegistrationSettings(
        port=8101,
        database=database.settings("desk"),
        tokens=IssuerSettings(issuer=ISSUER, jwks_file=kit.jwks_file),
        hash_key_file=folder / "hash-key",
        tickets=folder / "tickets",
    )
    app = create(settings)
    transport = httpx.ASGITransport(app, raise_app_exceptions=True)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://office.test") as client,
    ):
        yield RegistrationOffice(app, client, kit, database)


@asynccontextmanager
async def open_office(database: OfficeDatabase, folder: Path) -> AsyncIterator[RegistrationOffice]:
    """The office in its daily business."""
    async with loading_office(database, folder) as office:
        closed = await office.ask("POST", "/initial-load/closing", "initial_load")
        assert closed.status_code == 201, closed.text
        yield office
