"""Finer figures move at ticks only: when enough different units have changed, and a set time has passed."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import text
from stage.cube import Stage
from stage.facts import arrival, booked, resident, retracted, transition

from reporting.audiences import Audience
from reporting.figures import Answer, Question, number_of
from reporting.ticks import MARGINS, Change, Head, Pace, Tick, distinct, units_wanted
from verbund.disclosure import MAXIMUM_NOISE

NOW = datetime(2020, 3, 15, 9, tzinfo=UTC)
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
BEGAN_ON = date(2015, 12, 31)


async def start(cube: Stage) -> None:
    """A stock of forty, and the first tick."""
    people = [transition("opening", BEGAN_ON, None, resident(), subject=f"first {n}") for n in range(40)]
    await cube.take([booked(BEGAN_ON, *people)])
    await cube.tick(NOW)


async def come(cube: Stage, *subjects: str, at: datetime = NOW, **facts: Any) -> None:
    for subject in subjects:
        await cube.take([booked(at, arrival(at.date(), resident(**facts), subject=subject))])


async def ticks(cube: Stage, indicator: str = "population", district: str = MARGINS) -> list[datetime]:
    async with cube.reader.connect() as connection:
        rows = await connection.execute(
            text(
                "select ticked_at from figures.tick"
                " where indicator = :indicator and audience = 'coordination' and district = :district order by number"
            ),
            {"indicator": indicator, "district": district},
        )
        return [row.ticked_at for row in rows]


async def by_area(cube: Stage, at: datetime, **asked: Any) -> Answer:
    return await cube.ask(Question(indicator="population", by=("area",), **asked), Audience.COORDINATION, at)


async def by_district(cube: Stage, at: datetime) -> Answer:
    return await cube.ask(Question(indicator="population", by=("district",)), Audience.COORDINATION, at)


async def test_nothing_moves_until_enough_have_changed_and_the_time_has_passed(cube: Stage) -> None:
    await start(cube)
    shown = (await by_district(cube, NOW)).cells
    await come(cube, "a", "b", "c", "d", at=NOW + MINUTE)
    await cube.tick(NOW + HOUR)
    assert await ticks(cube) == [NOW]
    assert (await by_district(cube, NOW + HOUR)).cells == shown
    await come(cube, "e", at=NOW + HOUR)
    await cube.tick(NOW + HOUR - MINUTE)
    assert await ticks(cube) == [NOW]
    await cube.tick(NOW + HOUR)
    assert await ticks(cube) == [NOW, NOW + HOUR]
    found = await by_district(cube, NOW + HOUR + MINUTE)
    assert (found.ticked_at, found.next_tick_at) == (NOW + HOUR, NOW + 2 * HOUR)
    assert found.cells != shown


async def test_one_who_comes_and_goes_again_and_again_is_one(cube: Stage) -> None:
    await start(cube)
    for minute in range(6):
        at = NOW + minute * MINUTE
        came = arrival(at.date(), resident(area=("04", "05", "06")[minute % 3]), subject="the same")
        await cube.take([booked(at, came)])
        await cube.take([booked(at, retracted(came))])
    await cube.tick(NOW + 2 * HOUR)
    assert await ticks(cube) == [NOW]


async def test_who_is_not_counted_by_an_indicator_moves_nothing_of_it(cube: Stage) -> None:
    await start(cube)
    await come(cube, *"abcdefgh", nationality="000")
    await come(cube, *"ijklmnop", residence_kind="secondary")
    await cube.tick(NOW + 2 * HOUR)
    assert await ticks(cube) == [NOW]


async def test_a_stock_that_is_being_loaded_shows_soon(cube: Stage) -> None:
    await start(cube)
    await cube.take([booked(NOW, *(arrival(NOW.date(), subject=f"new {n}") for n in range(600)))])
    await cube.tick(NOW + timedelta(seconds=5))
    assert await ticks(cube) == [NOW]
    await cube.tick(NOW + timedelta(seconds=10))
    assert await ticks(cube) == [NOW, NOW + timedelta(seconds=10)]


async def test_a_day_that_begins_moves_nothing_without_a_tick(cube: Stage) -> None:
    """Who moves in tomorrow was booked yesterday, alone: midnight must not say so."""
    await start(cube)
    tomorrow = NOW + timedelta(days=1)
    await cube.take([booked(NOW - HOUR, arrival(tomorrow.date(), subject="tomorrow"))])
    before = await by_area(cube, NOW)
    after = await by_area(cube, tomorrow)
    assert after.cells == before.cells
    assert after.points == before.points
    asked_for_the_day = await by_area(cube, tomorrow, as_of=(tomorrow.date(),))
    assert asked_for_the_day.cells == before.cells


async def test_what_is_protected_moves_when_enough_have_changed_in_its_district(cube: Stage) -> None:
    """Whoever knows where somebody registered sees its cells stand still until many have changed."""
    await start(cube)
    shown = (await by_area(cube, NOW)).cells
    await come(cube, *(f"north {n}" for n in range(39)), area="05")
    await come(cube, *(f"elsewhere {n}" for n in range(6)), area="61")
    await cube.tick(NOW + HOUR)
    assert await ticks(cube) == [NOW, NOW + HOUR]
    assert [cell.values for cell in (await by_area(cube, NOW + HOUR)).cells] == [cell.values for cell in shown]
    await come(cube, "the fortieth", *(f"elsewhere {n}" for n in range(6, 11)), at=NOW + HOUR, area="05")
    await cube.tick(NOW + 2 * HOUR)
    north, elsewhere = (cube.catalogue.city.district_of(area) for area in ("05", "61"))
    assert await ticks(cube, district=north) == [NOW, NOW + 2 * HOUR]
    assert await ticks(cube, district=elsewhere) == [NOW]
    found = await by_area(cube, NOW + 2 * HOUR)
    at = {cell.keys[0].code: cell.ticked_at for cell in found.cells}
    assert (at["05"], at["61"], found.ticked_at) == (NOW + 2 * HOUR, NOW, NOW)
    by_code = {cell.keys[0].code: number_of(cell.values[0]) or 0 for cell in found.cells}
    assert abs(int(by_code["05"]) - 85) <= MAXIMUM_NOISE
    assert by_code["61"] == 0


async def test_a_quiet_district_moves_once_a_period_is_over(cube: Stage) -> None:
    await start(cube)
    await come(cube, *"abcdef")
    before_the_end, behind_it = (datetime(2020, month, day, 12, tzinfo=UTC) for month, day in ((6, 30), (7, 1)))
    await cube.tick(before_the_end)
    north = cube.catalogue.city.district_of("05")
    assert await ticks(cube, district=north) == [NOW]
    await come(cube, *"ghijk", area="61")
    await cube.tick(behind_it)
    assert await ticks(cube, district=north) == [NOW, behind_it]


async def test_a_fact_of_a_later_day_waits_for_the_tick_of_its_district(cube: Stage) -> None:
    """Who moves in tomorrow stands in the cube of the district's tick, and must not show when others tick tomorrow."""
    tomorrow = NOW + timedelta(days=1)
    people = [transition("opening", BEGAN_ON, None, resident(), subject=f"first {n}") for n in range(40)]
    later = [arrival(tomorrow.date(), resident(area="05"), subject=f"tomorrow {n}") for n in range(30)]
    await cube.take([booked(BEGAN_ON, *people), booked(NOW, *later)])
    await cube.tick(NOW)
    shown = {cell.keys[0].code: cell.values for cell in (await by_area(cube, NOW)).cells}
    await come(cube, *(f"elsewhere {n}" for n in range(60)), at=tomorrow, area="61")
    await cube.tick(tomorrow)
    found = {cell.keys[0].code: cell.values for cell in (await by_area(cube, tomorrow)).cells}
    assert found["05"] == shown["05"]
    assert found["61"] != shown["61"]


async def test_citys_totals_do_not_wait(cube: Stage) -> None:
    await start(cube)
    await come(cube, "a")
    found = await cube.ask(Question(indicator="population"), Audience.COORDINATION, NOW)
    assert number_of(found.cells[0].values[0]) == 41


async def test_a_tick_of_another_generation_says_nothing(cube: Stage) -> None:
    await start(cube)
    async with cube.superuser.begin() as connection:
        await connection.execute(text("update cube.batch_head set generation = generation + 1"))
    assert (await by_area(cube, NOW)).ticked_at is None
    await cube.tick(NOW + HOUR - MINUTE)
    assert (await by_area(cube, NOW + HOUR - MINUTE)).ticked_at is None  # how many changed since is not known
    await cube.tick(NOW + HOUR)
    assert (await by_area(cube, NOW + HOUR)).ticked_at == NOW + HOUR


def change(unit: int | None, units: int = 1) -> Change:
    return Change("residents", {}, unit, units, 1)


def test_units_are_counted_once_and_rather_too_few() -> None:
    assert distinct([change(7), change(7), change(8)]) == 2
    assert distinct([change(None, 5), change(None, 4), change(7)]) == 5
    assert distinct([]) == 0


def test_the_first_tick_wants_units_too() -> None:
    pace = Pace(5, HOUR)
    head = Head("05913000", 1, 10)
    assert units_wanted(None, pace, head, NOW) == 5
    assert units_wanted(None, pace, Head("05913000", 1, 0), NOW) is None
    assert units_wanted(Tick(10, NOW), pace, head, NOW + 2 * HOUR) is None
    assert units_wanted(Tick(9, NOW), pace, head, NOW + timedelta(seconds=9)) is None
    assert units_wanted(Tick(9, NOW), pace, head, NOW + timedelta(seconds=10)) == 500
    assert units_wanted(Tick(9, NOW), pace, head, NOW + HOUR) == 5
