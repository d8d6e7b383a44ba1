"""Editions behind compactions and rebuilds: the same bytes, the same reasons, and a moment that can be asked again."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from conftest import OfficeDatabases
from fastapi import FastAPI
from stage.editions import every_byte, freeze
from stage.facts import BOOK
from stage.reading_office import reading, until
from stage.rebuilding import City, city
from stage.reporting_office import ReportingOffice
from stage.wiretap import make_topic

from reporting.audiences import Audience
from reporting.editions.verification import verify
from reporting.figures import Question, answer
from reporting.rebuild import COMPACTING
from reporting.rebuild import build as build_module
from verbund.embedded.kafka_cluster import Brokers
from verbund.events.offices import find_offices, get_office
from verbund.feeds.compaction import CompactionContext
from verbund.kafka.topics import topics_of
from verbund.relay.relay import Relay

QUESTIONS: list[dict[str, Any]] = [
    {"indicator": "population", "by": ["area"], "as_of": ["2018-12-31"]},
    {"indicator": "arrivals", "from": "2018-01-01", "to": "2018-12-31", "period": "year"},
    {"indicator": "share_of_late_registrations", "from": "2018-01-01", "to": "2026-12-31"},
]
MOMENTS = """
    select edition_id::text, cut.generation, cut.number
    from editions.cut join editions.edition using (municipality, edition_id) order by edition.number
"""


class Statistics:
    """Who freezes at the statistics office, and looks at everything again."""

    def __init__(self, here: City, app: FastAPI, client: httpx.AsyncClient) -> None:
        self._here, self._app, self._client = here, app, client
        self.editions: list[str] = []

    async def freeze(self) -> None:
        receipt = await freeze(self._client, str(len(self.editions)), questions=QUESTIONS)
        self.editions.append(receipt["edition_id"])

    async def everything(self) -> dict[str, Any]:
        """Every byte of every edition, and what is said of each against each later one and against now."""
        found: dict[str, Any] = {}
        for place, edition_id in enumerate(self.editions):
            found |= await every_byte(self._client, edition_id)
            for against in (*self.editions[place + 1 :], "now"):
                path = f"/editions/{edition_id}/restatement?against={against}"
                restated = (await self._client.get(path)).json()
                found[path] = {name: value for name, value in restated.items() if name != "against_at"}
        return found

    async def asked_again(self) -> None:
        """Each edition's questions, asked of the cube as it was read then, have the answers that were frozen."""
        with psycopg.connect(self._here.reporting.superuser().conninfo()) as connection:
            assert all(not each.wrong for each in verify(connection))
            moments = connection.execute(MOMENTS.encode()).fetchall()
        assert [edition_id for edition_id, *_ in moments] == self.editions
        async with self._app.state.image.moment() as moment:
            for edition_id, generation, number in moments:
                assert generation == moment.head.generation, "nobody knows any more where it stands"
                manifest = (await self._client.get(f"/editions/{edition_id}/manifest")).json()
                for place, said in enumerate(manifest["questions"], start=1):
                    kept = (await self._client.get(f"/editions/{edition_id}/figures/{place}")).json()
                    again = await answer(
                        moment.back_at(number),
                        self._app.state.catalogue,
                        Question.model_validate(said["question"]),
                        Audience.STATISTICS,
                        datetime.now(UTC),
                    )
                    assert again.model_dump(mode="json")["cells"] == kept["cells"], (edition_id, place, number)


@pytest.fixture
def slices_are_small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build_module, "SLICE", 4)


@asynccontextmanager
async def two_editions(databases: OfficeDatabases, folder: Path) -> AsyncIterator[tuple[City, Statistics]]:
    """Five residents, an edition, three more and one who was put right, another edition, and one more."""
    (folder / "statistics").mkdir()
    async with city(databases, folder) as here, reading(here.reporting, here.registration, folder):
        office = ReportingOffice(folder / "statistics", here.reporting)
        async with office.inside() as app, office.client(app, "statistics") as client:
            statistics = Statistics(here, app, client)
            first = (await here.register(5))[0]
            await here.until_read(6)
            await statistics.freeze()
            await here.register(3, area="61", nationality="125")
            form = {"booking_id": first["booking_id"], "reason": "typing_error", "amendment": {"area": "06"}}
            corrected = await here.office.post(f"/residences/{first['residence_id']}/corrections", form)
            assert corrected.status_code == 201, corrected.text
            await here.until_read(10)
            await statistics.freeze()
            await here.register(1)
            await here.until_read(11)
            yield here, statistics


async def compact(here: City) -> None:
    context = CompactionContext(here.reporting.settings("owner"), lambda *_: None)
    await asyncio.to_thread(COMPACTING, context)


async def rebuild(here: City) -> None:
    await here.rebuild()


async def rebuild_twice_and_compact(here: City) -> None:
    await rebuild(here)
    await compact(here)
    await rebuild(here)


@pytest.mark.usefixtures("slices_are_small")
@pytest.mark.parametrize("done", [compact, rebuild, rebuild_twice_and_compact])
async def test_an_edition_keeps_its_bytes_its_reasons_and_its_moment(
    office_database: OfficeDatabases, tmp_path: Path, done: Callable[[City], Awaitable[None]]
) -> None:
    async with two_editions(office_database, tmp_path) as (here, statistics):
        before = await statistics.everything()
        assert any(found["changed"] for path, found in before.items() if "restatement" in path)
        await statistics.asked_again()
        await done(here)
        await statistics.asked_again()
        assert await statistics.everything() == before


@pytest.mark.usefixtures("slices_are_small")
async def test_an_edition_keeps_its_moment_in_a_cube_that_is_rebuilt_from_kafka(
    office_database: OfficeDatabases, tmp_path: Path, broker: Brokers
) -> None:
    for topic in topics_of(find_offices()):
        await asyncio.to_thread(make_topic, broker.settings.brokers, topic.name)
    async with two_editions(office_database, tmp_path) as (here, statistics):
        before = await statistics.everything()
        async with Relay(get_office("registration"), here.registration.settings("relay"), broker.settings):
            sent = f"select number from relay.position where ledger = '{BOOK}'"
            await until(here.registration, sent, (11,))
        await here.rebuild(kafka=broker.settings)
        await statistics.asked_again()
        assert await statistics.everything() == before


@pytest.mark.usefixtures("slices_are_small")
async def test_an_edition_that_is_frozen_between_two_runs_of_a_rebuild_has_its_moment(
    office_database: OfficeDatabases, tmp_path: Path
) -> None:
    async with two_editions(office_database, tmp_path) as (here, statistics):
        assert await here.rebuild_killed_at(4, size=3)
        await here.register(2)
        await here.until_read(13)
        await statistics.freeze()
        before = await statistics.everything()
        await here.rebuild()
        await statistics.asked_again()
        assert await statistics.everything() == before
