"""The synthetic city adds up to the printed figures, is the same for the same seed, and can be booked."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from functools import cache

import pytest

from registration.places import areas
from registration.simulation.bookings import Booking
from registration.simulation.lives import lead_lives
from registration.simulation.office_hours import BERLIN
from registration.simulation.plan import EARLIEST_END, plan_city
from registration.simulation.printed import CITY, EU2, printed_figures
from registration.simulation.proof import PlanDoesNotAddUp, compare, prove, spells
from registration.simulation.quotas import opening_stock, year_end_stocks, yearly_quotas

UNTIL = date(2026, 11, 20)
SEEDS = (1, 7, 20061231)


def berlin_day(at: datetime) -> date:
    return at.astimezone(BERLIN).date()


@cache
def plan(seed: int, until: date = UNTIL) -> Sequence[Booking]:
    return plan_city(seed, until, printed_figures())


@pytest.mark.parametrize("seed", SEEDS)
def test_the_bookings_add_up_to_every_printed_figure(seed: int) -> None:
    figures = compare(plan(seed), printed_figures(), known_on=UNTIL)
    assert [figure for figure in figures if figure.printed != figure.planned] == []
    assert {figure.name: figure.planned for figure in figures} | {
        "stock 2006-12-31": 573,
        "stock 125 2018-12-31": 3925,
        "stock 154 2018-12-31": 5114,
        "arrivals 2018": 3250,
        "departures 2018": 2850,
        "movements 2014": 14000,
        "movements 2015": 10500,
        "area SB02 2018-12-31": 4750,
        "area 05 2018-12-31": 2600,
        "aged 65 and over 2018-12-31": 110,
    } == {figure.name: figure.planned for figure in figures}
    assert len(figures) == 1 + 18 + 5 + 3


def test_every_printed_stock_is_known_one_year_later_at_the_latest() -> None:
    printed = printed_figures()
    for year in printed.years:
        known = {figure.name: figure for figure in compare(plan(1), printed, known_on=date(year + 1, 12, 31))}
        for nationality in EU2:
            figure = known[f"stock {nationality} {date(year, 12, 31)}"]
            assert figure.planned == figure.printed


def test_in_the_middle_of_2015_not_everything_of_2014_was_known() -> None:
    known = {f.name: f for f in compare(plan(1), printed_figures(), known_on=date(2015, 6, 30))}
    differences = [abs(known[f"stock {n} 2014-12-31"].planned - known[f"stock {n} 2014-12-31"].printed) for n in EU2]
    assert 0 < sum(differences) < 100
    assert 13_800 < known["movements 2014"].planned < 14_000


def test_a_planted_error_in_a_quota_is_caught() -> None:
    printed = printed_figures()
    wrong = replace(printed, stock={**printed.stock, (2015, "154"): printed.stock[2015, "154"] + 2})
    bookings = plan_city(1, EARLIEST_END, wrong)
    with pytest.raises(PlanDoesNotAddUp) as caught:
        prove(bookings, printed, known_on=EARLIEST_END)
    assert [(d.name, d.planned - d.printed) for d in caught.value.differences] == [("stock 154 2015-12-31", 2)]


@pytest.mark.parametrize("lost", ["DeregisterResidence", "CorrectRegistration", "ChangeNationality"])
def test_a_lost_booking_is_caught(lost: str) -> None:
    bookings = list(plan(1))
    arrived_in_2018 = {
        b.reference
        for b in bookings
        if b.command == "RegisterResidence" and b.fields["moved_in_on"] > "2018" and b.fields["arrival_kind"] != "birth"
    }
    # Of 2018, so that the last printed figures show it; of the corrections, a cancellation of an arrival.
    index = next(
        i
        for i, b in enumerate(bookings)
        if b.command == lost
        and date(2018, 1, 15) <= berlin_day(b.recorded_at) <= date(2018, 11, 30)
        and (b.corrects is None or (b.fields["amendment"] is None and b.corrects in arrived_in_2018))
    )
    del bookings[index]
    with pytest.raises((PlanDoesNotAddUp, KeyError)):
        prove(bookings, printed_figures(), known_on=UNTIL)


def test_the_same_seed_gives_the_same_city_and_another_seed_another_one() -> None:
    assert plan_city(7, EARLIEST_END, printed_figures()) == plan(7, EARLIEST_END)
    assert plan(7, EARLIEST_END) != plan(1, EARLIEST_END)


@pytest.mark.parametrize("until", [EARLIEST_END, date(2025, 12, 31)])
def test_a_longer_plan_begins_with_the_shorter_one(until: date) -> None:
    shorter = plan(1, until)
    assert list(plan(1)[: len(shorter)]) == list(shorter)
    assert len(shorter) < len(plan(1))


def test_a_plan_that_ends_too_early_is_refused() -> None:
    with pytest.raises(ValueError, match="printed figures"):
        plan_city(1, date(2019, 12, 30), printed_figures())


@pytest.mark.parametrize("seed", SEEDS)
def test_bookings_come_in_order_of_recording_and_never_before_the_day_of_the_fact(seed: int) -> None:
    recorded = [booking.recorded_at for booking in plan(seed)]
    assert recorded == sorted(recorded)
    assert berlin_day(recorded[0]) == date(2006, 12, 31)
    assert berlin_day(recorded[-1]) <= UNTIL
    seen = set()
    for booking in plan(seed):
        assert booking.corrects is None or booking.corrects in seen
        seen.add(booking.reference)
        for name in ("moved_in_on", "moved_on", "deregistered_on", "changed_on"):
            assert booking.fields.get(name, "") <= berlin_day(booking.recorded_at).isoformat()


def test_the_city_has_what_an_office_meets() -> None:
    bookings = plan(1)
    assert 60_000 < len(bookings) < 90_000
    registered = [b for b in bookings if b.command == "RegisterResidence"]
    delays = [(berlin_day(b.recorded_at) - date.fromisoformat(b.fields["moved_in_on"])).days for b in registered]
    assert 0.08 < sum(1 for days in delays if days > 14) / len(delays) < 0.25
    confirmations = Counter(b.fields.get("landlord_confirmation") for b in registered)
    assert confirmations["missing"] > 1000
    assert confirmations["refused"] > 100
    corrections = [b for b in bookings if b.command == "CorrectRegistration"]
    assert 300 < len(corrections) < 2000
    assert 20 < sum(1 for b in corrections if b.fields["amendment"] is None) < 300
    references = {b.reference for b in corrections}
    assert any(b.corrects in references for b in corrections), "a correction of a correction"
    returned = Counter(b.fields["resident_id"] for b in registered)
    assert sum(1 for times in returned.values() if times > 1) > 200
    names = {name for b in bookings for name in b.fields}
    assert "ethnicity" not in names


def test_all_areas_of_the_city_are_lived_in_at_the_end_of_2018() -> None:
    on = date(2018, 12, 31)
    counts = Counter(spell.area(on) for spell in spells(plan(1), UNTIL) if spell.holds(on))
    leaves = {code for code, area in areas(CITY).items() if area.level == "statistischer_bezirk"}
    assert set(counts) == leaves | {"unplaced"}


def test_the_open_124_of_2018_are_births_less_deaths_and_naturalisations() -> None:
    quotas = [quota for quota in yearly_quotas(printed_figures(), 2018) if quota.year == 2018]
    assert sum(q.change for q in quotas) == 524
    assert sum(q.births - q.deaths - q.naturalisations for q in quotas) == 124
    assert all(min(q.arrivals, q.departures, q.births, q.deaths, q.naturalisations) > 0 for q in quotas)


def test_quotas_lead_from_every_year_end_to_the_next() -> None:
    printed = printed_figures()
    stocks = year_end_stocks(printed, 2030)
    assert {n: stocks[2006, n] for n in EU2} == opening_stock(printed)
    for quota in yearly_quotas(printed, 2030):
        before, after = stocks[quota.year - 1, quota.nationality], stocks[quota.year, quota.nationality]
        assert before + quota.change == after


def test_nothing_happens_twice_to_one_person_on_one_day() -> None:
    for person in lead_lives(3, printed_figures(), 2020):
        days = [event.on for event in person.events]
        assert days == sorted(set(days))
        assert person.born_on <= days[0]
