"""Forms for the books of reporting, and a desk that books them on a real database."""

from itertools import count
from typing import Any

from httpx import AsyncClient, Response
from sqlalchemy import text
from stage.reporting_office import Database

from verbund.database import make_engine

WORDS = {"de": "Der Schalter war geschlossen.", "en": "The counter was closed."}
NOTE: dict[str, Any] = {"indicator": "population", "from_on": "2016-03-01", "to_on": "2016-05-31", "words": WORDS}
TARGET: dict[str, Any] = {
    "indicator": "population",
    "from_on": "2018-01-01",
    "to_on": "2018-12-31",
    "agreed_on": "2017-12-06",
    "aim": "between",
    "low": "9000",
    "high": "9100",
    "source": {"de": "Jahresplanung", "en": "Plan of the year"},
}
THRESHOLD: dict[str, Any] = {
    "audience": "coordination",
    "indicator": "population",
    "side": "over",
    "limit": "10",
    "back": "8",
    "valid_from": "2018-01-01",
}
_KEYS = count(1)


async def book(client: AsyncClient, path: str, form: Any, **headers: str) -> Response:
    """One order under a key of its own."""
    return await client.post(path, json=form, headers={"Idempotency-Key": f"booking-{next(_KEYS)}", **headers})


async def booked(client: AsyncClient, path: str, form: Any) -> dict[str, Any]:
    """The receipt of an order that has to succeed."""
    answer = await book(client, path, form)
    assert answer.status_code == 201, answer.text
    receipt: dict[str, Any] = answer.json()
    return receipt


async def execute(database: Database, statement: str) -> list[Any]:
    """Behind the office's back; the rows, where there are any."""
    engine = make_engine(database.superuser())
    try:
        async with engine.begin() as connection:
            found = await connection.execute(text(statement))
            return list(found.all()) if found.returns_rows else []
    finally:
        await engine.dispose()
