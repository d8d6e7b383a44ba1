"""The signs of official tables (DIN 55301, as the statistical offices print them), the same in every file."""

from collections.abc import Mapping
from types import MappingProxyType

from reporting.figures import Answer, Cell, Mark, NotReported, Protected, Value, Zero
from reporting.indicators import Words
from verbund.service.pages.formats import NOT_REPORTED, NOTHING, PROTECTED, ZERO

PROVISIONAL, REVISED, ESTIMATED = "p", "r", "s"
"""Stand behind a number, in this order."""
_LETTERS: Mapping[Mark, str] = MappingProxyType(
    {"provisional": PROVISIONAL, "revised": REVISED, "estimated": ESTIMATED}
)

MEANINGS: Mapping[str, Words] = MappingProxyType(
    {
        NOTHING: Words(de="nichts vorhanden (genau null)", en="none at all (exactly zero)"),
        ZERO: Words(
            de="null oder so wenig, dass es in einer geschützten Tabelle als null steht",
            en="zero, or so few that a protected table shows zero",
        ),
        PROTECTED: Words(de="Zahl ist bekannt und wird geschützt", en="the number is known and protected"),
        PROVISIONAL: Words(de="vorläufige Zahl", en="provisional"),
        REVISED: Words(de="berichtigte Zahl", en="revised"),
        ESTIMATED: Words(
            de="geschätzt: so geliefert, oder aus Zahlen anderer Gebiete nach Anteilen errechnet",
            en="estimated: delivered as such, or divided by shares from numbers of other areas",
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


def marks_of(cell: Cell, at: int) -> str:
    """The letters that stand behind the number at a place of a row; empty where there are none."""
    marks = cell.marks[at] if cell.marks else ()
    letters = {_LETTERS[mark] for mark in marks if mark in _LETTERS} | ({ESTIMATED} if at in cell.estimated else set())
    return " ".join(letter for letter in (PROVISIONAL, REVISED, ESTIMATED) if letter in letters)
