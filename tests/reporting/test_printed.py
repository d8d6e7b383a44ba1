"""The printed figures are those of the status report, and each is compared with the right answer of reporting.

Reporting is a stand-in on a loopback port here: it knows the right answers, and gets one wrong where it is told to.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from threading import Event, Thread
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from reporting.indicators import read_catalogue
from reporting.printed import DELIVERIES, check
from reporting.printed.asking import CITY, printed_figures
from reporting.printed.delivered import delivery_files, known_of, printed_in
from reporting.printed.door import NotAnswered
from verbund.embedded.simulation import SimulationContext

Asked = tuple[str, frozenset[tuple[str, str]]]


TABLES = delivery_files()


def value_of(number: int | Decimal) -> dict[str, object]:
    if not number:
        return {"kind": "zero"}
    return {"kind": "number", "number": float(number) if number % 1 else int(number)}


def right_answers() -> dict[Asked, dict[str, object]]:
    """One value for each question; of two questions that make one figure, arrivals get the larger part."""
    answers: dict[Asked, dict[str, object]] = {}
    for figure in printed_figures():
        open_persons = int(figure.number)
        for indicator, query in figure.questions:
            asked = (indicator, frozenset(query.items()))
            if asked not in answers:
                answers[asked] = value_of(open_persons if len(figure.questions) == 1 else open_persons * 5 // 9)
                if asked[0] == "departures" and len(figure.questions) > 1:
                    answers[asked] = value_of(open_persons)
            number = answers[asked].get("number", 0)
            assert isinstance(number, int)
            open_persons -= number
    for table in TABLES:
        for figure in printed_in(table):
            ((indicator, query),) = figure.questions
            answers[indicator, frozenset(query.items())] = value_of(figure.number)
    return answers


def right_findings() -> dict[str, list[dict[str, Any]]]:
    """By indicator, what reporting says beside every answer: here of whatever time it is."""
    said: dict[str, list[dict[str, Any]]] = {}
    for table in TABLES:
        for words in known_of(table):
            period, code, *numbers = words.split()
            if code != "revised":
                found = dict(zip(("printed", "computed"), numbers, strict=True))
                first, _, last = period.rpartition("/")
                delivery = {"from_on": first or None, "to_on": last, "findings": [{"code": code, **found}]}
                said.setdefault(table.indicator, []).append(delivery)
    return said


def restated() -> dict[str, set[str]]:
    """By indicator, the last days of the years that their source restated."""
    return {table.indicator: {row["to"] for row in table.rows if row["restated"] == "yes"} for table in TABLES}


@dataclass
class Reporting:
    answers: dict[Asked, dict[str, object]] = field(default_factory=right_answers)
    findings: dict[str, list[dict[str, Any]]] = field(default_factory=right_findings)
    restated: dict[str, set[str]] = field(default_factory=restated)
    delivered: dict[str, bytes] = field(default_factory=dict)
    refusals: list[int] = field(default_factory=list)
    """Statuses with which the next requests are refused."""


class _Door(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 1 << 16  # head and body in one packet
    reporting: Reporting

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing."""

    def do_GET(self) -> None:
        assert self.headers["Authorization"] == "Bearer reporting/statistics"
        parts = urlsplit(self.path)
        if self.reporting.refusals:
            self._send(self.reporting.refusals.pop(0), {"code": "refused"})
        elif parts.path.endswith("/deliveries"):
            self._send(200, [{}] if parts.path.split("/")[2] in self.reporting.delivered else [])
        else:
            self._send(200, self._answer(parts.path.removeprefix("/figures/"), dict(parse_qsl(parts.query))))

    def do_POST(self) -> None:
        indicator = self.path.removeprefix("/deliveries/files/")
        assert self.headers["Idempotency-Key"].startswith(f"printed-{indicator}-")
        self.reporting.delivered[indicator] = self.rfile.read(int(self.headers["Content-Length"]))
        self._send(201, {})

    def _answer(self, indicator: str, query: dict[str, str]) -> dict[str, Any]:
        to = query.get("to", query.get("as_of"))
        marks = ["revised"] if to in self.reporting.restated.get(indicator, ()) else []
        value = self.reporting.answers[indicator, frozenset(query.items())]
        return {
            "points": [{"from_on": query.get("from"), "to_on": to}],
            "cells": [{"keys": [], "values": [value], "marks": [marks]}],
            "deliveries": self.reporting.findings.get(indicator, []),
        }

    def _send(self, status: int, content: Any) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture
def reporting() -> Reporting:
    return Reporting()


@pytest.fixture
def context(reporting: Reporting) -> Iterator[SimulationContext]:
    handler = type("Door", (_Door,), {"reporting": reporting})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield SimulationContext(
        registration_url="",
        reporting_url=f"http://127.0.0.1:{server.server_port}",
        issue_token=lambda office, roles: f"{office}/{'+'.join(roles)}",
        seed=1,
        pace_per_minute=0.0,
        stop=Event(),
        progress=lambda phase, done, total: None,
    )
    server.shutdown()
    server.server_close()
    thread.join()


def test_the_figures_are_those_of_the_status_report() -> None:
    printed = {figure.name: figure.number for figure in printed_figures()}
    assert len(printed) == len(printed_figures()) == 18 + 10 + 5 + 3
    assert printed["Stock 2006-12-31, EU2"] == 573
    assert printed["Stock 2018-12-31, BGR"] == 3925
    assert printed["Stock 2018-12-31, ROU"] == 5114
    assert printed["Stock 2018-12-31, EU2"] == 9039
    assert printed["Arrivals 2018"] == 3250
    assert printed["Departures 2018"] == 2850
    assert printed["Arrivals and departures 2018"] == 6100
    assert printed["Arrivals and departures 2014"] == 14_000
    assert printed["Arrivals and departures 2015"] == 10_500
    assert printed["Stock 2018-12-31, area SB02"] == 4750
    assert printed["Stock 2018-12-31, area 05"] == 2600
    assert printed["Stock 2018-12-31, aged 65 and over"] == 110


@pytest.mark.parametrize("name", ["population_eu2", "movements_eu2", "shares_eu2"])
def test_the_simulation_aims_at_the_same_figures(name: str) -> None:
    aimed_at = files("registration.simulation") / f"printed_{CITY}" / f"{name}.csv"
    compared_with = files("reporting.printed") / CITY / f"{name}.csv"
    assert aimed_at.read_bytes() == compared_with.read_bytes()


def test_every_question_is_one_that_the_catalogue_allows() -> None:
    catalogue = read_catalogue(CITY)
    for figure in printed_figures():
        for name, query in figure.questions:
            indicator = catalogue.get_indicator(name)
            filters = query.keys() - {"as_of", "from", "to"}
            assert filters <= set(indicator.breakdowns)
            assert ("as_of" in query) == indicator.is_about_days
            for key in ("nationality", "area"):
                known: dict[str, object] = {**catalogue.city.nationalities, **catalogue.city.areas}
                assert query.get(key, CITY) in known
            if "age_band" in query:
                assert query["age_band"] in catalogue.city.age_bands[indicator.age_bands or ""]


def test_right_answers_are_all_equal(context: SimulationContext) -> None:
    comparisons = check(context)
    assert [(one.name, one.printed) for one in comparisons[:36]] == [(f.name, f.number) for f in printed_figures()]
    assert [one for one in comparisons if not one.is_equal] == []


@pytest.mark.parametrize(
    ("wrong", "answered"),
    [(value_of(3924), 3924), ({"kind": "zero"}, 0), ({"kind": "protected"}, None), ({"kind": "not_reported"}, None)],
)
def test_a_wrong_answer_shows_as_a_difference(
    reporting: Reporting, context: SimulationContext, wrong: dict[str, object], answered: int | None
) -> None:
    query = {"as_of": "2018-12-31", "nationality": "125"}
    reporting.answers["population", frozenset(query.items())] = wrong
    different = [one for one in check(context) if not one.is_equal]
    assert [(one.name, one.printed, one.answered) for one in different] == [("Stock 2018-12-31, BGR", 3925, answered)]


def test_a_part_that_is_not_reported_leaves_no_sum(reporting: Reporting, context: SimulationContext) -> None:
    query = {"from": "2014-01-01", "to": "2014-12-31"}
    reporting.answers["departures", frozenset(query.items())] = {"kind": "not_reported"}
    different = [one for one in check(context) if not one.is_equal]
    assert [(one.name, one.answered) for one in different] == [("Arrivals and departures 2014", None)]


def test_a_busy_service_is_asked_again(reporting: Reporting, context: SimulationContext) -> None:
    reporting.refusals = [503, 503]
    assert all(one.is_equal for one in check(context))


@pytest.mark.parametrize("status", [401, 403, 404, 422, 500])
def test_a_refused_question_is_no_difference_but_an_error(
    reporting: Reporting, context: SimulationContext, status: int
) -> None:
    reporting.refusals = [status]
    with pytest.raises(NotAnswered, match=str(status)):
        check(context)


def test_every_table_is_delivered_once_and_stays_as_it_is(reporting: Reporting, context: SimulationContext) -> None:
    DELIVERIES.load(context)
    assert reporting.delivered == {table.indicator: table.body for table in TABLES}
    reporting.delivered["problem_houses"] = b"revised since"
    DELIVERIES.load(context)
    assert reporting.delivered["problem_houses"] == b"revised since"


def test_every_number_of_the_tables_is_compared_and_what_does_not_fit_in_them(context: SimulationContext) -> None:
    comparisons = {one.name: one.printed for one in check(context)}
    assert len(comparisons) == 36 + sum(len(table.rows) for table in TABLES) + len(TABLES) == 36 + 104 + 18
    assert comparisons["funding_granted 2018-12-31"] == Decimal("20149099.89")
    assert comparisons["gynaecological_contacts 2014-01-01/2018-12-31"] == 6480
    assert comparisons["gynaecological_contacts"] == "2014-01-01/2018-12-31 sum_over_time_differs 6480 5732"
    assert comparisons["clearing_nationalities"] == "2016-08-01/2019-02-20 hundred_differs 100 99.9"
    assert comparisons["tuberculosis_cases"] == "; ".join(f"{y}-01-01/{y}-12-31 revised" for y in (2014, 2015, 2016))
    assert comparisons["problem_houses"] == "–"


def test_a_trap_that_nobody_speaks_of_is_a_difference(reporting: Reporting, context: SimulationContext) -> None:
    del reporting.findings["gynaecological_contacts"]
    reporting.restated["tuberculosis_cases"].discard("2015-12-31")
    reporting.findings["problem_houses"] = [
        {"from_on": None, "to_on": "2018-12-31", "findings": [{"code": "outlier", "printed": "85", "computed": "96"}]}
    ]
    different = {one.name: one.answered for one in check(context) if not one.is_equal}
    assert different == {
        "gynaecological_contacts": "–",
        "problem_houses": "2018-12-31 outlier 85 96",
        "tuberculosis_cases": "2014-01-01/2014-12-31 revised; 2016-01-01/2016-12-31 revised",
    }


def test_a_cent_is_a_difference(reporting: Reporting, context: SimulationContext) -> None:
    reporting.answers["funding_granted", frozenset({("as_of", "2018-12-31")})] = value_of(Decimal("20149099.88"))
    different = [(one.name, one.answered) for one in check(context) if not one.is_equal]
    assert different == [("funding_granted 2018-12-31", Decimal("20149099.88"))]
