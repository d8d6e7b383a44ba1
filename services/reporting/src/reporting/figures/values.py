"""The four things that can stand in the place of a figure; they are never mixed up."""

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer

Figure = int | Annotated[Decimal, PlainSerializer(float, return_type=float, when_used="json")]
"""A count, or a decimal with as many places as its indicator is rounded to."""


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Number(_Value):
    """So many; not zero, though it may be so little that it is rounded to it."""

    kind: Literal["number"] = "number"
    number: Figure


class Zero(_Value):
    """None at all, and that is known; printed `–` in exact tables."""

    kind: Literal["zero"] = "zero"


class Protected(_Value):
    """There is a value, and it is not shown to this audience; printed `.`."""

    kind: Literal["protected"] = "protected"


class NotReported(_Value):
    """There is no value (yet): the source had not begun, the day has not come, or there is nothing that a share could
    be of or a median could be taken from; printed `...`."""

    kind: Literal["not_reported"] = "not_reported"


Value = Annotated[Number | Zero | Protected | NotReported, Field(discriminator="kind")]

ZERO, PROTECTED, NOT_REPORTED = Zero(), Protected(), NotReported()


def value_of(number: int | Decimal) -> Number | Zero:
    """A count, a difference or a ratio as a value."""
    return Number(number=number) if number else ZERO


def number_of(value: Value) -> int | Decimal | None:
    """The number that a value says, 0 for zero; None where it says none."""
    match value:
        case Number(number=number):
            return number
        case Zero():
            return 0
        case _:
            return None
