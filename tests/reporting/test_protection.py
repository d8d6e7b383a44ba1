"""Protected figures: the same small noise for the same cell wherever it is asked, and nothing that tells on few."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from itertools import product
from random import Random
from typing import Any

import pytest
from stage.cube import SECRET, Stage
from stage.facts import AREAS, arrival, booked, resident, transition

from reporting.audiences import Audience
from reporting.deltas import record_key
from reporting.figures import Answer, Question, number_of
from reporting.figures.combining import WHOLE, Amount, Content
from reporting.figures.finest_cells import FinestCells, facts_of_cells
from reporting.figures.protection import protected
from reporting.indicators import Catalogue, Term, read_catalogue
from reporting.indicators.terms import where_of
from verbund.disclosure import KEY_MODULUS, MAXIMUM_NOISE, THRESHOLD, Perturbation, perturbation_table
from verbund.errors import Forbidden

NOW = datetime(2020, 3, 15, 9, tzinfo=UTC)
BEGAN_ON = date(2015, 12, 31)
COORDINATION, STATISTICS = Audience.COORDINATION, Audience.STATISTICS
CATALOGUE = read_catalogue("05913000")
PUBLISHED = Perturbation(perturbation_table()).published


@pytest.fixture
async def city(cube: Stage, seed: int) -> Stage:
    """Some hundred people in all cells, and the first tick."""
    chance = Random(seed)
    people = [
        transition(
            "opening",
            BEGAN_ON,
            None,
            resident(area=area, nationality=nationality, birth_year=born, sex=chance.choice(("f", "m"))),
            subject=f"{area} {nationality} {born} {n}",
        )
        for area, nationality, born in product(AREAS, ("125", "154"), (1950, 1980, 2000, 2016))
        for n in range(chance.choice((0, 1, 2, 3, 8)))
    ]
    await cube.take([booked(BEGAN_ON, *people)])
    await cube.tick(NOW)
    return cube


async def ask(city: Stage, audience: Audience, at: datetime = NOW, **asked: Any) -> Answer:
    return await city.ask(Question(**{"indicator": "population", **asked}), audience, at)


def numbers(found: Answer) -> Mapping[tuple[str, ...], Any]:
    return {tuple(key.code for key in cell.keys): number_of(cell.values[0]) for cell in found.cells}


async def test_every_number_is_off_by_little_and_none_is_one_or_two(city: Stage) -> None:
    by = ("area", "nationality")
    exact, shown = numbers(await ask(city, STATISTICS, by=by)), numbers(await ask(city, COORDINATION, by=by))
    assert exact.keys() <= shown.keys()
    # At the most each unit is alone in a finest cell; and the errors of several cancel each other out.
    assert all(abs(shown[row] - exact[row]) <= MAXIMUM_NOISE * exact[row] for row in exact)
    assert sum(abs(shown[row] - exact[row]) for row in exact) <= MAXIMUM_NOISE * len(exact)
    assert all(shown[row] == 0 for row in exact if exact[row] == 0)
    assert not {1, 2} & set(shown.values())
    assert any(shown[row] != exact[row] for row in exact)


async def test_a_row_says_nothing_by_being_there(city: Stage) -> None:
    """The rest of a breakdown has its row in a protected table, whether somebody is in it or not."""
    assert ("other",) not in numbers(await ask(city, STATISTICS, by=("age_band",)))
    assert numbers(await ask(city, COORDINATION, by=("age_band",)))[("other",)] == 0


async def test_the_noise_of_a_cell_follows_from_who_is_in_it_alone(city: Stage) -> None:
    """Whatever question leads to a cell, it shows the same; and it is what the keys of its people say."""
    by_area = numbers(await ask(city, COORDINATION, by=("area", "sex")))
    for area in ("04", "05"):
        filtered = numbers(await ask(city, COORDINATION, by=("sex",), filters={"area": (area,)}))
        for (sex,), number in filtered.items():
            assert by_area[area, sex] == number
        swapped = numbers(await ask(city, COORDINATION, by=("sex", "area"), filters={"area": (area,)}))
        assert {(a, s): n for (s, a), n in swapped.items()}.items() <= by_area.items()
    again = numbers(await ask(city, COORDINATION, NOW + timedelta(minutes=20), by=("area", "sex")))
    assert again == by_area


async def test_the_noise_is_that_of_the_published_table(cube: Stage) -> None:
    subjects = [f"person {n}" for n in range(9)]
    people = [transition("opening", BEGAN_ON, None, resident(sex="f"), subject=each) for each in subjects]
    await cube.take([booked(BEGAN_ON, *people)])
    await cube.tick(NOW)
    key = sum(record_key(SECRET, each) for each in subjects) % KEY_MODULUS
    assert numbers(await ask(cube, COORDINATION, by=("sex",)))[("f",)] == PUBLISHED(9, key)


async def test_a_whole_says_nothing_beside_its_parts(city: Stage) -> None:
    """What is left over between two published numbers is the published rest, so that nothing is to be subtracted."""
    by_area = numbers(await ask(city, COORDINATION, by=("area", "sex")))
    by_district = numbers(await ask(city, COORDINATION, by=("district", "sex")))
    for (district, sex), number in by_district.items():
        inside = (cell for (area, of), cell in by_area.items() if of == sex and _district(city, area) == district)
        assert number == sum(inside)
    for by in ("district", "nationality", "age_band"):
        crossed = numbers(await ask(city, COORDINATION, by=(by, "sex")))
        for (sex,), number in numbers(await ask(city, COORDINATION, by=("sex",))).items():
            assert number == sum(cell for (_, of), cell in crossed.items() if of == sex)
    two = numbers(await ask(city, COORDINATION, by=("sex",), filters={"area": ("04", "05")}))
    assert two == {(sex,): by_area["04", sex] + by_area["05", sex] for (sex,) in two}


def _district(city: Stage, area: str) -> str:
    return city.catalogue.city.district_of(area)


async def test_a_year_says_nothing_beside_its_halves(cube: Stage, seed: int) -> None:
    chance = Random(seed)
    came = [
        arrival(
            date(2018, month, 10), resident(area=chance.choice(AREAS), sex=chance.choice(("f", "m"))), subject=f"{n}"
        )
        for month in range(1, 13)
        for n in range(month * 40, month * 40 + chance.choice((0, 1, 2, 9)))
    ]
    await cube.take([booked(BEGAN_ON, transition("opening", BEGAN_ON, None, resident())), booked(NOW, *came)])
    await cube.tick(NOW)
    year: dict[str, Any] = {
        "indicator": "arrivals",
        "by": ("area",),
        "from_on": date(2018, 1, 1),
        "to_on": date(2018, 12, 31),
    }
    whole, halves = [
        {
            cell.keys[0].code: [int(number_of(value) or 0) for value in cell.values]
            for cell in (await ask(cube, COORDINATION, **asked)).cells
        }
        for asked in (year, {**year, "every": "half_year"})
    ]
    assert whole == {area: [first + second] for area, (first, second) in halves.items()}
    assert any(number for (number,) in whole.values())


def test_a_move_within_an_area_is_left_over_as_it_is_published() -> None:
    """Moves by Stadtbezirk are those by area without the ones inside of it: no finest cell is cut by either."""
    plan = CATALOGUE
    term = Term("moves", date(2018, 12, 31))
    cells = FinestCells(plan, {name: place for place, name in enumerate(facts_of_cells(plan, "moves"))})
    labels = {(a, b): cells.label_of(_move(plan, a, b), term) for a, b in product(AREAS, AREAS)}
    for level in ("stadtbezirk", "statistischer_bezirk"):
        for code in plan.city.codes_at(level, [term.until]):
            (where,) = where_of(plan, plan.get_indicator("moves"), _BY[level], (code,), term)
            inside = {
                label: {
                    a in where["area_from"] and b in where["area_to"] for (a, b), of in labels.items() if of == label
                }
                for label in labels.values()
            }
            assert all(len(answers) == 1 for answers in inside.values()), (level, code)


_BY = {"stadtbezirk": "district", "statistischer_bezirk": "area"}


def _move(catalogue: Catalogue, before: str, after: str) -> list[str]:
    facts = {"area_from": before, "area_to": after, "birth_year": "1990"}
    return [facts.get(name, "x") for name in facts_of_cells(catalogue, "moves")]


async def test_what_is_too_fine_is_refused(city: Stage) -> None:
    for asked in (
        {"by": ("area", "nationality", "age_band")},
        {"by": ("area", "sex"), "filters": {"nationality": ("125",)}},
        {"filters": {"area": ("05",), "nationality": ("125",), "sex": ("f",)}},
    ):
        with pytest.raises(Forbidden) as refused:
            await ask(city, COORDINATION, **asked)
        assert refused.value.code == "too_fine"
        assert (await ask(city, STATISTICS, **asked)).is_exact


async def test_what_is_protected_says_that_nothing_adds_up(city: Stage) -> None:
    finer = await ask(city, COORDINATION, by=("area",))
    assert not finer.is_exact
    assert not finer.adds_up
    exact = await ask(city, COORDINATION, by=("district",))
    assert exact.is_exact
    assert exact.adds_up


@pytest.mark.parametrize(
    ("asked", "is_shown"),
    [
        ({"as_of": (date(2018, 12, 31),)}, True),
        ({"as_of": (date(2018, 6, 30),)}, True),
        ({"as_of": (date(2018, 11, 30),)}, False),
        ({"as_of": (date(2018, 11, 29),)}, False),
        ({"as_of": (NOW.date(),)}, True),
        ({}, True),
        ({"as_of": (date(2018, 12, 31),), "known_on": date(2019, 6, 30)}, True),
        ({"as_of": (date(2018, 12, 31),), "known_on": date(2019, 3, 31)}, False),
        ({"as_of": (date(2018, 12, 31),), "compare_known_on": date(2019, 6, 30)}, True),
        ({"as_of": (date(2018, 12, 31),), "compare_known_on": date(2019, 3, 31)}, False),
        ({"from_on": date(2018, 1, 1), "to_on": date(2018, 12, 31), "every": "half_year"}, True),
        ({"from_on": date(2018, 1, 1), "to_on": date(2018, 12, 31), "every": "month"}, False),
        ({"from_on": date(2018, 1, 1), "to_on": date(2018, 12, 31), "every": "day"}, False),
        ({"indicator": "arrivals", "from_on": date(2018, 1, 1), "to_on": date(2018, 12, 31)}, True),
        ({"indicator": "arrivals", "from_on": date(2018, 1, 1), "to_on": date(2018, 12, 30)}, False),
        ({"indicator": "arrivals", "from_on": date(2018, 1, 2), "to_on": date(2018, 12, 31)}, False),
        ({"indicator": "arrivals", "from_on": date(2020, 1, 1), "to_on": date(2020, 12, 31)}, True),
        ({"indicator": "arrivals", "as_of": (date(2018, 11, 30),), "every": "rolling_year"}, False),
    ],
)
async def test_days_in_between_are_not_shown(
    city: Stage,
    asked: dict[str, Any],
    is_shown: bool,  # noqa: FBT001
) -> None:
    if is_shown:
        assert not (await ask(city, COORDINATION, by=("area",), **asked)).is_exact
        return
    with pytest.raises(Forbidden) as refused:
        await ask(city, COORDINATION, by=("area",), **asked)
    assert refused.value.code == "only_period_ends"


async def test_the_same_day_a_year_before_is_no_end_of_a_period(city: Stage) -> None:
    found = await ask(city, COORDINATION, by=("area",), compare="year_before")
    assert {value.kind for cell in found.cells for value in cell.compared} == {"protected"}
    ends = await ask(city, COORDINATION, by=("area",), as_of=(date(2018, 12, 31),), compare="year_before")
    assert "protected" not in {value.kind for cell in ends.cells for value in cell.compared}


def amount(n: int, key: int = 12345) -> Content:
    return {WHOLE: Amount(n, key)}


def test_a_share_is_made_of_protected_parts_and_of_enough_units() -> None:
    share = CATALOGUE.get_indicator("share_of_late_registrations")
    many = protected(share, [amount(30, 1), amount(200, 2)])
    expected = 100 * PUBLISHED(30, 1) / PUBLISHED(200, 2)
    assert float(number_of(many) or 0) == pytest.approx(expected, abs=0.05)
    assert protected(share, [amount(3), amount(10)]).kind == "protected"


def test_a_difference_is_one_of_protected_parts() -> None:
    net = CATALOGUE.get_indicator("net_movements")
    assert number_of(protected(net, [amount(30, 1), amount(20, 2)])) == PUBLISHED(30, 1) - PUBLISHED(20, 2)


def test_counts_of_the_threshold_and_below_are_never_published() -> None:
    stock = CATALOGUE.get_indicator("population")
    shown = {number_of(protected(stock, [amount(n, key << 20)])) for n in range(12) for key in range(4096)}
    assert not shown & set(range(1, THRESHOLD + 1))
