"""What an audience is told that there is: the public knows of what is released, and of nothing else."""

from datetime import date

from pydantic import BaseModel, ConfigDict

from reporting.audiences import Audience
from reporting.indicators import Catalogue, Every, Indicator, IndicatorKind, Words
from verbund.errors import NotFound


class ReleasedIndicator(BaseModel):
    """A released indicator as the public sees it: what it means, and what can be asked about it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    version: int
    valid_from: date
    valid_until: date | None
    field_of_action: str
    source_office: str
    kind: IndicatorKind
    title: Words
    definition: Words
    cut_off: Words
    limits: tuple[Words, ...]
    unit: str
    per_unit: str | None
    per: int | None
    percent: int
    decimals: int | None
    population: Words
    breakdowns: tuple[str, ...]
    every: tuple[Every, ...]
    not_comparable_with: tuple[str, ...]


def get_shown(catalogue: Catalogue, audience: Audience, indicator_id: str, version: int | None = None) -> Indicator:
    """An indicator with the breakdowns and periods that an audience may ask for.

    Raises `NotFound` where there is none; what is not released is none to the public.
    """
    indicator = catalogue.get_indicator(indicator_id, version)
    if audience is not Audience.PUBLIC:
        return indicator
    rule = indicator.audiences.public
    if rule is None:
        raise NotFound("no_such_indicator", "There is no such indicator.")
    return indicator.model_copy(update={"breakdowns": rule.breakdowns, "every": rule.every})


def list_released(catalogue: Catalogue) -> list[ReleasedIndicator]:
    """All that are released, in the order of display."""
    return [as_released(catalogue, one) for one in catalogue.indicators.values() if one.audiences.public is not None]


def as_released(catalogue: Catalogue, indicator: Indicator) -> ReleasedIndicator:
    """A released indicator without anything that is not; raises `NotFound` for any other one."""
    shown = get_shown(catalogue, Audience.PUBLIC, indicator.id, indicator.version)
    told = shown.model_dump(include=set(ReleasedIndicator.model_fields) - {"population", "not_comparable_with"})
    others = (name for name in shown.not_comparable_with if catalogue.indicators[name].audiences.public is not None)
    return ReleasedIndicator(**told, population=shown.population.words, not_comparable_with=tuple(others))
