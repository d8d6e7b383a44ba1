"""Values, periods and changes as a reader of one language sees them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from reporting.figures import Answer, Mark, NotReported, Number, Point, Protected, Value, Zero, number_of
from reporting.indicators import IndicatorKind, Unit
from verbund.service.pages import Formats
from verbund.service.pages.formats import NOT_REPORTED, NOTHING, PROTECTED
from verbund.service.words import Words, message_id, words_for

_SIGNED: tuple[IndicatorKind, ...] = ("net", "change")
_MARKS: Mapping[Mark, str] = {
    "provisional": message_id("provisional"),
    "revised": message_id("revised"),
    "estimated": message_id("estimated"),
    "rounded": message_id("rounded"),
    "kept": message_id("unchanged, as reported"),
    "not_available": message_id("not available"),
}
_NOT_COUNTED: tuple[IndicatorKind, ...] = ("share", "rate", "mean", "percentile", "age")
_COUNTS: tuple[IndicatorKind, ...] = ("stock", "flow")


@dataclass(frozen=True, slots=True)
class Phrases:
    """Speaks one language (`de`, `en`)."""

    language: str
    formats: Formats = field(init=False)
    words: Words = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "formats", Formats(self.language))
        object.__setattr__(self, "words", words_for(self.language))

    def say(self, message: str, /, **values: object) -> str:
        return self.words.say(message, values)

    def value(self, value: Value, kind: IndicatorKind, nothing: str = NOTHING) -> str:
        """A value; differences carry their sign. `nothing`: what is printed for zero, another sign where protected."""
        match value:
            case Number(number=number):
                return self.formats.signed(number) if kind in _SIGNED else self.formats.number(number)
            case Zero():
                return self.formats.signed(0) if kind in _SIGNED else nothing
            case Protected():
                return PROTECTED
            case NotReported():
                return NOT_REPORTED

    def mark(self, value: Value, kind: IndicatorKind) -> str:
        """The word for a sign that stands in the place of a number; empty for numbers."""
        match value:
            case Protected():
                return self.say(message_id("protected"))
            case NotReported():
                return self.say(message_id("not yet reported"))
            case Zero() if kind not in _SIGNED:
                return self.say(message_id("none"))
            case _:
                return ""

    def said_of(self, mark: Mark) -> str:
        """What a body said of a number that it delivered."""
        return self.say(_MARKS[mark])

    def unit(self, answer: Answer, value: Value | None = None) -> str:
        """What stands behind a value of an answer; above a column of values where none is given."""
        if answer.measure == "share":
            return self.say(message_id("% of all {units}"), units=answer.unit.many.say(self.language))
        if answer.kind not in _NOT_COUNTED and value is not None and number_of(value) in (1, -1):
            return answer.unit.one.say(self.language)
        return self.unit_of(answer.kind, answer.unit, answer.per_unit, answer.per)

    def unit_of(self, kind: IndicatorKind, unit: Unit, per_unit: Unit | None, per: int | None) -> str:
        """What stands behind any value of an indicator."""
        many = unit.many.say(self.language)
        match kind:
            case "share":
                return self.say(message_id("% of all {units}"), units=many)
            case "rate":
                return self.say(message_id("of {number} {units}"), number=self.formats.number(per or 1), units=many)
            case "mean" if per_unit is not None:
                return self.say(
                    message_id("{units} per {per_unit}"), units=many, per_unit=per_unit.one.say(self.language)
                )
            case "percentile" | "age":
                return self.say(message_id("days"))
            case _:
                return many

    def change(self, change: Value) -> str:
        """A difference, always with its sign."""
        if isinstance(change, Protected):
            return PROTECTED
        number = number_of(change)
        return NOT_REPORTED if number is None else self.formats.signed(number)

    def relative(self, change: Value, compared: Value) -> str | None:
        """A change as a share of what was; None where there was nothing, or nothing is known."""
        base, difference = number_of(compared), number_of(change)
        if not base or difference is None:
            return None
        return self.formats.signed_percent(Decimal(difference) / Decimal(base))

    def point(self, point: Point) -> str:
        """A day, or a period from its first to its last day."""
        return self.span(point.from_on, point.to_on)

    def span(self, from_on: date | None, to_on: date) -> str:
        if from_on is None or from_on == to_on:
            return self.formats.date(to_on)
        first = f"{from_on:%d.%m.}" if from_on.year == to_on.year else self.formats.date(from_on)
        return self.say(message_id("{first} to {last}"), first=first, last=self.formats.date(to_on))

    def short(self, point: Point) -> str:
        """As on the axis of a chart: the year, where that is enough."""
        return f"{point.to_on:%Y}" if is_year(point) else self.formats.date(point.to_on)

    def dated(self, point: Point, value: Value, kind: IndicatorKind) -> str:
        """A value with its day or year, as at the ends of a small line."""
        return self.say(message_id("{day}: {value}"), day=self.short(point), value=self.value(value, kind))

    def change_since(self, kind: IndicatorKind, point: Point, change: Value, compared: Value) -> str:
        """The change of a value against the one it is compared with, with its period; empty where none is known."""
        if point.compared_to_on is None or number_of(change) is None:
            return ""
        if kind in _SIGNED:
            then = self.value(compared, kind)
            message = message_id("a year before: {then}")
            return self.say(message, then=then)
        period = self.span(point.compared_from_on, point.compared_to_on)
        message = (
            message_id("{change} since {period}") if point.from_on is None else message_id("{change} against {period}")
        )
        sentence = self.say(message, change=self.change(change), period=period)
        if kind == "share":
            message = message_id("{change} percentage points against {period}")
            return self.say(message, change=self.change(change), period=period)
        relative = self.relative(change, compared) if kind in _COUNTS else None
        return sentence if relative is None or not number_of(change) else f"{sentence}, {relative}"


def is_year(point: Point) -> bool:
    """Whether this is a whole year, or the end of one."""
    begins = point.from_on is None or (point.from_on.month, point.from_on.day) == (1, 1)
    return begins and (point.to_on.month, point.to_on.day) == (12, 31)
