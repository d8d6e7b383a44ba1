"""The data of one city: its areas, the nationalities and their dated groups, its age bands."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal

from reporting.indicators.words import Words

Level = Literal["city", "district", "area"]
"""`district` is the Stadtbezirk, `area` the statistischer Bezirk: facts are placed in areas."""

UNPLACED = "unplaced"
"""The visible place of facts that no listed area takes."""
_UNPLACED_WORDS = Words(de="nicht zuzuordnen", en="cannot be placed")


@dataclass(frozen=True, slots=True)
class Area:
    """One area of a city."""

    code: str
    name: str
    level: Level
    parent: str | None
    valid_from: date


@dataclass(frozen=True, slots=True)
class Membership:
    """A nationality belongs to a group on the days `valid_from`..`valid_until`."""

    nationality: str
    valid_from: date
    valid_until: date = date.max


@dataclass(frozen=True, slots=True)
class AgeBand:
    """Persons of `from_age` to `to_age` years (year minus year of birth); without `to_age` there is no end."""

    code: str
    from_age: int
    to_age: int | None
    title: Words


@dataclass(frozen=True)
class City:
    """What questions about one municipality may name. Every mapping keeps the order of its file."""

    municipality: str
    areas: Mapping[str, Area]
    nationalities: Mapping[str, Words]
    groups: Mapping[str, tuple[Membership, ...]]
    age_bands: Mapping[str, Mapping[str, AgeBand]]
    """By the name of a set of bands."""

    @property
    def name(self) -> str:
        return self.areas[self.municipality].name

    def codes_at(self, level: Level) -> tuple[str, ...]:
        """The areas of a level in order; below the city with `UNPLACED` as the last."""
        codes = tuple(area.code for area in self.areas.values() if area.level == level)
        return codes if level == "city" else (*codes, UNPLACED)

    def level_of(self, code: str) -> Level | None:
        """The level of an area's code; None for `UNPLACED` and for codes that do not exist."""
        return self.areas[code].level if code in self.areas else None

    def parts_of(self, code: str) -> frozenset[str]:
        """The areas (the level of facts) that make up a listed area of any level, without what is unplaced."""
        if self.areas[code].level == "area":
            return frozenset((code,))
        children = (area.code for area in self.areas.values() if area.parent == code)
        return frozenset[str]().union(*(self.parts_of(child) for child in children))

    def name_of_area(self, code: str) -> Words:
        if code not in self.areas:
            return _UNPLACED_WORDS
        return Words(de=self.areas[code].name, en=self.areas[code].name)

    def name_of_nationality(self, key: str) -> Words:
        """The short name of the state; the key itself where it is not in the list."""
        return self.nationalities.get(key) or Words(de=key, en=key)

    def members(self, group: str, on: date) -> frozenset[str]:
        """Nationalities that belong to a group on a day."""
        return frozenset(m.nationality for m in self.groups[group] if m.valid_from <= on <= m.valid_until)

    def changes_of(self, group: str, from_on: date, to_on: date) -> frozenset[date]:
        """The days in `from_on`..`to_on` from which on a group has other members than the day before."""
        days = {m.valid_from for m in self.groups[group]}
        days |= {
            date.fromordinal(m.valid_until.toordinal() + 1) for m in self.groups[group] if m.valid_until < date.max
        }
        return frozenset(day for day in days if from_on <= day <= to_on)
