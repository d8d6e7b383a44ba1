"""Values of areas as of another day: counts are read by area of facts, then carried over recorded changes.

What is divided is protected first, and divided afterwards; what lies in an area as a whole is the sum of its finest
cells, as everywhere.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from reporting.figures.combining import Amount, Content, Label, combined, combined_numbers
from reporting.figures.protection import protected, protected_numbers, published
from reporting.figures.question import Question
from reporting.figures.values import NOT_REPORTED, Value
from reporting.indicators import RATIOS, UNPLACED, Catalogue, Indicator, Span
from reporting.indicators.areas import LEVEL_OF_FACTS
from reporting.indicators.carrying import Carrying, Shares, Sources, apportioned, was_there
from reporting.indicators.terms import spans_of
from verbund.disclosure import KEY_MODULUS
from verbund.errors import RuleBroken

Row = tuple[str, ...]
_NOTHING = Amount(0, 0)


@dataclass(frozen=True)
class CarriedRows:
    """How the rows of an answer are made of rows by area of facts."""

    carrying: Carrying
    dimension: str
    """The breakdown that shows the areas."""
    at: int
    """Its place among the breakdowns."""

    def catalogue(self, catalogue: Catalogue) -> Catalogue:
        """The catalogue to read with: there, the breakdown takes every area of facts that there ever was, always."""
        dimensions = dict(catalogue.frame.dimensions)
        dimensions[self.dimension] = dimensions[self.dimension].model_copy(update={"level": LEVEL_OF_FACTS})
        frame = catalogue.frame.model_copy(update={"dimensions": dimensions})
        return replace(catalogue, city=catalogue.city.without_days(LEVEL_OF_FACTS), frame=frame)

    def codes(self, codes: Sequence[tuple[str, ...]]) -> tuple[tuple[str, ...], ...]:
        """The codes to read instead of those that are shown."""
        return (*codes[: self.at], (*self.carrying.codes, UNPLACED), *codes[self.at + 1 :])

    def value(
        self, indicator: Indicator, parts: Sequence[Mapping[Row, Content]], row: Row, span: Span, *, is_exact: bool
    ) -> tuple[Value, bool]:
        """The value in a row for a span, and whether it is an estimate."""
        dated = [one for one in spans_of(indicator, span) for _ in indicator.parts]
        sources = [found for one in dated if (found := self.carrying.sources_of(row[self.at], one)) is not None]
        if len(sources) < len(dated):
            return NOT_REPORTED, False
        read = list(zip(parts, sources, dated, strict=True))
        wholes = [_merged([self._content(part, row, code) for code in found.whole]) for part, found, _ in read]
        divided = [list(self._divided(part, row, found, one)) for part, found, one in read]
        if not any(divided):
            return (combined if is_exact else protected)(indicator, wholes), False
        if indicator.days is not None:  # how long those took who lay in a part of it, nobody knows
            return NOT_REPORTED, False
        counted = _exactly if is_exact else published
        numbers = [
            counted(whole) + sum(self._share(indicator, counted(one), shares, row[self.at]) for one, shares in found)
            for whole, found in zip(wholes, divided, strict=True)
        ]
        return (combined_numbers if is_exact else protected_numbers)(indicator, numbers), True

    def _divided(
        self, part: Mapping[Row, Content], row: Row, found: Sources, span: Span
    ) -> Iterator[tuple[Content, Shares]]:
        """What lies in a row by shares; of areas that are not there what was booked for them all the same."""
        for code, shares in found.divided:
            content = self._content(part, row, code)
            if content or was_there(self.carrying.city.areas[code], span):
                yield content, shares

    def _content(self, part: Mapping[Row, Content], row: Row, code: str) -> Content:
        return part.get((*row[: self.at], code, *row[self.at + 1 :]), {})

    def _share(self, indicator: Indicator, count: int, shares: Shares, area: str) -> int | Fraction:
        mine = [part for part in shares if area in self.carrying.areas_of(part)]
        if indicator.kind in RATIOS:  # nothing is counted there: numerator and denominator keep their relation
            return count * sum((shares[part] for part in mine), Fraction(0))
        units = apportioned(count, shares)
        return sum(units[part] for part in mine)


def carried_rows_of(catalogue: Catalogue, indicator: Indicator, question: Question) -> CarriedRows | None:
    """How the rows of a question are carried over, where it names the day of its areas; raises `RuleBroken`."""
    if question.areas_on is None:
        if question.over_changes != "whole":
            raise RuleBroken("areas_on_needed", "Say of which day the areas are (areas_on).", pointer="/over_changes")
        return None
    at = next((at for at, name in enumerate(question.by) if catalogue.level_of(name) is not None), None)
    if at is None:
        raise RuleBroken("areas_on_needs_areas", "Areas of a day are for breaking down by areas.", pointer="/areas_on")
    if any("area_to" in catalogue.measures[count.measure].dims for part in indicator.parts for count in part.counts):
        # Who moved within the former area may have moved between two new ones.
        raise RuleBroken("not_carried_over", "Moves belong to the areas of their own day only.", pointer="/areas_on")
    level = catalogue.level_of(question.by[at]) or ""
    if catalogue.city.codes_at(level, (question.areas_on,)) == (UNPLACED,):
        raise RuleBroken("no_areas_then", "There were no such areas on this day.", pointer="/areas_on")
    carrying = Carrying(catalogue.city, level, question.areas_on, question.over_changes)
    return CarriedRows(carrying, question.by[at], at)


def _merged(contents: Sequence[Content]) -> Content:
    return {label: _sum(contents, label) for label in dict.fromkeys(label for one in contents for label in one)}


def _sum(contents: Sequence[Content], label: Label) -> Amount:
    amounts = [one.get(label, _NOTHING) for one in contents]
    return Amount(sum(amount.n for amount in amounts), sum(amount.key for amount in amounts) % KEY_MODULUS)


def _exactly(content: Content) -> int:
    return sum(amount.n for amount in content.values())
