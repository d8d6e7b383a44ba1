"""Who sees what."""

from datetime import UTC, date, datetime

import pytest

from reporting.audiences import Audience, Sight, audience_of, sight_of
from verbund.errors import Forbidden

# Half past midnight on 2 July in Berlin is still 1 July in UTC: yesterday is 1 July.
NOW = datetime(2018, 7, 1, 22, 30, tzinfo=UTC)
MARGINS = {"nationality": frozenset({"125", "154"}), "district": frozenset({"SB01", "SB02", "unplaced"})}


def codes(*given: str) -> frozenset[str]:
    return frozenset(given)


@pytest.mark.parametrize(
    ("roles", "audience"),
    [
        (("statistics",), Audience.STATISTICS),
        (("coordination",), Audience.COORDINATION),
        (("chair",), Audience.COORDINATION),
        (("expert_group_reader",), Audience.COORDINATION),
        (("chair", "statistics"), Audience.STATISTICS),
        (("clerk", "coordination"), Audience.COORDINATION),
    ],
)
def test_roles_make_audiences(roles: tuple[str, ...], audience: Audience) -> None:
    assert audience_of(roles) is audience


@pytest.mark.parametrize("role", ["clerk", "office_lead", "operator", "privacy_officer", "public", "in_tray", ""])
def test_other_roles_see_no_figures(role: str) -> None:
    with pytest.raises(Forbidden) as refused:
        audience_of([role])
    assert refused.value.code == "no_figures"


@pytest.mark.parametrize(
    "shown", [{}, {"age_band": codes("65plus")}, {"area": codes("05"), "nationality": codes("125")}]
)
def test_the_statistics_office_sees_everything_live(shown: dict[str, frozenset[str]]) -> None:
    assert sight_of(Audience.STATISTICS, shown, {}, None, NOW) == Sight("live", None)


def test_the_city_is_live_for_the_coordination_group() -> None:
    assert sight_of(Audience.COORDINATION, {}, MARGINS, None, NOW) == Sight("live", None)
    past = date(2017, 1, 1)
    assert sight_of(Audience.COORDINATION, {}, MARGINS, past, NOW) == Sight("live", past)


def test_a_margin_stands_still_until_the_day_in_berlin_is_over() -> None:
    shown = {"district": codes("SB02")}
    for asked in (None, date(2018, 7, 2), date(2018, 7, 1), date(2030, 1, 1)):
        assert sight_of(Audience.COORDINATION, shown, MARGINS, asked, NOW) == Sight("end_of_day", date(2018, 7, 1))
    before = date(2018, 6, 30)
    assert sight_of(Audience.COORDINATION, shown, MARGINS, before, NOW) == Sight("end_of_day", before)


@pytest.mark.parametrize(
    "shown",
    [
        {"nationality": codes("125", "000")},
        {"area": codes("05")},
        {"district": codes("SB02"), "nationality": codes("125")},
        {"sex": codes()},
    ],
)
def test_anything_finer_is_refused_and_says_what_is_allowed(shown: dict[str, frozenset[str]]) -> None:
    with pytest.raises(Forbidden) as refused:
        sight_of(Audience.COORDINATION, shown, MARGINS, None, NOW)
    assert (refused.value.code, refused.value.values["allowed"]) == ("finer_than_allowed", "district, nationality")


@pytest.mark.parametrize("audience", list(Audience))
def test_flagged_premises_are_never_crossed_with_nationality(audience: Audience) -> None:
    shown = {"at_flagged_premises": codes("true"), "nationality": codes("125")}
    with pytest.raises(Forbidden) as refused:
        sight_of(audience, shown, MARGINS, None, NOW)
    assert refused.value.code == "crossing_refused"


def test_what_will_be_known_by_tonight_is_what_is_known_now() -> None:
    assert sight_of(Audience.STATISTICS, {}, {}, date(2018, 7, 2), NOW).known_on is None
    assert sight_of(Audience.STATISTICS, {}, {}, date(2018, 7, 1), NOW).known_on == date(2018, 7, 1)
