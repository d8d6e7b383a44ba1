"""Areas as of one day for figures of other days: what lies where is carried over recorded changes, or not at all."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from functools import cached_property
from typing import Literal

from reporting.indicators.areas import LEVEL_OF_FACTS, Area, AreaChange
from reporting.indicators.city import UNPLACED, City
from reporting.indicators.periods import Span

OverChanges = Literal["whole", "apportioned"]
"""whole: only areas that lie in one other area as a whole. apportioned: also those divided by a recorded share."""

Shares = Mapping[str, Fraction]
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Placement:
    """Where what was counted in one area of facts lies among the areas asked for."""

    reached: frozenset[str]
    """The areas of facts of the day asked for in which some of it may lie; none where it leads nowhere."""
    areas: frozenset[str]
    """All areas asked for in which some of it may lie; `UNPLACED` for what lies in none."""
    shares: Shares | None
    """By area of facts on the day asked for; they add up to 1. None where nobody has said how it is divided."""
    whole: bool
    """Whether all of it lies in each of `areas`: then it is counted there, and no share is needed."""


@dataclass(frozen=True, slots=True)
class Sources:
    """What makes up an area asked for."""

    whole: tuple[str, ...]
    """Areas of facts that lie in it as a whole."""
    divided: tuple[tuple[str, Shares], ...]
    """Areas of facts of which a part lies in it, each with all its shares."""


class Carrying:
    """Carries counts in the areas of facts of any day over to the areas of one level as of `areas_on`.

    A count belongs to its area as of its own day; where that area is no more, as of its last day. From there on (or
    back) it follows the recorded changes. A change without shares carries nothing; nor does one within a period, of an
    area that keeps its code, as a count does not say on which side of it it was.
    """

    def __init__(self, city: City, level: str, areas_on: date, over_changes: OverChanges) -> None:
        self.city, self.level, self.areas_on, self.over_changes = city, level, areas_on, over_changes
        self.codes = tuple(area.code for area in city.areas.values() if area.level == LEVEL_OF_FACTS)
        self._placements: dict[tuple[str, Span], Placement] = {}
        self._sources: dict[tuple[str, Span], Sources | None] = {}

    def sources_of(self, area: str, span: Span) -> Sources | None:
        """What an area (or `UNPLACED`) is made of in a span; None where something of it is not known."""
        if (area, span) not in self._sources:
            is_known = area == UNPLACED or self._is_known(area, span)
            self._sources[area, span] = self._found(area, span) if is_known else None
        return self._sources[area, span]

    def areas_of(self, part: str) -> frozenset[str]:
        """The areas asked for that an area of facts lies in on the day asked for."""
        return self._areas.get(part) or frozenset((UNPLACED,))

    @cached_property
    def _areas(self) -> Mapping[str, frozenset[str]]:
        found: dict[str, set[str]] = defaultdict(set)
        for area in self.city.areas.values():
            if area.level == self.level and area.is_valid(self.areas_on):
                for part in self.city.parts_of(area.code, self.areas_on):
                    found[part].add(area.code)
        return {part: frozenset(areas) for part, areas in found.items()}

    def _found(self, area: str, span: Span) -> Sources:
        placed = {code: self._placement(code, span) for code in self.codes}
        # What cannot be divided cannot be placed.
        whole = [
            code
            for code, one in placed.items()
            if (area in one.areas if one.whole else one.shares is None and area == UNPLACED)
        ]
        divided = [(code, one.shares) for code, one in placed.items() if one.shares is not None and area in one.areas]
        return Sources((*whole, *((UNPLACED,) if area == UNPLACED else ())), tuple(divided))

    def _is_known(self, area: str, span: Span) -> bool:
        explained: set[str] = set()
        for code in self.codes:
            if was_there(self.city.areas[code], span):
                placed = self._placement(code, span)
                if area in placed.areas and not placed.whole and placed.shares is None:
                    return False
                explained |= placed.reached
        members = self.city.parts_of(area, self.areas_on)
        return all(part in explained for part in members if self.city.areas[part].is_valid(self.areas_on))

    def _placement(self, code: str, span: Span) -> Placement:
        if (code, span) not in self._placements:
            self._placements[code, span] = self._place(self.city.areas[code], span)
        return self._placements[code, span]

    def _place(self, area: Area, span: Span) -> Placement:
        first, day = (
            min(max(on, area.valid_from), area.valid_until) for on in (span.from_on or span.to_on, span.to_on)
        )
        is_redrawn = _keeps_its_code_within(self.city, area, span)
        # Of one that is no more, and of which nothing else is known, the facts stay where it lay.
        reached = self._reached(area.code, day) | (self._reached(area.code, first) if is_redrawn else frozenset())
        memberships = {self.areas_of(part) for part in reached or (area.code,)}
        areas = frozenset[str]().union(*memberships)
        if len(memberships) == 1:
            return Placement(reached, areas, None, whole=True)
        shares = None if is_redrawn else self._shares(area.code, day)
        return Placement(reached, areas, shares, whole=False)

    def _shares(self, code: str, day: date) -> Shares | None:
        """How what lay in an area on a day is divided among the areas of facts of `areas_on`."""
        summed: dict[str, Fraction] = defaultdict(Fraction)
        steps = list(self._next(code, day))
        if not steps:
            return {code: Fraction(1)} if self.city.areas[code].is_valid(self.areas_on) else None
        for following, share, on in steps:
            if share is None or (share != 1 and self.over_changes == "whole"):
                return None
            further = self._shares(following, on)
            if further is None:
                return None
            for part, of_it in further.items():
                summed[part] += share * of_it
        return summed

    def _reached(self, code: str, day: date) -> frozenset[str]:
        """The areas of facts of `areas_on` in which some of what lay in an area on a day can lie."""
        steps = list(self._next(code, day))
        if not steps:
            return frozenset((code,)) if self.city.areas[code].is_valid(self.areas_on) else frozenset()
        return frozenset[str]().union(*(self._reached(following, on) for following, _, on in steps))

    def _next(self, code: str, day: date) -> Iterator[tuple[str, Fraction | None, date]]:
        """The next change of an area on the way to `areas_on`: which areas it leads to, by what share, on which day."""
        if day < self.areas_on:
            ahead = [
                one for one in self.city.area_changes if one.former == code and day < one.changed_on <= self.areas_on
            ]
            first = min((one.changed_on for one in ahead), default=None)
            yield from ((one.new, one.share, one.changed_on) for one in ahead if one.changed_on == first)
        else:
            behind = [
                one for one in self.city.area_changes if one.new == code and self.areas_on < one.changed_on <= day
            ]
            last = max((one.changed_on for one in behind), default=None)
            yield from ((one.former, one.share_back, one.changed_on - _DAY) for one in behind if one.changed_on == last)


def was_there(area: Area, span: Span) -> bool:
    """Whether there is an area on the day of a span, or on some day of it."""
    return area.valid_from <= span.to_on and (span.from_on or span.to_on) <= area.valid_until


def _keeps_its_code_within(city: City, area: Area, span: Span) -> bool:
    def is_within(change: AreaChange) -> bool:
        if span.from_on is None or area.code not in (change.former, change.new):
            return False
        return (
            span.from_on < change.changed_on <= span.to_on and area.valid_from < change.changed_on <= area.valid_until
        )

    return any(map(is_within, city.area_changes))


def apportioned(count: int, shares: Shares) -> dict[str, int]:
    """A count divided into whole units that add up to it: by the largest remainders, of equal ones the first."""
    sign, exact = (-1 if count < 0 else 1), {code: abs(count) * share for code, share in shares.items()}
    whole = {code: int(number) for code, number in exact.items()}
    left = abs(count) - sum(whole.values())
    for code in sorted(exact, key=lambda code: whole[code] - exact[code])[
        :left
    ]:  # sorted keeps the order of equal ones
        whole[code] += 1
    return {code: sign * number for code, number in whole.items()}
