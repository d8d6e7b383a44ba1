"""The printed figures are those of the status report, and each is compared with the right answer of reporting.

Reporting is a stand-in on a loopback port here: it knows the right answers, and gets one wrong where it is told to.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from threading import Event, Thread
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from reporting.indicators import read_catalogue
from reporting.printed import check
from reporting.printed.asking import CITY, printed_figures
from reporting.printed.comparing import NotAnswered
from verbund.embedded.simulation import SimulationContext

Asked = tuple[str, frozenset[tuple[str, str]]]


def value_of(number: int) -> dict[str, object]:
    return {"kind": "number", "number": number} if number else {"kind": "zero"}


def right_answers() -> dict[Asked, dict[str, object]]:
    """One value for each question; of two questions that make one figure, arrivals get the larger part."""
    answers: dict[Asked, dict[str, object]] = {}
    for figure in printed_figures():
        open_persons = figure.persons
        for indicator, query in figure.questions:
            asked = (indicator, frozenset(query.items()))
            if asked not in answers:
                answers[asked] = value_of(open_persons if len(figure.questions) == 1 else open_persons * 5 // 9)
                if asked[0] == "departures" and len(figure.questions) > 1:
                    answers[asked] = value_of(open_persons)
            number = answers[asked].get("number", 0)
            assert isinstance(number, int)
            open_persons -= number
    return answers


@dataclass
class Reporting:
    answers: dict[Asked, dict[str, object]] = field(default_factory=right_answers)
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
        asked = (parts.path.removeprefix("/figures/"), frozenset(parse_qsl(parts.query)))
        if self.reporting.refusals:
            self._send(self.reporting.refusals.pop(0), {"code": "refused"})
        else:
            self._send(200, {"cells": [{"keys": [], "values": [self.reporting.answers[asked]]}]})

    def _send(self, status: int, content: dict[str, Any]) -> None:
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
    printed = {figure.name: figure.persons for figure in printed_figures()}
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
    assert [(one.name, one.printed) for one in comparisons] == [(f.name, f.persons) for f in printed_figures()]
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
