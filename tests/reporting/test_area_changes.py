"""Areas are split, merged, drawn anew: figures are carried over by what is recorded or not at all, never silently."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from stage.changed_areas import CHANGES, CITY, HEAD, SOURCE, catalogue_in
from stage.cube import SECRET, Stage
from stage.facts import arrival, booked, registration, resident, transition

from reporting.audiences import Audience
from reporting.deltas import record_key
from reporting.figures import NOT_REPORTED, WHOLE, Amount, Answer, Question, number_of
from reporting.figures.protection import published
from reporting.indicators import BadCatalogue, read_catalogue
from reporting.indicators.carrying import apportioned
from verbund.disclosure import KEY_MODULUS
from verbund.errors import RuleBroken

NOW = datetime(2020, 3, 15, 9, tzinfo=UTC)
BEGAN_ON = date(2015, 12, 31)
BEFORE, AFTER = date(2017, 12, 31), date(2018, 12, 31)
AREA: dict[str, Any] = {"by": ("area",)}


@pytest.fixture
def city(cube: Stage, tmp_path: Path) -> Stage:
    cube.catalogue = read_catalogue(CITY, catalogue_in(tmp_path))
    return cube


async def ask(
    city: Stage, indicator: str = "population", audience: Audience = Audience.STATISTICS, **asked: Any
) -> Answer:
    return await city.ask(Question(indicator=indicator, **asked), audience, NOW)


async def settle(city: Stage, **counts: int) -> None:
    """So many people in areas (`_05=3`) from the beginning on."""
    people = [
        transition("opening", BEGAN_ON, None, resident(area=area[1:]), subject=f"{area} {n}")
        for area, count in counts.items()
        for n in range(count)
    ]
    await city.take([booked(BEGAN_ON, *people)])


def shown(found: Answer, at: int = 0) -> Mapping[str, int | None]:
    """By code what is no zero; None where nothing is reported."""
    rows = {cell.keys[0].code: number_of(cell.values[at]) for cell in found.cells}
    return {code: None if number is None else int(number) for code, number in rows.items() if number != 0}


def estimated(found: Answer) -> set[str]:
    return {cell.keys[0].code for cell in found.cells if cell.estimated}


async def test_an_area_that_is_not_there_is_not_reported_and_never_zero(city: Stage) -> None:
    await settle(city, _05=10)
    found = await ask(city, **AREA, as_of=(BEFORE, AFTER))
    assert {code: shown(found, 0).get(code, 0) for code in ("05", "05a", "05b")} == {"05": 10, "05a": None, "05b": None}
    assert {code: shown(found, 1).get(code, 0) for code in ("05", "05a", "05b")} == {"05": None, "05a": 0, "05b": 0}


async def test_what_is_filtered_by_and_not_there_is_not_reported(city: Stage) -> None:
    await settle(city, _05=10)
    gone = await ask(city, filters={"area": ("05a",)}, as_of=(BEFORE,))
    assert gone.cells[0].values == (NOT_REPORTED,)
    assert [one.changed_on for one in gone.breaks] == [date(2018, 1, 1)]
    both = await ask(city, filters={"area": ("05", "05a", "05b")}, as_of=(BEFORE,))
    assert number_of(both.cells[0].values[0]) == 10


async def test_a_change_against_a_day_on_which_the_area_was_not_there_is_not_reported(city: Stage) -> None:
    await settle(city, _05=10)
    found = await ask(city, "population_change", **AREA, as_of=(date(2018, 6, 30),))
    assert {code: shown(found).get(code, 0) for code in ("05a", "05b", "04")} == {"05a": None, "05b": None, "04": 0}


async def test_a_change_over_a_split_does_not_say_that_it_adds_up(city: Stage) -> None:
    await settle(city, _05=10, _04=3)
    over, after = date(2018, 6, 30), date(2019, 6, 30)
    found = await ask(city, "population_change", **AREA, as_of=(over,))
    assert not found.adds_up
    assert (await ask(city, "population_change", by=("sex",), as_of=(over,))).adds_up
    assert not (await ask(city, "population_change", **AREA, as_of=(after,))).adds_up  # 07 and 09 became one


async def test_without_dividing_new_areas_have_no_value_before_they_were_split_off(city: Stage) -> None:
    await settle(city, _05=10, _04=3)
    found = await ask(city, **AREA, as_of=(BEFORE,), areas_on=AFTER)
    assert shown(found) == {"04": 3, "05a": None, "05b": None, "unplaced": 10}
    assert not found.adds_up
    assert found.areas_on == AFTER


async def test_the_answer_names_the_day_the_areas_the_shares_and_their_source(city: Stage) -> None:
    await settle(city, _05=10)
    (split,) = (await ask(city, **AREA, as_of=(BEFORE,), areas_on=AFTER)).breaks
    assert split.changed_on == date(2018, 1, 1)
    assert [key.code for key in split.areas] == ["05a", "05b"]
    assert [(one.former.code, one.new.code, one.share, one.share_back) for one in split.shares] == [
        ("05", "05a", 0.4, 1),
        ("05", "05b", 0.6, 1),
    ]
    assert split.shares[0].source is not None
    assert split.shares[0].source.en == "by residents on the day before"


async def test_by_shares_new_areas_have_estimates_that_add_up_to_what_there_was(city: Stage) -> None:
    await settle(city, _05=7, _04=3)
    found = await ask(city, **AREA, as_of=(BEFORE,), areas_on=AFTER, over_changes="apportioned")
    assert shown(found) == {"04": 3, "05a": 3, "05b": 4}
    assert estimated(found) == {"05a", "05b"}
    assert found.adds_up


async def test_old_areas_after_a_split_are_the_sum_of_the_new_ones(city: Stage) -> None:
    await settle(city, _05a=4, _05b=5)
    found = await ask(city, **AREA, as_of=(AFTER,), areas_on=BEFORE)
    assert shown(found)["05"] == 9
    assert estimated(found) == set()
    assert found.adds_up


async def test_who_was_never_booked_over_stays_in_the_old_area_and_is_divided_for_the_new_ones(
    city: Stage,
) -> None:
    await settle(city, _05=10, _05a=1)
    old = await ask(city, **AREA, as_of=(AFTER,), areas_on=BEFORE)
    assert shown(old)["05"] == 11
    exact = await ask(city, **AREA, as_of=(AFTER,), areas_on=AFTER)
    assert shown(exact) == {"05a": 1, "unplaced": 10}
    divided = await ask(city, **AREA, as_of=(AFTER,), areas_on=AFTER, over_changes="apportioned")
    assert shown(divided) == {"05a": 5, "05b": 6}


async def test_a_merged_area_is_the_sum_of_the_former_ones_before(city: Stage) -> None:
    await settle(city, _07=2, _09=3)
    found = await ask(city, **AREA, as_of=(AFTER,), areas_on=date(2019, 12, 31))
    assert shown(found)["07x"] == 5
    assert estimated(found) == set()


async def test_the_former_ones_of_a_merged_area_are_divided_back_by_their_own_shares(city: Stage) -> None:
    await settle(city, _07x=8)
    asked: dict[str, Any] = {**AREA, "as_of": (date(2019, 12, 31),), "areas_on": AFTER}
    assert {code: shown(await ask(city, **asked))[code] for code in ("07", "09")} == {"07": None, "09": None}
    found = await ask(city, **asked, over_changes="apportioned")
    assert {code: shown(found)[code] for code in ("07", "09")} == {"07": 2, "09": 6}


async def test_what_nobody_has_said_how_to_divide_is_not_divided(city: Stage) -> None:
    await settle(city, _01=10)
    found = await ask(city, **AREA, as_of=(date(2016, 12, 31),), areas_on=BEFORE, over_changes="apportioned")
    assert {code: shown(found)[code] for code in ("01a", "01b", "unplaced")} == {
        "01a": None,
        "01b": None,
        "unplaced": 10,
    }


async def test_areas_drawn_anew_under_their_code_are_carried_over_too(city: Stage) -> None:
    await settle(city, _08=10, _00=8)
    asked: dict[str, Any] = {**AREA, "as_of": (date(2016, 6, 30),), "areas_on": date(2016, 12, 31)}
    exact = await ask(city, **asked)
    assert (shown(exact)["08"], shown(exact)["00"]) == (None, None)
    divided = await ask(city, **asked, over_changes="apportioned")
    assert (shown(divided)["08"], shown(divided)["00"]) == (9, 9)
    back = await ask(city, **AREA, as_of=(date(2016, 12, 31),), areas_on=date(2016, 6, 30), over_changes="apportioned")
    assert (shown(back)["08"], shown(back)["00"]) == (12, 6), "all of 08 and a fifth of 00"
    own = await ask(city, **AREA, as_of=(date(2016, 6, 30), date(2016, 12, 31)))
    assert (shown(own)["08"], [one.changed_on for one in own.breaks]) == (10, [date(2016, 7, 1)])


async def test_what_happened_in_a_year_is_carried_over_as_of_its_own_days(city: Stage) -> None:
    await settle(city, _04=1)
    came = [arrival(date(2017, 5, 1), resident(area="05"), subject=f"old {n}") for n in range(5)]
    came += [arrival(date(2018, 5, 1), resident(area="05a"), subject=f"new {n}") for n in range(2)]
    await city.take([booked(date(2018, 6, 1), *came)])
    span: dict[str, Any] = {**AREA, "from_on": date(2017, 1, 1), "to_on": AFTER}
    assert shown(await ask(city, "arrivals", **span, areas_on=BEFORE))["05"] == 7
    divided = await ask(city, "arrivals", **span, areas_on=AFTER, over_changes="apportioned")
    assert (shown(divided)["05a"], shown(divided)["05b"]) == (4, 3)


async def test_a_period_in_which_an_area_was_drawn_anew_under_its_code_cannot_be_carried_over(city: Stage) -> None:
    await settle(city, _04=1)
    await city.take([booked(date(2016, 6, 1), arrival(date(2016, 5, 1), resident(area="08")))])
    year: dict[str, Any] = {"from_on": date(2016, 1, 1), "to_on": date(2016, 12, 31)}
    found = await ask(city, "arrivals", **AREA, **year, areas_on=BEFORE, over_changes="apportioned")
    assert (shown(found)["08"], shown(found)["00"]) == (None, None)


async def test_districts_take_over_what_is_divided_between_them(city: Stage) -> None:
    await settle(city, _05=10, _04=1)
    asked: dict[str, Any] = {"by": ("district",), "as_of": (BEFORE,), "areas_on": AFTER}
    exact = await ask(city, **asked)
    assert {code: shown(exact)[code] for code in ("SB02", "SB03")} == {"SB02": None, "SB03": None}
    assert [key.code for key in exact.breaks[0].areas] == ["SB02", "SB03"]
    divided = await ask(city, **asked, over_changes="apportioned")
    assert {code: shown(divided)[code] for code in ("SB02", "SB03")} == {"SB02": 5, "SB03": 6}
    assert estimated(divided) == {"SB02", "SB03"}


async def test_a_district_in_which_areas_were_split_needs_no_shares(city: Stage) -> None:
    await settle(city, _01=10)
    found = await ask(city, by=("district",), as_of=(date(2016, 12, 31),), areas_on=BEFORE)
    assert shown(found)["SB01"] == 10
    assert found.breaks == ()


async def test_a_share_keeps_the_relation_of_its_parts(city: Stage) -> None:
    said = [registration(date(2017, 5, 1), late=n < 3, subject=f"flat {n}") for n in range(7)]
    await city.take([booked(date(2017, 5, 1), arrival(date(2017, 5, 1)), *said)])
    year: dict[str, Any] = {"from_on": date(2017, 1, 1), "to_on": BEFORE}
    found = await ask(city, "share_of_late_registrations", **AREA, **year, areas_on=AFTER, over_changes="apportioned")
    values = {cell.keys[0].code: number_of(cell.values[0]) for cell in found.cells}
    assert str(values["05a"]) == str(values["05b"]) == "42.9"


def published_of(count: int, area: str) -> int:
    """The published number of so many settlers of an area, by their own record keys."""
    keys = [record_key(SECRET, f"_{area} {n}") for n in range(count)]
    return published({WHOLE: Amount(count, sum(keys) % KEY_MODULUS)})


async def test_protected_numbers_are_perturbed_first_and_divided_then(city: Stage) -> None:
    await settle(city, _05=23)
    await city.tick(NOW)
    asked: dict[str, Any] = {"by": ("area", "sex"), "as_of": (BEFORE,)}
    whole = await ask(city, audience=Audience.COORDINATION, **asked)
    (seen,) = [number_of(c.values[0]) for c in whole.cells if [k.code for k in c.keys] == ["05", "f"]]
    assert seen == published_of(23, "05")
    found = await ask(city, audience=Audience.COORDINATION, **asked, areas_on=AFTER, over_changes="apportioned")
    parts = [
        int(number_of(c.values[0]) or 0)
        for c in found.cells
        if c.keys[0].code in ("05a", "05b") and c.keys[1].code == "f"
    ]
    assert parts == list(apportioned(int(seen or 0), {"05a": Fraction(2, 5), "05b": Fraction(3, 5)}).values())
    assert not found.is_exact


async def test_a_cell_is_the_same_under_whatever_areas_it_is_asked(city: Stage) -> None:
    """What needs no carrying over, and what lies in one area as a whole, is one cell with one noise."""
    await settle(city, _05=23, _04=17, _07=11, _09=12)
    await city.tick(NOW)
    for day, areas_on in ((BEFORE, BEFORE), (AFTER, AFTER), (BEFORE, AFTER)):
        asked: dict[str, Any] = {"by": ("area", "sex"), "as_of": (day,)}
        own = await ask(city, audience=Audience.COORDINATION, **asked)
        carried = await ask(city, audience=Audience.COORDINATION, **asked, areas_on=areas_on)
        values = {tuple(key.code for key in cell.keys): cell.values for cell in own.cells}
        same = [cell for cell in carried.cells if cell.values == values.get(tuple(key.code for key in cell.keys))]
        if day == areas_on:
            assert same == list(carried.cells)
        else:
            assert len(same) >= len(carried.cells) - 3 * 5  # 05a, 05b and what cannot be placed


@pytest.mark.parametrize(
    ("asked", "pointer", "code"),
    [
        ({**AREA, "over_changes": "apportioned"}, "/over_changes", "areas_on_needed"),
        ({"by": ("sex",), "areas_on": AFTER}, "/areas_on", "areas_on_needs_areas"),
        ({**AREA, "areas_on": date(1950, 1, 1)}, "/areas_on", "no_areas_then"),
        ({**AREA, "areas_on": date(1850, 1, 1)}, "/areas_on", "no_such_day"),
        ({"indicator": "moves", **AREA, "areas_on": AFTER}, "/areas_on", "not_carried_over"),
    ],
)
async def test_what_cannot_be_carried_over_is_refused(
    city: Stage, asked: dict[str, Any], pointer: str, code: str
) -> None:
    with pytest.raises(RuleBroken) as refused:
        await ask(city, **asked)
    assert (refused.value.code, refused.value.findings[0].pointer) == (code, pointer)


WRONG = [
    ("changed_on,former,new,share\n", "1: the column share_back is missing"),
    (CHANGES.replace(",05,05a", ",99,05a"), "7: '99' is no area in areas.csv"),
    (CHANGES.replace(",05,05a", ",SB02,05a"), "7: SB02 is no statistischer_bezirk"),
    (CHANGES.replace("2018-01-01,05,05a", "2018-01-02,05,05a"), "7: 05 is not there on the day before the change"),
    (CHANGES.replace("2018-01-01,05,05a", "2017-06-01,05,05a"), "7: 05a is not there on the day of the change"),
    (
        CHANGES.replace("05a,2/5", "05a,1/5"),
        "7: the share of the former area 05 on 2018-01-01 adds up to 4/5",
    ),
    (CHANGES.replace("05a,2/5", "05a,"), "7: the share of the former area 05 on 2018-01-01 is said of some parts only"),
    (CHANGES.replace("05a,2/5", "05a,2/0"), "7: '2/0' is no share"),
    (CHANGES.replace("05a,2/5", "05a,much"), "7: 'much' is no share"),
    (CHANGES.replace("05a,2/5", "05a,1.4"), "7: 1.4 is no share: it is more than 0 and 1 at most"),
    (
        CHANGES.replace("07x,1,0.25", "07x,1,0.35"),
        "9: the share_back of the new area 07x on 2019-01-01 adds up",
    ),
    (CHANGES.replace(f"05a,2/5,1,{SOURCE}", "05a,2/5,1,,"), "7: say where the shares come from"),
    (CHANGES.replace("2018-01-01,05,05b", "2018-01-01,05,05a"), "8: 05 and 05a stand there twice on this day"),
    (CHANGES.replace("2016-07-01,00,00,1,0.8", "2019-07-01,00,00,1,1"), "3: 00 keeps its code on 2016-07-01"),
    (CHANGES.replace("2018-01-01", "01.01.2018"), "7: Invalid isoformat string"),
]


@pytest.mark.parametrize(("text", "said"), WRONG)
def test_a_wrong_change_is_refused_with_its_line(tmp_path: Path, text: str, said: str) -> None:
    text = text if text.startswith("changed_on") else HEAD + text
    with pytest.raises(BadCatalogue) as refused:
        read_catalogue(CITY, catalogue_in(tmp_path, text))
    assert any(f"area_changes.csv:{said}" in line for line in str(refused.value).splitlines()), str(refused.value)


@given(count=st.integers(-500, 500), weights=st.lists(st.integers(1, 50), min_size=1, max_size=8))
def test_a_count_is_divided_into_whole_units_that_add_up_to_it(count: int, weights: list[int]) -> None:
    shares = {str(at): Fraction(weight, sum(weights)) for at, weight in enumerate(weights)}
    parts = apportioned(count, shares)
    assert sum(parts.values()) == count
    for code, share in shares.items():
        assert abs(parts[code] - count * share) < 1


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(data=st.data())
async def test_whatever_the_areas_are_called_the_whole_stays_the_same(city: Stage, data: st.DataObject) -> None:
    """Random people, days and days of the areas: rows add up to the total, or say why they do not."""
    await city.clear()
    codes = ("00", "01", "01a", "01b", "04", "05", "05a", "05b", "07", "09", "07x", "08", "77", "unplaced")
    counts = data.draw(st.dictionaries(st.sampled_from(codes), st.integers(1, 9), min_size=1))
    await settle(city, **{f"_{code}": count for code, count in counts.items()})
    days = st.dates(date(2016, 1, 1), date(2020, 3, 1))
    day, areas_on, by = data.draw(days), data.draw(days), data.draw(st.sampled_from(("area", "district")))
    for over in ("whole", "apportioned"):
        found = await ask(city, by=(by,), as_of=(day,), areas_on=areas_on, over_changes=over)
        numbers = [number_of(cell.values[0]) for cell in found.cells]
        known = sum(number for number in numbers if number is not None)
        assert known <= sum(counts.values())
        if found.adds_up:
            assert known == sum(counts.values()), (counts, day, areas_on, over, shown(found))
        else:
            assert None in numbers
            assert found.breaks, "the answer says since when areas are others"
        if any(cell.estimated for cell in found.cells):
            assert over == "apportioned"
