"""Reads the data of a city from its files, and says in which line something is wrong."""

from collections.abc import Callable, Collection, Iterator
from importlib.resources.abc import Traversable
from types import MappingProxyType
from typing import TypeVar

from babel import Locale

from reporting.indicators.area_files import read_territory
from reporting.indicators.city import AgeBand, City, Membership
from reporting.indicators.lines import BadCatalogue, Findings, Line, made_of, read_lines
from reporting.indicators.words import Words

_ENGLISH = Locale("en").territories
_NATIONALITY = ("key", "iso2", "name_de")
_MEMBERSHIP = ("group", "nationality", "valid_from")
_AGE_BAND = ("set", "code", "from_age", "to_age", "title_de", "title_en")

T = TypeVar("T")


def read_city(municipality: str, folder: Traversable, levels: Collection[str]) -> City:
    """The data in `folder/<municipality>/` and `folder/nationalities.csv`; raises `BadCatalogue`.

    `levels`: the levels of areas that some breakdown shows.
    """
    own = folder / municipality
    if not own.is_dir():
        raise BadCatalogue(f"{own}: there is no data of the municipality {municipality}")
    nationalities, groups, bands = folder / "nationalities.csv", own / "nationality_groups.csv", own / "age_bands.csv"
    territory = read_territory(municipality, own, levels)
    states = MappingProxyType(dict(_read(nationalities, _NATIONALITY, _nationality)))

    def membership(line: Line) -> tuple[str, Membership]:
        if line["nationality"] not in states:
            raise ValueError(f"{line['nationality']} is no key in {nationalities}")
        return line["group"], Membership(line["nationality"], *line.validity())

    return City(
        municipality,
        territory.areas,
        territory.parts,
        states,
        MappingProxyType(
            {name: tuple(members) for name, members in _grouped(_read(groups, _MEMBERSHIP, membership)).items()}
        ),
        MappingProxyType(
            {
                name: MappingProxyType({band.code: band for band in banded})
                for name, banded in _grouped(_read(bands, _AGE_BAND, _age_band)).items()
            }
        ),
        territory.changes,
        territory.maps,
    )


def _nationality(line: Line) -> tuple[str, Words]:
    return line["key"], Words(de=line["name_de"], en=_ENGLISH.get(line["iso2"], line["name_de"]))


def _age_band(line: Line) -> tuple[str, AgeBand]:
    to_age = int(line["to_age"]) if line["to_age"] else None
    words = Words(de=line["title_de"], en=line["title_en"])
    return line["set"], AgeBand(line["code"], int(line["from_age"]), to_age, words)


def _read(file: Traversable, columns: Collection[str], make: Callable[[Line], T]) -> Iterator[T]:
    """What `make` makes of each line; raises `BadCatalogue` with every line that is wrong."""
    findings = Findings()
    made = [one for _, one in made_of(read_lines(file, columns), make, findings)]
    findings.refuse()
    return iter(made)


def _grouped(pairs: Iterator[tuple[str, T]]) -> dict[str, list[T]]:
    grouped: dict[str, list[T]] = {}
    for name, item in pairs:
        grouped.setdefault(name, []).append(item)
    return grouped
