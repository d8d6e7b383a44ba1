"""Doubts about addresses: what the office doubts, for how long, how it ends; and kinds of residence that change."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any

import pytest
from stage.registration_forms import (
    HOME,
    LISTS,
    NOW,
    SECOND,
    SOMEBODY,
    after,
    booking,
    cancel,
    confirm,
    correct,
    deregister,
    doubt,
    move,
    register,
    turn,
)

from registration.commands import Command
from registration.domain import Resident, decide, evolve
from registration.domain.rules import inquired_until
from registration.domain.views import get_residence
from verbund.errors import NotNow, Problem, RuleBroken
from verbund.events.registration import DoubtTransition

DOUBTED = date(2019, 3, 1)
Told = tuple[int, str, str, str, str | None]


def book(before: Sequence[Command], command: Command, at: datetime = NOW) -> Any:
    return decide(after(*before), command, at, LISTS).data


def told(doubts: Sequence[DoubtTransition]) -> list[Told]:
    """Sign, day, kind, area and outcome."""
    return [(t.sign, str(t.effective_on), t.kind, t.after.area, t.after.outcome) for t in doubts if t.after]


def state(*commands: Command, at: datetime = NOW) -> str:
    resident = after(*commands, at=at)
    assert resident is not None
    return get_residence(resident, HOME).status


def test_a_doubt_is_open_until_the_resident_is_found_there() -> None:
    found = book([register()], doubt(2, DOUBTED, "returned_official_letter"))
    assert told(found.doubts) == [(1, "2019-03-01", "found", "05", None)]
    assert (found.transitions, found.doubts[0].subject) == ((), booking(2))
    confirmed = book([register(), doubt(2, DOUBTED)], confirm(3, date(2019, 3, 20)))
    assert told(confirmed.doubts) == [(1, "2019-03-20", "resolved", "05", "confirmed")]
    assert confirmed.doubts[0].before.since == DOUBTED


def test_a_residence_is_registered_doubtful_and_deregistered_in_turn() -> None:
    doubted = [register(), doubt(2, DOUBTED)]
    assert (state(register()), state(*doubted)) == ("registered", "doubtful")
    assert state(*doubted, confirm(3, DOUBTED)) == "registered"
    assert state(*doubted, move(3, date(2019, 3, 5))) == "registered"
    assert state(*doubted, deregister(3, date(2019, 2, 1))) == "deregistered"
    assert state(*doubted, confirm(3, DOUBTED), doubt(4, date(2019, 4, 1))) == "doubtful"


@pytest.mark.parametrize(
    ("end", "outcome"),
    [
        (deregister(3, date(2019, 2, 1)), "deregistered"),
        (deregister(3, date(2019, 2, 1), "death"), "deregistered"),
        (deregister(3, date(2019, 2, 1), "ex_officio"), "deregistered_ex_officio"),
        (move(3, date(2019, 2, 1)), "moved"),
    ],
)
def test_a_doubt_ends_on_the_day_of_the_booking_however_long_ago_the_resident_had_left(
    end: Command, outcome: str
) -> None:
    data = book([register(), doubt(2, DOUBTED)], end)
    assert told(data.doubts) == [(1, "2019-06-01", "resolved", "05", outcome)]


def test_a_move_from_before_the_address_that_is_doubted_leaves_the_doubt() -> None:
    doubted = [register(), move(2, date(2018, 5, 1), "06"), doubt(3, DOUBTED)]
    assert book(doubted, move(4, date(2017, 5, 1))).doubts == ()


def test_the_inquiry_takes_as_long_as_the_city_has_set() -> None:
    until = inquired_until(DOUBTED, "05913000")
    assert until == date(2019, 3, 29)
    resident = after(register(), doubt(2, DOUBTED), at=datetime(2019, 3, 1, 10, tzinfo=UTC))
    the_day_before = datetime(2019, 3, 28, 10, tzinfo=UTC)
    with pytest.raises(NotNow) as refused:
        decide(resident, deregister(3, DOUBTED, "ex_officio"), the_day_before, LISTS)
    assert (refused.value.code, refused.value.values["until"]) == ("inquiry_running", "29.03.2019")
    assert refused.value.findings[0].pointer == "/reason"
    decide(resident, deregister(3, DOUBTED, "ex_officio"), the_day_before + timedelta(days=1), LISTS)


def test_a_doubt_booked_in_error_was_never_there() -> None:
    data = book([register(), doubt(2, DOUBTED), confirm(3, date(2019, 3, 20))], cancel(4, 3))
    assert told(data.doubts) == [(-1, "2019-03-20", "resolved", "05", "confirmed")]
    assert {t.cause for t in data.doubts} == {"cancelled"}
    data = book([register(), doubt(2, DOUBTED)], cancel(3, 2))
    assert told(data.doubts) == [(-1, "2019-03-01", "found", "05", None)]


def test_a_corrected_area_corrects_the_doubt_too() -> None:
    data = book([register(), doubt(2, DOUBTED)], correct(3, 1, area="06"))
    assert told(data.doubts) == [(-1, "2019-03-01", "found", "05", None), (1, "2019-03-01", "found", "06", None)]


def test_a_doubt_cannot_begin_after_what_ended_it() -> None:
    resident, later = after(register(), doubt(2, DOUBTED), move(3, date(2019, 5, 1))), NOW + timedelta(days=9)
    with pytest.raises(RuleBroken) as refused:
        decide(resident, correct(4, 2, effective_on=date(2019, 6, 2)), later, LISTS)
    assert (refused.value.code, refused.value.findings[0].pointer) == ("doubt_after_its_end", "/amendment/effective_on")


def test_a_cancelled_deregistration_leaves_the_doubt_as_it_was() -> None:
    gone = [register(), doubt(2, DOUBTED), deregister(3, DOUBTED, "ex_officio")]
    assert state(*gone, cancel(4, 3)) == "doubtful"


def test_a_residence_changes_its_kind_and_nobody_moves() -> None:
    data = book([register()], turn(2, date(2018, 5, 1)))
    ((transition,)) = data.transitions
    assert (transition.kind, str(transition.effective_on)) == ("change", "2018-05-01")
    assert (transition.before.residence_kind, transition.after.residence_kind) == ("main", "secondary")


def test_two_residences_change_places_on_one_day() -> None:
    second = register(2, SECOND, resident_id=SOMEBODY, residence_kind="secondary", moved_in_on=date(2017, 1, 1))
    on = date(2018, 5, 1)
    resident = after(register(), second, turn(3, on), turn(4, on, "main", SECOND))
    assert resident is not None
    assert [get_residence(resident, each).residence_kind for each in (HOME, SECOND)] == ["secondary", "main"]


def test_whatever_is_booked_doubts_add_up_to_those_that_are_open(seed: int) -> None:
    """The stock by transitions is the one residence in doubt or none, whatever was corrected, at any length of life."""
    chance = Random(seed)
    for _ in range(150):
        resident: Resident | None = after(register(), at=NOW)
        booked: list[DoubtTransition] = []
        at = NOW
        for number in range(2, 20):
            at += timedelta(days=chance.randrange(0, 30))
            on = (at - timedelta(days=chance.randrange(0, 40))).date()
            command = chance.choice(
                [
                    doubt(number, on),
                    doubt(number, on),
                    confirm(number, on),
                    move(number, on),
                    deregister(number, on, chance.choice(["abroad", "ex_officio"])),
                    cancel(number, chance.randrange(2, number + 1)),
                    correct(number, chance.randrange(2, number + 1), effective_on=on),
                ]
            )
            try:
                subject, data = decide(resident, command, at, LISTS)
            except Problem:
                continue
            resident = evolve(resident, subject, data)
            booked += data.doubts
            assert resident is not None
            stock: Counter[Any] = Counter()
            for t in booked:
                stock[t.after if t.kind == "found" else t.before] += t.sign if t.kind == "found" else -t.sign
            open_doubts = [(facts.since, n) for facts, n in stock.items() if n]
            residence = get_residence(resident, HOME)
            assert open_doubts == ([(residence.doubted_on, 1)] if residence.status == "doubtful" else [])
