"""The signs of official tables (DIN 55301, as the statistical offices print them), the same in every file."""

from collections.abc import Mapping
from types import MappingProxyType

from reporting.figures import Answer, NotReported, Protected, Value, Zero
from reporting.indicators import Words
from verbund.service.pages.formats import NOT_REPORTED, NOTHING, PROTECTED, ZERO

ESTIMATED = "s"
"""Stands behind a number."""

MEANINGS: Mapping[str, Words] = MappingProxyType(
    {
        NOTHING: Words(de="nichts vorhanden (genau null)", en="none at all (exactly zero)"),
        ZERO: Words(
            de="null oder so wenig, dass es in einer geschützten Tabelle als null steht",
            en="zero, or so few that a protected table shows zero",
        ),
        PROTECTED: Words(de="Zahl ist bekannt und wird geschützt", en="the number is known and protected"),
        ESTIMATED: Words(
            de="geschätzt: aus Zahlen anderer Gebiete nach Anteilen errechnet",
            en="estimated: divided by shares from numbers of other areas",
        ),
        NOT_REPORTED: Words(de="Zahl liegt noch nicht vor", en="the number is not reported yet"),
    }
)
"""In the order of a legend."""


def sign_of(answer: Answer, value: Value) -> str:
    """What stands in the place of a value; empty where there is a number."""
    match value:
        case Zero():
            return NOTHING if answer.is_exact else ZERO
        case Protected():
            return PROTECTED
        case NotReported():
            return NOT_REPORTED
        case _:
            return ""
