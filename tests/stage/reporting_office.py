"""The reporting office's web process for tests: inside the test, or as a process of its own behind a real port."""

import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from time import monotonic, sleep
from typing import Protocol

import httpx
from fastapi import FastAPI
from stage.figures_of_dortmund import MUNICIPALITY, Cube

from reporting.app import create
from reporting.settings import ReportingSettings
from verbund.embedded.ports import find_free_port
from verbund.service.tickets import write_ticket
from verbund.service.tokens import LocalIssuer
from verbund.settings import DatabaseSettings, IssuerSettings

_ISSUER = "https://issuer.test"
_DEADLINE_SECONDS = 60.0


class Database(Protocol):
    """A migrated database of the reporting office."""

    def settings(self, role_suffix: str) -> DatabaseSettings: ...

    def superuser(self) -> DatabaseSettings: ...


@dataclass
class ReportingOffice:
    """One office with a database of its own; secrets stand in `folder`."""

    folder: Path
    database: Database
    port: int = field(default_factory=find_free_port)
    issuer: LocalIssuer = field(init=False)
    _process: subprocess.Popen[bytes] | None = None

    def __post_init__(self) -> None:
        (self.folder / "hash-key").write_text("a secret of this test", encoding="utf-8")
        (self.folder / "tickets").mkdir(mode=0o700)
        self.issuer = LocalIssuer(self.folder / "issuer.key", self.folder / "jwks.json", _ISSUER)

    @property
    def cube(self) -> Cube:
        return Cube(self.database.settings("reader"), self.database.superuser())

    @property
    def settings(self) -> ReportingSettings:
        return ReportingSettings(
            port=self.port,
            database=self.database.settings("web"),
            books=self.database.settings("desk"),
            tokens=IssuerSettings(issuer=_ISSUER, jwks_file=self.folder / "jwks.json"),
            hash_key_file=self.folder / "hash-key",
            tickets=self.folder / "tickets",
        )

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def token(self, *roles: str, body: str | None = None) -> str:
        return self.issuer.issue("reporting", roles, MUNICIPALITY, timedelta(hours=1), subject="somebody", body=body)

    def sign_in_path(self, *roles: str) -> str:
        """A one-time link into the pages."""
        return f"/sign-in?ticket={write_ticket(self.folder / 'tickets', self.token(*roles))}"

    @asynccontextmanager
    async def inside(self) -> AsyncIterator[FastAPI]:
        """The application, with its parts running, in this very process."""
        app = create(self.settings)
        async with app.router.lifespan_context(app):
            yield app

    @asynccontextmanager
    async def client(
        self, app: FastAPI, *roles: str, language: str = "en", body: str | None = None
    ) -> AsyncIterator[httpx.AsyncClient]:
        """Who asks with these roles."""
        headers = {"Authorization": f"Bearer {self.token(*roles, body=body)}", "Accept-Language": language}
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://reporting.test", headers=headers) as client:
            yield client

    def start(self) -> None:
        """Start it as a process, as the supervisor does, and wait until it is ready."""
        told = {
            "VERBUND_PORT": str(self.port),
            "VERBUND_MUNICIPALITY": MUNICIPALITY,
            "VERBUND_TOKENS__ISSUER": _ISSUER,
            "VERBUND_TOKENS__JWKS_FILE": str(self.folder / "jwks.json"),
            "VERBUND_HASH_KEY_FILE": str(self.folder / "hash-key"),
            "VERBUND_TICKETS": str(self.folder / "tickets"),
            **{
                f"VERBUND_{which}__{name.upper()}": str(value)
                for which, role in (("DATABASE", "web"), ("BOOKS", "desk"))
                for name, value in self.database.settings(role).model_dump().items()
            },
        }
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "verbund.service.serving", "reporting"],
                env={**os.environ, **told},
                stdout=log,
                stderr=log,
            )
        deadline = monotonic() + _DEADLINE_SECONDS
        while not self._is_ready():
            assert self._process.poll() is None, (self.folder / "log").read_text()
            assert monotonic() < deadline, (self.folder / "log").read_text()
            sleep(0.05)

    def stop(self, how: signal.Signals = signal.SIGTERM) -> float:
        """Ask it to end; returns how many seconds that took."""
        if self._process is None:
            return 0.0
        begun = monotonic()
        self._process.send_signal(how)
        try:
            self._process.wait(30)
        except subprocess.TimeoutExpired:
            self._process.kill()
            raise
        self._process = None
        return monotonic() - begun

    def _is_ready(self) -> bool:
        with suppress(httpx.HTTPError):
            return httpx.get(f"{self.url}/readyz", trust_env=False).status_code == 200
        return False
