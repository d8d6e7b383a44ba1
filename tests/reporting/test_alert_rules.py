"""The rules of thresholds and alerts: hysteresis, no crossing twice, and who may take part."""

import os
import random
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from reporting.alerts.domain import Threshold, alert_id_of, decide, evolve
from reporting.commands.alerts import AcknowledgeAlert, EndAlert, RaiseAlert, RemoveThreshold
from reporting.indicators import read_catalogue
from verbund.errors import NotFound, NotNow
from verbund.events.reporting.alerts import AlertOver, AlertRaised, Side, ThresholdRemoved

SEED = int(os.environ.get("VERBUND_SEED", "0")) or random.SystemRandom().randrange(1, 2**31)
CITY = read_catalogue("05913000")
AT = datetime(2018, 6, 1, 12, tzinfo=UTC)
TODAY = AT.date()
ID = "8d6f2f0a-5a0e-4a53-9f0e-0d7a6a1f3b11"
FRESH = Threshold(
    ID, 1, "coordination", "population", None, None, None, "over", Decimal(10), Decimal(8), date(2018, 1, 1), None, AT
)


def step(threshold: Threshold, number: int | None, today: date = TODAY) -> tuple[Threshold, str]:
    """What one look at a figure leads to."""
    command = threshold.due(number, today)
    if command is None:
        return threshold, ""
    (event,) = decide(threshold, command, AT, CITY)
    return evolve(threshold, ID, event, AT), "raised" if isinstance(event, AlertRaised) else "over"


def told_naively(side: Side, limit: int, back: int, numbers: list[int | None]) -> list[str]:
    """The same by two rules that everybody can read."""
    is_open, told = False, []
    for number in numbers:
        what = ""
        if number is not None and not is_open and (number > limit if side == "over" else number < limit):
            is_open, what = True, "raised"
        elif number is not None and is_open and (number <= back if side == "over" else number >= back):
            is_open, what = False, "over"
        told.append(what)
    return told


@pytest.mark.parametrize("side", ["over", "under"])
def test_random_figures_raise_and_end_alerts_in_turn(side: Side) -> None:
    chance = random.Random(SEED)
    print(f"VERBUND_SEED={SEED}")  # noqa: T201
    for _ in range(300):
        limit, width = chance.randint(-5, 20), chance.randint(0, 6)
        back = limit - width if side == "over" else limit + width
        threshold = replace(FRESH, side=side, limit=Decimal(limit), back=Decimal(back))
        numbers = [chance.choice([None, chance.randint(-10, 30)]) for _ in range(60)]
        told = []
        for number in numbers:
            threshold, what = step(threshold, number)
            told.append(what)
        assert told == told_naively(side, limit, back, numbers)
        changes = [what for what in told if what]
        assert changes[::2] == ["raised"] * len(changes[::2])
        assert changes[1::2] == ["over"] * len(changes[1::2])
        assert threshold.crossings == changes.count("raised")


def test_a_figure_that_wavers_about_its_limit_raises_one_alert() -> None:
    threshold, told = FRESH, []
    for number in (10, 11, 9, 11, 9, 11, 8, 9, 11):
        threshold, what = step(threshold, number)
        told.append(what)
    assert told == ["", "raised", "", "", "", "", "over", "", "raised"]


def test_what_says_no_number_neither_raises_nor_ends() -> None:
    raised, _ = step(FRESH, 11)
    assert step(FRESH, None) == (FRESH, "")
    assert step(raised, None) == (raised, "")


def test_a_threshold_is_looked_at_in_its_time_only() -> None:
    dated = replace(FRESH, valid_until=date(2018, 6, 30))
    raised, _ = step(dated, 11)
    assert step(dated, 11, date(2017, 12, 31))[1] == ""
    assert step(dated, 11, date(2018, 7, 1))[1] == ""
    expired, what = step(raised, 11, date(2018, 7, 1))
    assert what == "over"
    assert expired.alert is not None
    assert expired.alert.over_reason == "expired"


def test_a_crossing_is_booked_once() -> None:
    raised, _ = step(FRESH, 11)
    for crossing in (1, 2):
        with pytest.raises(NotNow):
            decide(raised, RaiseAlert(threshold_id=ID, crossing=crossing), AT, CITY)
    with pytest.raises(NotNow):
        decide(FRESH, RaiseAlert(threshold_id=ID, crossing=2), AT, CITY)
    over, _ = step(raised, 8)
    with pytest.raises(NotNow):
        decide(over, EndAlert(threshold_id=ID, crossing=1, reason="back"), AT, CITY)
    assert raised.alert is not None
    assert raised.alert.alert_id == alert_id_of(ID, 1) != alert_id_of(ID, 2)


def test_removing_a_threshold_ends_its_open_alert() -> None:
    raised, _ = step(FRESH, 11)
    command = RemoveThreshold(seen_by="coordination", threshold_id=ID)
    assert [type(event) for event in decide(raised, command, AT, CITY)] == [AlertOver, ThresholdRemoved]
    assert [type(event) for event in decide(FRESH, command, AT, CITY)] == [ThresholdRemoved]


def test_an_alert_is_acknowledged_once_by_somebody_who_may_see_it() -> None:
    raised, _ = step(FRESH, 11)
    command = AcknowledgeAlert(seen_by="coordination", alert_id=alert_id_of(ID, 1))
    (event,) = decide(raised, command, AT, CITY)
    acknowledged = evolve(raised, ID, event, AT)
    with pytest.raises(NotNow):
        decide(acknowledged, command, AT, CITY)
    assert step(acknowledged, 8)[1] == "over"
    with pytest.raises(NotNow):
        decide(step(acknowledged, 8)[0], command, AT, CITY)
    with pytest.raises(NotFound):
        decide(replace(raised, audience="statistics"), command, AT, CITY)
