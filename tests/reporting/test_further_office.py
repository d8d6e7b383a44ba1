"""An office that is added later needs events, a delta function and YAML; and every kind of figure is what it says."""

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from random import Random
from statistics import median
from typing import Any

import pytest
from stage.cube import Stage
from stage.lamps.office import LAMPS, NAME, OutageFacts, OutageReported, OutageTransition

from reporting.audiences import Audience
from reporting.figures import Answer, Figure, Question, number_of
from reporting.indicators import read_catalogue
from reporting.live import Hub, Waker
from verbund.errors import RuleBroken
from verbund.events.envelope import Event, sequence_of
from verbund.events.offices import find_offices
from verbund.settings import DatabaseSettings

OFFICES = [*find_offices(), LAMPS]
CITY = "05913000"
BOOK = f"/{CITY}/{NAME}/book"
NOW = datetime(2020, 3, 15, 9, tzinfo=UTC)
BEGIN = date(2017, 1, 2)


@pytest.fixture
def lamps(cube: Stage) -> Stage:
    cube.know(OFFICES)
    return cube


def outage(since: date, area: str = "05", cause: Any = "lamp", days: int = 14) -> OutageFacts:
    return OutageFacts(area=area, cause=cause, since=since, due_on=since + timedelta(days=days))


def change(
    on: date, before: OutageFacts | None, after: OutageFacts | None, *, sign: Any = 1, n: int = 1
) -> OutageTransition:
    return OutageTransition(
        sign=sign, subject="lamp", n=n, effective_on=on, kind="recorded", before=before, after=after, cause="booked"
    )


def said(at: date, *transitions: OutageTransition, number: int = 1) -> Event[OutageReported]:
    return Event[OutageReported](
        id=f"lamp-{number}",
        source=BOOK,
        type=OutageReported.type,
        subject="lamp",
        time=datetime.combine(at, time(12), UTC),
        sequence=sequence_of(number),
        actor="fitter:test",
        data=OutageReported(transitions=transitions),
    )


async def ask(lamps: Stage, indicator: str, **asked: Any) -> Answer:
    return await lamps.ask(Question(indicator=indicator, **asked), Audience.STATISTICS, NOW)


async def value(lamps: Stage, indicator: str, on: date, **asked: Any) -> Figure | None:
    (cell,) = (await ask(lamps, indicator, as_of=(on,), **asked)).cells
    return number_of(cell.values[0])


def test_its_indicators_stand_beside_those_of_other_offices() -> None:
    catalogue = read_catalogue(CITY, offices=OFFICES)
    fields = [indicator.field_of_action for indicator in catalogue.indicators.values()]
    assert fields == sorted(fields, key=list(catalogue.frame.fields_of_action).index)
    assert catalogue.get_indicator("days_to_repair").source_office == NAME


async def test_a_day_later_everything_open_is_a_day_older_and_nobody_had_to_book_that(lamps: Stage) -> None:
    opened = [date(2018, 3, 1), date(2018, 3, 5), date(2018, 3, 20)]
    await lamps.take([said(date(2018, 3, 20), *(change(on, None, outage(on)) for on in opened))])
    assert await value(lamps, "age_of_open_outages", date(2018, 3, 21)) == 16
    assert await value(lamps, "age_of_open_outages", date(2018, 3, 22)) == 17
    assert await value(lamps, "age_of_open_outages", date(2018, 3, 6)) == 3
    assert await value(lamps, "open_outages", date(2018, 3, 6)) == 2


async def test_what_is_overdue_is_overdue_from_the_day_after_its_term(lamps: Stage) -> None:
    on = date(2018, 3, 1)
    await lamps.take([said(on, change(on, None, outage(on, days=14)), change(on, None, outage(on, days=30)))])
    days = (date(2018, 3, 15), date(2018, 3, 16), date(2018, 3, 31), date(2018, 4, 1))
    (cell,) = (await ask(lamps, "overdue_outages", as_of=days)).cells
    assert [number_of(each) for each in cell.values] == [0, 1, 1, 2]


async def test_a_repair_counts_with_its_days_and_on_both_time_axes(lamps: Stage) -> None:
    opened = {days: outage(date(2018, 4, 1) - timedelta(days=days)) for days in (2, 3, 10, 40)}
    await lamps.take([said(date(2018, 4, 1), *(change(each.since, None, each) for each in opened.values()))])
    for number, days in enumerate((2, 3, 10), start=2):
        await lamps.take([said(date(2018, 4, number), change(date(2018, 4, 1), opened[days], None), number=number)])
    await lamps.take([said(date(2018, 6, 1), change(date(2018, 4, 1), opened[40], None), number=5)])
    year = date(2018, 12, 31)
    assert await value(lamps, "days_to_repair", year, every="year") == Decimal("6.5")
    assert await value(lamps, "days_to_repair", year, every="year", known_on=date(2018, 5, 1)) == 3
    assert await value(lamps, "days_to_repair_of_ninety", year, every="year") == 40
    assert await value(lamps, "repairs", year, every="year") == 4


async def test_a_repair_that_is_taken_back_takes_its_days_back(lamps: Stage) -> None:
    on, slow, quick = date(2018, 4, 1), outage(date(2018, 3, 1)), outage(date(2018, 3, 30))
    repaired = [change(on, each, None) for each in (slow, quick)]
    await lamps.take(
        [said(on, change(date(2018, 3, 1), None, slow), change(date(2018, 3, 30), None, quick), *repaired)]
    )
    assert await value(lamps, "days_to_repair", on, every="year") == Decimal("16.5")
    await lamps.take([said(date(2018, 5, 1), repaired[0].model_copy(update={"sign": -1}), number=2)])
    assert await value(lamps, "days_to_repair", date(2018, 5, 1), every="year") == 2
    assert await value(lamps, "open_outages", date(2018, 5, 1)) == 1


async def test_ratios_are_rounded_once_and_there_is_none_of_nothing(lamps: Stage) -> None:
    on = date(2018, 3, 1)
    opened = [outage(on, cause="cable"), outage(on), outage(on, area="01")]
    await lamps.take(
        [said(on, *(change(on, None, each) for each in opened), change(date(2018, 3, 9), opened[0], None))]
    )
    assert await value(lamps, "share_of_cables", on) == Decimal("33.3")
    assert await value(lamps, "share_of_cables", date(2018, 3, 9)) == 0
    assert await value(lamps, "repairs_per_thousand_reports", on, every="year") == 0
    assert await value(lamps, "repairs_per_thousand_reports", date(2018, 12, 31), every="year") == 333
    assert await value(lamps, "reports_per_repair", date(2018, 12, 31), every="year") == 3
    by_district = await ask(lamps, "share_of_cables", as_of=(on,), by=("district",))
    found = {cell.keys[0].code: cell.values[0].kind for cell in by_district.cells}
    assert (found["SB01"], found["SB02"], found["SB03"]) == ("zero", "number", "not_reported")
    assert not by_district.adds_up


async def test_medians_are_those_of_a_list_of_days(lamps: Stage, seed: int) -> None:
    """Against the standard library, on random days, corrections among them."""
    chance = Random(seed)
    all_took: list[int] = []
    for number in range(1, 16):
        on = BEGIN + timedelta(days=chance.randint(200, 300))
        opened = [
            outage(on - timedelta(days=chance.randint(0, 90)), cause=chance.choice(["cable", "lamp"])) for _ in range(4)
        ]
        booked: Sequence[OutageTransition] = [
            *(change(each.since, None, each, n=chance.randint(1, 3)) for each in opened),
            *(change(on, each, None) for each in opened[:3]),
        ]
        await lamps.take([said(on, *booked, number=number)])
        all_took += [(on - each.since).days for each in opened[:3]]
        found = await value(lamps, "days_to_repair", date(2017, 12, 31), every="year")
        assert found == Decimal(str(median(all_took))).quantize(Decimal("0.1")), seed


async def test_the_live_view_of_a_median_is_the_answer_asked_afresh(
    lamps: Stage, reporting_settings: Callable[[str], DatabaseSettings]
) -> None:
    hub = Hub(lamps.image, lamps.catalogue, Waker(reporting_settings("web"), CITY), clock=lambda: NOW)
    on = NOW.date()
    for number, days in enumerate((3, 8, 1), start=1):
        each = outage(on - timedelta(days=days))
        await lamps.take([said(on, change(each.since, None, each), change(on, each, None), number=2 * number)])
        await lamps.take(
            [
                said(
                    on,
                    change(on - timedelta(days=number), None, outage(on - timedelta(days=number))),
                    number=2 * number + 1,
                )
            ]
        )
        await hub.refresh()
        held = hub.held_tiles(on)
        for indicator in ("days_to_repair", "age_of_open_outages", "share_of_cables", "overdue_outages"):
            every = None if lamps.catalogue.get_indicator(indicator).is_about_days else "year"
            afresh = await ask(lamps, indicator, as_of=(on,), every=every)
            assert held[indicator].cells[0].values[-1] == afresh.cells[0].values[0], indicator


async def test_breakdowns_that_are_never_shown_together_are_refused(lamps: Stage) -> None:
    """Also where one of them is a filter."""
    for asked in ({"by": ("area", "outage_cause")}, {"by": ("area",), "filters": {"outage_cause": ("cable",)}}):
        with pytest.raises(RuleBroken) as refused:
            await ask(lamps, "open_outages", **asked)
        assert refused.value.code == "never_together"
