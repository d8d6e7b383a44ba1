"""Reads the data of a city from its files, and says in which line something is wrong."""

import csv
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from importlib.resources.abc import Traversable
from types import MappingProxyType
from typing import TypeVar

from babel import Locale

from reporting.indicators.city import AgeBand, Area, City, Level, Membership
from reporting.indicators.words import Words

_LEVELS: Mapping[str, Level] = {"city": "city", "stadtbezirk": "district", "statistischer_bezirk": "area"}
_ENGLISH = Locale("en").territories

T = TypeVar("T")


class BadCatalogue(ValueError):
    """The catalogue or the data of a city cannot be used; the message names file, line and what is wrong."""


@dataclass(frozen=True, slots=True)
class _Line:
    """One line of a file, as `[column]` gives its fields."""

    place: str
    fields: Mapping[str, str]

    def __getitem__(self, column: str) -> str:
        if self.fields.get(column) is None:
            raise BadCatalogue(f"{self.place}: the column {column} is missing")
        return self.fields[column].strip()


def read_city(municipality: str, folder: Traversable) -> City:
    """The data in `folder/<municipality>/` and `folder/nationalities.csv`; raises `BadCatalogue`."""
    own = folder / municipality
    if not own.is_dir():
        raise BadCatalogue(f"{own}: there is no data of the municipality {municipality}")
    areas, nationalities = own / "areas.csv", folder / "nationalities.csv"
    groups, bands = own / "nationality_groups.csv", own / "age_bands.csv"
    states = MappingProxyType(dict(_read(nationalities, _nationality)))

    def membership(line: _Line) -> tuple[str, Membership]:
        if line["nationality"] not in states:
            raise BadCatalogue(f"{line.place}: {line['nationality']} is no key in {nationalities}")
        until = date.fromisoformat(line["valid_until"]) if line["valid_until"] else date.max
        return line["group"], Membership(line["nationality"], date.fromisoformat(line["valid_from"]), until)

    listed = {area.code: area for area in _read(areas, _area)}
    _check_hierarchy(municipality, listed, str(areas))
    return City(
        municipality,
        MappingProxyType(listed),
        states,
        MappingProxyType({name: tuple(members) for name, members in _grouped(_read(groups, membership)).items()}),
        MappingProxyType(
            {
                name: MappingProxyType({band.code: band for band in banded})
                for name, banded in _grouped(_read(bands, _age_band)).items()
            }
        ),
    )


def _check_hierarchy(municipality: str, areas: Mapping[str, Area], file: str) -> None:
    if [area.code for area in areas.values() if area.level == "city"] != [municipality]:
        raise BadCatalogue(f"{file}: exactly one line has the level city, and its code is {municipality}")
    parents: Mapping[Level, Level] = {"district": "city", "area": "district"}
    for area in areas.values():
        above = areas.get(area.parent or "")
        if area.level != "city" and (above is None or above.level != parents[area.level]):
            raise BadCatalogue(f"{file}: the parent of {area.code} has to be of the level {parents[area.level]}")


def _area(line: _Line) -> Area:
    if line["level"] not in _LEVELS:
        raise BadCatalogue(f"{line.place}: no level {line['level']!r}; there are {', '.join(_LEVELS)}")
    level = _LEVELS[line["level"]]
    valid_from = date.fromisoformat(line["valid_from"])
    return Area(line["code"], line["name"], level, line["parent"] or None, valid_from)


def _nationality(line: _Line) -> tuple[str, Words]:
    return line["key"], Words(de=line["name_de"], en=_ENGLISH.get(line["iso2"], line["name_de"]))


def _age_band(line: _Line) -> tuple[str, AgeBand]:
    to_age = int(line["to_age"]) if line["to_age"] else None
    words = Words(de=line["title_de"], en=line["title_en"])
    return line["set"], AgeBand(line["code"], int(line["from_age"]), to_age, words)


def _read(file: Traversable, make: Callable[[_Line], T]) -> Iterator[T]:
    try:
        text = file.read_text(encoding="utf-8")
    except OSError as error:
        raise BadCatalogue(f"{file}: cannot be read ({error.strerror})") from error
    rows = csv.DictReader(text.splitlines())
    for row in rows:
        line = _Line(f"{file}:{rows.line_num}", row)
        try:
            yield make(line)
        except BadCatalogue:
            raise
        except ValueError as error:
            raise BadCatalogue(f"{line.place}: {error}") from error


def _grouped(pairs: Iterator[tuple[str, T]]) -> dict[str, list[T]]:
    grouped: dict[str, list[T]] = {}
    for name, item in pairs:
        grouped.setdefault(name, []).append(item)
    return grouped
