"""What is in the catalogue, and how figures become sums."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reporting.deltas import NEVER_CROSSED
from reporting.indicators import (
    OTHER,
    UNPLACED,
    NoneOf,
    OneOf,
    Span,
    Term,
    codes_of,
    parts_of,
    period_around,
    read_catalogue,
    span_year_before,
    year_before,
)
from reporting.indicators.fitting import facts_of
from reporting.indicators.periods import ends_between, periods_between
from reporting.indicators.terms import Values, both, where_of

CITY = "05913000"
CATALOGUE = read_catalogue(CITY)
DAY = date(2018, 12, 31)


class TestTheCatalogue:
    def test_has_the_indicators_of_registration_and_population(self) -> None:
        counted = [name for name, indicator in CATALOGUE.indicators.items() if indicator.delivered is None]
        assert counted == [
            "population",
            "population_change",
            "arrivals",
            "departures",
            "net_movements",
            "births",
            "deaths",
            "moves",
            "registrations",
            "late_registrations",
            "share_of_late_registrations",
            "open_doubts",
            "age_of_open_doubts",
            "doubts",
            "resolved_doubts",
            "deregistered_ex_officio",
            "days_to_clarify",
        ]

    def test_has_twelve_districts_and_what_cannot_be_placed(self) -> None:
        city = CATALOGUE.city
        assert len(city.codes_at("stadtbezirk", [DAY])) == 13
        assert len(city.codes_at("statistischer_bezirk", [DAY])) == 63
        assert city.codes_at("stadtbezirk", [DAY])[-1] == UNPLACED
        assert city.parts_of("SB02", DAY) == {"04", "05", "06"}
        assert len(city.parts_of(CITY, DAY)) == 62
        assert city.name == "Dortmund"

    def test_knows_groups_of_nationalities_by_day(self) -> None:
        assert CATALOGUE.city.members("EU2", date(2006, 12, 30)) == frozenset()
        assert CATALOGUE.city.members("EU2", date(2006, 12, 31)) == {"125", "154"}

    def test_never_lets_flagged_premises_meet_nationality(self) -> None:
        for indicator in CATALOGUE.indicators.values():
            assert not facts_of(indicator, CATALOGUE.frame) >= NEVER_CROSSED
        for measure in CATALOGUE.measures.values():
            assert not set(measure.dims) >= NEVER_CROSSED

    def test_has_a_name_for_every_code_in_both_languages(self) -> None:
        for indicator in CATALOGUE.indicators.values():
            for dimension in indicator.breakdowns:
                for code in codes_of(CATALOGUE, indicator, dimension, [Span(DAY)]):
                    words = CATALOGUE.name_of(dimension, code, indicator)
                    assert words.say("de"), (dimension, code)
                    assert words.say("en"), (dimension, code)


class TestPeriods:
    @pytest.mark.parametrize(
        ("day", "before"),
        [
            ("2018-12-31", "2017-12-31"),
            ("2020-02-29", "2019-02-28"),
            ("2021-02-28", "2020-02-29"),
            ("2020-02-28", "2019-02-28"),
        ],
    )
    def test_a_year_before(self, day: str, before: str) -> None:
        assert year_before(date.fromisoformat(day)) == date.fromisoformat(before)

    def test_a_period_a_year_before_is_as_long(self) -> None:
        assert span_year_before(Span(date(2021, 2, 28), date(2021, 2, 28))) == Span(
            date(2020, 2, 29), date(2020, 2, 29)
        )
        assert span_year_before(Span(DAY, date(2018, 1, 1))) == Span(date(2017, 12, 31), date(2017, 1, 1))
        assert span_year_before(Span(date(2020, 12, 31), date(2020, 2, 29))) == Span(
            date(2019, 12, 31), date(2019, 3, 1)
        )

    @given(
        st.dates(date(1990, 1, 1), date(2040, 1, 1)),
        st.integers(0, 900),
        st.sampled_from(("day", "month", "quarter", "half_year", "year", "school_year")),
    )
    def test_periods_cover_every_day_once(self, start: date, length: int, every: str) -> None:
        end = date.fromordinal(start.toordinal() + length)
        spans = list(periods_between(start, end, every))  # type: ignore[arg-type]
        days = [d for s in spans if s.from_on for d in range(s.from_on.toordinal(), s.to_on.toordinal() + 1)]
        assert days == list(range(start.toordinal(), end.toordinal() + 1))
        whole = [s.to_on for s in spans if period_around(s.to_on, every).to_on == s.to_on]  # type: ignore[arg-type]
        assert [s.to_on for s in ends_between(start, end, every)] == whole  # type: ignore[arg-type]

    def test_a_school_year_begins_in_august(self) -> None:
        assert period_around(date(2018, 7, 31), "school_year") == Span(date(2018, 7, 31), date(2017, 8, 1))
        assert period_around(date(2018, 8, 1), "school_year") == Span(date(2019, 7, 31), date(2018, 8, 1))

    def test_a_rolling_year_has_twelve_months(self) -> None:
        assert period_around(date(2020, 2, 29), "rolling_year") == Span(date(2020, 2, 29), date(2019, 3, 1))
        rolling = list(periods_between(date(2018, 11, 15), date(2019, 1, 31), "rolling_year"))
        assert [(s.from_on, s.to_on) for s in rolling] == [
            (date(2017, 12, 1), date(2018, 11, 30)),
            (date(2018, 1, 1), date(2018, 12, 31)),
            (date(2018, 2, 1), date(2019, 1, 31)),
        ]


class TestParts:
    def test_a_stock_is_everything_until_the_day(self) -> None:
        ((term,),) = parts_of(CATALOGUE, CATALOGUE.get_indicator("population"), Span(DAY), {})
        assert (term.measure, term.after, term.until) == ("residents", None, DAY)
        assert term.where == {
            "nationality": OneOf(frozenset({"125", "154"})),
            "residence_kind": OneOf(frozenset({"main"})),
        }

    def test_a_change_has_two_stocks(self) -> None:
        parts = parts_of(CATALOGUE, CATALOGUE.get_indicator("population_change"), Span(DAY), {})
        assert [[t.until for t in terms] for terms in parts] == [[DAY], [date(2017, 12, 31)]]

    def test_a_net_figure_takes_away_what_left(self) -> None:
        parts = parts_of(CATALOGUE, CATALOGUE.get_indicator("net_movements"), Span(DAY, date(2018, 1, 1)), {})
        assert [[(t.measure, t.after, t.until) for t in terms] for terms in parts] == [
            [("arrivals", date(2017, 12, 31), DAY)],
            [("departures", date(2017, 12, 31), DAY)],
        ]

    def test_a_share_has_the_conditions_of_both_in_its_numerator(self) -> None:
        share = CATALOGUE.get_indicator("share_of_late_registrations")
        (numerator,), (denominator,) = parts_of(CATALOGUE, share, Span(DAY, DAY), {})
        assert numerator.where == {"late": OneOf(frozenset({"true"}))}
        assert denominator.where == {}

    def test_both_ends_of_a_flow_belong_to_it(self) -> None:
        ((term,),) = parts_of(CATALOGUE, CATALOGUE.get_indicator("registrations"), Span(DAY, DAY), {})
        days = (date(2018, 12, 30), DAY, date(2019, 1, 1))
        assert [term.matches("registrations", (), day) for day in days] == [False, True, False]
        assert not term.matches("arrivals", (), DAY)

    def test_a_flow_by_age_is_cut_at_every_new_year(self) -> None:
        span = Span(date(2018, 3, 1), date(2016, 12, 31))
        (terms,) = parts_of(CATALOGUE, CATALOGUE.get_indicator("arrivals"), span, {"age_band": frozenset({"0-5"})})
        assert [t.until for t in terms] == [date(2016, 12, 31), date(2017, 12, 31), date(2018, 3, 1)]
        years = [t.where["birth_year"] for t in terms]
        assert [min(each.codes) for each in years if isinstance(each, OneOf)] == ["2011", "2012", "2013"]

    def test_nobody_is_counted_before_the_group_exists(self) -> None:
        assert parts_of(CATALOGUE, CATALOGUE.get_indicator("population"), Span(date(2000, 1, 1)), {}) == ((),)
        span = Span(date(2007, 1, 31), date(2006, 12, 1))
        (terms,) = parts_of(CATALOGUE, CATALOGUE.get_indicator("arrivals"), span, {})
        assert [t.after for t in terms] == [date(2006, 12, 30)]

    @pytest.mark.parametrize(
        "indicator_id", [each.id for each in CATALOGUE.indicators.values() if each.delivered is None]
    )
    @given(
        value=st.sampled_from(
            ("04", "05", "77", "unplaced", "125", "1950", "2017", "1700", "2090", "f", "x", "true", "abroad", "")
        ),
        origin=st.sampled_from(("01", "unplaced", "elsewhere")),
    )
    def test_every_fact_belongs_to_exactly_one_row(self, indicator_id: str, value: str, origin: str) -> None:
        """Nothing is missed and nothing counted twice, whatever a fact says; a move that stays within is in no row."""
        indicator = CATALOGUE.get_indicator(indicator_id)
        for dimension in set(indicator.breakdowns) - {"nationality"}:
            term = Term(indicator.parts[0].counts[0].measure, DAY)
            rows = []
            for code in codes_of(CATALOGUE, indicator, dimension, [Span(DAY)]):
                (where,) = where_of(CATALOGUE, indicator, dimension, (code,), term)
                facts = (
                    {"area_from": origin, **dict.fromkeys(where, value)}
                    if "area_to" not in where
                    else {"area_to": value, "area_from": origin}
                )
                if all(facts[name] in values for name, values in where.items()):
                    rows.append(code)
            city = CATALOGUE.city
            stays = "area_to" in where and value not in city.areas and origin not in city.areas
            assert len(rows) == (0 if stays else 1), (dimension, rows)


VALUES = st.frozensets(st.sampled_from("abcd"))
CONDITIONS: st.SearchStrategy[Values] = st.builds(OneOf, VALUES) | st.builds(NoneOf, VALUES)


@given(CONDITIONS, CONDITIONS, st.sampled_from("abcde"))
def test_two_conditions_hold_together_where_each_holds(one: Values, other: Values, value: str) -> None:
    assert (value in both({"x": one}, {"x": other})["x"]) == (value in one and value in other)


def test_the_rest_of_a_breakdown_is_a_row_of_its_own() -> None:
    assert codes_of(CATALOGUE, CATALOGUE.get_indicator("population"), "sex", [Span(DAY)])[-1] == OTHER
