"""Bad questions at the reporting office's doors: each with its exact answer, which repeats nothing that was asked."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import OfficeDatabases, Templates
from stage.refusals import CANARY, Sent, assert_untold, check_problem, get, post
from stage.served_offices import ServedOffice, served_office

FIGURES = "/figures/population"


def ask(query: str, *roles: str, of: str = FIGURES) -> Sent:
    return get(f"{of}?{query}", *(roles or ("statistics",)))


# What is asked, and: status, code, findings (code of the finding @ place in the request).
REFUSED: dict[str, tuple[Sent, int, str, str]] = {
    # Addresses
    "an unknown indicator": (ask("", of="/figures/happiness"), 404, "no_such_indicator", ""),
    "an indicator in capitals": (ask("", of="/figures/POPULATION"), 404, "not_found", ""),
    "an indicator that is a name": (ask("", of=f"/figures/{CANARY}"), 404, "not_found", ""),
    "a table of an unknown indicator": (ask("", of="/figures/happiness.csv"), 404, "no_such_indicator", ""),
    "an unknown kind of table": (ask("", of="/figures/population.ods"), 404, "not_found", ""),
    "a definition of nothing": (ask("", of="/indicators/happiness"), 404, "no_such_indicator", ""),
    "a way up": (ask("", of="/figures/..%2f..%2fetc%2fpasswd"), 404, "not_found", ""),
    "posting figures": (post(FIGURES, {"value": 1}, "statistics"), 405, "method_not_allowed", ""),
    "removing figures": (Sent("DELETE", FIGURES, ("statistics",)), 405, "method_not_allowed", ""),
    # Breakdowns and filters
    "an unknown breakdown": (ask("by=ethnicity"), 422, "no_such_breakdown", "no_such_breakdown@query:by"),
    "a breakdown that is a name": (ask(f"by={CANARY}"), 422, "no_such_breakdown", "no_such_breakdown@query:by"),
    "a breakdown in capitals": (ask("by=Nationality"), 422, "no_such_breakdown", "no_such_breakdown@query:by"),
    "a breakdown twice": (ask("by=sex,sex"), 422, "twice_the_same", "twice_the_same@query:by"),
    "two levels of areas": (ask("by=district,area"), 422, "twice_the_same", "twice_the_same@query:by"),
    "a day of its own for the group": (
        ask("by=nationality,age_band,sex&as_of=2018-05-17", "coordination"), 403, "only_period_ends", ""),
    "the knowledge of a day of its own for the group": (
        ask("by=nationality&area=05&as_of=2018-12-31&known_on=2019-02-01", "coordination"),
        403, "only_period_ends", ""),
    "four dimensions": (
        ask("by=nationality,age_band,sex,area"), 422, "too_many_breakdowns", "too_many_breakdowns@query:by"),
    "an unknown area": (ask("area=4711"), 422, "no_such_value", "no_such_value@query:area"),
    "an area that is a name": (ask(f"area={CANARY}"), 422, "no_such_value", "no_such_value@query:area"),
    "areas of two levels": (ask("area=05,SB02"), 422, "mixed_levels", "mixed_levels@query:area"),
    "an unknown nationality": (ask("nationality=777"), 422, "no_such_value", "no_such_value@query:nationality"),
    "a sex that is a name": (ask(f"sex={CANARY}"), 422, "no_such_value", "no_such_value@query:sex"),
    "codes without end": (ask(f"sex={'f,' * 1_500}"), 422, "invalid", "too_long@query:sex"),
    # Days and periods
    "a word for a day": (ask(f"as_of={CANARY}"), 422, "invalid", "wrong_form@query:as_of"),
    "a day that does not exist": (ask("as_of=2018-02-30"), 422, "no_such_day", "no_such_day@query:as_of"),
    "digits of another script": (ask("as_of=٢٠١٨-١٢-٣١"), 422, "invalid", "wrong_form@query:as_of"),
    "a day before all figures": (ask("as_of=1800-01-01"), 422, "no_such_day", "no_such_day@query:as_of"),
    "a day beyond all figures": (ask("as_of=9999-12-31"), 422, "no_such_day", "no_such_day@query:as_of"),
    "known before anything": (ask("known_on=1800-01-01"), 422, "no_such_day", "no_such_day@query:known_on"),
    "known in seconds": (ask("known_on=1541376000"), 422, "invalid", "date_needed@query:known_on"),
    "known at a moment": (
        ask("known_on=2018-12-31T00:00:00"), 422, "invalid", "date_needed@query:known_on"),
    "compared with a day before all figures": (
        ask("compare=1800-01-01"), 422, "no_such_day", "no_such_day@query:compare"),
    "a period reversed": (
        ask("from=2018-12-31&to=2018-01-01"), 422, "from_after_to", "from_after_to@query:from"),
    "half a period": (ask("from=2018-01-01"), 422, "half_a_period", "half_a_period@query:to"),
    "the other half": (ask("to=2018-01-01"), 422, "half_a_period", "half_a_period@query:from"),
    "days and a period": (
        ask("from=2018-01-01&to=2018-12-31&as_of=2018-12-31"), 422, "days_and_period", "days_and_period@query:as_of"),
    "a period beginning before all figures": (
        ask("from=0001-01-01&to=2018-01-01"), 422, "no_such_day", "no_such_day@query:from"),
    "an unknown length of periods": (ask("period=decade"), 422, "invalid", "not_offered@query:period"),
    "more days than anybody reads": (
        ask("as_of=" + ",".join(f"{1900 + year}-{month:02d}-01" for year in range(90) for month in range(1, 13))),
        422, "invalid", "too_long@query:as_of"),
    # Parameters
    "an unknown parameter": (ask("ethnicity=1"), 422, "invalid", "unknown_field@query:ethnicity"),
    "a parameter that is a name": (ask(f"{CANARY}=1"), 422, "invalid", "unknown_field@query:"),
    "a parameter in capitals": (ask("As_Of=2018-12-31"), 422, "invalid", "unknown_field@query:As_Of"),
    "a parameter twice": (
        ask("as_of=2018-12-31&as_of=2017-12-31"), 422, "given_twice", "given_twice@query:as_of"),
    "a parameter twice, once in disguise": (
        ask("as_of=2018-12-31&as%5Fof=2017-12-31"), 422, "given_twice", "given_twice@query:as_of"),
    "a name as a parameter twice": (ask(f"{CANARY}=1&{CANARY}=2"), 422, "given_twice", "given_twice@query:"),
    "NUL in a parameter": (ask("sex=%00"), 400, "nul_character", ""),
}  # fmt: skip


@pytest.fixture(scope="module")
def office(templates: Templates, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedOffice]:
    databases = OfficeDatabases(templates)
    folder: Path = tmp_path_factory.mktemp("reporting")
    with served_office(databases("reporting"), folder) as served:
        yield served
    databases.drop_all()


@pytest.mark.parametrize("name", REFUSED)
def test_a_bad_question_is_refused_exactly(office: ServedOffice, name: str) -> None:
    sent, status, code, at = REFUSED[name]
    check_problem(sent.to(office), status, code, at)


@pytest.mark.parametrize("query", ["as_of=2999-01-01", "as_of=1901-01-01", "known_on=1901-01-01"])
def test_a_day_of_which_nothing_is_known_has_no_value(office: ServedOffice, query: str) -> None:
    answer = ask(query).to(office)
    assert answer.status_code == 200, answer.text
    assert answer.json()["cells"][0]["values"] == [{"kind": "not_reported"}]


@pytest.mark.parametrize("event_id", [CANARY, "-1.-1", "9" * 4_000, "1.2.3", "٣.٤", "999999.999999"])
def test_who_resumes_from_nowhere_is_told_everything(office: ServedOffice, event_id: str) -> None:
    headers = [(name.encode(), value.encode()) for name, value in office.bearer("coordination").items()]
    headers.append((b"Last-Event-ID", event_id.encode()))
    with office.client.stream("GET", "/live", headers=headers) as stream:
        assert stream.status_code == 200
        lines = stream.iter_lines()
        assert next(line for line in lines if line.startswith("event:")) == "event: tiles"
        assert CANARY not in next(line for line in lines if line.startswith("data:"))


@pytest.mark.parametrize(
    "path", ["/?as_of=2018-02-30", "/?known_on=2999-01-01", f"/?as_of={CANARY}", "/indicators/population?as_of=1066"]
)
def test_a_page_with_a_bad_day_says_so_and_shows_today(office: ServedOffice, path: str) -> None:
    answer = office.ask("GET", path, "coordination", headers={"Accept": "text/html"})
    assert answer.status_code == 422
    assert answer.headers["content-type"].startswith("text/html")
    assert 'aria-invalid="true"' in answer.text


def test_a_page_that_is_nowhere_is_a_page(office: ServedOffice) -> None:
    answer = office.ask("GET", f"/{CANARY}", "coordination", headers={"Accept": "text/html"})
    assert (answer.status_code, answer.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert_untold(answer)
