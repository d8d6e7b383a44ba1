"""The printed tables of bodies without a service here, and what is known not to fit in them."""

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from importlib.resources import files
from typing import Any

from reporting.printed.asking import CITY, Printed, read_rows
from reporting.printed.door import Query

_BESIDE = frozenset({"from", "to", "unit", "value", "state", "precision", "restated", "source"})
"""Columns of a table that are no breakdown."""

Row = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Table:
    """A printed table as it is delivered."""

    indicator: str
    body: bytes
    rows: tuple[Row, ...]


def delivery_files() -> tuple[Table, ...]:
    """Every printed table of the city that somebody else than a service here reports, in order of name."""
    folder = files("reporting.printed") / CITY / "deliveries"
    found = sorted((file for file in folder.iterdir() if file.name.endswith(".csv")), key=lambda file: file.name)
    return tuple(_table(file.name.removesuffix(".csv"), file.read_bytes()) for file in found)


def printed_in(table: Table) -> Iterator[Printed]:
    """Each number of a table with the question that it answers."""
    for row in table.rows:
        period = {"from": row["from"], "to": row["to"]} if "from" in row else {"as_of": row["to"]}
        filters = {name: code for name, code in row.items() if name not in _BESIDE and code != "total"}
        named = "".join(f", {name} {code}" for name, code in filters.items())
        question: tuple[str, Query] = (table.indicator, {**period, **filters})
        yield Printed(f"{table.indicator} {_period(row)}{named}", Decimal(row["value"]), (question,))


def known_of(table: Table) -> set[str]:
    """What reporting has to say of a table: sums that do not add up in print, years that their source restated."""
    traps = (row for row in read_rows("traps") if row["indicator"] == table.indicator)
    restated = (f"{_period(row)} revised" for row in table.rows if row["restated"] == "yes")
    return {*(f"{_period(row)} {row['code']} {row['printed']} {row['computed']}" for row in traps), *restated}


def said_in(answer: Mapping[str, Any]) -> Iterator[str]:
    """What reporting says of what stands in an answer, in the same words as `known_of`."""
    for delivery in answer["deliveries"]:
        period = _period({"from": delivery["from_on"], "to": delivery["to_on"]})
        yield from (f"{period} {each['code']} {each['printed']} {each['computed']}" for each in delivery["findings"])
    for cell in answer["cells"]:
        for point, marks in zip(answer["points"], cell["marks"], strict=True):
            period = _period({"from": point["from_on"], "to": point["to_on"]})
            yield from (f"{period} {mark}" for mark in marks)


def _table(indicator: str, body: bytes) -> Table:
    return Table(indicator, body, tuple(csv.DictReader(body.decode().splitlines())))


def _period(row: Mapping[str, str | None]) -> str:
    return f"{row['from']}/{row['to']}" if row.get("from") else str(row["to"])
