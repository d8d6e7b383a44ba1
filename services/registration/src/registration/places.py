"""The areas of a municipality, the list of nationalities and whatever else the data files of this package hold."""

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Literal, get_args

AreaLevel = Literal["city", "stadtbezirk", "statistischer_bezirk"]

UNPLACED = "unplaced"
"""Area code of an address that cannot be placed; stands in no file, belongs to no Stadtbezirk."""


@dataclass(frozen=True, slots=True)
class Area:
    """One area of a municipality; facts are placed in those of the level `statistischer_bezirk`."""

    code: str
    name: str
    level: AreaLevel
    parent: str | None
    """Code of the area that it is a part of; `None` for the city."""


@dataclass(frozen=True, slots=True)
class Nationality:
    """One entry of the Destatis list of states and nationalities; 997 to 999 have no ISO codes."""

    key: str
    iso2: str | None
    iso3: str | None
    name_de: str


@cache
def areas(municipality: str) -> Mapping[str, Area]:
    """All areas of the municipality by code, in order of the file; `LookupError` where no file has them."""
    return MappingProxyType(
        {
            row["code"]: Area(row["code"], row["name"], _level(row["level"]), row["parent"] or None)
            for row in rows_of(f"areas_{municipality}.csv")
        }
    )


@cache
def nationalities() -> Mapping[str, Nationality]:
    """All nationalities by their three-digit key, in order of the file."""
    return MappingProxyType(
        {
            row["key"]: Nationality(row["key"], row["iso2"] or None, row["iso3"] or None, row["name_de"])
            for row in rows_of("nationalities.csv")
        }
    )


def _level(text: str) -> AreaLevel:
    for level in get_args(AreaLevel):
        if text == level:
            return level  # type: ignore[no-any-return]
    raise ValueError(f"no level of areas: {text!r}")


def rows_of(name: str) -> Iterator[dict[str, str]]:
    """The rows of a data file of this package; `LookupError` where there is none of this name."""
    file = files("registration") / "data" / name
    if not file.is_file():
        raise LookupError(f"registration has no data file {name}")
    yield from csv.DictReader(file.read_text(encoding="utf-8").splitlines())
