"""The data of one city: its areas, the nationalities and their dated groups, its age bands."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import cached_property

from reporting.indicators.areas import CITY_LEVEL, LEVEL_OF_FACTS, Area, AreaChange, AreaPart, MapOfLevel
from reporting.indicators.words import Words

UNPLACED = "unplaced"
"""The visible place of facts that no listed area takes."""
_UNPLACED_WORDS = Words(de="nicht zuzuordnen", en="cannot be placed")


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
    area_parts: tuple[AreaPart, ...]
    """What makes up the areas that are not above those of facts: a Sozialraum, an Aktionsraum."""
    nationalities: Mapping[str, Words]
    groups: Mapping[str, tuple[Membership, ...]]
    age_bands: Mapping[str, Mapping[str, AgeBand]]
    """By the name of a set of bands."""
    area_changes: tuple[AreaChange, ...] = ()
    """Areas that were split, merged or drawn anew."""
    maps: Mapping[str, MapOfLevel] = field(default_factory=dict)
    """By level of areas, where there is a map."""

    @property
    def name(self) -> str:
        return self.areas[self.municipality].name

    @cached_property
    def levels(self) -> tuple[str, ...]:
        """The levels and further kinds of areas, in the order of the file."""
        return tuple(dict.fromkeys(area.level for area in self.areas.values()))

    def codes_at(self, level: str, days: Iterable[date]) -> tuple[str, ...]:
        """The areas of a level that there are on one of these days, in order; below the city `UNPLACED` is the last."""
        wanted = tuple(days)
        codes = tuple(a.code for a in self.areas.values() if a.level == level and any(map(a.is_valid, wanted)))
        return codes if level == CITY_LEVEL else (*codes, UNPLACED)

    def level_of(self, code: str) -> str | None:
        """The level of an area's code; None for `UNPLACED` and for codes that do not exist."""
        return self.areas[code].level if code in self.areas else None

    def parts_of(self, code: str, on: date) -> frozenset[str]:
        """The areas of facts that make up an area on a day; none where there is no such area on that day."""
        area = self.areas[code]
        if not area.is_valid(on):
            return frozenset()
        if area.level == LEVEL_OF_FACTS:
            return frozenset((code,))
        joined = frozenset(p.part for p in self.area_parts if p.area == code and p.valid_from <= on <= p.valid_until)
        return joined | self._below[code]

    def district_of(self, area: str) -> str:
        """The area right below the city in which an area of facts lies; `UNPLACED` where it lies in none that is known.

        One that is no more lies where it lay.
        """
        found = self.areas.get(area)
        if found is None or found.level == CITY_LEVEL:
            return UNPLACED
        while found.parent is not None and self.areas[found.parent].level != CITY_LEVEL:
            found = self.areas[found.parent]
        return found.code

    @cached_property
    def districts(self) -> Mapping[str, frozenset[str]]:
        """What `district_of` can say, each with its areas of facts; of `UNPLACED` there are none that are known."""
        found: dict[str, set[str]] = {UNPLACED: set()}
        for area in self.areas.values():
            if area.level == LEVEL_OF_FACTS:
                found.setdefault(self.district_of(area.code), set()).add(area.code)
        return {district: frozenset(areas) for district, areas in found.items()}

    def placed_at(self, level: str, on: date) -> frozenset[str]:
        """The areas of facts that some area of a level takes on a day: what is in none of them cannot be placed."""
        if (level, on) not in self._placed:  # asked for every row of a breakdown
            codes = (area.code for area in self.areas.values() if area.level == level)
            self._placed[level, on] = frozenset[str]().union(*(self.parts_of(code, on) for code in codes))
        return self._placed[level, on]

    def without_days(self, level: str) -> "City":
        """The same city, in which the areas of a level are there on every day."""
        there = {code: area for code, area in self.areas.items() if area.level == level}
        always = {code: replace(area, valid_from=date.min, valid_until=date.max) for code, area in there.items()}
        return replace(self, areas={**self.areas, **always})

    def redrawn(self, from_on: date, to_on: date) -> frozenset[date]:
        """The days in `from_on`..`to_on` from which on some area is made of other parts than the day before."""
        return frozenset(day for day in self._redrawn if from_on <= day <= to_on)

    def drawn_since(self, on: date) -> date:
        """The day from which on all areas are made of what they are made of on this day."""
        return max((day for day in self._redrawn if day <= on), default=date.min)

    @cached_property
    def _below(self) -> Mapping[str, frozenset[str]]:
        """By area, the areas of facts below it. One that is no more lies where it lay: its facts stay there."""
        below: dict[str, set[str]] = {code: set() for code in self.areas}
        for area in self.areas.values():
            above = area.parent
            while area.level == LEVEL_OF_FACTS and above is not None:
                below[above].add(area.code)
                above = self.areas[above].parent
        return {code: frozenset(found) for code, found in below.items()}

    @cached_property
    def _placed(self) -> dict[tuple[str, date], frozenset[str]]:
        return {}

    @cached_property
    def _redrawn(self) -> frozenset[date]:
        dated: list[Area | AreaPart] = [*self.areas.values(), *self.area_parts]
        return frozenset({each.valid_from for each in dated}) | frozenset(
            each.valid_until + timedelta(days=1) for each in dated if each.valid_until < date.max
        )

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
