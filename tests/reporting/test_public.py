"""The public: sees what is released, all of it protected, for whole periods that were over when they were released."""

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from prometheus_client import REGISTRY
from sqlalchemy import text
from stage.cube import SECRET, Stage
from stage.facts import arrival, booked, resident, transition
from stage.reporting_office import Database, ReportingOffice

from reporting.audiences import Audience
from reporting.deltas import record_key
from reporting.figures import Answer, Question, number_of
from reporting.indicators import Every
from reporting.releases import next_release_on
from verbund.disclosure import Perturbation, perturbation_table
from verbund.errors import Forbidden, NotFound, RuleBroken

BEGAN_ON = date(2015, 12, 31)
NOW = datetime(2020, 3, 15, 9, tzinfo=UTC)
DAY = timedelta(days=1)
NEXT_YEAR = datetime(2021, 1, 1, 8, tzinfo=UTC)
NEVER_RELEASED = "deaths"
PUBLISHED = Perturbation(perturbation_table()).published


WOMEN, MEN = [[f"{sex} {n}" for n in range(most)] for sex, most in (("f", 9), ("m", 31))]


async def begin(cube: Stage) -> None:
    """A stock, and the first tick of the coordination group."""
    people = [
        *(transition("opening", BEGAN_ON, None, resident(sex="f"), subject=each) for each in WOMEN),
        *(transition("opening", BEGAN_ON, None, resident(sex="m"), subject=each) for each in MEN),
    ]
    await cube.take([booked(BEGAN_ON, *people)])
    await cube.tick(NOW)


async def hear(cube: Stage, at: datetime, **columns: Any) -> None:
    async with cube.superuser.begin() as connection:
        await connection.execute(text("delete from feed.position"))
    await cube.stand(at, **columns)


async def look(cube: Stage, at: datetime, **asked: Any) -> Answer:
    return await cube.ask(Question(**{"indicator": "population", **asked}), Audience.PUBLIC, at)


def said(found: Answer) -> dict[tuple[str, ...], Any]:
    return {tuple(key.code for key in cell.keys): number_of(cell.values[0]) for cell in found.cells}


async def released_at(cube: Stage, indicator: str = "population") -> list[datetime]:
    statement = text("select ticked_at from figures.tick where audience = 'public' and indicator = :id order by number")
    async with cube.reader.connect() as connection:
        return [row.ticked_at for row in await connection.execute(statement, {"id": indicator})]


async def test_the_first_release_waits_for_a_midnight_and_for_the_word_of_the_source(cube: Stage) -> None:
    await begin(cube)
    await hear(cube, NOW)
    await cube.tick(NOW + timedelta(hours=1))
    assert await released_at(cube) == []
    await cube.tick(NOW + DAY)  # nothing heard of that day yet
    await hear(cube, NOW + DAY, number=1, head_number=2)
    await cube.tick(NOW + DAY)  # what was booked is not read yet
    await hear(cube, NOW + DAY, stop_reason="restored", stopped_at=NOW)
    await cube.tick(NOW + DAY)
    assert await released_at(cube) == []
    assert said(await look(cube, NOW + DAY)) == {(): None}
    await hear(cube, NOW + DAY)
    await cube.tick(NOW + DAY)
    assert await released_at(cube) == [NOW + DAY]
    assert await released_at(cube, NEVER_RELEASED) == []


async def test_a_release_is_counted_once_it_is_written(cube: Stage) -> None:
    before = releases()
    await begin(cube)
    written: list[int] = []
    for at in (NOW, NOW + DAY, NOW + DAY):
        await hear(cube, at)
        await cube.tick(at)
        async with cube.reader.connect() as connection:
            written.append((await connection.execute(text(_RELEASES))).scalar_one())
        assert releases() - before == written[-1]
    assert written[0] == 0 < written[1] == written[2]


_RELEASES = "select count(*) from figures.tick where audience = 'public'"


def releases() -> float:
    return REGISTRY.get_sample_value("verbund_ticks_written_total", {"audience": "public"}) or 0.0


async def test_the_next_release_comes_when_a_period_is_over(cube: Stage) -> None:
    await released(cube)
    for at in (NOW + 30 * DAY, NEXT_YEAR - timedelta(hours=10)):
        await hear(cube, at)
        await cube.take([booked(at, *(arrival(at.date(), subject=f"{at} {n}") for n in range(50)))])
        await cube.tick(at)
    assert await released_at(cube) == [NOW + DAY]
    await hear(cube, NEXT_YEAR)
    await cube.tick(NEXT_YEAR)
    assert await released_at(cube) == [NOW + DAY, NEXT_YEAR]
    assert (await look(cube, NEXT_YEAR)).points[0].to_on == date(2020, 12, 31)


async def released(cube: Stage) -> None:
    await begin(cube)
    await hear(cube, NOW + DAY)
    await cube.tick(NOW + DAY)


async def test_even_the_citys_total_is_protected_and_as_of_the_release(cube: Stage) -> None:
    await released(cube)
    expected = {
        (sex,): PUBLISHED(len(people), sum(record_key(SECRET, each) for each in people))
        for sex, people in (("f", WOMEN), ("m", MEN))
    }
    by_sex = said(await look(cube, NOW + DAY, by=("sex",)))
    assert expected.items() <= by_sex.items()
    assert said(await look(cube, NOW + DAY)) == {(): sum(expected.values())}
    corrected = [arrival(date(2019, 5, 1), subject=f"late {n}") for n in range(200)]
    await cube.take([booked(NOW + 2 * DAY, *corrected)])
    await cube.tick(NOW + 3 * DAY)
    found = await look(cube, NOW + 3 * DAY)
    assert said(found) == {(): sum(expected.values())}
    assert (found.is_exact, found.data_state, found.ticked_at, found.next_tick_at) == (False, "tick", NOW + DAY, None)


@pytest.mark.parametrize(
    ("asked", "is_shown"),
    [
        ({}, True),
        ({"as_of": (date(2019, 12, 31),)}, True),
        ({"as_of": (date(2019, 6, 30),)}, False),
        ({"as_of": (NOW.date(),)}, False),
        ({"as_of": ((NOW + DAY).date(),)}, False),
        ({"from_on": date(2016, 1, 1), "to_on": date(2020, 3, 31)}, True),
        ({"as_of": (date(2019, 12, 31),), "known_on": date(2019, 12, 31)}, True),
        ({"as_of": (date(2019, 12, 31),), "known_on": date(2020, 2, 1)}, False),
        ({"indicator": "arrivals"}, True),
        ({"indicator": "arrivals", "from_on": date(2019, 1, 1), "to_on": date(2019, 12, 31)}, True),
        ({"indicator": "arrivals", "from_on": date(2020, 1, 1), "to_on": date(2020, 3, 31)}, False),
        ({"indicator": "arrivals", "as_of": (date(2019, 12, 30),)}, False),
    ],
)
async def test_whole_periods_that_were_over_are_shown_and_nothing_else(
    cube: Stage,
    asked: dict[str, Any],
    is_shown: bool,  # noqa: FBT001
) -> None:
    await released(cube)
    if is_shown:
        found = await look(cube, NOW + DAY, **asked)
        assert found.points[-1].to_on == date(2019, 12, 31)
        return
    with pytest.raises(Forbidden) as refused:
        await look(cube, NOW + DAY, **asked)
    assert refused.value.code == "only_period_ends"


async def test_what_is_over_since_the_release_waits_for_the_next_one(cube: Stage) -> None:
    await released(cube)
    for indicator in ("population", "arrivals"):
        later = await look(cube, NEXT_YEAR, indicator=indicator, as_of=(date(2020, 12, 31),))
        assert said(later) == {(): None}


async def test_what_is_not_released_is_not_there(cube: Stage) -> None:
    await released(cube)
    for indicator in (NEVER_RELEASED, "wealth"):
        with pytest.raises(NotFound) as missing:
            await look(cube, NOW + DAY, indicator=indicator)
        assert missing.value.code == "no_such_indicator"
    for asked in ({"by": ("area",)}, {"filters": {"area": ("05",)}}, {"period": "month"}):
        with pytest.raises((RuleBroken, ValueError)):
            await look(cube, NOW + DAY, **asked)


@pytest.mark.parametrize(
    ("released_on", "every", "due_on"),
    [
        (date(2020, 3, 16), ("year",), date(2021, 1, 1)),
        (date(2020, 6, 30), ("year", "half_year"), date(2020, 7, 1)),
        (date(2020, 7, 1), ("half_year", "year"), date(2021, 1, 1)),
    ],
)
def test_the_next_release_can_come_when_the_first_of_its_periods_is_over(
    released_on: date, every: tuple[Every, ...], due_on: date
) -> None:
    assert next_release_on(released_on, every) == due_on


class TestDoors:
    @pytest.fixture
    async def office(self, tmp_path: Path, office_database: Any) -> ReportingOffice:
        database: Database = office_database("reporting")
        return ReportingOffice(tmp_path, database)

    @pytest.fixture
    async def app(self, office: ReportingOffice) -> AsyncIterator[FastAPI]:
        async with office.inside() as app:
            yield app

    async def test_released_indicators_are_open_without_a_token(self, office: ReportingOffice, app: FastAPI) -> None:
        async with office.client(app, "statistics") as client:
            everything = {each["id"] for each in (await client.get("/indicators")).json()}
            del client.headers["Authorization"]
            told = (await client.get("/indicators")).json()
            answers = [await client.get(f"/figures/population{kind}") for kind in ("", ".csv", ".xlsx", ".jsonstat")]
        assert {each["id"] for each in told} < everything
        assert NEVER_RELEASED not in {each["id"] for each in told}
        for each in told:
            assert not {"audiences", "counts", "where", "numerator"} & each.keys()
            assert set(each["not_comparable_with"]) <= {one["id"] for one in told}
        assert {answer.status_code for answer in answers} == {200}
        assert answers[0].json()["audience"] == "public"

    async def test_nobody_without_a_token_is_told_what_is_not_released(
        self, office: ReportingOffice, app: FastAPI
    ) -> None:
        async with office.client(app, "clerk") as client:
            for _ in range(2):  # a clerk of whatever office sees what everybody sees
                for kind in ("", ".csv", ".xlsx", ".jsonstat"):
                    unreleased = await client.get(f"/figures/{NEVER_RELEASED}{kind}")
                    unknown = await client.get(f"/figures/wealth{kind}")
                    assert (unreleased.status_code, unreleased.json()["code"]) == (404, "no_such_indicator")
                    assert unreleased.json()["detail"] == unknown.json()["detail"]
                assert (await client.get(f"/indicators/{NEVER_RELEASED}/versions")).status_code == 404
                client.headers.pop("Authorization", None)

    async def test_what_moves_live_and_what_steers_stays_closed(self, office: ReportingOffice, app: FastAPI) -> None:
        async with office.client(app, "statistics") as client:
            del client.headers["Authorization"]
            for path in ("/live", "/", "/indicators/population"):
                assert (await client.get(path)).status_code == 401
            refused = await client.get("/figures/population", headers={"Authorization": "Bearer forged"})
        assert (refused.status_code, refused.json()["code"]) == (401, "token_invalid")
