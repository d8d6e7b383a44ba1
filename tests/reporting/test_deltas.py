"""What events add to what is counted."""

import hmac
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stage.facts import Bookings, arrival, booked, bookings, registration, resident, retracted, transition

from reporting.deltas import (
    BERLIN,
    Delta,
    UnknownUnit,
    cell_of,
    count,
    day_of,
    delta_functions,
    deltas_of,
    dims_of,
    each_delta,
    record_key,
    summed,
)
from verbund.disclosure import KEY_MODULUS
from verbund.events.offices import find_offices
from verbund.events.registration import DoubtFacts, DoubtTransition
from verbund.events.transitions import Facts, Transition

DAY = date(2018, 3, 1)
NORDMARKT = resident(area="05", nationality="125", birth_year=1990, sex="f", residence_kind="main")
HAFEN = resident(area="04", nationality="125", birth_year=1990, sex="f", residence_kind="main")


def key(subject: str) -> int:
    return record_key(b"a secret of the office", subject)


def told(*transitions: object, doubts: tuple[DoubtTransition, ...] = ()) -> list[tuple[str, dict[str, str], int]]:
    event = booked(DAY, *transitions)  # type: ignore[arg-type]
    event = event.model_copy(update={"data": event.data.model_copy(update={"doubts": doubts})})
    return [(d.measure, dict(d.dims), d.n) for d in deltas_of(event, key)]


def facts(area: str) -> dict[str, str]:
    return {"area": area, "nationality": "125", "birth_year": "1990", "sex": "f", "residence_kind": "main"}


def test_an_arrival_adds_to_the_stock_and_to_the_arrivals() -> None:
    assert told(transition("arrival", DAY, None, NORDMARKT)) == [
        ("residents", facts("05"), 1),
        ("arrivals", facts("05"), 1),
    ]


def test_a_departure_takes_from_the_stock_and_adds_to_the_departures() -> None:
    assert told(transition("departure", DAY, NORDMARKT, None)) == [
        ("residents", facts("05"), -1),
        ("departures", facts("05"), 1),
    ]


@pytest.mark.parametrize(("kind", "measure"), [("birth", "births"), ("opening", "openings")])
def test_whoever_comes_otherwise_is_no_arrival(kind: str, measure: str) -> None:
    assert told(transition(kind, DAY, None, NORDMARKT)) == [("residents", facts("05"), 1), (measure, facts("05"), 1)]  # type: ignore[arg-type]


def test_a_death_is_no_departure() -> None:
    assert told(transition("death", DAY, NORDMARKT, None)) == [
        ("residents", facts("05"), -1),
        ("deaths", facts("05"), 1),
    ]


def test_a_doubt_is_open_until_it_is_resolved_and_counts_with_its_days() -> None:
    found = DoubtFacts(area="05", reason="returned_mail", since=DAY)
    ended = found.model_copy(update={"outcome": "confirmed"})
    said: dict[str, Any] = {"sign": 1, "subject": "doubt", "n": 1, "cause": "booked"}
    first = DoubtTransition(**said, effective_on=DAY, kind="found", before=None, after=found)
    last = DoubtTransition(**said, effective_on=DAY + timedelta(days=19), kind="resolved", before=found, after=ended)
    assert told(doubts=(first,)) == [
        ("open_doubts", {"area": "05", "reason": "returned_mail", "since": "2018-03-01"}, 1),
        ("doubts", {"area": "05", "reason": "returned_mail"}, 1),
    ]
    assert told(doubts=(last,)) == [
        ("open_doubts", {"area": "05", "reason": "returned_mail", "since": "2018-03-01"}, -1),
        ("resolved_doubts", {"area": "05", "reason": "returned_mail", "outcome": "confirmed", "days": "19"}, 1),
    ]


def test_a_move_shifts_the_stock_and_names_both_areas() -> None:
    both = {name: value for name, value in facts("04").items() if name != "area"}
    assert told(transition("move", DAY, NORDMARKT, HAFEN)) == [
        ("residents", facts("05"), -1),
        ("residents", facts("04"), 1),
        ("moves", {**both, "area_from": "05", "area_to": "04"}, 1),
    ]


def test_a_changed_nationality_shifts_the_stock_and_is_no_movement() -> None:
    naturalised = resident(area="05", nationality="000", birth_year=1990, sex="f")
    assert [(measure, n) for measure, _, n in told(transition("change", DAY, NORDMARKT, naturalised))] == [
        ("residents", -1),
        ("residents", 1),
    ]


def test_a_registration_is_counted_by_its_own_facts() -> None:
    ((measure, dims, n),) = told(registration(DAY, late=True))
    assert (measure, n, dims["late"], dims["at_flagged_premises"]) == ("registrations", 1, "true", "false")
    assert "nationality" not in dims


def test_a_retraction_takes_back_exactly_what_was_asserted() -> None:
    asserted = transition("move", DAY, NORDMARKT, HAFEN, n=2)
    sums = summed(
        d._replace(cause="", recorded_on=DAY)
        for event in (booked(DAY, asserted), booked(date(2019, 1, 1), retracted(asserted)))
        for d in deltas_of(event, key)
    )
    assert sums == []


def test_an_event_is_known_from_its_day_in_berlin_on() -> None:
    late_in_utc = datetime(2018, 6, 30, 22, 30, tzinfo=UTC)  # half past midnight on 1 July in Berlin
    (first, _) = deltas_of(booked(late_in_utc, arrival(DAY)), key)
    assert (first.effective_on, first.recorded_on, first.municipality) == (DAY, date(2018, 7, 1), "05913000")


@given(st.datetimes(datetime(1880, 1, 1), datetime(2100, 1, 1), timezones=st.sampled_from([UTC, BERLIN])))  # noqa: DTZ001
def test_the_day_is_the_calendar_s(at: datetime) -> None:
    for near in (at, at.replace(minute=0, second=0, microsecond=0), at.replace(minute=59, second=59)):
        assert day_of(near) == near.astimezone(BERLIN).date()


@pytest.mark.parametrize(
    ("in_utc", "in_berlin"),
    [
        ("2018-12-31T22:59:59.999999Z", "2018-12-31"),
        ("2018-12-31T23:00:00Z", "2019-01-01"),
        ("2019-03-30T23:00:00Z", "2019-03-31"),  # 23 hours long
        ("2019-03-31T22:00:00Z", "2019-04-01"),
        ("2018-10-27T22:00:00Z", "2018-10-28"),  # 25 hours long
        ("2018-10-28T22:59:59Z", "2018-10-28"),
        ("2016-02-29T22:59:59Z", "2016-02-29"),
        ("2016-02-29T23:00:00Z", "2016-03-01"),
    ],
)
def test_days_begin_at_midnight_in_berlin_in_summer_in_winter_and_between(in_utc: str, in_berlin: str) -> None:
    (first, _) = deltas_of(booked(datetime.fromisoformat(in_utc), arrival(DAY)), key)
    assert first.recorded_on == date.fromisoformat(in_berlin)


def test_the_key_is_the_record_key_times_what_is_counted() -> None:
    (stock, flow) = deltas_of(booked(DAY, transition("departure", DAY, NORDMARKT, None, n=3, subject="x")), key)
    assert stock.key == -3 * key("x") % KEY_MODULUS
    assert flow.key == 3 * key("x") % KEY_MODULUS


def test_a_record_key_has_32_bits_and_depends_on_the_secret() -> None:
    assert 0 <= key("x") < KEY_MODULUS
    assert key("x") != key("y")
    assert key("x") != record_key(b"another secret", "x")


@pytest.mark.parametrize("length", [0, 1, 32, 63, 64, 65, 200])
def test_a_record_key_is_the_beginning_of_an_hmac_of_the_pseudonym(length: int) -> None:
    secret = bytes(n % 251 for n in range(length))
    for subject in ("", "x", "äöü" * 100):
        whole = hmac.new(secret, subject.encode(), "sha256").digest()
        assert record_key(secret, subject) == int.from_bytes(whole[:4], "big")


def test_an_event_without_transitions_adds_nothing() -> None:
    assert deltas_of(booked(DAY), key) == []


def test_a_unit_that_nothing_counts_is_never_passed_over() -> None:
    class Tree(Facts):
        height: int

    planted = Transition[Tree](
        sign=1,
        unit="tree",
        subject="t",
        n=1,
        effective_on=DAY,
        kind="recorded",
        before=None,
        after=Tree(height=3),
        cause="booked",
    )
    event = booked(DAY)
    forged = event.model_copy(update={"data": event.data.model_copy(update={"transitions": (planted,)})})
    with pytest.raises(UnknownUnit, match="tree"):
        deltas_of(forged, key)


def test_facts_stand_in_one_order_as_text() -> None:
    class Mixed(Facts):
        z: int
        a: bool
        m: str | None

    assert dims_of(Mixed(z=3, a=True, m=None)) == (("a", "true"), ("z", "3"))
    assert dims_of(Mixed(z=3, a=False, m=None)) == (("a", "false"), ("z", "3"))


def test_in_which_order_facts_were_said_changes_nothing() -> None:
    said: dict[str, Any] = {
        "sex": "f",
        "residence_kind": "main",
        "birth_year": 1990,
        "nationality": "125",
        "area": "05",
    }
    assert dims_of(type(NORDMARKT).model_validate(said)) == dims_of(NORDMARKT)
    assert dims_of(type(NORDMARKT).model_construct(**said)) == dims_of(NORDMARKT)
    assert dims_of(HAFEN.model_copy(update={"area": "05"})) == dims_of(NORDMARKT)


def test_what_is_true_is_not_one() -> None:
    class Flagged(Facts):
        x: bool | int

    assert [dims_of(Flagged(x=x)) for x in (True, 1, False, 0)] == [
        (("x", "true"),),
        (("x", "1"),),
        (("x", "false"),),
        (("x", "0"),),
    ]


def test_a_cell_is_named_by_its_measure_and_its_facts() -> None:
    dims = dims_of(NORDMARKT)
    assert cell_of("residents", dims) == cell_of("residents", tuple(dims))
    assert cell_of("residents", dims) != cell_of("arrivals", dims)
    assert cell_of("residents", dims) != cell_of("residents", dims_of(HAFEN))
    assert -(2**63) <= cell_of("residents", dims) < 2**63


def test_equal_places_are_summed_and_nothing_else() -> None:
    one = Delta("05913000", "arrivals", (("area", "05"),), DAY, DAY, "booked", 1, KEY_MODULUS - 1)
    assert summed([one, one._replace(key=2)]) == [one._replace(n=2, key=1)]
    assert len(summed([one, one._replace(cause="late"), one._replace(recorded_on=date(2018, 3, 2))])) == 3


def test_a_sum_that_is_zero_keeps_its_key() -> None:
    """Somebody left and somebody else came: nothing changed in number, the cell's key did."""
    one = Delta("05913000", "residents", (), DAY, DAY, "booked", 1, 5)
    assert summed([one, one._replace(n=-1, key=KEY_MODULUS - 7)]) == [one._replace(n=0, key=KEY_MODULUS - 2)]


@given(bookings())
def test_summing_changes_no_sum(bookings: Bookings) -> None:
    events = bookings.events
    plain = [d for event in events for d in deltas_of(event, key)]
    together = summed(each_delta(events, delta_functions(find_offices()), key))
    for measure in {d.measure for d in plain}:
        for dims in {d.dims for d in plain}:
            assert sum(d.n for d in plain if (d.measure, d.dims) == (measure, dims)) == sum(
                d.n for d in together if (d.measure, d.dims) == (measure, dims)
            )
    assert sum(d.key for d in plain) % KEY_MODULUS == sum(d.key for d in together) % KEY_MODULUS


def test_an_office_without_a_function_is_refused() -> None:
    with pytest.raises(LookupError):
        count([booked(DAY, arrival(DAY))], {}, key)
