"""What can be asked about an indicator."""

from collections.abc import Mapping
from datetime import date
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from reporting.indicators import Every
from reporting.indicators.carrying import OverChanges


class Question(BaseModel):
    """One question about one indicator; whoever asks it is not part of it.

    Days: `as_of` names days, `from_on`..`to_on` with `every` names whole periods; without either it is today.
    An indicator about days answers for each `as_of`, or for the end of each whole period in `from_on`..`to_on`.
    An indicator about periods answers for the period (`every`) around each `as_of`, cut at that day; for
    `from_on`..`to_on` as one period where `every` is left out; or for each period in it, cut at both ends.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    indicator: str
    version: int | None = None
    """Of the definition; the one that holds where none is named."""
    by: tuple[str, ...] = ()
    """Breakdowns that the indicator allows, such as `district`, `area`, `nationality`, `age_band`, `sex`."""
    filters: Mapping[str, tuple[str, ...]] = Field(default_factory=dict)
    """Codes by breakdown. `area` takes codes of one level: Stadtbezirke, statistische Bezirke, `unplaced`."""
    as_of: tuple[date, ...] = ()
    from_on: date | None = None
    to_on: date | None = None
    every: Every | None = None
    known_on: date | None = None
    """What was booked by the end of this day (Europe/Berlin); None is everything booked until now."""
    compare: Literal["year_before"] | date | None = None
    """Each value beside the one a year before; or, for days only, beside the one of this day."""
    areas_on: date | None = None
    """Break down by the areas of this day, whatever day a value is about; else each belongs to those of its own day."""
    over_changes: OverChanges = "whole"
    """How values are carried to the areas of `areas_on` where areas changed since, or before."""
    compare_known_on: date | None = None
    """Each value beside itself as it was known at the end of this day: what was booked and corrected since."""
