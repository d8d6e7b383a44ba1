"""The outlet: what can be asked, what comes back with the numbers, and what is refused."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text
from stage.cube import Stage
from stage.facts import BOOK, arrival, booked, registration, resident, retracted, transition

from reporting.audiences import Audience
from reporting.figures import Answer, Figure, Plan, Question, answer, number_of, plan_of
from reporting.indicators import read_catalogue
from verbund.errors import NotFound, RuleBroken
from verbund.events.registration import ResidentTransition

NOW = datetime(2020, 3, 15, 9, tzinfo=UTC)
STATISTICS, COORDINATION = Audience.STATISTICS, Audience.COORDINATION
CATALOGUE = read_catalogue("05913000")
BEGAN_ON = date(2015, 12, 31)


def opening(**facts: Any) -> ResidentTransition:
    return transition("opening", BEGAN_ON, None, resident(**facts), subject="first")


def numbers(found: Answer) -> dict[tuple[str, ...], list[Figure | None]]:
    return {tuple(key.code for key in cell.keys): [number_of(value) for value in cell.values] for cell in found.cells}


def total(found: Answer) -> list[Figure | None]:
    return numbers(found)[()]


def nonzero(found: Answer) -> dict[str, Figure | None]:
    return {codes[0]: row[0] for codes, row in numbers(found).items() if row[0] != 0}


def kinds(found: Answer) -> list[str]:
    (cell,) = found.cells
    return [value.kind for value in cell.values]


async def ask(cube: Stage, indicator: str, audience: Audience = STATISTICS, at: datetime = NOW, **asked: Any) -> Answer:
    return await cube.ask(Question(indicator=indicator, **asked), audience, at)


def plan(indicator: str, audience: Audience = STATISTICS, **asked: Any) -> Plan:
    return plan_of(CATALOGUE, Question(indicator=indicator, **asked), audience, NOW)


def days(*texts: str) -> tuple[date, ...]:
    return tuple(map(date.fromisoformat, texts))


async def test_the_two_dates_are_two_questions(cube: Stage) -> None:
    """Who moved in in March and registered in May was there in April, and nobody knew."""
    await cube.take([booked(BEGAN_ON, opening())])
    await cube.take([booked(date(2018, 5, 2), arrival(date(2018, 3, 1)))])
    april = days("2018-04-15")
    assert total(await ask(cube, "population", as_of=april)) == [2]
    assert total(await ask(cube, "population", as_of=april, known_on=date(2018, 4, 30))) == [1]
    assert total(await ask(cube, "population", as_of=april, known_on=date(2018, 5, 2))) == [2]


async def test_a_correction_changes_the_past_and_not_what_was_known(cube: Stage) -> None:
    wrong = arrival(date(2017, 1, 1), resident(nationality="125"))
    await cube.take([booked(BEGAN_ON, opening()), booked(date(2017, 1, 5), wrong)])
    true = arrival(date(2017, 1, 1), resident(nationality="000"), cause="corrected:typing_error")
    await cube.take([booked(date(2019, 6, 1), retracted(wrong), true)])
    asked: dict[str, Any] = {"as_of": days("2017-12-31"), "every": "year"}
    assert total(await ask(cube, "arrivals", **asked)) == [0]
    assert total(await ask(cube, "arrivals", known_on=date(2019, 5, 31), **asked)) == [1]


async def test_whoever_leaves_on_a_day_is_not_there_at_its_end(cube: Stage) -> None:
    leaving = transition("departure", date(2018, 7, 1), resident(), None)
    await cube.take([booked(BEGAN_ON, opening()), booked(date(2018, 7, 1), leaving)])
    assert total(await ask(cube, "population", as_of=days("2018-06-30", "2018-07-01"))) == [1, 0]


async def test_only_the_population_of_the_indicator_counts(cube: Stage) -> None:
    facts = [resident(), resident(nationality="154"), resident(nationality="000"), resident(residence_kind="secondary")]
    await cube.take([booked(BEGAN_ON, *(transition("opening", BEGAN_ON, None, f) for f in facts))])
    assert total(await ask(cube, "population", as_of=days("2018-01-01"))) == [2]


async def test_districts_are_sums_of_areas_and_what_cannot_be_placed_shows(cube: Stage) -> None:
    areas = ("04", "05", "06", "01", "unplaced", "77")  # 77 stands in no list
    await cube.take([booked(BEGAN_ON, *(opening(area=area) for area in areas))])
    asked: dict[str, Any] = {"as_of": days("2018-01-01")}
    assert nonzero(await ask(cube, "population", by=("district",), **asked)) == {"SB01": 1, "SB02": 3, "unplaced": 2}
    by_area = await ask(cube, "population", by=("area",), filters={"area": ("SB02",)}, **asked)
    assert numbers(by_area) == {("04",): [1], ("05",): [1], ("06",): [1]}
    assert total(await ask(cube, "population", filters={"area": ("SB02", "unplaced")}, **asked)) == [5]
    assert total(await ask(cube, "population", filters={"area": ("05913000",)}, **asked)) == [6]
    assert len((await ask(cube, "population", by=("area",), **asked)).cells) == 63


async def test_an_age_is_that_of_the_reference_day_at_each_point_of_a_series(cube: Stage) -> None:
    await cube.take([booked(BEGAN_ON, opening(birth_year=1952))])
    ends = days("2016-12-31", "2017-12-31")
    found = await ask(cube, "population", by=("age_band",), as_of=ends)
    assert {codes[0]: row for codes, row in numbers(found).items() if any(row)} == {"45-64": [1, 0], "65plus": [0, 1]}
    assert total(await ask(cube, "population", filters={"age_band": ("65plus",)}, as_of=ends)) == [0, 1]


async def test_an_age_in_a_flow_is_that_of_the_year_in_which_it_happened(cube: Stage) -> None:
    born = resident(birth_year=1952)
    came = [arrival(date(2016, 5, 1), born), arrival(date(2017, 5, 1), born), arrival(date(2018, 5, 1), born)]
    await cube.take([booked(BEGAN_ON, opening()), booked(date(2018, 6, 1), *came)])
    years: dict[str, Any] = {"from_on": date(2016, 1, 1), "to_on": date(2018, 12, 31)}
    assert nonzero(await ask(cube, "arrivals", by=("age_band",), **years)) == {"45-64": 1, "65plus": 2}
    assert total(await ask(cube, "arrivals", filters={"age_band": ("45-64",)}, **years)) == [1]


async def test_a_move_counts_where_the_border_of_the_level_asked_was_crossed(cube: Stage) -> None:
    def move(start: str, end: str) -> ResidentTransition:
        return transition("move", date(2018, 5, 1), resident(area=start), resident(area=end))

    within_district, across, same_area = move("04", "05"), move("05", "01"), move("06", "06")
    await cube.take([booked(BEGAN_ON, opening()), booked(date(2018, 5, 1), within_district, across, same_area)])
    year: dict[str, Any] = {"as_of": days("2018-12-31")}
    assert total(await ask(cube, "moves", **year)) == [3]
    assert nonzero(await ask(cube, "moves", by=("area",), **year)) == {"01": 1, "05": 1}
    by_district = await ask(cube, "moves", by=("district",), **year)
    assert nonzero(by_district) == {"SB01": 1}
    assert not by_district.adds_up
    assert total(await ask(cube, "moves", filters={"area": ("SB01", "SB02")}, **year)) == [1]


async def test_net_is_the_difference_and_births_are_apart(cube: Stage) -> None:
    day = date(2018, 2, 1)
    said = [
        arrival(day, n=5),
        transition("departure", day, resident(), None, n=2),
        transition("birth", day, None, resident(), n=7),
        transition("death", day, resident(), None, n=3),
    ]
    await cube.take([booked(BEGAN_ON, opening()), booked(day, *said)])
    year: dict[str, Any] = {"as_of": days("2018-12-31")}
    found = {name: total(await ask(cube, name, **year)) for name in ("arrivals", "departures", "net_movements")}
    assert found == {"arrivals": [5], "departures": [2], "net_movements": [3]}
    assert total(await ask(cube, "births", **year)) == [7]
    assert total(await ask(cube, "deaths", **year)) == [3]
    assert total(await ask(cube, "population_change", **year)) == [5 - 2 + 7 - 3]


async def test_late_registrations_are_counted_on_the_day_of_booking(cube: Stage) -> None:
    day = date(2018, 2, 1)
    await cube.take([booked(BEGAN_ON, opening()), booked(day, registration(day, late=True), registration(day))])
    year: dict[str, Any] = {"as_of": days("2018-12-31")}
    assert total(await ask(cube, "registrations", **year)) == [2]
    assert total(await ask(cube, "late_registrations", **year)) == [1]


class TestWhatIsNotANumber:
    async def test_before_the_source_began_is_not_zero(self, cube: Stage) -> None:
        await cube.take([booked(BEGAN_ON, opening(nationality="000"))])
        stock = await ask(cube, "population", as_of=days("2015-12-30", "2015-12-31"))
        assert kinds(stock) == ["not_reported", "zero"]
        flow = await ask(cube, "arrivals", from_on=date(2015, 1, 1), to_on=date(2016, 12, 31), every="year")
        assert kinds(flow) == ["not_reported", "zero"]
        change = await ask(cube, "population_change", as_of=days("2016-12-30", "2016-12-31"))
        assert kinds(change) == ["not_reported", "zero"]

    async def test_a_source_that_never_booked_reports_nothing(self, cube: Stage) -> None:
        found = await ask(cube, "population")
        assert kinds(found) == ["not_reported"]
        assert [source.state for source in found.sources] == ["never"]
        assert found.batch == 0

    async def test_before_a_day_nothing_was_known(self, cube: Stage) -> None:
        await cube.take([booked(date(2016, 2, 1), opening())])
        asked: dict[str, Any] = {"as_of": days("2016-06-30")}
        assert kinds(await ask(cube, "population", known_on=date(2016, 1, 31), **asked)) == ["not_reported"]
        assert kinds(await ask(cube, "population", known_on=date(2016, 2, 1), **asked)) == ["number"]

    async def test_a_day_that_has_not_come_has_no_value(self, cube: Stage) -> None:
        await cube.take([booked(BEGAN_ON, opening())])
        asked = days("2020-03-15", "2020-03-16")
        assert kinds(await ask(cube, "population", as_of=asked)) == ["number", "not_reported"]
        assert kinds(await ask(cube, "arrivals", as_of=asked)) == ["zero", "not_reported"]

    async def test_a_period_that_is_not_over_ends_today(self, cube: Stage) -> None:
        await cube.take([booked(BEGAN_ON, opening()), booked(date(2020, 3, 1), arrival(date(2020, 3, 1)))])
        found = await ask(cube, "arrivals", from_on=date(2020, 1, 1), to_on=date(2020, 12, 31))
        assert (total(found), found.points[0].to_on) == ([1], date(2020, 3, 15))

    async def test_a_period_in_which_the_source_began_says_so(self, cube: Stage) -> None:
        await cube.take([booked(date(2018, 6, 1), arrival(date(2018, 5, 20)))])
        found = await ask(cube, "arrivals", as_of=days("2018-12-31"))
        assert (total(found), found.points[0].reported_from) == ([1], date(2018, 5, 20))

    async def test_a_difference_with_nothing_is_nothing(self, cube: Stage) -> None:
        await cube.take([booked(BEGAN_ON, opening())])
        found = await ask(cube, "population", as_of=days("2016-06-30", "2017-06-30"), compare="year_before")
        (cell,) = found.cells
        assert [value.kind for value in cell.compared] == ["not_reported", "number"]
        assert [value.kind for value in cell.changes] == ["not_reported", "zero"]


async def test_a_comparison_stands_beside_each_value(cube: Stage) -> None:
    came = [arrival(date(2017, 5, 1)), arrival(date(2018, 5, 1)), arrival(date(2018, 6, 1))]
    await cube.take([booked(BEGAN_ON, opening()), booked(date(2018, 7, 1), *came)])
    found = await ask(cube, "arrivals", as_of=days("2018-12-31"), compare="year_before")
    assert (number_of(found.cells[0].compared[0]), number_of(found.cells[0].changes[0])) == (1, 1)
    assert (found.points[0].compared_from_on, found.points[0].compared_to_on) == days("2017-01-01", "2017-12-31")
    stock = await ask(cube, "population", as_of=days("2018-12-31"), compare=date(2016, 12, 31))
    assert number_of(stock.cells[0].changes[0]) == 3


async def test_a_value_stands_beside_what_was_known_of_it(cube: Stage) -> None:
    """What became of the arrivals of 2017 since the end of 2018: two late ones, one that was none."""
    wrong = arrival(date(2017, 1, 1), resident(area="04"))
    await cube.take([booked(BEGAN_ON, opening()), booked(date(2017, 1, 5), wrong)])
    late = [arrival(date(2017, 5, 1)), arrival(date(2017, 6, 1))]
    await cube.take([booked(date(2019, 6, 1), retracted(wrong), *late)])
    year: dict[str, Any] = {"as_of": days("2017-12-31"), "every": "year", "compare_known_on": date(2018, 12, 31)}
    found = await ask(cube, "arrivals", by=("area",), **year)
    told = {
        cell.keys[0].code: tuple(number_of(each[0]) for each in (cell.values, cell.compared, cell.changes))
        for cell in found.cells
    }
    assert {code: row for code, row in told.items() if any(row)} == {"04": (0, 1, -1), "05": (2, 0, 2)}
    assert found.compared_known_on == date(2018, 12, 31)
    before_the_beginning = await ask(cube, "arrivals", as_of=days("2017-12-31"), compare_known_on=date(2015, 1, 1))
    assert before_the_beginning.cells[0].compared[0].kind == "not_reported"


async def test_a_series_has_the_ends_of_the_periods_between(cube: Stage) -> None:
    await cube.take([booked(BEGAN_ON, opening())])
    time: dict[str, Any] = {"from_on": date(2016, 1, 1), "to_on": date(2016, 4, 29)}
    stock = await ask(cube, "population", every="month", **time)
    assert [point.to_on for point in stock.points] == list(days("2016-01-31", "2016-02-29", "2016-03-31"))
    flow = await ask(cube, "arrivals", every="quarter", **time)
    assert [(p.from_on, p.to_on) for p in flow.points] == [
        days("2016-01-01", "2016-03-31"),
        days("2016-04-01", "2016-04-29"),
    ]


async def test_every_answer_carries_what_has_to_stand_beside_it(cube: Stage) -> None:
    await cube.take([booked(BEGAN_ON, opening())])
    await cube.stand(NOW, number=7, head_number=9)
    found = await ask(cube, "population")
    assert (found.unit.many.de, found.source_office, found.version) == ("Personen", "registration", 1)
    assert found.limits
    assert found.definition.en
    assert (found.batch, found.generation, found.known_on) == (1, 1, None)
    (source,) = found.sources
    assert (source.state, source.position, source.behind, source.parked) == ("current", 7, 2, 0)


@pytest.mark.parametrize(
    ("columns", "state"),
    [
        ({}, "current"),
        ({"heard_at": NOW - timedelta(minutes=5)}, "silent"),
        ({"heard_at": None}, "silent"),
        ({"stop_reason": "hole", "stopped_at": NOW}, "stopped"),
    ],
)
async def test_no_news_differs_from_no_data(cube: Stage, columns: dict[str, Any], state: str) -> None:
    await cube.stand(NOW, **columns)
    (source,) = (await ask(cube, "population")).sources
    assert source.state == state


async def test_parked_facts_are_told(cube: Stage) -> None:
    await cube.stand(NOW)
    async with cube.reader.begin() as connection:
        await connection.execute(
            text(
                "insert into feed.parked (ledger, number, reason, detail, body, hash) values (:l, 3, 'x', '', '', '')"
            ),
            {"l": BOOK},
        )
    (source,) = (await ask(cube, "population")).sources
    assert source.parked == 1


async def test_an_answer_is_one_snapshot(cube: Stage) -> None:
    await cube.take([booked(BEGAN_ON, opening())])
    question = Question(indicator="population")
    async with cube.image.moment() as moment:
        first = await answer(moment, cube.catalogue, question, STATISTICS, NOW)
        await cube.take([booked(date(2016, 1, 1), arrival(date(2016, 1, 1)))])
        assert await answer(moment, cube.catalogue, question, STATISTICS, NOW) == first
    assert total(await ask(cube, "population")) == [2]


class TestTheCoordinationGroup:
    async def test_sees_the_citys_totals_live(self, cube: Stage) -> None:
        await cube.take([booked(BEGAN_ON, opening()), booked(NOW, arrival(NOW.date()))])
        found = await ask(cube, "population", COORDINATION)
        assert (total(found), found.data_state, found.known_on) == ([2], "live", None)

    async def test_sees_printed_margins_exactly_as_of_the_last_tick(self, cube: Stage) -> None:
        await cube.take([booked(BEGAN_ON, *(opening() for _ in range(5)))])
        before = await ask(cube, "population", COORDINATION, by=("nationality",))
        assert numbers(before) == {("125",): [None], ("154",): [None]}
        await cube.tick(NOW)
        await cube.take([booked(NOW, arrival(NOW.date()))])
        found = await ask(cube, "population", COORDINATION, by=("nationality",))
        assert numbers(found) == {("125",): [5], ("154",): [0]}
        assert (found.data_state, found.is_exact, found.ticked_at) == ("tick", True, NOW)
        assert found.next_tick_at == NOW + timedelta(hours=1)

    async def test_a_filter_is_a_breakdown_with_one_row(self, cube: Stage) -> None:
        await cube.take([booked(BEGAN_ON, *(opening() for _ in range(5)))])
        await cube.tick(NOW)
        found = await ask(cube, "population", COORDINATION, filters={"area": ("SB02",)})
        assert (total(found), found.data_state) == ([5], "tick")

    @pytest.mark.parametrize(
        "asked",
        [
            {"by": ("area",)},
            {"by": ("age_band",)},
            {"by": ("sex",)},
            {"by": ("district", "nationality")},
            {"by": ("district",), "filters": {"nationality": ("125",)}},
            {"filters": {"area": ("05",)}},
            {"filters": {"area": ("SB02",), "nationality": ("125",)}},
            {"filters": {"age_band": ("65plus",)}},
            {"by": ("area",), "filters": {"area": ("SB02",)}},
        ],
    )
    def test_sees_anything_finer_protected(self, asked: dict[str, Any]) -> None:
        assert not plan("population", COORDINATION, **asked).sight.is_exact

    def test_sees_of_flows_the_totals_exactly(self) -> None:
        assert plan("births", COORDINATION).sight.is_exact
        assert not plan("births", COORDINATION, by=("district",)).sight.is_exact


@pytest.mark.parametrize(
    ("indicator", "asked", "code"),
    [
        ("population", {"by": ("shoe_size",)}, "no_such_breakdown"),
        ("registrations", {"by": ("nationality",)}, "no_such_breakdown"),
        ("registrations", {"filters": {"nationality": ("125",)}}, "no_such_breakdown"),
        ("population", {"by": ("district", "area")}, "twice_the_same"),
        ("population", {"filters": {"area": ("SB02", "05")}}, "mixed_levels"),
        ("population", {"filters": {"area": ("05",), "district": ("06",)}}, "twice_the_same"),
        ("population", {"by": ("district",), "filters": {"area": ("05",)}}, "filter_finer_than_breakdown"),
        ("population", {"filters": {"area": ("99",)}}, "no_such_value"),
        ("population", {"filters": {"nationality": ("000",)}}, "no_such_value"),
        ("population", {"filters": {"sex": ("x",)}}, "no_such_value"),
        ("population", {"from_on": date(2018, 1, 1)}, "half_a_period"),
        ("population", {"from_on": date(2018, 2, 1), "to_on": date(2018, 1, 1)}, "from_after_to"),
        ("population", {"from_on": date(2018, 2, 1), "to_on": date(2018, 3, 1)}, "no_period_ends"),
        (
            "arrivals",
            {"as_of": days("2018-01-01"), "from_on": date(2018, 1, 1), "to_on": date(2018, 1, 1)},
            "days_and_period",
        ),
        ("arrivals", {"from_on": date(2008, 1, 1), "to_on": date(2018, 1, 1), "every": "day"}, "too_many_points"),
        ("arrivals", {"compare": date(2018, 1, 1)}, "no_such_comparison"),
        ("population", {"as_of": (date.max,)}, "no_such_day"),
        ("population", {"compare_known_on": date.max}, "no_such_day"),
        ("population", {"compare": "year_before", "compare_known_on": date(2018, 1, 1)}, "two_comparisons"),
    ],
)
def test_what_cannot_be_asked_is_refused_with_the_reason(indicator: str, asked: dict[str, Any], code: str) -> None:
    with pytest.raises(RuleBroken) as refused:
        plan(indicator, **asked)
    assert refused.value.code == code
    assert refused.value.findings[0].pointer.startswith("/")


def test_an_indicator_that_is_not_there_is_not_found() -> None:
    with pytest.raises(NotFound):
        plan("happiness")
