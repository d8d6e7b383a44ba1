"""The printed figures that the synthetic city has to add up to (status report 2019, situation at the end of 2018)."""

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files

from registration.places import nationalities

CITY = "05913000"
"""The one municipality whose printed figures are here."""

BULGARIA = "125"
ROMANIA = "154"
EU2 = (BULGARIA, ROMANIA)
GERMANY = "000"


@dataclass(frozen=True, slots=True)
class Printed:
    """Persons of the nationalities in `EU2` with their main residence in the city, as printed."""

    opening_on: date
    """The earliest printed day: stock without a split by nationality."""
    opening: int
    stock: Mapping[tuple[int, str], int]
    """Stock at 31.12. by (year, nationality key)."""
    arrivals: Mapping[int, int]
    """Arrivals in a year; only the years that are printed, rounded as printed."""
    departures: Mapping[int, int]
    movements: Mapping[int, int]
    """Arrivals and departures together in a year; only the years that are printed."""
    shares_on: date
    """The day of the shares by area and age."""
    areas: Mapping[str, int]
    """Stock on `shares_on` by code of the area; a Stadtbezirk includes its statistische Bezirke."""
    aged: Mapping[int, int]
    """Stock on `shares_on` of those whose age (year minus birth year) is at least so many years."""

    @property
    def years(self) -> tuple[int, ...]:
        """Years whose end has a printed stock by nationality, in order."""
        return tuple(sorted({year for year, _ in self.stock}))


@cache
def printed_figures() -> Printed:
    """The printed figures of the city, as the data files of this package hold them."""
    shares = list(_rows("shares_eu2"))
    (total,) = (row for row in shares if row["breakdown"] == "total")
    (shares_on,) = {row["date"] for row in shares if row["breakdown"] != "total"}
    movements = list(_rows("movements_eu2"))
    return Printed(
        opening_on=date.fromisoformat(total["date"]),
        opening=int(total["persons"]),
        stock={
            (_year_ending(row["date"]), _key(row["nationality"])): int(row["persons"])
            for row in _rows("population_eu2")
        },
        arrivals=_by_year(movements, "arrivals"),
        departures=_by_year(movements, "departures"),
        movements=_by_year(movements, "movements"),
        shares_on=date.fromisoformat(shares_on),
        areas={row["code"]: int(row["persons"]) for row in shares if row["breakdown"] == "area"},
        aged={int(row["code"]): int(row["persons"]) for row in shares if row["breakdown"] == "age_from"},
    )


def _by_year(rows: list[dict[str, str]], column: str) -> dict[int, int]:
    return {int(row["year"]): int(row[column]) for row in rows if row[column]}


def _year_ending(text: str) -> int:
    day = date.fromisoformat(text)
    if (day.month, day.day) != (12, 31):
        raise ValueError(f"{text} is no end of a year")
    return day.year


def _key(iso3: str) -> str:
    (key,) = (entry.key for entry in nationalities().values() if entry.iso3 == iso3)
    return key


def _rows(name: str) -> Iterator[dict[str, str]]:
    file = files("registration.simulation") / f"printed_{CITY}" / f"{name}.csv"
    yield from csv.DictReader(file.read_text(encoding="utf-8").splitlines())
