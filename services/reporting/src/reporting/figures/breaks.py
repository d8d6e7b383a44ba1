"""Where areas changed between the days that an answer is about: what then has no value, and what has to be said."""

from collections.abc import Collection, Iterator, Sequence
from datetime import date, timedelta
from itertools import chain

from reporting.figures.answer import AreaShare, Break, Cell, Key
from reporting.figures.plan import Plan
from reporting.figures.values import NotReported
from reporting.indicators import UNPLACED, AreaChange, City, Span
from reporting.indicators.areas import Area
from reporting.indicators.carrying import was_there
from reporting.indicators.terms import spans_of

_DAY = timedelta(days=1)


def are_there(plan: Plan, row: Sequence[str], span: Span) -> bool:
    """Whether the areas of a row, or those filtered by, are there in a span: where they are not, nothing is zero."""
    areas = plan.catalogue.city.areas
    shown = [{code} for name, code in zip(plan.by, row, strict=True) if plan.catalogue.level_of(name) is not None]
    chosen = [codes for name, codes in plan.chosen.items() if plan.catalogue.level_of(name) is not None]
    return all(
        UNPLACED in codes or any(was_there(areas[code], one) for code in codes)
        for codes in (*shown, *chosen)
        for one in spans_of(plan.indicator, span)
    )


def lacks_areas(plan: Plan, cells: Collection[Cell]) -> bool:
    """Whether some areas have no value because of a change, while others have: then rows do not add up."""
    if plan.carried is None:
        levels = {plan.catalogue.level_of(name) for name in plan.by}
        areas = [area for area in plan.catalogue.city.areas.values() if area.level in levels]
        pairs = [pair for pair in (spans_of(plan.indicator, span) for span in plan.spans) if len(pair) > 1]
        return any(_comes_or_goes(area, pair) for pair in pairs for area in areas)
    columns = zip(*(cell.values for cell in cells), strict=True)
    return any(len({isinstance(value, NotReported) for value in column}) > 1 for column in columns)


def _comes_or_goes(area: Area, pair: Sequence[Span]) -> bool:
    """Whether an area is there at one end of a change and not at the other: it has no value then."""
    return len({was_there(area, span) for span in pair}) > 1


def breaks_of(plan: Plan) -> Iterator[Break]:
    """The changes of the areas shown between the first and the last of all days asked for, in order."""
    city = plan.catalogue.city
    named = [
        (plan.catalogue.level_of(name) or "", frozenset(codes))
        for name, codes in (*zip(plan.by, plan.codes, strict=True), *plan.chosen.items())
        if plan.catalogue.level_of(name) is not None
    ]
    if not named:
        return
    days = set(_days(plan, chain.from_iterable(codes for _, codes in named)))
    first, last = min(days), max(days)
    recorded = {one.changed_on for one in city.area_changes if first < one.changed_on <= last}
    for day in sorted(city.redrawn(first + _DAY, last) | recorded):
        concerned = [area for level, codes in named for area in _concerned(city, level, codes, day)]
        if concerned:
            changes = [one for one in city.area_changes if one.changed_on == day and _touches(city, one, concerned)]
            yield Break(
                changed_on=day,
                areas=tuple(_key(city, area.code) for area in concerned),
                shares=tuple(_share(city, one) for one in changes),
            )


def _days(plan: Plan, codes: Iterator[str]) -> Iterator[date]:
    """All days that values are about, and, of areas that are not there on them, their own."""
    for span in chain.from_iterable(spans_of(plan.indicator, span) for span in (*plan.spans, *plan.compared)):
        yield from (span.to_on, span.from_on or span.to_on)
    if plan.carried is not None:
        yield plan.carried.carrying.areas_on
        return
    areas = [plan.catalogue.city.areas[code] for code in codes if code != UNPLACED]
    for area in areas:
        if not any(was_there(area, span) for span in plan.spans):
            yield area.valid_from if area.valid_from > plan.spans[-1].to_on else area.valid_until + _DAY


def _concerned(city: City, level: str, codes: Collection[str], day: date) -> Iterator[Area]:
    """The areas named that are made of something else from a day on, or of something drawn anew."""
    anew = {code for one in city.area_changes if one.changed_on == day for code in (one.former, one.new)}
    for code in (code for code in city.areas if code in codes and code != UNPLACED):
        before, after = city.parts_of(code, day - _DAY), city.parts_of(code, day)
        if before != after or (anew & (before | after) and not _stays_within(city, before | after, day)):
            yield city.areas[code]


def _stays_within(city: City, parts: Collection[str], day: date) -> bool:
    """Whether the changes of a day lead from these areas of facts to one another only."""
    changes = [one for one in city.area_changes if one.changed_on == day]
    return all((one.former in parts) == (one.new in parts) for one in changes)


def _touches(city: City, change: AreaChange, areas: Sequence[Area]) -> bool:
    parts = frozenset[str]().union(
        *(city.parts_of(area.code, day) for area in areas for day in (change.changed_on - _DAY, change.changed_on))
    )
    return change.former in parts or change.new in parts


def _share(city: City, change: AreaChange) -> AreaShare:
    return AreaShare(
        former=_key(city, change.former),
        new=_key(city, change.new),
        share=None if change.share is None else float(change.share),
        share_back=None if change.share_back is None else float(change.share_back),
        source=change.source,
    )


def _key(city: City, code: str) -> Key:
    return Key(code=code, name=city.name_of_area(code))
