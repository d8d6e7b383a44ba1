"""What the registration office books: a history and a command, and the event that follows."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from stage.registration_forms import (
    HOME,
    LISTS,
    NOW,
    SECOND,
    SOMEBODY,
    after,
    cancel,
    change,
    correct,
    deregister,
    move,
    register,
)

from registration.commands import Command
from registration.domain import Resident, decide, evolve
from registration.domain.rules import is_late
from registration.domain.views import get_residence, residences_of, time_line
from verbund.errors import RuleBroken
from verbund.events.registration import (
    NationalityChanged,
    RegistrationCorrected,
    RegistryTransition,
    ResidenceDeregistered,
    ResidenceMoved,
    ResidenceRegistered,
    ResidentTransition,
)


def book(before: Sequence[Command], command: Command, at: datetime = NOW) -> Any:
    """The event that the last command leads to."""
    return decide(after(*before), command, at, LISTS).data


def told(transitions: Sequence[RegistryTransition]) -> list[tuple[Any, ...]]:
    """Sign, day, kind, and area and nationality before and after."""
    return [
        (
            transition.sign,
            str(transition.effective_on),
            transition.kind,
            *(facts and (facts.area, facts.nationality) for facts in (transition.before, transition.after)),
        )
        for transition in transitions
        if isinstance(transition, ResidentTransition)
    ]


def acts(transitions: Sequence[RegistryTransition]) -> list[tuple[int, bool]]:
    return [(t.sign, t.after.late) for t in transitions if t.unit == "registration" and t.after is not None]


def test_a_registration_asserts_an_arrival_and_an_act() -> None:
    data = book([], register(arrival_kind="abroad", previous_state="154"))
    assert isinstance(data, ResidenceRegistered)
    assert told(data.transitions) == [(1, "2016-03-01", "arrival", None, ("05", "154"))]
    (act,) = [transition for transition in data.transitions if transition.unit == "registration"]
    assert (act.subject, act.effective_on, act.kind) == (HOME, date(2019, 6, 1), "recorded")
    assert {transition.cause for transition in data.transitions} == {"booked"}


def test_a_birth_and_the_stock_at_the_beginning_are_no_acts_of_registration() -> None:
    born = register(
        arrival_kind="birth", birth_date=date(2016, 3, 1), moved_in_on=date(2016, 3, 1), landlord_confirmation=None
    )
    data = book([], born)
    assert (told(data.transitions), acts(data.transitions)) == ([(1, "2016-03-01", "birth", None, ("05", "154"))], [])
    assert (data.late, data.landlord_confirmation) == (False, None)
    opening = book([], register(arrival_kind="opening", landlord_confirmation=None, phase="initial_load"))
    assert told(opening.transitions) == [(1, "2016-03-01", "opening", None, ("05", "154"))]
    assert acts(opening.transitions) == []


def test_a_move_carries_both_areas() -> None:
    data = book([register()], move(2, date(2017, 5, 1)))
    assert isinstance(data, ResidenceMoved)
    assert told(data.transitions) == [(1, "2017-05-01", "move", ("05", "154"), ("04", "154"))]


@pytest.mark.parametrize(
    ("reason", "kind"), [("abroad", "departure"), ("other_municipality", "departure"), ("death", "death")]
)
def test_a_deregistration_ends_the_residence(reason: str, kind: str) -> None:
    data = book([register()], deregister(2, date(2018, 1, 1), reason))
    assert isinstance(data, ResidenceDeregistered)
    assert told(data.transitions) == [(1, "2018-01-01", kind, ("05", "154"), None)]


def test_a_change_of_nationality_holds_for_all_residences() -> None:
    second = register(2, SECOND, resident_id=SOMEBODY, residence_kind="secondary", moved_in_on=date(2017, 1, 1))
    data = book([register(), second], change(3, date(2018, 1, 1)))
    assert isinstance(data, NationalityChanged)
    assert told(data.transitions) == [(1, "2018-01-01", "change", ("05", "154"), ("05", "000"))] * 2
    kinds = {transition.after.residence_kind for transition in data.transitions if transition.after is not None}
    assert kinds == {"main", "secondary"}


def test_a_nationality_corrected_from_before_a_move_takes_back_both_and_says_both_anew() -> None:
    data = book([register(), move(2, date(2017, 5, 1))], correct(3, 1, nationality="125"))
    assert isinstance(data, RegistrationCorrected)
    assert told(data.transitions) == [
        (-1, "2016-03-01", "arrival", None, ("05", "154")),
        (-1, "2017-05-01", "move", ("05", "154"), ("04", "154")),
        (1, "2016-03-01", "arrival", None, ("05", "125")),
        (1, "2017-05-01", "move", ("05", "125"), ("04", "125")),
    ]
    assert {transition.cause for transition in data.transitions} == {"corrected:typing_error"}


def test_a_move_booked_between_two_others_changes_where_the_later_one_came_from() -> None:
    data = book([register(), move(2, date(2018, 5, 1), "06")], move(3, date(2017, 5, 1), "04"))
    assert told(data.transitions) == [
        (-1, "2018-05-01", "move", ("05", "154"), ("06", "154")),
        (1, "2017-05-01", "move", ("05", "154"), ("04", "154")),
        (1, "2018-05-01", "move", ("04", "154"), ("06", "154")),
    ]
    assert {transition.cause for transition in data.transitions} == {"late"}


def test_a_correction_of_a_correction_starts_from_what_was_booked() -> None:
    wrong = [register(), correct(2, 1, nationality="125", area="06")]
    data = book(wrong, correct(3, 2, nationality="130"))
    assert told(data.transitions) == [
        (-1, "2016-03-01", "arrival", None, ("06", "125")),
        (1, "2016-03-01", "arrival", None, ("06", "130")),
    ]
    data = book(wrong, cancel(3, 2))
    assert told(data.transitions) == [
        (-1, "2016-03-01", "arrival", None, ("06", "125")),
        (1, "2016-03-01", "arrival", None, ("05", "154")),
    ]
    assert {transition.cause for transition in data.transitions} == {"cancelled"}


def test_a_cancelled_deregistration_never_was_and_its_cancellation_can_be_cancelled() -> None:
    gone = [register(), deregister(2, date(2018, 1, 1))]
    assert told(book(gone, cancel(3, 2)).transitions) == [(-1, "2018-01-01", "departure", ("05", "154"), None)]
    assert told(book([*gone, cancel(3, 2)], cancel(4, 3)).transitions) == [
        (1, "2018-01-01", "departure", ("05", "154"), None)
    ]


def test_a_correction_that_changes_no_figure_is_booked_all_the_same() -> None:
    data = book([register(), deregister(2, date(2018, 1, 1))], correct(3, 2, reason="other_municipality"))
    assert data.transitions == ()
    data = book([register()], correct(2, 1, family_name="Munster"))
    assert data.transitions == ()


def test_a_corrected_day_can_make_a_registration_late() -> None:
    in_time = register(moved_in_on=date(2019, 5, 25))
    data = book([in_time], correct(2, 1, effective_on=date(2019, 5, 1)))
    assert acts(data.transitions) == [(-1, False), (1, True)]
    assert acts(book([in_time], cancel(2, 1)).transitions) == [(-1, False)]


def test_birth_year_and_sex_are_those_of_the_person_at_whichever_residence_they_are_corrected() -> None:
    second = register(2, SECOND, resident_id=SOMEBODY, residence_kind="secondary", moved_in_on=date(2017, 1, 1))
    data = book([register(), second], correct(3, 2, SECOND, birth_date=date(1981, 1, 1), sex="m"))
    assert {
        (transition.sign, transition.after.birth_year, transition.after.sex)
        for transition in data.transitions
        if transition.unit == "resident" and transition.after is not None
    } == {(-1, 1980, "f"), (1, 1981, "m")}
    assert len(data.transitions) == 4


def test_a_death_ends_all_residences() -> None:
    second = register(2, SECOND, resident_id=SOMEBODY, residence_kind="secondary", moved_in_on=date(2017, 1, 1))
    resident = after(register(), second, deregister(3, date(2018, 1, 1), "death"))
    assert resident is not None
    assert {residence.status for residence in residences_of(resident)} == {"deregistered"}
    assert len(told(book([register(), second], deregister(3, date(2018, 1, 1), "death")).transitions)) == 2


def test_on_one_day_what_ends_comes_first() -> None:
    back = register(3, SECOND, resident_id=SOMEBODY, moved_in_on=date(2018, 1, 1))
    data = book([register(), deregister(2, date(2018, 1, 1))], back)
    assert told(data.transitions) == [(1, "2018-01-01", "arrival", None, ("05", "154"))]


def test_who_comes_back_may_have_another_nationality() -> None:
    back = register(3, SECOND, resident_id=SOMEBODY, nationality="000", moved_in_on=date(2019, 1, 1))
    data = book([register(), deregister(2, date(2018, 1, 1))], back)
    assert told(data.transitions) == [(1, "2019-01-01", "arrival", None, ("05", "000"))]


@pytest.mark.parametrize(
    ("moved_in_on", "last_day_in_time"),
    [
        (date(2018, 5, 1), date(2018, 5, 15)),
        (date(2015, 11, 1), date(2015, 11, 15)),
        (date(2015, 10, 31), date(2015, 11, 7)),
    ],
)
def test_two_weeks_are_in_time_and_one_week_was_before_the_law(moved_in_on: date, last_day_in_time: date) -> None:
    assert not is_late(moved_in_on, last_day_in_time)
    assert is_late(moved_in_on, last_day_in_time + timedelta(days=1))


def test_the_day_of_a_booking_is_the_day_in_berlin() -> None:
    shortly_before_midnight = datetime(2019, 5, 31, 22, 30, tzinfo=UTC)
    data = decide(None, register(moved_in_on=date(2019, 6, 1)), shortly_before_midnight, LISTS).data
    assert data.booked_on == date(2019, 6, 1)


@pytest.mark.parametrize(
    ("in_utc", "in_berlin"),
    [
        pytest.param("2018-12-31T22:59:59.999999Z", "2018-12-31", id="the last moment of a year"),
        pytest.param("2018-12-31T23:00:00Z", "2019-01-01", id="the first moment of a year"),
        pytest.param("2018-07-31T22:00:00Z", "2018-08-01", id="midnight in summer"),
        pytest.param("2019-03-30T23:00:00Z", "2019-03-31", id="the day with 23 hours begins"),
        pytest.param("2019-03-31T01:00:00Z", "2019-03-31", id="the hour that is left out"),
        pytest.param("2019-03-31T21:59:59Z", "2019-03-31", id="the day with 23 hours ends"),
        pytest.param("2018-10-27T22:00:00Z", "2018-10-28", id="the day with 25 hours begins"),
        pytest.param("2018-10-28T00:30:00Z", "2018-10-28", id="half past two"),
        pytest.param("2018-10-28T01:30:00Z", "2018-10-28", id="half past two again"),
        pytest.param("2018-10-28T22:59:59Z", "2018-10-28", id="the day with 25 hours ends"),
        pytest.param("2016-02-28T23:00:00Z", "2016-02-29", id="a leap day begins"),
        pytest.param("2016-02-29T23:00:00Z", "2016-03-01", id="a leap day ends"),
    ],
)
def test_days_begin_at_midnight_in_berlin_in_summer_in_winter_and_between(in_utc: str, in_berlin: str) -> None:
    at, day = datetime.fromisoformat(in_utc), date.fromisoformat(in_berlin)
    assert decide(None, register(moved_in_on=day), at, LISTS).data.booked_on == day
    with pytest.raises(RuleBroken, match="day_in_future"):
        decide(None, register(moved_in_on=day + timedelta(days=1)), at, LISTS)


def test_who_was_born_on_a_leap_day_moves_in_on_one() -> None:
    born = register(birth_date=date(2016, 2, 29), moved_in_on=date(2016, 2, 29))
    data = decide(None, born, datetime(2016, 3, 1, tzinfo=UTC), LISTS).data
    assert isinstance(data, ResidenceRegistered)
    assert (data.birth_year, data.moved_in_on) == (2016, date(2016, 2, 29))


@pytest.mark.parametrize(
    ("moved_in_on", "last_day_in_time"),
    [
        (date(2018, 12, 20), date(2019, 1, 3)),  # over the end of a year
        (date(2016, 2, 20), date(2016, 3, 5)),  # over a leap day
        (date(2019, 3, 20), date(2019, 4, 3)),  # over the night that lacks an hour
        (date(2018, 10, 20), date(2018, 11, 3)),  # over the night that has one more
    ],
)
def test_two_weeks_are_days_whatever_lies_between(moved_in_on: date, last_day_in_time: date) -> None:
    assert not is_late(moved_in_on, last_day_in_time)
    assert is_late(moved_in_on, last_day_in_time + timedelta(days=1))


def test_who_leaves_the_country_may_say_so_a_week_ahead() -> None:
    data = book([register()], deregister(2, date(2019, 6, 8)))
    assert data.deregistered_on == date(2019, 6, 8)


def test_a_second_residence_takes_the_person_from_the_first() -> None:
    data = book([register()], register(2, SECOND, resident_id=SOMEBODY, residence_kind="secondary"))
    assert (data.birth_year, data.sex) == (1980, "f")


def test_nothing_of_the_vault_stands_in_an_event() -> None:
    commands = [register(), move(2, date(2017, 1, 1)), correct(3, 1, family_name="Munster", area="06")]
    resident: Resident | None = None
    for command in commands:
        subject, data = decide(resident, command, NOW, LISTS)
        resident = evolve(resident, subject, data)
        text = data.model_dump_json()
        for secret in ("Muster", "Munster", "Maria", "1980-01-01"):
            assert secret not in text


def test_a_clerk_sees_what_holds_and_what_was_booked() -> None:
    resident = after(register(), move(2, date(2017, 1, 1)), correct(3, 1, area="06"), cancel(4, 2))
    assert resident is not None
    lines = list(time_line(resident, HOME))
    assert [line.booked.kind for line in lines] == ["registration", "move", "correction", "correction"]
    assert lines[0].booked.kind == "registration"
    assert (lines[0].booked.area, lines[1].holds) == ("05", None)
    residence = get_residence(resident, HOME)
    assert (residence.area, residence.status, residence.since) == ("06", "registered", date(2016, 3, 1))


def test_a_cancelled_registration_stays_visible_as_cancelled() -> None:
    resident = after(register(), cancel(2, 1))
    assert resident is not None
    assert [residence.status for residence in residences_of(resident)] == ["cancelled"]
