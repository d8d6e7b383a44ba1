"""Files too large for an answer: written part by part, all of one moment, the same lines as in small ones."""

import csv
import io
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text
from stage.cube import Stage
from stage.facts import arrival, booked, resident, transition

from reporting.audiences import Audience
from reporting.exports import TABLES, as_csv, in_lines
from reporting.figures import Question, answer_in_parts
from verbund.errors import RuleBroken, Unavailable

NOW = datetime(2020, 3, 15, 9, tzinfo=UTC)
BEGAN_ON = date(2015, 12, 31)
FINE = ("area", "nationality", "sex")
DAYS = tuple(date(2017, 1, 1) + timedelta(days=day) for day in range(240))


@pytest.fixture
async def city(cube: Stage) -> Stage:
    people = [transition("opening", BEGAN_ON, None, resident(area=area), n=9) for area in ("04", "05", "unplaced")]
    came = [arrival(day, resident(sex="m"), subject=str(day)) for day in DAYS[::7]]
    await cube.take([booked(BEGAN_ON, *people), booked(DAYS[-1], *came)])
    return cube


async def read(city: Stage, table: Any = TABLES["rfc4180"], **asked: Any) -> tuple[list[bytes], int]:
    question = Question(indicator="population", **asked)
    found = await answer_in_parts(city.image, city.catalogue, question, Audience.STATISTICS, NOW)
    return [part async for part in in_lines(table, found)], found.values


def in_order(rows: list[dict[str, str]]) -> list[dict[str, str]]:
    return sorted(rows, key=lambda row: [row[name] for name in (*FINE, "to")])


async def test_a_large_file_has_the_lines_of_small_ones(city: Stage) -> None:
    parts, values = await read(city, by=FINE, as_of=DAYS)
    assert len(parts) > 1
    rows = list(csv.DictReader(io.StringIO(b"".join(parts).decode())))
    assert values >= len(rows) == 63 * 2 * 4 * len(DAYS)
    small: list[dict[str, str]] = []
    for days in (DAYS[:120], DAYS[120:]):
        found = await city.ask(Question(indicator="population", by=FINE, as_of=days), Audience.STATISTICS, NOW)
        small += csv.DictReader(io.StringIO(as_csv(found).decode()))
    assert in_order(rows) == in_order(small)


async def test_a_small_file_is_one_part(city: Stage) -> None:
    parts, values = await read(city, TABLES["excel_de"], by=("district",), as_of=DAYS[:3])
    assert (len(parts), values) == (1, 13 * 3)


async def test_what_is_booked_meanwhile_is_in_no_part(city: Stage) -> None:
    question = Question(indicator="population", by=FINE, as_of=DAYS)
    found = await answer_in_parts(city.image, city.catalogue, question, Audience.STATISTICS, NOW)
    lines = in_lines(TABLES["rfc4180"], found)
    first = await anext(lines)
    await city.take([booked(NOW, arrival(date(2016, 5, 1), resident(area="61")))])
    rest = [part async for part in lines]
    rows = csv.DictReader(io.StringIO(b"".join([first, *rest]).decode()))
    assert {(row["batch"], row["value"]) for row in rows if row["area"] == "61"} == {("1", "0")}


async def test_a_file_ends_as_a_broken_one_where_the_figures_were_built_afresh(city: Stage) -> None:
    question = Question(indicator="population", by=FINE, as_of=DAYS)
    found = await answer_in_parts(city.image, city.catalogue, question, Audience.STATISTICS, NOW)
    lines = in_lines(TABLES["rfc4180"], found)
    await anext(lines)
    async with city.superuser.begin() as connection:
        await connection.execute(text("update cube.batch_head set generation = 2"))
    with pytest.raises(Unavailable):
        await anext(lines)


async def test_what_is_too_large_for_a_file_is_refused(city: Stage) -> None:
    with pytest.raises(RuleBroken) as refused:
        await read(city, by=("area", "nationality", "age_band"), from_on=DAYS[0], to_on=date(2099, 1, 1), every="day")
    assert refused.value.code == "too_many_points"
    with pytest.raises(RuleBroken) as refused:
        await city.ask(Question(indicator="population", by=FINE, as_of=DAYS), Audience.STATISTICS, NOW)
    assert refused.value.code == "too_many_values"
