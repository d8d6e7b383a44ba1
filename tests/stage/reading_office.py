"""The process that reads the books into the cube, for tests: on real databases, asked over HTTP without a network."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from time import monotonic
from typing import Any

import httpx
import psycopg
from conftest import OfficeDatabase
from stage.service_kit import ISSUER, ServiceKit

from reporting.reader_app import create
from reporting.settings import ReaderSettings
from verbund.feeds.ledger_view import Source
from verbund.settings import IssuerSettings

_DEADLINE_SECONDS = 30.0


def reader_settings(reporting: OfficeDatabase, registration: OfficeDatabase, kit: ServiceKit) -> ReaderSettings:
    """As `verbund up` tells them to the process."""
    return ReaderSettings(
        port=8110,
        database=reporting.settings("reader"),
        tokens=IssuerSettings(issuer=ISSUER, jwks_file=kit.jwks_file),
        hash_key_file=kit.folder / "hash-key",
        sources=(Source(office="registration", database=registration.settings("feed_reporting")),),
    )


@asynccontextmanager
async def reading(
    reporting: OfficeDatabase, registration: OfficeDatabase, folder: Path
) -> AsyncIterator[httpx.AsyncClient]:
    """The reader at work; yields who asks it how it is."""
    app = create(reader_settings(reporting, registration, ServiceKit(folder)))
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://reader.test") as client,
    ):
        yield client


def ask(database: OfficeDatabase, sql: str) -> list[tuple[Any, ...]]:
    """What stands in a database, seen by a superuser."""
    with psycopg.connect(database.superuser().conninfo()) as connection:
        return connection.execute(sql.encode()).fetchall()


async def until(reporting: OfficeDatabase, sql: str, *expected: tuple[Any, ...]) -> None:
    """Wait until a question is answered with these rows."""
    deadline = monotonic() + _DEADLINE_SECONDS
    while (found := ask(reporting, sql)) != list(expected):
        assert monotonic() < deadline, f"{sql}: {found} instead of {expected}"
        await asyncio.sleep(0.05)


async def until_not_ready(reader: httpx.AsyncClient, reason: str) -> None:
    """Wait until the process says of itself that it is not ready, for this reason."""
    deadline = monotonic() + _DEADLINE_SECONDS
    while (answer := await reader.get("/readyz")).status_code == 200 or reason not in answer.text:
        assert monotonic() < deadline, answer.text
        await asyncio.sleep(0.05)


async def until_ready(reader: httpx.AsyncClient) -> None:
    """Wait until the process says of itself that it is ready: its first round of reading has ended."""
    deadline = monotonic() + _DEADLINE_SECONDS
    while (answer := await reader.get("/readyz")).status_code != 200:
        assert monotonic() < deadline, answer.text
        await asyncio.sleep(0.05)
