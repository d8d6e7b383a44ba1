"""What a delivering body asks: report numbers, revise, keep, finalise or withdraw them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StringConstraints

from verbund.events.days import Day
from verbund.events.reporting.deliveries import Code, DataState, Precision, RevisionReason

Typed = Annotated[str, StringConstraints(strip_whitespace=True, max_length=40)]
"""A number as it was typed: its digits are looked at with the indicator's own rules, so that all is told at once."""
Said = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=400)]

MOST_SHEETS = 200
MOST_ROWS = 5_000


class Form(BaseModel):
    """What a body fills in; an unknown field is refused, so that a misspelt one is never lost in silence."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class PeriodForm(Form):
    """The day that a number belongs to (`to_on` alone), or the period from its first to its last day."""

    from_on: Day | None = None
    to_on: Day


class RowForm(Form):
    """One number; without a breakdown it is the total."""

    breakdown: Annotated[Mapping[Code, Code], Field(json_schema_extra={"additionalProperties": False})] = Field(
        default_factory=dict
    )
    value: Typed | None = None
    """Digits with a point or a comma, such as `20149099.89`."""
    not_available: StrictBool = False
    """The body says that there is no such number; an empty value without it is refused."""


class SheetForm(PeriodForm):
    """All numbers of one day or period."""

    rows: Annotated[tuple[RowForm, ...], Field(min_length=1, max_length=MOST_ROWS)]
    state: DataState = "provisional"
    precision: Precision = "exact"
    restated: StrictBool = False
    """The body's own source has corrected these numbers since it published them first."""
    source: Said | None = None
    """Where the body has the numbers from, in words: no names of persons."""


class DeliveryForm(Form):
    """Numbers of one indicator, for one or several days or periods: all of them are booked, or none."""

    indicator: Code
    unit: Code
    """What is counted, as the catalogue names it: two units are never mixed up."""
    definition_version: Annotated[int | None, Field(ge=1)] = None
    """Of the definition that was delivered to; the one that holds by default."""
    sheets: Annotated[tuple[SheetForm, ...], Field(min_length=1, max_length=MOST_SHEETS)]


class RevisionForm(DeliveryForm):
    """Other numbers instead of delivered ones, whole sheets at a time."""

    reason: RevisionReason


class FileForm(DeliveryForm):
    """What a file says: what is new is delivered, what differs is revised, what is the same stays as it is."""

    reason: RevisionReason | None = None
    """Why numbers differ from those delivered before; needed only where some do."""


class KeepingForm(Form):
    """The numbers of an earlier day or period hold for a later one, unchanged."""

    indicator: Code
    kept_from: PeriodForm
    period: PeriodForm
    state: DataState = "provisional"
    source: Said | None = None


class FinalisationForm(Form):
    """Provisional numbers of these days or periods are final."""

    indicator: Code
    periods: Annotated[tuple[PeriodForm, ...], Field(min_length=1, max_length=MOST_SHEETS)]


class WithdrawalForm(FinalisationForm):
    """The numbers of these days or periods hold no longer."""

    reason: RevisionReason


@dataclass(frozen=True, slots=True)
class DeliverFigure:
    """Report numbers for the first time."""

    form: DeliveryForm
    body: str


@dataclass(frozen=True, slots=True)
class ReviseFigure:
    """Report other numbers; the earlier ones stay known."""

    form: RevisionForm
    body: str


@dataclass(frozen=True, slots=True)
class TakeInFigures:
    """Book what a file says beside what is known already; the same file twice changes nothing."""

    form: FileForm
    body: str


@dataclass(frozen=True, slots=True)
class KeepFigure:
    """Say that nothing changed."""

    form: KeepingForm
    body: str


@dataclass(frozen=True, slots=True)
class FinaliseFigure:
    """Say that numbers are final."""

    form: FinalisationForm
    body: str


@dataclass(frozen=True, slots=True)
class WithdrawFigure:
    """Take numbers back."""

    form: WithdrawalForm
    body: str


DeliveryCommand = DeliverFigure | ReviseFigure | TakeInFigures | KeepFigure | FinaliseFigure | WithdrawFigure
