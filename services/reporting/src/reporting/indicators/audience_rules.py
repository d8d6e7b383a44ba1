"""What each audience may see of an indicator: the disclosure rule, as data (decision 0017)."""

from typing import Annotated, Literal

from pydantic import Field

from reporting.indicators.periods import Every
from reporting.indicators.words import Model

Periods = Annotated[tuple[Every, ...], Field(min_length=1)]


class Margin(Model):
    """A breakdown that an audience may see exactly, because printed reports publish it: all of its values, or these."""

    dimension: str
    values: Literal["all"] | tuple[str, ...]


class Ticks(Model):
    """How often figures finer than the city's totals move at the most."""

    units: Annotated[int, Field(ge=2)] = 5
    """So many units have to have changed for exact margins to move: what one of them did drowns among the others."""
    minutes: Annotated[int, Field(ge=1)] = 60
    units_per_district: Annotated[int, Field(ge=2)] = 40
    """And so many of one Stadtbezirk for what is protected there: whoever knows where somebody registered looks there
    alone. With fewer an attacker does better than guessing (`make attack`)."""


class CoordinationRule(Model):
    """What the coordination group sees: city totals exact and live, and beyond them this."""

    exact_margins: tuple[Margin, ...] = ()
    """What is not named here is finer than the group may see exactly."""
    ticks: Ticks = Ticks()
    every: Periods = ("half_year", "year")
    """The periods for which, and for the ends of which, protected figures are shown. Between the ends of shorter ones
    too few change in a quiet Stadtbezirk."""


class PublicRule(Model):
    """What everybody sees of a released indicator: protected throughout, whole periods only, when they are over."""

    breakdowns: tuple[str, ...] = ()
    every: Periods = ("year",)
    """A release comes when one of these is over."""


class Audiences(Model):
    """The rule for each audience that does not see everything. The statistics office does."""

    most_together: Annotated[int, Field(ge=1)] = 2
    """Facts by which protected figures are shown together. The finer the cells, the more of them does nobody but one
    person touch between two ticks: by three, 40 changes leave most cells of a Stadtbezirk alone."""
    coordination: CoordinationRule = CoordinationRule()
    public: PublicRule | None = None
    """None: the indicator is not released, and the public is not told that there is one."""
