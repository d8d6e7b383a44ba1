"""What the forms of reporting's books have in common."""

from typing import Annotated
from uuid import uuid4

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from verbund.events.reporting.scopes import BreakdownId, DecimalText, IndicatorId, ValueCode

Pseudonym = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$")]
"""A random UUID in lower case; says nothing about what it stands for."""
Sentence = Annotated[
    str,
    # A line of text that can be read and exported: blanks alone are nothing, and no control characters.
    StringConstraints(
        strip_whitespace=True, min_length=1, max_length=500, pattern=r"^[^\x00-\x1f\x7f]*\S[^\x00-\x1f\x7f]*$"
    ),
]
Decimals = DecimalText


def new_pseudonym() -> str:
    """A random number that says nothing about what it stands for, not even when it was given."""
    return str(uuid4())


class Form(BaseModel):
    """What somebody fills in; an unknown field is refused, so that a misspelt one is never lost in silence."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class BothLanguages(Form):
    """The same said in German and in English: who reads one of them is told as much as the other."""

    de: Sentence
    en: Sentence


class ScopeForm(Form):
    """What it is about: an indicator, as a whole or one value of one of its breakdowns."""

    indicator: Annotated[IndicatorId, Field(examples=["population"])]
    breakdown: BreakdownId | None = None
    value: ValueCode | None = None
    """Of the breakdown; both are given, or neither."""


class EmptyForm(Form):
    """Nothing has to be said beyond what the address says."""
