"""Offices behind real ports, in threads of the test: real HTTP as uvicorn lets it in, real PostgreSQL behind it."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import httpx
import psycopg
import uvicorn
from conftest import OfficeDatabase
from fastapi import FastAPI
from stage.reading_office import reader_settings
from stage.registration_office import ADDRESS, NEW_RESIDENT
from stage.service_kit import ISSUER, ServiceKit

from registration.app import create as create_registration
from registration.settings import RegistrationSettings
from reporting.app import create as create_reporting
from reporting.reader_app import create as create_reader
from reporting.settings import ReportingSettings
from verbund.service.serving import SERVED
from verbund.settings import IssuerSettings

_DEADLINE_SECONDS = 30.0
_ROLES = {"registration": "desk", "reporting": "web"}


@dataclass
class ServedOffice:
    """One office, who asks it, and what its database holds."""

    app: FastAPI
    url: str
    kit: ServiceKit
    database: OfficeDatabase
    client: httpx.Client
    places: dict[str, str] = field(default_factory=dict)
    """What `{name}` in a path stands for, such as the number of a residence."""
    _keys: Iterator[int] = field(default_factory=count)

    @property
    def name(self) -> str:
        return self.database.office

    def bearer(self, *roles: str, **more: Any) -> dict[str, str]:
        said = {"office": self.name, "subject": "somebody", **more}
        return {"Authorization": f"Bearer {self.kit.token(*roles, **said)}"}

    def ask(
        self, method: str, path: str, *roles: str, headers: Mapping[str, Any] | None = None, **body: Any
    ) -> httpx.Response:
        """One request in English, of somebody with these roles."""
        sent: dict[str, Any] = {"Accept-Language": "en", **self.bearer(*roles)}
        if method != "GET":
            sent["Idempotency-Key"] = f"key-{next(self._keys)}"
        asked = {name: value for name, value in {**sent, **(headers or {})}.items() if value is not None}
        return self.client.request(method, self.placed(path), headers=asked, **body)

    def placed(self, text: str) -> str:
        for name, value in self.places.items():
            text = text.replace(f"{{{name}}}", value)
        return text

    def register(self, **changes: Any) -> dict[str, str]:
        """The receipt of a registration that has to succeed."""
        answer = self.ask("POST", "/residences", "clerk", json={**NEW_RESIDENT, **changes})
        assert answer.status_code == 201, answer.text
        receipt: dict[str, str] = answer.json()
        return receipt

    def doubt(self, residence_id: str, on: str) -> None:
        """Book a doubt that has to succeed."""
        doubt = {"doubted_on": on, "doubt_reason": "returned_mail"}
        answer = self.ask("POST", f"/residences/{residence_id}/doubts", "clerk", json=doubt)
        assert answer.status_code == 201, answer.text

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.database.superuser().conninfo()) as connection:
            return connection.execute(sql.encode()).fetchall()

    def booked(self) -> list[tuple[Any, ...]]:
        """What any booking would change: heads, vault, answers."""
        return self.query(
            "select (select array_agg((ledger, number, hash) order by ledger)::text from ledger.head), "
            "(select count(*) from ledger.record), (select count(*) from vault.person), "
            "(select count(*) from vault.address), (select count(*) from desk.answer)"
        )


def furnish(office: ServedOffice) -> None:
    """Daily business, with somebody who lives here and somebody who has moved away."""
    closed = office.ask("POST", "/initial-load/closing", "initial_load")
    assert closed.status_code == 201, closed.text
    home, gone = office.register(), office.register()
    office.places |= {"home": home["residence_id"], "resident": home["resident_id"], "booking": home["booking_id"]}
    office.places |= {"gone": gone["residence_id"]}
    for path, form in (
        ("/residences/{home}/moves", {**ADDRESS, "moved_on": "2018-12-01"}),
        ("/residences/{gone}/deregistrations", {"deregistered_on": "2018-12-01", "reason": "abroad"}),
    ):
        answer = office.ask("POST", path, "clerk", json=form)
        assert answer.status_code == 201, answer.text


@contextmanager
def served_office(database: OfficeDatabase, folder: Path, log_level: str = "INFO") -> Iterator[ServedOffice]:
    """The registration or the reporting office."""
    kit = ServiceKit(folder)
    settings: dict[str, Any] = {
        "port": 8101,
        "database": database.settings(_ROLES[database.office]),
        "tokens": IssuerSettings(issuer=ISSUER, jwks_file=kit.jwks_file),
        "hash_key_file": folder / "hash-key",
        "tickets": folder / "tickets",
        "log_level": log_level,
    }
    if database.office == "registration":
        app = create_registration(RegistrationSettings(**settings))
    else:
        app = create_reporting(ReportingSettings(**settings, books=database.settings("desk")))
    with listening(app) as url, httpx.Client(base_url=url, trust_env=False, timeout=30) as client:
        yield ServedOffice(app, url, kit, database, client)


@contextmanager
def served_reader(
    reporting: OfficeDatabase, registration: OfficeDatabase, folder: Path, log_level: str = "INFO"
) -> Iterator[ServedOffice]:
    """The process that reads the books."""
    kit = ServiceKit(folder)
    settings = reader_settings(reporting, registration, kit).model_copy(update={"log_level": log_level})
    app = create_reader(settings)
    with listening(app) as url, httpx.Client(base_url=url, trust_env=False, timeout=30) as client:
        yield ServedOffice(app, url, kit, reporting, client)


@contextmanager
def listening(app: FastAPI) -> Iterator[str]:
    """The application behind a free port, served as `verbund serve` does; yields its address."""
    config = uvicorn.Config(app, port=0, timeout_graceful_shutdown=2, **SERVED)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = monotonic() + _DEADLINE_SECONDS
    while not server.started:
        assert thread.is_alive(), "the service did not start"
        assert monotonic() < deadline, "the service did not start in time"
        sleep(0.01)
    try:
        port = server.servers[0].sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(_DEADLINE_SECONDS)
        assert not thread.is_alive(), "the service did not stop"
