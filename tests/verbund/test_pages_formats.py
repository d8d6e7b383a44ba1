"""Numbers, dates and times as the offices write them."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from verbund.service.pages.formats import NOTHING, Formats, since

DE, EN = Formats("de"), Formats("en")


def test_thousands_are_parted_by_a_point_in_german_and_by_a_comma_in_english() -> None:
    assert (DE.number(9039), EN.number(9039)) == ("9.039", "9,039")
    assert (DE.number(573), EN.number(1_234_567)) == ("573", "1,234,567")


def test_a_true_zero_in_an_exact_table_is_a_dash() -> None:
    assert DE.count(0) == NOTHING == "–"
    assert DE.count(1) == "1"


@pytest.mark.parametrize(("value", "words"), [(524, "+\u00a0524"), (-1524, "\u2212\u00a01.524"), (0, "±\u00a00")])
def test_a_change_always_carries_its_sign(value: int, words: str) -> None:
    assert DE.signed(value) == words


def test_a_share_has_one_digit_after_the_point() -> None:
    assert (DE.percent(Decimal("0.0615")), EN.percent(0.0619)) == ("6,2\u00a0%", "6.2%")
    assert (DE.signed_percent(-0.0615), EN.signed_percent(0.0615)) == ("\u2212\u00a06,2\u00a0%", "+\u00a06.2%")


def test_a_minus_is_a_minus_and_no_hyphen() -> None:
    assert DE.number(-5) == "\u22125"
    assert "-" not in DE.percent(-0.5)


def test_dates_are_written_alike_in_both_languages() -> None:
    assert DE.date(date(2018, 12, 31)) == EN.date(date(2018, 12, 31)) == "31.12.2018"


def test_times_are_those_of_the_offices_clock() -> None:
    summer, winter = datetime(2026, 7, 1, 22, 30, tzinfo=UTC), datetime(2026, 1, 1, 22, 30, tzinfo=UTC)
    assert (DE.time(summer), DE.time(winter)) == ("00:30", "23:30")
    assert DE.moment(summer) == "02.07.2026, 00:30"


def test_a_clock_a_little_ahead_does_not_show() -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    assert since(now + timedelta(seconds=2), now) == timedelta(0)
    assert since(now - timedelta(seconds=2), now) == timedelta(seconds=2)
