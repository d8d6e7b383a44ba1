"""Areas of a city: what they are, what makes them up, what became of them, and how they lie on the map."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from typing import Any

from reporting.indicators.words import Words

CITY_LEVEL, LEVEL_OF_FACTS = "city", "statistischer_bezirk"
"""Two levels that every city has: itself, and the areas in which offices place what they book."""


@dataclass(frozen=True, slots=True)
class Area:
    """One area of a city on the days `valid_from`..`valid_until`."""

    code: str
    name: str
    level: str
    parent: str | None
    valid_from: date
    valid_until: date = date.max

    def is_valid(self, on: date) -> bool:
        return self.valid_from <= on <= self.valid_until


@dataclass(frozen=True, slots=True)
class AreaPart:
    """An area of the level of facts belongs to an area of a further kind (Sozialraum, Aktionsraum) on these days."""

    area: str
    part: str
    valid_from: date
    valid_until: date = date.max


@dataclass(frozen=True, slots=True)
class AreaChange:
    """From `changed_on` on some of the former area lies in the new one.

    `share`: how much of what was counted in the former area lay where the new one is; `share_back`: how much of what
    is counted in the new one lies where the former one was. None where nobody has said so: nothing is carried over.
    """

    changed_on: date
    former: str
    new: str
    share: Fraction | None
    share_back: Fraction | None
    source: Words | None = None
    """Where the shares come from, in words; needed where any of them is an estimate."""


@dataclass(frozen=True, slots=True)
class Shape:
    """Where an area lies on the days `valid_from`..`valid_until`; `geometry` is GeoJSON in WGS 84."""

    area: str
    geometry: Mapping[str, Any]
    valid_from: date
    valid_until: date = date.max


@dataclass(frozen=True, slots=True)
class MapOfLevel:
    """The map of one level of areas: every area has one shape on each of its days."""

    level: str
    is_schematic: bool
    """Whether these are symbols in about the right places, and no borders."""
    source: Words
    shapes: tuple[Shape, ...]

    def shapes_on(self, day: date) -> Mapping[str, Shape]:
        """By area, in the order of the file, as it lies on a day."""
        return {shape.area: shape for shape in self.shapes if shape.valid_from <= day <= shape.valid_until}


@dataclass(frozen=True, slots=True)
class Territory:
    """Everything that is known of the areas of a city."""

    areas: Mapping[str, Area]
    parts: tuple[AreaPart, ...] = ()
    changes: tuple[AreaChange, ...] = ()
    maps: Mapping[str, MapOfLevel] = field(default_factory=dict)
    """By level."""
