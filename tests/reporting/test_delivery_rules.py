"""What is booked when a body delivers: forms, what stands delivered, and the events or the refusal that follow."""

import random
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

import pytest
from stage.deliveries import (
    HEALTH,
    RENEWAL,
    TODAY,
    cases,
    delivery,
    file_form,
    premises,
    revision,
    row,
    spec,
    year,
)

from reporting.commands.deliveries import (
    DeliverFigure,
    DeliveryCommand,
    FinalisationForm,
    FinaliseFigure,
    KeepFigure,
    KeepingForm,
    ReviseFigure,
    TakeInFigures,
    WithdrawalForm,
    WithdrawFigure,
)
from reporting.deliveries import Series, decide, evolve
from reporting.deliveries.series import Period
from verbund.errors import Forbidden, NotNow, Problem, RowsRefused, RuleBroken

AT = datetime(2019, 6, 1, 9, 0, tzinfo=UTC)
STATES = ("in_observation", "in_intensive_advice", "in_sale_negotiation", "in_renovation", "renovated")


def book(series: Series, command: DeliveryCommand, today: date = TODAY) -> tuple[Series, Sequence[Any]]:
    """The series after a command, and the events that it led to."""
    events = decide(series, command, today, spec(series.indicator, today))
    for event in events:
        series = evolve(series, event, AT)
    return series, events


def delivered(said: Mapping[str, Any], body: str = HEALTH) -> tuple[Series, Sequence[Any]]:
    return book(Series(said["indicator"]), DeliverFigure(delivery(said), body))


def numbers(series: Series, number: int) -> list[str | None]:
    sheet = series.sheets[Period(date(number, 1, 1), date(number, 12, 31))]
    return [each.value for each in sheet.rows]


def findings(events: Sequence[Any]) -> list[tuple[str, str | None, str | None]]:
    return [(found.code, found.printed, found.computed) for event in events for found in event.findings]


def test_a_first_delivery_is_booked_as_it_came() -> None:
    series, (event,) = delivered(cases(year(2018, "59", source="RKI")))
    assert type(event).__name__ == "FigureDelivered"
    assert (event.body, event.unit, event.definition_version) == (HEALTH, "case", 1)
    assert numbers(series, 2018) == ["59"]
    assert event.sheet.source_sha256 is not None
    assert "RKI" not in event.model_dump_json()


NUMBERS = [
    ("59", "59"),
    ("0", "0"),
    ("0059", "59"),
    (" 1 234 ", "1234"),
    ("20.149.099", "20149099"),
    ("59,0", "59"),
    ("59.00", "59"),
]
AMOUNTS = [("20149099.89", "20149099.89"), ("20.149.099,89", "20149099.89"), ("1,5", "1.50"), ("7", "7.00")]


@pytest.mark.parametrize(("typed", "booked"), NUMBERS)
def test_a_number_is_booked_in_one_spelling(typed: str, booked: str) -> None:
    series, _ = delivered(cases(year(2018, typed)))
    assert numbers(series, 2018) == [booked]


@pytest.mark.parametrize(("typed", "booked"), AMOUNTS)
def test_an_amount_keeps_its_cents(typed: str, booked: str) -> None:
    said = {"indicator": "funding_granted", "unit": "euro", "sheets": [{"to_on": "2018-12-31", "rows": [row(typed)]}]}
    series, _ = delivered(said, "social_department")
    assert [each.value for sheet in series.sheets.values() for each in sheet.rows] == [booked]


def test_not_available_is_no_zero() -> None:
    series, _ = delivered(cases(year(2017, "0"), year(2018, None)))
    assert (numbers(series, 2017), numbers(series, 2018)) == (["0"], [None])


def total_and(**states: str) -> dict[str, Any]:
    return premises(
        *(row(value, **({} if name == "total" else {"renewal_state": name})) for name, value in states.items())
    )


BAD: list[tuple[str, dict[str, Any], str, str]] = [
    ("another unit", cases(year(2018, "59")) | {"unit": "contact"}, "wrong_unit", "/unit"),
    ("another definition", cases(year(2018, "59"), definition_version=2), "wrong_version", "/definition_version"),
    ("a year twice", cases(year(2018, "59"), year(2018, "60")), "period_twice", "/sheets/1/to_on"),
    ("a year to come", cases(year(2019, "59")), "not_over_yet", "/sheets/0/to_on"),
    ("a day of long ago", cases(year(1899, "59")), "no_such_day", "/sheets/0/to_on"),
    ("a day of a flow", cases({"to_on": "2018-12-31", "rows": [row("59")]}), "period_needed", "/sheets/0/from_on"),
    (
        "a period backwards",
        cases({"from_on": "2018-12-31", "to_on": "2018-01-01", "rows": [row("59")]}),
        "from_after_to",
        "/sheets/0/from_on",
    ),
    (
        "half a year of a yearly figure",
        cases({"from_on": "2018-01-01", "to_on": "2018-06-30", "rows": [row("59")]}),
        "not_a_period",
        "/sheets/0/from_on",
    ),
    ("a period of a stock", premises(row("1"), from_on="2018-01-01"), "no_period_expected", "/sheets/0/from_on"),
    ("not the cut-off", premises(row("1"), on="2018-11-30"), "not_the_cut_off", "/sheets/0/to_on"),
    (
        "an unknown breakdown",
        cases(year(2018) | {"rows": [row("1", sex="f")]}),
        "no_such_breakdown",
        "/sheets/0/rows/0/breakdown/sex",
    ),
    ("an unknown value", total_and(demolished="1"), "no_such_value", "/sheets/0/rows/0/breakdown/renewal_state"),
    ("an unknown area", premises(row("1", area="99")), "no_such_value", "/sheets/0/rows/0/breakdown/area"),
    ("a row twice", premises(row("1", area="04"), row("2", area="04")), "row_twice", "/sheets/0/rows/1/breakdown"),
    ("no number", cases(year(2018, "")), "value_missing", "/sheets/0/rows/0/value"),
    ("blanks", cases(year(2018, "   ")), "value_missing", "/sheets/0/rows/0/value"),
    ("words", cases(year(2018, "about 60")), "not_a_number", "/sheets/0/rows/0/value"),
    ("digits of another script", cases(year(2018, "\u0665\u0669")), "not_a_number", "/sheets/0/rows/0/value"),
    ("an exponent", cases(year(2018, "6e1")), "not_a_number", "/sheets/0/rows/0/value"),
    ("infinity", cases(year(2018, "Infinity")), "not_a_number", "/sheets/0/rows/0/value"),
    ("two commas", cases(year(2018, "1,2,3")), "not_a_number", "/sheets/0/rows/0/value"),
    ("a formula", cases(year(2018, "=1+1")), "not_a_number", "/sheets/0/rows/0/value"),
    ("a point between thousands", cases(year(2018, "1.234")), "thousands_point", "/sheets/0/rows/0/value"),
    ("half a case", cases(year(2018, "59.5")), "too_many_decimals", "/sheets/0/rows/0/value"),
    ("fewer than none", cases(year(2018, "-1")), "negative", "/sheets/0/rows/0/value"),
    ("too many digits", cases(year(2018, "9" * 19)), "too_large", "/sheets/0/rows/0/value"),
    (
        "a number that is not available",
        cases(year(2018) | {"rows": [{"value": "59", "not_available": True}]}),
        "value_and_not_available",
        "/sheets/0/rows/0/value",
    ),
]


@pytest.mark.parametrize(("said", "code", "pointer"), [bad[1:] for bad in BAD], ids=[bad[0] for bad in BAD])
def test_a_bad_delivery_is_refused_at_the_field(said: dict[str, Any], code: str, pointer: str) -> None:
    with pytest.raises(RowsRefused) as refused:
        delivered(said, HEALTH if said["indicator"] == "tuberculosis_cases" else RENEWAL)
    assert [(found.code, found.pointer) for found in refused.value.findings] == [(code, pointer)]


def test_a_share_is_not_above_a_hundred() -> None:
    sheet = {"from_on": "2018-01-01", "to_on": "2018-12-31", "rows": [row("100.1", clearing_topic="family_insurance")]}
    said = {"indicator": "clearing_topics", "unit": "contact", "sheets": [sheet]}
    with pytest.raises(RowsRefused) as refused:
        delivered(said, "clearing_office")
    assert [found.code for found in refused.value.findings] == ["over_hundred"]


def test_everything_that_is_wrong_is_told_at_once() -> None:
    with pytest.raises(RowsRefused) as refused:
        delivered(cases(year(2018, "x"), year(2017, "-1"), year(2016, "1.5")) | {"unit": "child"})
    codes = [found.code for found in refused.value.findings]
    assert codes == ["wrong_unit", "not_a_number", "negative", "too_many_decimals"]


def test_a_body_delivers_its_own_figures_only() -> None:
    with pytest.raises(Forbidden) as refused:
        delivered(cases(year(2018, "59")), "job_centre")
    assert refused.value.code == "not_your_figure"


def test_what_is_counted_here_cannot_be_delivered() -> None:
    with pytest.raises(RuleBroken) as refused:
        spec("population")
    assert refused.value.code == "not_delivered"


def year_form(number: int) -> dict[str, str]:
    return {"from_on": f"{number}-01-01", "to_on": f"{number}-12-31"}


def finalise(*years: int) -> FinaliseFigure:
    said = {"indicator": "tuberculosis_cases", "periods": [year_form(number) for number in years]}
    return FinaliseFigure(FinalisationForm.model_validate(said), HEALTH)


def withdraw(*years: int) -> WithdrawFigure:
    said = {"indicator": "tuberculosis_cases", "periods": [year_form(each) for each in years], "reason": "typing_error"}
    return WithdrawFigure(WithdrawalForm.model_validate(said), HEALTH)


def keep(from_year: int, to_year: int) -> KeepFigure:
    said = {"indicator": "tuberculosis_cases", "kept_from": year_form(from_year), "period": year_form(to_year)}
    return KeepFigure(KeepingForm.model_validate(said), HEALTH)


def revise(*sheets: Mapping[str, Any]) -> ReviseFigure:
    return ReviseFigure(revision(cases(*sheets)), HEALTH)


CONFLICTS: list[tuple[str, Callable[[], DeliveryCommand], type[Problem], str, str]] = [
    (
        "delivered twice",
        lambda: DeliverFigure(delivery(cases(year(2017, "1"))), HEALTH),
        NotNow,
        "figure_exists",
        "/sheets/0/to_on",
    ),
    ("revised before it was delivered", lambda: revise(year(2016, "1")), NotNow, "no_such_figure", "/sheets/0/to_on"),
    ("revised to the same", lambda: revise(year(2017, "62")), RuleBroken, "nothing_changed", "/sheets/0"),
    ("finalised before it was delivered", lambda: finalise(2016), NotNow, "no_such_figure", "/periods/0/to_on"),
    ("finalised twice", lambda: finalise(2018), NotNow, "final_already", "/periods/0/to_on"),
    ("finalised twice at once", lambda: finalise(2017, 2017), RuleBroken, "period_twice", "/periods"),
    ("withdrawn before it was delivered", lambda: withdraw(2016), NotNow, "no_such_figure", "/periods/0/to_on"),
    ("kept from nothing", lambda: keep(2015, 2016), NotNow, "no_such_figure", "/kept_from/to_on"),
    ("kept over something", lambda: keep(2017, 2018), NotNow, "figure_exists", "/period/to_on"),
    ("kept backwards", lambda: keep(2017, 2016), RuleBroken, "kept_backwards", "/period/to_on"),
    ("kept for what is to come", lambda: keep(2018, 2019), RowsRefused, "rows_refused", "/period/to_on"),
]


@pytest.mark.parametrize(
    ("command", "kind", "code", "pointer"), [c[1:] for c in CONFLICTS], ids=[c[0] for c in CONFLICTS]
)
def test_what_does_not_fit_what_stands_delivered_is_refused(
    command: Callable[[], DeliveryCommand], kind: type[Problem], code: str, pointer: str
) -> None:
    series, _ = delivered(cases(year(2017, "62"), year(2018, "59", state="final")))
    with pytest.raises(kind) as refused:
        book(series, command())
    assert refused.value.code == code
    assert [found.pointer for found in refused.value.findings] == [pointer]
    if isinstance(refused.value, NotNow):
        assert refused.value.allowed


def test_numbers_are_revised_kept_finalised_and_withdrawn() -> None:
    series, _ = delivered(cases(year(2016, "74"), year(2017, "60")))
    series, (revised,) = book(series, revise(year(2017, "62")))
    assert (revised.reason, numbers(series, 2017)) == ("typing_error", ["62"])
    series, (kept,) = book(series, keep(2017, 2018))
    assert kept.kept_from.to_on == date(2017, 12, 31)
    assert numbers(series, 2018) == ["62"]
    series, _ = book(series, finalise(2016, 2017))
    assert [sheet.state for sheet in series.sheets.values()] == ["final", "final", "provisional"]
    series, _ = book(series, withdraw(2016))
    assert sorted(period.to_on.year for period in series.sheets) == [2017, 2018]
    assert series.revision == 7


def test_a_file_twice_changes_nothing_and_a_changed_one_needs_a_reason() -> None:
    said = cases(year(2017, "62"), year(2018, "59"))
    series, events = book(Series("tuberculosis_cases"), TakeInFigures(file_form(said), HEALTH))
    assert [type(event).__name__ for event in events] == ["FigureDelivered"] * 2
    assert book(series, TakeInFigures(file_form(said), HEALTH)) == (series, ())
    changed = cases(year(2016, "74"), year(2017, "63"), year(2018, "59"))
    with pytest.raises(RowsRefused) as refused:
        book(series, TakeInFigures(file_form(changed), HEALTH))
    assert [(found.code, found.pointer) for found in refused.value.findings] == [("reason_needed", "/sheets/1/to_on")]
    series, events = book(series, TakeInFigures(file_form(changed, "late_reports"), HEALTH))
    assert [type(event).__name__ for event in events] == ["FigureDelivered", "FigureRevised"]
    assert numbers(series, 2017) == ["63"]


def test_a_file_from_before_the_numbers_were_final_changes_nothing() -> None:
    said = cases(year(2018, "59"))
    series, _ = book(Series("tuberculosis_cases"), TakeInFigures(file_form(said), HEALTH))
    series, _ = book(series, finalise(2018))
    assert book(series, TakeInFigures(file_form(said), HEALTH)) == (series, ())


def test_a_printed_total_that_is_not_the_sum_is_booked_and_told() -> None:
    _, events = delivered(
        total_and(total="112", **dict(zip(STATES, ("50", "18", "10", "20", "13"), strict=True))), RENEWAL
    )
    assert findings(events) == [("sum_differs", "112", "111")]


def test_a_sum_with_a_number_that_is_not_available_is_no_sum() -> None:
    said = total_and(total="112", **dict(zip(STATES, ("50", "18", "10", "20", "13"), strict=True)))
    said["sheets"][0]["rows"][1] |= {"value": None, "not_available": True}
    _, events = delivered(said, RENEWAL)
    assert findings(events) == []


def test_a_breakdown_of_which_a_value_is_missing_is_told() -> None:
    _, events = delivered(total_and(in_observation="50", renovated="14"), RENEWAL)
    assert [(found.code, dict(found.breakdown)) for event in events for found in event.findings] == [
        ("incomplete", {"renewal_state": state}) for state in STATES[1:4]
    ]


def test_years_that_do_not_make_their_printed_total_are_told_whatever_comes_first() -> None:
    years = {2014: "745", 2015: "1403", 2016: "1364", 2017: "1205", 2018: "1015"}
    total = {"from_on": "2014-01-01", "to_on": "2018-12-31", "rows": [row("6480")]}

    def contacts(*sheets: Mapping[str, Any]) -> dict[str, Any]:
        return {"indicator": "gynaecological_contacts", "unit": "contact", "sheets": list(sheets)}

    differs = ("sum_over_time_differs", "6480", "5732")
    singly = [year(number, value) for number, value in years.items()]
    series, events = delivered(contacts(*singly))
    assert findings(events) == []
    _, events = book(series, DeliverFigure(delivery(contacts(total)), HEALTH))
    assert findings(events) == [differs]
    series, events = delivered(contacts(total, *singly[:-1]))
    assert findings(events) == []
    _, events = book(series, DeliverFigure(delivery(contacts(singly[-1])), HEALTH))
    assert findings(events) == [differs]


def test_shares_that_do_not_make_a_hundred_are_told() -> None:
    shares = {"125": "18.6", "154": "38.6", "161": "21.2", "000": "5.9", "other": "15.6"}
    sheet = {"from_on": "2016-08-01", "to_on": "2019-02-20", "rows": [row(v, nationality=n) for n, v in shares.items()]}
    said = {"indicator": "clearing_nationalities", "unit": "contact", "sheets": [sheet]}
    _, events = delivered(said, "clearing_office")
    assert findings(events) == [("hundred_differs", "100", "99.9")]


def test_a_number_far_from_what_was_usual_is_told() -> None:
    series, _ = delivered(cases(year(2015, "67"), year(2016, "74"), year(2017, "62")))
    _, events = book(series, DeliverFigure(delivery(cases(year(2018, "590"))), HEALTH))
    assert findings(events) == [("outlier", "590", "67")]
    _, events = book(series, DeliverFigure(delivery(cases(year(2018, "59"))), HEALTH))
    assert findings(events) == []


def test_whatever_is_ordered_what_stands_is_what_was_said_last(seed: int) -> None:
    """A dictionary that is told the same things is the oracle."""
    chance = random.Random(seed)
    for _ in range(50):
        series, told = Series("tuberculosis_cases"), dict[int, str]()
        for _ in range(30):
            number, value = chance.randrange(2010, 2019), str(chance.randrange(100))
            command = chance.choice(
                (
                    TakeInFigures(file_form(cases(year(number, value)), "late_reports"), HEALTH),
                    DeliverFigure(delivery(cases(year(number, value))), HEALTH),
                    revise(year(number, value)),
                    withdraw(number),
                    finalise(number),
                    keep(number, number + 1),
                )
            )
            try:
                series, events = book(series, command)
            except Problem:
                continue
            for event in events:
                match command:
                    case WithdrawFigure():
                        del told[number]
                    case KeepFigure():
                        told[number + 1] = told[number]
                    case FinaliseFigure():
                        pass
                    case _:
                        told[number] = value
                assert event.indicator == "tuberculosis_cases"
        assert {period.to_on.year: sheet.rows[0].value for period, sheet in series.sheets.items()} == told
