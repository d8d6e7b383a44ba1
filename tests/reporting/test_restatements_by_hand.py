"""Restatements against whoever counts by hand: random bookings of all causes, two editions, and every cell of both."""

import os
import random
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from datetime import date
from itertools import product
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from fastapi import FastAPI
from stage.cube import SECRET
from stage.editions import freeze
from stage.lives import Asked, City, Kind
from stage.reporting_office import Database, ReportingOffice

from reporting.deltas import delta_functions, each_delta, record_key
from reporting.indicators import Catalogue
from verbund.events.offices import find_offices

SEED = int(os.environ.get("VERBUND_SEED", "0")) or random.SystemRandom().randrange(1, 2**31)
RUNS = int(os.environ.get("VERBUND_RESTATEMENTS", "1"))
"""Random cities; another one in every run."""

BREAKDOWNS: tuple[tuple[str, ...], ...] = ((), ("sex",), ("nationality",), ("area",))
INDICATORS: Mapping[str, Kind] = {
    "population": "stock",
    "arrivals": "arrivals",
    "departures": "departures",
    "net_movements": "net",
}
DAYS = (date(2017, 12, 31), date(2018, 12, 31))
YEAR = {"from": "2018-01-01", "to": "2018-12-31", "period": "year"}
QUESTIONS: list[dict[str, Any]] = [
    {"indicator": indicator, "by": list(by), **({"as_of": [str(day) for day in DAYS]} if kind == "stock" else YEAR)}
    for (indicator, kind), by in product(INDICATORS.items(), BREAKDOWNS)
]

Cell = tuple[str, tuple[str, ...], str]
"""Indicator, codes, last day."""


@pytest.fixture(params=range(RUNS))
def city(request: pytest.FixtureRequest) -> City:
    seed = SEED + request.param
    print(f"VERBUND_SEED={seed} VERBUND_RESTATEMENTS=1")  # noqa: T201
    return City(random.Random(seed))


@pytest.fixture
def office(tmp_path: Path, office_database: Any) -> ReportingOffice:
    database: Database = office_database("reporting")
    return ReportingOffice(tmp_path, database)


@pytest.fixture
async def app(office: ReportingOffice) -> AsyncIterator[FastAPI]:
    async with office.inside() as app:
        yield app


@pytest.fixture
async def statistics(office: ReportingOffice, app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    async with office.client(app, "statistics") as client:
        yield client


async def book(office: ReportingOffice, city: City, times: int) -> int:
    """So many bookings in a few batches; returns how many there are by now."""
    functions = delta_functions(find_offices())
    events = list(city.book(times))
    for start in range(0, times, 17):
        deltas = each_delta(events[start : start + 17], functions, lambda subject: record_key(SECRET, subject))
        await office.cube.take_in(list(deltas))
    return len(city.bookings)


async def tick(office: ReportingOffice) -> None:
    """Show the group all that is there, though the last time was a moment ago."""
    with psycopg.connect(office.database.superuser().conninfo()) as connection:
        connection.execute("update figures.tick set ticked_at = ticked_at - interval '2 hours'")
    await office.cube.tick()


async def restated(client: httpx.AsyncClient, older: str, against: str) -> dict[str, Any]:
    answer = await client.get(f"/editions/{older}/restatement?against={against}")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def by_cell(cells: list[dict[str, Any]]) -> dict[Cell, dict[str, Any]]:
    return {(c["indicator"], tuple(key["code"] for key in c["keys"]), c["to_on"]): c for c in cells}


def number(value: dict[str, Any]) -> int:
    """A value of an exact table."""
    return int(value["number"]) if value["kind"] == "number" else {"zero": 0}[value["kind"]]


def as_cause(reason: dict[str, Any]) -> str:
    """A reason by the name that offices give to causes."""
    if reason["kind"] == "correction" and reason["code"] != "cancelled":
        return f"corrected:{reason['code']}"
    return str(reason["code"] or reason["kind"])


def asked(indicator: str, codes: tuple[str, ...], by: str | None, to_on: str) -> Asked:
    kind = INDICATORS[indicator]
    from_on = None if kind == "stock" else date(2018, 1, 1)
    return Asked(kind, by, codes[0] if codes else None, from_on, date.fromisoformat(to_on))  # type: ignore[arg-type]


def everything() -> dict[Cell, Asked]:
    """Every cell that either edition could have."""
    codes = {"sex": ("f", "m"), "nationality": ("125", "154"), "area": ("04", "05", "61")}
    cells: dict[Cell, Asked] = {}
    for (indicator, kind), by in product(INDICATORS.items(), BREAKDOWNS):
        for day in DAYS if kind == "stock" else DAYS[1:]:
            for row in product(*(codes[name] for name in by)):
                cells[indicator, row, str(day)] = asked(indicator, row, by[0] if by else None, str(day))
    return cells


def says_what_was_counted(found: dict[str, Any], city: City, moments: tuple[int, int]) -> int:
    """Every cell that changed is there, by how much and by which causes, and no other one; returns how many."""
    changed, one_sided = by_cell(found["changed"]), by_cell([*found["added"], *found["removed"]])
    for cell, question in everything().items():
        before, after = (city.counted(question, moment) for moment in moments)
        if before == after:
            assert cell not in changed, f"{cell} did not change: {changed[cell]}"
            continue
        if cell in one_sided:
            assert number(one_sided[cell]["value"]) == (after or before), cell
            continue
        told = changed[cell]
        assert (number(told["before"]), number(told["after"])) == (before, after), told
        assert number(told["difference"]) == after - before, told
        amounts = {as_cause(reason): reason["amount"] for reason in told["reasons"]}
        assert amounts == city.added_by_cause(question, *moments), told
    assert changed.keys() <= everything().keys()
    return len(changed)


async def test_what_changed_by_how_much_and_why_is_what_is_counted_by_hand(
    office: ReportingOffice, statistics: httpx.AsyncClient, city: City
) -> None:
    first = await book(office, city, 60)
    older = (await freeze(statistics, "one", questions=QUESTIONS))["edition_id"]
    second = await book(office, city, 60)
    newer = (await freeze(statistics, "two", questions=QUESTIONS))["edition_id"]
    third = await book(office, city, 30)
    told = says_what_was_counted(await restated(statistics, older, newer), city, (first, second))
    told += says_what_was_counted(await restated(statistics, older, "now"), city, (first, third))
    told += says_what_was_counted(await restated(statistics, newer, "now"), city, (second, third))
    assert told > 50, "too little changed for this to prove anything"


async def test_what_the_causes_do_not_explain_is_the_new_definition(
    office: ReportingOffice, app: FastAPI, statistics: httpx.AsyncClient, city: City
) -> None:
    first = await book(office, city, 60)
    older = (await freeze(statistics, "one", questions=QUESTIONS[:4]))["edition_id"]
    second = await book(office, city, 40)
    app.state.catalogue = with_secondary_residences(app.state.catalogue)
    newer = (await freeze(statistics, "two", questions=QUESTIONS[:4]))["edition_id"]
    changed = by_cell((await restated(statistics, older, newer))["changed"])
    assert changed
    for cell, told in changed.items():
        old = everything()[cell]
        wide = replace(old, residence_kinds=("main", "secondary"))
        before, after = city.counted(old, first), city.counted(wide, second)
        assert (number(told["before"]), number(told["after"])) == (before, after), told
        amounts = {as_cause(reason): reason["amount"] for reason in told["reasons"]}
        of_definition = after - city.counted(old, second)
        assert amounts == {**city.added_by_cause(old, first, second), "new_definition": of_definition}, told


def with_secondary_residences(catalogue: Catalogue) -> Catalogue:
    """The catalogue of a later release: from now on the population counts secondary residences too."""
    (first,) = catalogue.versions["population"]
    second = first.model_copy(update={"version": 2, "where": {"residence_kind": ("main", "secondary")}})
    return replace(catalogue, versions={**catalogue.versions, "population": (first, second)})


async def test_the_group_is_told_no_more_than_the_causes_of_exact_cells_and_of_the_whole_figure(
    office: ReportingOffice, statistics: httpx.AsyncClient, city: City
) -> None:
    first = await book(office, city, 60)
    await tick(office)
    older = (await freeze(statistics, "one", audience="coordination", questions=QUESTIONS))["edition_id"]
    second = await book(office, city, 60)
    await tick(office)
    newer = (await freeze(statistics, "two", audience="coordination", questions=QUESTIONS))["edition_id"]
    found = await restated(statistics, older, newer)
    of_protected: dict[tuple[int, str], set[frozenset[str]]] = {}
    for cell, told in by_cell(found["changed"]).items():
        assert all(reason["amount"] is None for reason in told["reasons"]), told
        causes = {as_cause(reason) for reason in told["reasons"]}
        if told["is_exact"]:
            question = everything()[cell]
            before, after = (city.counted(question, moment) for moment in (first, second))
            assert (number(told["before"]), number(told["after"])) == (before, after), told
            assert causes == city.added_by_cause(question, first, second).keys(), told
        else:
            assert told["reasons_of"] == "indicator"
            whole = replace(everything()[cell], dimension=None, code=None)
            assert city.added_by_cause(whole, first, second).keys() <= causes, told
            assert causes <= {booking.cause for booking in city.bookings[first:second]}, told
            of_protected.setdefault((told["question"], told["to_on"]), set()).add(frozenset(causes))
    assert of_protected, "nothing was protected"
    assert all(len(told) == 1 for told in of_protected.values()), "reasons tell protected cells from one another"
