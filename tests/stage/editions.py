"""Editions for tests: what is asked for, and who asks for it."""

from typing import Any

import httpx

HEAD: dict[str, Any] = {
    "title": {"de": "Zahlen zum Jahresende", "en": "Figures of the year end"},
    "frozen_for": {"de": "Koordinierungsgruppe", "en": "Coordination group"},
    "audience": "statistics",
}
QUESTIONS: list[dict[str, Any]] = [
    {"indicator": "population", "as_of": ["2016-12-31", "2018-12-31"]},
    {"indicator": "population", "by": ["district"], "as_of": ["2018-12-31"]},
    {"indicator": "arrivals", "from": "2018-01-01", "to": "2018-12-31", "period": "year"},
    {"indicator": "share_of_late_registrations", "as_of": ["2018-12-31"]},
]


def edition_form(**changes: Any) -> dict[str, Any]:
    """A form with some things changed; `...` leaves a field out."""
    form = {**HEAD, "questions": QUESTIONS, **changes}
    return {name: value for name, value in form.items() if value is not ...}


async def freeze(client: httpx.AsyncClient, key: str = "one", **changes: Any) -> dict[str, Any]:
    """The receipt of a freezing that has to succeed."""
    answer = await client.post("/editions", json=edition_form(**changes), headers={"Idempotency-Key": key})
    assert answer.status_code == 201, answer.text
    receipt: dict[str, Any] = answer.json()
    return receipt


async def every_byte(client: httpx.AsyncClient, edition_id: str) -> dict[str, bytes]:
    """Everything of an edition by its address."""
    manifest = (await client.get(f"/editions/{edition_id}/manifest")).json()
    addresses = [
        f"/editions/{edition_id}/figures/{number}.{file['kind']}"
        for number, question in enumerate(manifest["questions"], start=1)
        for file in question["files"]
    ]
    found = {}
    for address in (*addresses, f"/editions/{edition_id}/manifest", f"/editions/{edition_id}.zip"):
        answer = await client.get(address)
        assert answer.status_code == 200, answer.text
        found[address] = answer.content
    return found
