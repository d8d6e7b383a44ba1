"""A small service for tests of the service kit: real tokens, real doors, no database."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
from fastapi import APIRouter, FastAPI

from verbund.events.offices import Office, Process
from verbund.service.build import build_service
from verbund.service.tokens import LocalIssuer
from verbund.settings import DatabaseSettings, IssuerSettings, ServiceSettings

ISSUER = "https://issuer.test"
MUNICIPALITY = "05913000"
PROCESS = Process(name="registration", port=8101, app="registration.app:create", database_role="desk")
OFFICE = Office(name="registration", processes=(PROCESS,), migrations=())


@dataclass
class ServiceKit:
    """Makes services in a folder of their own, and tokens for them."""

    folder: Path
    issuer: LocalIssuer = field(init=False)

    def __post_init__(self) -> None:
        (self.folder / "password").write_text("not used")
        (self.folder / "hash-key").write_text("a secret of this test")
        self.issuer = LocalIssuer(self.folder / "issuer.key", self.jwks_file, ISSUER)

    @property
    def jwks_file(self) -> Path:
        return self.folder / "jwks.json"

    @property
    def settings(self) -> ServiceSettings:
        return ServiceSettings(
            port=PROCESS.port,
            database=DatabaseSettings(name="none", user="none", password_file=self.folder / "password"),
            tokens=IssuerSettings(issuer=ISSUER, jwks_file=self.jwks_file),
            hash_key_file=self.folder / "hash-key",
            tickets=self.folder / "tickets",
        )

    def service(self, *routers: APIRouter, **more: Any) -> FastAPI:
        return build_service(OFFICE, PROCESS, self.settings, routers=routers, **more)

    def token(
        self,
        *roles: str,
        office: str = OFFICE.name,
        municipality: str = MUNICIPALITY,
        lifetime: timedelta = timedelta(hours=1),
        subject: str | None = None,
    ) -> str:
        return self.issuer.issue(office, roles, municipality, lifetime, subject=subject)

    def bearer(self, *roles: str, subject: str | None = None) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token(*roles, subject=subject)}"}


async def ask(
    app: FastAPI,
    method: str,
    path: str,
    *,
    headers: Mapping[str, str] | None = None,
    **body: Any,
) -> httpx.Response:
    """One request to an application, in English unless it says otherwise."""
    wanted = httpx.Headers({"Accept-Language": "en"})
    wanted.update(httpx.Headers(headers, encoding="latin-1"))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://office.test") as client:
        return await client.request(method, path, headers=wanted, **body)
