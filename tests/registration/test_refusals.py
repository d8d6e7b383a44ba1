"""What the registration office refuses, where, and what it allows instead."""

from datetime import date

import pytest
from stage.registration_forms import (
    LISTS,
    NOW,
    SECOND,
    SOMEBODY,
    after,
    cancel,
    change,
    confirm,
    correct,
    deregister,
    doubt,
    move,
    register,
    turn,
)

from registration.commands import Command
from registration.domain import decide
from verbund.errors import NotFound, NotNow, RuleBroken

BROKEN: list[tuple[str, list[Command], Command, str, str]] = [
    ("a day in the future", [], register(moved_in_on=date(2019, 6, 2)), "day_in_future", "/moved_in_on"),
    ("an unknown area", [], register(area="4711"), "unknown_area", "/area"),
    ("a Stadtbezirk for an area", [], register(area="SB02"), "unknown_area", "/area"),
    ("an unknown nationality", [], register(nationality="777"), "unknown_nationality", "/nationality"),
    ("no previous state", [], register(arrival_kind="abroad"), "missing", "/previous_state"),
    (
        "Germany as abroad",
        [],
        register(arrival_kind="abroad", previous_state="000"),
        "unknown_state",
        "/previous_state",
    ),
    ("a state for a birth", [], register(previous_state="154"), "not_asked", "/previous_state"),
    ("no previous municipality", [], register(arrival_kind="other_municipality"), "missing", "/previous_municipality"),
    (
        "our own municipality",
        [],
        register(arrival_kind="other_municipality", previous_municipality="05913000"),
        "own_municipality",
        "/previous_municipality",
    ),
    ("no name", [], register(family_name=None), "missing", "/family_name"),
    ("no day of birth", [], register(birth_date=None), "missing", "/birth_date"),
    ("a birth to come", [], register(birth_date=date(2020, 1, 1)), "impossible_birth_date", "/birth_date"),
    ("moving in unborn", [], register(birth_date=date(2017, 1, 1)), "before_birth", "/moved_in_on"),
    ("a birth on another day", [], register(arrival_kind="birth"), "birth_on_another_day", "/moved_in_on"),
    (
        "no word on the confirmation",
        [],
        register(landlord_confirmation=None),
        "landlord_confirmation_not_stated",
        "/landlord_confirmation",
    ),
    ("an opening in daily business", [], register(arrival_kind="opening"), "only_in_initial_load", "/arrival_kind"),
    ("a move before moving in", [register()], move(2, date(2016, 2, 1)), "before_moving_in", "/moved_on"),
    (
        "two moves on one day",
        [register(), move(2, date(2017, 1, 1))],
        move(3, date(2017, 1, 1), "06"),
        "twice_on_one_day",
        "/moved_on",
    ),
    (
        "gone on the day of moving in",
        [register()],
        deregister(2, date(2016, 3, 1)),
        "before_moving_in",
        "/deregistered_on",
    ),
    ("a doubt tomorrow", [register()], doubt(2, date(2019, 6, 2)), "day_in_future", "/doubted_on"),
    ("a doubt before moving in", [register()], doubt(2, date(2016, 2, 1)), "before_moving_in", "/doubted_on"),
    (
        "a confirmation before the doubt",
        [register(), doubt(2, date(2019, 3, 1))],
        confirm(3, date(2019, 2, 1)),
        "before_doubt",
        "/confirmed_on",
    ),
    (
        "a reason of a departure for a doubt",
        [register(), doubt(2, date(2019, 3, 1))],
        correct(3, 2, reason="abroad"),
        "not_in_this_booking",
        "/amendment/reason",
    ),
    ("another kind before moving in", [register()], turn(2, date(2016, 2, 1)), "before_moving_in", "/changed_on"),
    (
        "two kinds on one day",
        [register(), turn(2, date(2017, 1, 1)), turn(3, date(2018, 1, 1), "main")],
        turn(4, date(2017, 1, 1)),
        "twice_on_one_day",
        "/changed_on",
    ),
    (
        "gone to another municipality tomorrow",
        [register()],
        deregister(2, date(2019, 6, 2), "other_municipality"),
        "day_in_future",
        "/deregistered_on",
    ),
    (
        "gone abroad in more than a week",
        [register()],
        deregister(2, date(2019, 6, 9)),
        "day_in_future",
        "/deregistered_on",
    ),
    ("the same nationality", [register()], change(2, date(2018, 1, 1), "154"), "same_nationality", "/nationality"),
    (
        "another nationality beside a residence",
        [register()],
        register(2, SECOND, resident_id=SOMEBODY, residence_kind="secondary", nationality="125"),
        "differs_from_resident",
        "/nationality",
    ),
    (
        "another birth year of somebody known",
        [register()],
        register(2, SECOND, resident_id=SOMEBODY, residence_kind="secondary", birth_date=date(1970, 1, 1)),
        "differs_from_resident",
        "/birth_date",
    ),
    ("a correction to the same", [register()], correct(2, 1, area="05"), "changes_nothing", "/amendment"),
    ("an empty correction", [register()], correct(2, 1), "nothing_stated", "/amendment"),
    (
        "a reason in a registration",
        [register()],
        correct(2, 1, reason="death"),
        "not_in_this_booking",
        "/amendment/reason",
    ),
    ("an unknown area in a correction", [register()], correct(2, 1, area="4711"), "unknown_area", "/amendment/area"),
    (
        "an opening by correction",
        [register()],
        correct(2, 1, arrival_kind="opening"),
        "only_in_initial_load",
        "/amendment/arrival_kind",
    ),
    (
        "a correction to before the birth",
        [register()],
        correct(2, 1, effective_on=date(1979, 1, 1)),
        "before_birth",
        "/amendment/effective_on",
    ),
    (
        "a birth year after moving in",
        [register()],
        correct(2, 1, birth_date=date(2018, 1, 1)),
        "before_birth",
        "/amendment/effective_on",
    ),
    (
        "a nationality where it does not count",
        [
            register(),
            register(2, SECOND, resident_id=SOMEBODY, residence_kind="secondary", moved_in_on=date(2017, 1, 1)),
        ],
        correct(3, 2, SECOND, nationality="125"),
        "nationality_told_elsewhere",
        "/amendment/nationality",
    ),
]


@pytest.mark.parametrize(
    ("before", "command", "code", "pointer"), [row[1:] for row in BROKEN], ids=[row[0] for row in BROKEN]
)
def test_a_broken_rule_is_refused_at_its_field(
    before: list[Command], command: Command, code: str, pointer: str
) -> None:
    with pytest.raises(RuleBroken) as refused:
        decide(after(*before), command, NOW, LISTS)
    assert not isinstance(refused.value, NotNow)
    assert (refused.value.code, refused.value.findings[0].pointer) == (code, pointer)


GONE = [register(), deregister(2, date(2018, 1, 1))]
NOT_NOW: list[tuple[str, list[Command], Command, str]] = [
    ("a second deregistration", GONE, deregister(3, date(2018, 1, 1)), "residence_over"),
    ("a later deregistration", GONE, deregister(3, date(2018, 6, 1)), "residence_over"),
    ("an earlier deregistration", GONE, deregister(3, date(2017, 6, 1)), "later_booking_does_not_fit"),
    ("a move after the end", GONE, move(3, date(2018, 6, 1)), "residence_over"),
    ("a nationality after the end", GONE, change(3, date(2018, 6, 1)), "not_resident"),
    (
        "an end before a move",
        [register(), move(2, date(2018, 1, 1))],
        deregister(3, date(2017, 1, 1)),
        "later_booking_does_not_fit",
    ),
    ("the same residence twice", [register()], register(2), "residence_exists"),
    (
        "a second main residence",
        [register()],
        register(2, SECOND, resident_id=SOMEBODY, moved_in_on=date(2017, 1, 1)),
        "main_residence_open",
    ),
    (
        "a main residence before the one there is",
        [register()],
        register(2, SECOND, resident_id=SOMEBODY, moved_in_on=date(2015, 1, 1)),
        "main_residence_open",
    ),
    (
        "a correction that makes two main residences",
        [*GONE, register(3, SECOND, resident_id=SOMEBODY, moved_in_on=date(2018, 2, 1))],
        correct(4, 2, effective_on=date(2018, 3, 1)),
        "main_residence_open",
    ),
    (
        "a cancellation that makes two main residences",
        [*GONE, register(3, SECOND, resident_id=SOMEBODY, moved_in_on=date(2018, 2, 1))],
        cancel(4, 2),
        "main_residence_open",
    ),
    (
        "cancelling what others stand on",
        [register(), move(2, date(2017, 1, 1))],
        cancel(3, 1),
        "later_booking_does_not_fit",
    ),
    ("correcting what was cancelled", [*GONE, cancel(3, 2)], correct(4, 2, reason="death"), "booking_cancelled"),
    ("cancelling twice", [*GONE, cancel(3, 2)], cancel(4, 2), "booking_cancelled"),
    ("ex officio without a doubt", [register()], deregister(2, date(2018, 1, 1), "ex_officio"), "not_doubtful"),
    (
        "ex officio while the inquiry runs",
        [register(), doubt(2, date(2019, 5, 5))],
        deregister(3, date(2019, 5, 5), "ex_officio"),
        "inquiry_running",
    ),
    (
        "ex officio after a confirmation",
        [register(), doubt(2, date(2019, 3, 1)), confirm(3, date(2019, 3, 5))],
        deregister(4, date(2019, 3, 1), "ex_officio"),
        "not_doubtful",
    ),
    (
        "cancelling the doubt behind a deregistration ex officio",
        [register(), doubt(2, date(2019, 3, 1)), deregister(3, date(2019, 3, 1), "ex_officio")],
        cancel(4, 2),
        "later_booking_does_not_fit",
    ),
    (
        "a doubt corrected to after its confirmation",
        [register(), doubt(2, date(2019, 3, 1)), confirm(3, date(2019, 3, 5))],
        correct(4, 2, effective_on=date(2019, 3, 6)),
        "later_booking_does_not_fit",
    ),
    ("a second doubt", [register(), doubt(2, date(2019, 3, 1))], doubt(3, date(2019, 3, 2)), "already_doubtful"),
    ("a doubt after the end", GONE, doubt(3, date(2018, 6, 1)), "residence_over"),
    ("a confirmation without a doubt", [register()], confirm(2, date(2019, 3, 1)), "not_doubtful"),
    ("a confirmation after the end", GONE, confirm(3, date(2018, 6, 1)), "residence_over"),
    ("the same kind of residence", [register()], turn(2, date(2018, 1, 1), "main"), "same_residence_kind"),
    (
        "a secondary residence beside a main one made the main one too",
        [
            register(),
            register(2, SECOND, resident_id=SOMEBODY, residence_kind="secondary", moved_in_on=date(2017, 1, 1)),
        ],
        turn(3, date(2018, 1, 1), "main", SECOND),
        "main_residence_open",
    ),
    ("another kind after the end", GONE, turn(3, date(2018, 6, 1)), "residence_over"),
    (
        "living on after death",
        [register(), deregister(2, date(2018, 1, 1), "death")],
        register(3, SECOND, resident_id=SOMEBODY, moved_in_on=date(2018, 2, 1)),
        "resident_has_died",
    ),
]


@pytest.mark.parametrize(("before", "command", "code"), [row[1:] for row in NOT_NOW], ids=[row[0] for row in NOT_NOW])
def test_what_does_not_fit_is_refused_with_what_is_allowed(before: list[Command], command: Command, code: str) -> None:
    with pytest.raises(NotNow) as refused:
        decide(after(*before), command, NOW, LISTS)
    assert refused.value.code == code
    assert refused.value.allowed


def test_what_is_not_there_is_not_found() -> None:
    with pytest.raises(NotFound):
        decide(None, move(1, date(2018, 1, 1)), NOW, LISTS)
    with pytest.raises(NotFound):
        decide(None, register(resident_id=SOMEBODY), NOW, LISTS)
    with pytest.raises(NotFound):
        decide(after(register()), cancel(2, 9), NOW, LISTS)


def test_a_booking_is_corrected_at_its_own_residence() -> None:
    second = register(2, SECOND, resident_id=SOMEBODY, residence_kind="secondary", moved_in_on=date(2017, 1, 1))
    with pytest.raises(NotFound):
        decide(after(register(), second), cancel(3, 1, SECOND), NOW, LISTS)
