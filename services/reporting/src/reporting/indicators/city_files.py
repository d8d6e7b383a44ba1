"""Reads the data of a city from its files, and says in which line something is wrong."""

import csv
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from importlib.resources.abc import Traversable
from types import MappingProxyType
from typing import TypeVar

from babel import Locale

from reporting.indicators.city import CITY_LEVEL, LEVEL_OF_FACTS, AgeBand, Area, AreaPart, City, Membership
from reporting.indicators.words import Words

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
        return line["group"], Membership(line["nationality"], *_validity(line))

    listed: dict[str, Area] = {}

    def area(line: _Line) -> Area:
        if line["code"] in listed:
            raise BadCatalogue(f"{line.place}: there is another area of the code {line['code']}")
        listed[line["code"]] = Area(line["code"], line["name"], line["level"], line["parent"] or None, *_validity(line))
        return listed[line["code"]]

    places = {found.code: place for place, found in _read_with_places(areas, area)}
    _check_hierarchy(municipality, listed, places, str(areas))

    def part(line: _Line) -> AreaPart:
        if line["area"] not in listed or listed[line["area"]].parent is not None:
            raise BadCatalogue(f"{line.place}: {line['area']} is no area without parent in {areas}")
        if line["part"] not in listed or listed[line["part"]].level != LEVEL_OF_FACTS:
            raise BadCatalogue(f"{line.place}: {line['part']} is no {LEVEL_OF_FACTS} in {areas}")
        return AreaPart(line["area"], line["part"], *_validity(line))

    return City(
        municipality,
        MappingProxyType(listed),
        tuple(_read(own / "area_parts.csv", part)) if (own / "area_parts.csv").is_file() else (),
        states,
        MappingProxyType({name: tuple(members) for name, members in _grouped(_read(groups, membership)).items()}),
        MappingProxyType(
            {
                name: MappingProxyType({band.code: band for band in banded})
                for name, banded in _grouped(_read(bands, _age_band)).items()
            }
        ),
    )


def _check_hierarchy(municipality: str, areas: Mapping[str, Area], places: Mapping[str, str], file: str) -> None:
    if [area.code for area in areas.values() if area.level == CITY_LEVEL] != [municipality]:
        raise BadCatalogue(f"{file}: exactly one line has the level {CITY_LEVEL}, and its code is {municipality}")
    for area in areas.values():
        place = places[area.code]
        if area.valid_until < area.valid_from:
            raise BadCatalogue(f"{place}: {area.code} ends before it begins")
        if area.parent is not None and area.parent not in areas:
            raise BadCatalogue(f"{place}: the parent of {area.code}, {area.parent}, is no area in this file")
        above = [area.code]
        while (parent := areas[above[-1]].parent) is not None and parent in areas:
            if parent in above:
                raise BadCatalogue(f"{place}: {area.code} lies in itself ({' in '.join([*above, parent])})")
            above.append(parent)
        if area.level == LEVEL_OF_FACTS and above[-1] != municipality:
            raise BadCatalogue(f"{place}: {area.code} lies in no area that leads to the city: give it a parent")


def _validity(line: _Line) -> tuple[date, date]:
    until = line.fields.get("valid_until")
    return date.fromisoformat(line["valid_from"]), date.fromisoformat(until) if until else date.max


def _nationality(line: _Line) -> tuple[str, Words]:
    return line["key"], Words(de=line["name_de"], en=_ENGLISH.get(line["iso2"], line["name_de"]))


def _age_band(line: _Line) -> tuple[str, AgeBand]:
    to_age = int(line["to_age"]) if line["to_age"] else None
    words = Words(de=line["title_de"], en=line["title_en"])
    return line["set"], AgeBand(line["code"], int(line["from_age"]), to_age, words)


def _read(file: Traversable, make: Callable[[_Line], T]) -> Iterator[T]:
    """What `make` makes of each line."""
    return (made for _, made in _read_with_places(file, make))


def _read_with_places(file: Traversable, make: Callable[[_Line], T]) -> Iterator[tuple[str, T]]:
    """The same with the place of each line."""
    try:
        text = file.read_text(encoding="utf-8")
    except OSError as error:
        raise BadCatalogue(f"{file}: cannot be read ({error.strerror})") from error
    rows = csv.DictReader(text.splitlines())
    for row in rows:
        line = _Line(f"{file}:{rows.line_num}", row)
        try:
            yield line.place, make(line)
        except BadCatalogue:
            raise
        except ValueError as error:
            raise BadCatalogue(f"{line.place}: {error}") from error


def _grouped(pairs: Iterator[tuple[str, T]]) -> dict[str, list[T]]:
    grouped: dict[str, list[T]] = {}
    for name, item in pairs:
        grouped.setdefault(name, []).append(item)
    return grouped
