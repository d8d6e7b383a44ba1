"""The catalogue: every indicator with the words around it, and the city whose data it is asked with."""

from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import Field

from reporting.indicators.city import City
from reporting.indicators.definition import Indicator, Unit
from reporting.indicators.words import Model, Words
from verbund.errors import NotFound

OTHER = "other"
"""Code of what none of the listed values of a breakdown takes; a row of its own where there is anything in it."""
_OTHER_WORDS = Words(de="übrige", en="other")


class Frame(Model):
    """Words that several indicators share."""

    fields_of_action: Mapping[str, Words]
    """In the order of display."""
    offices: Mapping[str, Words]
    units: Mapping[str, Unit]
    dimensions: Mapping[str, Words]
    values: Mapping[str, Mapping[str, Words]] = Field(default_factory=dict)
    """By fact and value, for facts whose values are fixed words; in the order of display."""


@dataclass(frozen=True)
class Catalogue:
    """What can be asked about one municipality."""

    city: City
    frame: Frame
    indicators: Mapping[str, Indicator]
    """By id, in the order of the files: that of display."""

    def get_indicator(self, indicator_id: str) -> Indicator:
        """The indicator of this id; raises `NotFound`."""
        if indicator_id not in self.indicators:
            raise NotFound("no_such_indicator", "There is no such indicator.")
        return self.indicators[indicator_id]

    def unit_of(self, indicator: Indicator) -> Unit:
        return self.frame.units[indicator.unit]

    def name_of(self, dimension: str, code: str, indicator: Indicator) -> Words:
        """What a value of a breakdown is called; the code itself where nobody has a word for it."""
        if code == OTHER:
            return _OTHER_WORDS
        match dimension:
            case "district" | "area":
                return self.city.name_of_area(code)
            case "nationality":
                return self.city.name_of_nationality(code)
            case "age_band":
                return self.city.age_bands[indicator.age_bands or ""][code].title
            case _:
                return self.frame.values.get(dimension, {}).get(code) or Words(de=code, en=code)
