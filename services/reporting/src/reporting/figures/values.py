"""The four things that can stand in the place of a figure; they are never mixed up."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Number(_Value):
    """So many; never zero."""

    kind: Literal["number"] = "number"
    number: int


class Zero(_Value):
    """None at all, and that is known; printed `–` in exact tables."""

    kind: Literal["zero"] = "zero"


class Protected(_Value):
    """There is a value, and it is not shown to this audience; printed `.`."""

    kind: Literal["protected"] = "protected"


class NotReported(_Value):
    """There is no value yet: the source had not begun, or the day has not come; printed `...`."""

    kind: Literal["not_reported"] = "not_reported"


Value = Annotated[Number | Zero | Protected | NotReported, Field(discriminator="kind")]

ZERO, PROTECTED, NOT_REPORTED = Zero(), Protected(), NotReported()


def value_of(number: int) -> Number | Zero:
    """An exact count, or a difference of counts, as a value."""
    return Number(number=number) if number else ZERO


def number_of(value: Value) -> int | None:
    """The count that a value says, 0 for zero; None where it says none."""
    match value:
        case Number(number=number):
            return number
        case Zero():
            return 0
        case _:
            return None
