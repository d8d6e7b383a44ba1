"""Areas change: each value belongs to the areas of its own day, and what no area takes is seen."""

import shutil
from collections.abc import Mapping
from datetime import UTC, date, datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from stage.cube import Stage
from stage.facts import arrival, booked, resident, transition

from reporting.audiences import Audience
from reporting.figures import Answer, Figure, Question, number_of
from reporting.indicators import read_catalogue
from verbund.errors import RuleBroken

CITY = "05913000"
NOW = datetime(2020, 3, 15, 9, tzinfo=UTC)
BEGAN_ON = date(2015, 12, 31)

# Nordmarkt is split at the beginning of 2018, and goes to another Sozialraum in the middle of 2017.
NORDMARKT = "05,Nordmarkt,statistischer_bezirk,SB02,1975-01-01\n"
SPLIT = (
    "05,Nordmarkt,statistischer_bezirk,SB02,1975-01-01,2017-12-31\n"
    "05a,Nordmarkt-Süd,statistischer_bezirk,SB02,2018-01-01,\n"
    "05b,Nordmarkt-Ost,statistischer_bezirk,SB02,2018-01-01,\n"
    "SR1,Hafenviertel,sozialraum,,1975-01-01,\n"
    "SR2,Brunnenstraßenviertel,sozialraum,,1975-01-01,\n"
)
PARTS = (
    "area,part,valid_from,valid_until\n"
    "SR1,04,1975-01-01,\n"
    "SR1,05,1975-01-01,2017-06-30\n"
    "SR2,05,2017-07-01,\n"
    "SR2,05a,2018-01-01,\n"
    "SR2,06,1975-01-01,\n"
    "SR1,06,2019-01-01,\n"
)


@pytest.fixture
def city(cube: Stage, tmp_path: Path) -> Stage:
    folder = tmp_path / "catalogue"
    shutil.copytree(str(files("reporting") / "catalogue"), folder)
    shutil.rmtree(folder / CITY / "geometry")  # the split areas are not on that map
    areas = folder / CITY / "areas.csv"
    text = areas.read_text(encoding="utf-8").replace("parent,valid_from\n", "parent,valid_from,valid_until\n")
    assert NORDMARKT in text
    lines = text.replace(NORDMARKT, SPLIT).splitlines()
    areas.write_text("\n".join(f"{line}," if line.count(",") == 4 else line for line in lines), encoding="utf-8")
    (folder / CITY / "area_parts.csv").write_text(PARTS, encoding="utf-8")
    frame = folder / "frame.yaml"
    social = "  social_area: {fact: area, level: sozialraum, de: Sozialraum, en: Social area}\n"
    frame.write_text(
        frame.read_text(encoding="utf-8").replace("dimensions:\n", f"dimensions:\n{social}"), encoding="utf-8"
    )
    indicators = folder / "indicators" / "registration_and_population.yaml"
    yaml = indicators.read_text(encoding="utf-8")
    indicators.write_text(
        yaml.replace("breakdowns: [district, area", "breakdowns: [district, social_area, area"), encoding="utf-8"
    )
    cube.catalogue = read_catalogue(CITY, folder)
    return cube


async def ask(city: Stage, indicator: str, **asked: Any) -> Answer:
    return await city.ask(Question(indicator=indicator, **asked), Audience.STATISTICS, NOW)


def shown(found: Answer, at: int = 0) -> Mapping[str, Figure | None]:
    """What is not zero, by code."""
    rows = {cell.keys[0].code: number_of(cell.values[at]) for cell in found.cells}
    return {code: number for code, number in rows.items() if number}


async def settle(city: Stage, *areas: str) -> None:
    people = [transition("opening", BEGAN_ON, None, resident(area=a), subject=f"{n}") for n, a in enumerate(areas)]
    await city.take([booked(BEGAN_ON, *people)])


async def test_an_area_that_is_no_more_leaves_its_people_in_their_district_and_in_no_area(city: Stage) -> None:
    await settle(city, "04", "05", "05")
    before, after = date(2017, 12, 31), date(2018, 1, 1)
    assert shown(await ask(city, "population", by=("area",), as_of=(before,))) == {"04": 1, "05": 2}
    assert shown(await ask(city, "population", by=("area",), as_of=(after,))) == {"04": 1, "unplaced": 2}
    for day in (before, after):
        assert shown(await ask(city, "population", by=("district",), as_of=(day,))) == {"SB02": 3}


async def test_only_areas_that_there_are_have_a_row(city: Stage) -> None:
    await settle(city, "04")
    before = {
        cell.keys[0].code for cell in (await ask(city, "population", by=("area",), as_of=(date(2017, 5, 1),))).cells
    }
    after = {
        cell.keys[0].code for cell in (await ask(city, "population", by=("area",), as_of=(date(2018, 5, 1),))).cells
    }
    assert before - after == {"05"}
    assert after - before == {"05a", "05b"}


async def test_a_series_over_a_change_has_both(city: Stage) -> None:
    await settle(city, "05")
    await city.take([booked(date(2018, 3, 1), arrival(date(2018, 2, 1), resident(area="05a"), subject="new"))])
    found = await ask(city, "population", by=("area",), as_of=(date(2017, 12, 31), date(2018, 12, 31)))
    assert shown(found, 0) == {"05": 1}
    assert shown(found, 1) == {"05a": 1, "unplaced": 1}


async def test_what_happened_belongs_to_the_areas_of_its_day(city: Stage) -> None:
    """One year: half of it with the old Sozialräume."""
    await settle(city, "04")
    came = [arrival(date(2017, month, 1), resident(area="05"), subject=f"{month}") for month in (3, 6, 7, 10)]
    await city.take([booked(date(2017, 12, 1), *came)])
    year: dict[str, Any] = {"from_on": date(2017, 1, 1), "to_on": date(2017, 12, 31)}
    assert shown(await ask(city, "arrivals", by=("social_area",), **year)) == {"SR1": 2, "SR2": 2}
    assert shown(await ask(city, "arrivals", by=("area",), **year)) == {"05": 4}


async def test_what_lies_in_no_sozialraum_cannot_be_placed(city: Stage) -> None:
    await settle(city, "04", "06", "01", "elsewhere")
    found = await ask(city, "population", by=("social_area",), as_of=(date(2018, 5, 1),))
    assert shown(found) == {"SR1": 1, "SR2": 1, "unplaced": 2}
    assert found.adds_up


async def test_areas_that_overlap_do_not_add_up_and_say_so(city: Stage) -> None:
    await settle(city, "04", "06")
    found = await ask(
        city, "population", by=("sex",), filters={"social_area": ("SR1", "SR2")}, as_of=(date(2019, 5, 1),)
    )
    assert number_of(found.cells[0].values[0]) == 2
    assert not (await ask(city, "population", by=("social_area",), as_of=(date(2019, 5, 1),))).adds_up


async def test_areas_are_chosen_by_those_of_another_kind_where_none_lies_half_in(city: Stage) -> None:
    await settle(city, "04", "06", "01")
    day: dict[str, Any] = {"as_of": (date(2018, 5, 1),)}
    found = await ask(city, "population", by=("area",), filters={"social_area": ("SR1",)}, **day)
    assert shown(found) == {"04": 1}
    with pytest.raises(RuleBroken) as refused:
        await ask(city, "population", by=("district",), filters={"social_area": ("SR1",)}, **day)
    assert refused.value.code == "filter_finer_than_breakdown"
