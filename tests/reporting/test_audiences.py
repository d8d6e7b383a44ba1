"""Who sees what."""

from datetime import UTC, date, datetime

import pytest

from reporting.audiences import Audience, Sight, audience_of, sight_of
from reporting.ticks import LastTicks, Tick
from verbund.errors import Forbidden

# Half past midnight on 2 July in Berlin is still 1 July in UTC.
NOW = datetime(2018, 7, 1, 22, 30, tzinfo=UTC)
TICK = Tick(7, datetime(2018, 7, 1, 12, 0, tzinfo=UTC))
TICKS = LastTicks(TICK, {"SB02": Tick(5, datetime(2018, 6, 1, 12, 0, tzinfo=UTC))})
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
        (("public",), Audience.PUBLIC),
        (("public", "clerk"), Audience.PUBLIC),
        (("public", "chair"), Audience.COORDINATION),
    ],
)
def test_roles_make_audiences(roles: tuple[str, ...], audience: Audience) -> None:
    assert audience_of(roles) is audience


@pytest.mark.parametrize("role", ["clerk", "office_lead", "operator", "privacy_officer", "in_tray", ""])
def test_other_roles_see_no_figures(role: str) -> None:
    with pytest.raises(Forbidden) as refused:
        audience_of([role])
    assert refused.value.code == "no_figures"


@pytest.mark.parametrize(
    "shown", [{}, {"age_band": codes("65plus")}, {"area": codes("05"), "nationality": codes("125")}]
)
def test_the_statistics_office_sees_everything_exact_and_live(shown: dict[str, frozenset[str]]) -> None:
    assert sight_of(Audience.STATISTICS, shown, {}, None, NOW, None) == Sight(None)


def test_the_city_is_exact_and_live_for_the_coordination_group() -> None:
    assert sight_of(Audience.COORDINATION, {}, MARGINS, None, NOW, TICKS) == Sight(None)
    past = date(2017, 1, 1)
    assert sight_of(Audience.COORDINATION, {}, MARGINS, past, NOW, TICKS) == Sight(past)


def test_a_printed_margin_is_exact_and_stands_still_until_the_next_tick() -> None:
    shown = {"district": codes("SB02")}
    for asked in (None, date(2018, 7, 1), date(2030, 1, 1)):  # the tick was on 1 July in Berlin
        sight = sight_of(Audience.COORDINATION, shown, MARGINS, asked, NOW, TICKS)
        assert sight == Sight(None, is_live=False, is_exact=True, tick=TICK)
    before = date(2018, 6, 30)
    assert sight_of(Audience.COORDINATION, shown, MARGINS, before, NOW, TICKS).known_on == before


@pytest.mark.parametrize(
    "shown",
    [
        {"nationality": codes("125", "000")},
        {"area": codes("05")},
        {"district": codes("SB02"), "nationality": codes("125")},
        {"sex": codes()},
    ],
)
def test_anything_finer_is_protected_and_stands_still_until_the_next_tick(shown: dict[str, frozenset[str]]) -> None:
    sight = sight_of(Audience.COORDINATION, shown, MARGINS, None, NOW, TICKS)
    assert sight == Sight(None, is_live=False, is_exact=False, tick=TICK, ticks_of_districts=TICKS.by_district)


@pytest.mark.parametrize("shown", [{}, {"nationality": codes("125")}, {"area": codes("05")}])
def test_the_public_sees_nothing_exact_and_nothing_live(shown: dict[str, frozenset[str]]) -> None:
    release = LastTicks(TICK)
    sight = sight_of(Audience.PUBLIC, shown, MARGINS, None, NOW, release)
    assert sight == Sight(None, is_live=False, is_exact=False, tick=TICK)


def test_before_the_first_tick_there_is_nothing_to_be_seen_at_it() -> None:
    sight = sight_of(Audience.COORDINATION, {"area": codes("05")}, MARGINS, None, NOW, None)
    assert (sight.is_live, sight.tick, sight.data_state) == (False, None, "tick")


@pytest.mark.parametrize("audience", list(Audience))
def test_flagged_premises_are_never_crossed_with_nationality(audience: Audience) -> None:
    shown = {"at_flagged_premises": codes("true"), "nationality": codes("125")}
    with pytest.raises(Forbidden) as refused:
        sight_of(audience, shown, MARGINS, None, NOW, TICKS)
    assert refused.value.code == "crossing_refused"


def test_what_will_be_known_by_tonight_is_what_is_known_now() -> None:
    assert sight_of(Audience.STATISTICS, {}, {}, date(2018, 7, 2), NOW, None).known_on is None
    assert sight_of(Audience.STATISTICS, {}, {}, date(2018, 7, 1), NOW, None).known_on == date(2018, 7, 1)
