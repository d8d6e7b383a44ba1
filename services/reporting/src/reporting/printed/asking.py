"""Which question to reporting a printed figure is the answer to."""

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from importlib.resources import files

from reporting.printed.door import Query

CITY = "05913000"
"""The one municipality whose printed figures are here (status report 2019, situation at the end of 2018)."""

_KEYS = {"BGR": "125", "ROU": "154"}
"""ISO codes of the printed tables, and the keys that facts use."""


@dataclass(frozen=True, slots=True)
class Printed:
    """One printed figure: the sum of what reporting answers to one or more questions."""

    name: str
    number: int | Decimal
    questions: tuple[tuple[str, Query], ...]
    """Indicator and query of `GET /figures/{indicator}`."""


def printed_figures() -> tuple[Printed, ...]:
    """Every printed figure of the city that is counted here, in the order of the data files."""
    return (*_stocks(), *_totals(), *_movements(), *_shares())


def _stocks() -> Iterator[Printed]:
    for row in read_rows("population_eu2"):
        query = {"as_of": row["date"], "nationality": _KEYS[row["nationality"]]}
        yield Printed(f"Stock {row['date']}, {row['nationality']}", int(row["persons"]), (("population", query),))


def _totals() -> Iterator[Printed]:
    """Both nationalities together: printed for the opening, and the sum of two printed figures for the other days."""
    totals: dict[str, int] = {}
    for row in read_rows("shares_eu2"):
        if row["breakdown"] == "total":
            totals[row["date"]] = int(row["persons"])
    for row in read_rows("population_eu2"):
        totals[row["date"]] = totals.get(row["date"], 0) + int(row["persons"])
    for day, persons in totals.items():
        yield Printed(f"Stock {day}, EU2", persons, (("population", {"as_of": day}),))


def _movements() -> Iterator[Printed]:
    for row in read_rows("movements_eu2"):
        period = {"from": f"{row['year']}-01-01", "to": f"{row['year']}-12-31"}
        parts = {name: (name, period) for name in ("arrivals", "departures")}
        for name, question in parts.items():
            if row[name]:
                yield Printed(f"{name.capitalize()} {row['year']}", int(row[name]), (question,))
        yield Printed(f"Arrivals and departures {row['year']}", int(row["movements"]), tuple(parts.values()))


def _shares() -> Iterator[Printed]:
    for row in read_rows("shares_eu2"):
        if row["breakdown"] == "area":
            yield _share(row, f"area {row['code']}", {"area": row["code"]})
        elif row["breakdown"] == "age_from":
            yield _share(row, f"aged {row['code']} and over", {"age_band": f"{row['code']}plus"})


def _share(row: Mapping[str, str], name: str, filters: Query) -> Printed:
    query = {"as_of": row["date"], **filters}
    return Printed(f"Stock {row['date']}, {name}", int(row["persons"]), (("population", query),))


def read_rows(name: str) -> list[dict[str, str]]:
    """The rows of a data file of the city."""
    file = files("reporting.printed") / CITY / f"{name}.csv"
    return list(csv.DictReader(file.read_text(encoding="utf-8").splitlines()))
