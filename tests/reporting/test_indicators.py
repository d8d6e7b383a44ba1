"""The catalogue: what is in it, what is refused and where, and how figures become sums."""

import shutil
from collections.abc import Callable
from datetime import date
from importlib.resources import files
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reporting.deltas import MEASURES, NEVER_CROSSED
from reporting.indicators import (
    OTHER,
    UNPLACED,
    BadCatalogue,
    NoneOf,
    OneOf,
    Span,
    Term,
    codes_of,
    period_around,
    read_catalogue,
    span_year_before,
    terms_of,
    year_before,
)
from reporting.indicators.periods import ends_between, periods_between
from reporting.indicators.terms import Values, both, where_of

CITY = "05913000"
CATALOGUE = read_catalogue(CITY)
INDICATORS = "indicators/10-registration.yaml"
DAY = date(2018, 12, 31)


class TestTheCatalogue:
    def test_has_the_indicators_of_registration_and_population(self) -> None:
        assert list(CATALOGUE.indicators) == [
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
        ]

    def test_has_twelve_districts_and_what_cannot_be_placed(self) -> None:
        city = CATALOGUE.city
        assert len(city.codes_at("district")) == 13
        assert len(city.codes_at("area")) == 63
        assert city.codes_at("district")[-1] == UNPLACED
        assert city.parts_of("SB02") == {"04", "05", "06"}
        assert len(city.parts_of(CITY)) == 62
        assert city.name == "Dortmund"

    def test_knows_groups_of_nationalities_by_day(self) -> None:
        assert CATALOGUE.city.members("EU2", date(2006, 12, 30)) == frozenset()
        assert CATALOGUE.city.members("EU2", date(2006, 12, 31)) == {"125", "154"}

    def test_never_lets_flagged_premises_meet_nationality(self) -> None:
        for indicator in CATALOGUE.indicators.values():
            assert not indicator.facts >= NEVER_CROSSED
        for measure in MEASURES.values():
            assert not set(measure.dims) >= NEVER_CROSSED

    def test_has_a_name_for_every_code_in_both_languages(self) -> None:
        for indicator in CATALOGUE.indicators.values():
            for dimension in indicator.breakdowns:
                for code in codes_of(CATALOGUE, indicator, dimension, [Span(DAY)]):
                    words = CATALOGUE.name_of(dimension, code, indicator)
                    assert words.say("de"), (dimension, code)
                    assert words.say("en"), (dimension, code)


@pytest.fixture
def edited(tmp_path: Path) -> Callable[[str, str, str], Path]:
    """A copy of the catalogue in which one text is replaced by another, once."""

    def edit(file: str, old: str, new: str) -> Path:
        folder = tmp_path / "catalogue"
        shutil.copytree(str(files("reporting") / "catalogue"), folder)
        text = (folder / file).read_text(encoding="utf-8")
        assert old in text
        (folder / file).write_text(text.replace(old, new, 1), encoding="utf-8")
        return folder

    return edit


@pytest.mark.parametrize(
    ("file", "old", "new", "place", "message"),
    [
        (INDICATORS, "  kind: stock", "  kind: heap", ":9:", "population kind"),
        (INDICATORS, "  version: 1", "  verison: 1", ":4:", "population version: Field required"),
        (INDICATORS, "{measure: residents}", "{measure: ghosts}", ":31:", "there is no measure 'ghosts'"),
        (INDICATORS, "{measure: residents}", "{measure: arrivals}", ":31:", "stock and flow are never mixed"),
        (
            INDICATORS,
            "nationalities: EU2",
            "nationalities: EU9",
            ":26:",
            "no group of nationalities 'EU9'; there are EU2",
        ),
        (INDICATORS, "unit: person", "unit: head", ":25:", "no unit 'head'"),
        (
            INDICATORS,
            "source_office: registration",
            "source_office: weather",
            ":31:",
            "residents comes from registration",
        ),
        (INDICATORS, "[district, area, nationality", "[village, area, nationality", ":34:", "there is no 'village'"),
        (INDICATORS, "age_bands: population", "age_bands: school", ":35:", "no set of age bands 'school'"),
        (INDICATORS, "    de: >-", "    nl: >-", ":11:", "population definition.de: Field required"),
        (INDICATORS, "  kind: stock", "  kind: [", ":11:", "expected"),
        (INDICATORS, "- id: arrivals", "- id: population", ":77:", "another indicator of this id"),
        (INDICATORS, "[net_movements]", "[gross_movements]", "", "gross_movements, which is no indicator"),
        (INDICATORS, "weight: -1", "weight: 1", ":159:", "has something with the weight -1"),
        ("frame.yaml", "  registration: {de", "  registry: {de", ":8:", "no office 'registration'"),
        ("frame.yaml", "en: Health}", "fr: Santé}", ":6:", "fields_of_action.health.en: Field required"),
        (
            f"{CITY}/areas.csv",
            "04,Hafen,statistischer_bezirk,SB02",
            "04,Hafen,quarter,SB02",
            "areas.csv:9:",
            "no level 'quarter'",
        ),
        (
            f"{CITY}/areas.csv",
            "Hafen,statistischer_bezirk,SB02",
            "Hafen,statistischer_bezirk,SB99",
            "areas.csv:",
            "parent of 04",
        ),
        (f"{CITY}/nationality_groups.csv", "EU2,125", "EU2,12", "nationality_groups.csv:2:", "12 is no key"),
        (f"{CITY}/nationality_groups.csv", "2006-12-31", "31.12.2006", "nationality_groups.csv:2:", "isoformat"),
        (f"{CITY}/age_bands.csv", "6,17", "six,17", "age_bands.csv:3:", "six"),
        ("nationalities.csv", "key,iso3", "code,iso3", "nationalities.csv:2:", "the column key is missing"),
    ],
)
def test_a_mistake_is_refused_with_its_place(
    edited: Callable[[str, str, str], Path], file: str, old: str, new: str, place: str, message: str
) -> None:
    with pytest.raises(BadCatalogue) as refused:
        read_catalogue(CITY, edited(file, old, new))
    assert message in str(refused.value)
    assert place in str(refused.value)


def test_flagged_premises_by_nationality_cannot_even_be_written_down(edited: Callable[[str, str, str], Path]) -> None:
    folder = edited(
        INDICATORS,
        '  where: {late: ["true"]}\n  breakdowns: [district,',
        '  where: {late: ["true"]}\n  breakdowns: [nationality, district,',
    )
    with pytest.raises(BadCatalogue, match="at_flagged_premises and nationality may never be crossed"):
        read_catalogue(CITY, folder)


def test_a_municipality_without_data_is_refused() -> None:
    with pytest.raises(BadCatalogue, match="no data of the municipality 05112000"):
        read_catalogue("05112000")


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
        st.sampled_from(("day", "month", "quarter", "year")),
    )
    def test_periods_cover_every_day_once(self, start: date, length: int, every: str) -> None:
        end = date.fromordinal(start.toordinal() + length)
        spans = list(periods_between(start, end, every))  # type: ignore[arg-type]
        days = [d for s in spans if s.from_on for d in range(s.from_on.toordinal(), s.to_on.toordinal() + 1)]
        assert days == list(range(start.toordinal(), end.toordinal() + 1))
        whole = [s.to_on for s in spans if period_around(s.to_on, every).to_on == s.to_on]  # type: ignore[arg-type]
        assert [s.to_on for s in ends_between(start, end, every)] == whole  # type: ignore[arg-type]


class TestTerms:
    def test_a_stock_is_everything_until_the_day(self) -> None:
        (term,) = terms_of(CATALOGUE, CATALOGUE.get_indicator("population"), Span(DAY), {})
        assert (term.measure, term.after, term.until, term.weight) == ("residents", None, DAY, 1)
        assert term.where == {
            "nationality": OneOf(frozenset({"125", "154"})),
            "residence_kind": OneOf(frozenset({"main"})),
        }

    def test_a_change_is_the_difference_of_two_stocks(self) -> None:
        terms = terms_of(CATALOGUE, CATALOGUE.get_indicator("population_change"), Span(DAY), {})
        assert [(t.until, t.weight) for t in terms] == [(DAY, 1), (date(2017, 12, 31), -1)]

    def test_a_net_figure_takes_away_what_left(self) -> None:
        terms = terms_of(CATALOGUE, CATALOGUE.get_indicator("net_movements"), Span(DAY, date(2018, 1, 1)), {})
        assert [(t.measure, t.after, t.until, t.weight) for t in terms] == [
            ("arrivals", date(2017, 12, 31), DAY, 1),
            ("departures", date(2017, 12, 31), DAY, -1),
        ]

    def test_both_ends_of_a_flow_belong_to_it(self) -> None:
        (term,) = terms_of(CATALOGUE, CATALOGUE.get_indicator("registrations"), Span(DAY, DAY), {})
        days = (date(2018, 12, 30), DAY, date(2019, 1, 1))
        assert [term.matches("registrations", (), day) for day in days] == [False, True, False]
        assert not term.matches("arrivals", (), DAY)

    def test_a_flow_by_age_is_cut_at_every_new_year(self) -> None:
        span = Span(date(2018, 3, 1), date(2016, 12, 31))
        terms = terms_of(CATALOGUE, CATALOGUE.get_indicator("arrivals"), span, {"age_band": frozenset({"0-5"})})
        assert [t.until for t in terms] == [date(2016, 12, 31), date(2017, 12, 31), date(2018, 3, 1)]
        assert [min(t.where["birth_year"].codes) for t in terms] == ["2011", "2012", "2013"]

    def test_nobody_is_counted_before_the_group_exists(self) -> None:
        assert terms_of(CATALOGUE, CATALOGUE.get_indicator("population"), Span(date(2000, 1, 1)), {}) == ()
        span = Span(date(2007, 1, 31), date(2006, 12, 1))
        assert [t.after for t in terms_of(CATALOGUE, CATALOGUE.get_indicator("arrivals"), span, {})] == [
            date(2006, 12, 30)
        ]

    @pytest.mark.parametrize("indicator_id", list(CATALOGUE.indicators))
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
            term = Term(indicator.counts[0].measure, DAY)
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
