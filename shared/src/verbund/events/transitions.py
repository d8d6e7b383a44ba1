"""Transitions: how an event says, in one way for every office, what it changes in what is counted.

An ordinary event asserts transitions (`sign` +1). A correction, a late fact or a cancellation retracts (-1) those that
are no longer true, each repeated as it was asserted, and asserts the true ones. A reader adds up and needs no memory.
"""

from datetime import date
from typing import Annotated, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, StrictInt, model_validator

Cause = Annotated[str, Field(pattern=r"^(booked|late|cancelled|corrected:[a-z][a-z0-9_]*)$", max_length=80)]
"""Why counts moved: `booked`, `late` (a fact before others already booked), `corrected:<reason>`, `cancelled`."""

Kind = Literal[
    "opening",  # was there when the office began: counts in the stock only
    "arrival",  # across the city's border
    "departure",  # across the city's border
    "move",  # within the city: carries both areas
    "birth",
    "death",
    "change",  # of another fact than the area
    "recorded",  # an act of an office, such as a registration
    "found",  # a matter that stays open until it is resolved, such as a doubt
    "resolved",
]


class Facts(BaseModel):
    """The few, coarse facts of one counted unit: no names, no addresses, no free text, ever."""

    model_config = ConfigDict(frozen=True, extra="ignore")


FactsT = TypeVar("FactsT", bound=Facts)


class Transition(BaseModel, Generic[FactsT]):
    """`n` units of the kind `unit` passed from `before` to `after` on the day `effective_on` (Europe/Berlin)."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    sign: Literal[1, -1]
    unit: str
    """What is counted; a subclass per unit narrows it to its one word."""
    subject: str
    """Pseudonym of the counted unit: what its record key is made of."""
    n: Annotated[StrictInt, Field(gt=0)]
    effective_on: date
    kind: Kind
    before: FactsT | None
    after: FactsT | None
    cause: Cause

    @model_validator(mode="after")
    def _something_changes(self) -> "Transition[FactsT]":
        if self.before is None and self.after is None:
            raise ValueError("a transition needs facts before it, after it, or both")
        return self
