"""The catalogue: every indicator with the words around it, and the city whose data it is asked with."""

from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import Field

from reporting.deltas import Measure
from reporting.indicators.city import City
from reporting.indicators.definition import Indicator, Unit
from reporting.indicators.rhythm import OfficeWords
from reporting.indicators.words import Model, Words
from verbund.errors import NotFound

OTHER = "other"
"""Code of what none of the listed values of a breakdown takes; a row of its own where there is anything in it."""
_OTHER_WORDS = Words(de="übrige", en="other")


class Dimension(Words):
    """What figures can be broken down by, and the fact that it is made of."""

    fact: str = Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")
    level: str | None = None
    """The level of the city's areas, for those that are made of where a fact is placed."""


class Frame(Model):
    """Words that several indicators share."""

    fields_of_action: Mapping[str, Words] = Field(default_factory=dict)
    """In the order of display."""
    offices: Mapping[str, OfficeWords] = Field(default_factory=dict)
    units: Mapping[str, Unit] = Field(default_factory=dict)
    dimensions: Mapping[str, Dimension] = Field(default_factory=dict)
    values: Mapping[str, Mapping[str, Words]] = Field(default_factory=dict)
    """By dimension and value, where its values are fixed words; in the order of display."""


@dataclass(frozen=True)
class Catalogue:
    """What can be asked about one municipality."""

    city: City
    frame: Frame
    measures: Mapping[str, Measure]
    """By name; of all offices."""
    versions: Mapping[str, tuple[Indicator, ...]]
    """By id, in the order of display: every version of an indicator, the one that holds as the last."""

    @property
    def indicators(self) -> Mapping[str, Indicator]:
        """By id, in the order of display: the versions that hold."""
        return {name: versions[-1] for name, versions in self.versions.items()}

    def get_indicator(self, indicator_id: str, version: int | None = None) -> Indicator:
        """The indicator of this id, in the version that holds or in this one; raises `NotFound`."""
        versions = self.versions.get(indicator_id)
        if versions is None:
            raise NotFound("no_such_indicator", "There is no such indicator.")
        if version is None:
            return versions[-1]
        if not 1 <= version <= len(versions):
            raise NotFound("no_such_version", "This indicator has no such version.")
        return versions[version - 1]

    def unit_of(self, indicator: Indicator) -> Unit:
        return self.frame.units[indicator.unit]

    def fact_of(self, dimension: str) -> str:
        """The fact that a breakdown is made of."""
        return self.frame.dimensions[dimension].fact

    def level_of(self, dimension: str) -> str | None:
        """The level of areas that a breakdown shows; None where it is not made of places."""
        return self.frame.dimensions[dimension].level

    def name_of(self, dimension: str, code: str, indicator: Indicator) -> Words:
        """What a value of a breakdown is called; the code itself where nobody has a word for it."""
        if code == OTHER:
            return _OTHER_WORDS
        match self.fact_of(dimension):
            case "area":
                return self.city.name_of_area(code)
            case "nationality":
                return self.city.name_of_nationality(code)
            case "birth_year":
                return self.city.age_bands[indicator.age_bands or ""][code].title
            case _:
                return self.frame.values.get(dimension, {}).get(code) or Words(de=code, en=code)
