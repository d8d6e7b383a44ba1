"""Whether an indicator fits what is around it: the measures it counts, the words of the frame, the data of the city."""

from collections.abc import Collection, Iterator, Mapping, Sequence

from reporting.deltas import NEVER_CROSSED, Measure
from reporting.indicators.catalogue import Frame
from reporting.indicators.city import City
from reporting.indicators.definition import Indicator, Part

_MADE_OF = frozenset({"area", "nationality", "birth_year"})
"""Facts whose values get their words from the data of the city."""


def misfits(
    indicator: Indicator, city: City, frame: Frame, measures: Mapping[str, Measure], before: Sequence[Indicator]
) -> Iterator[tuple[str, str]]:
    """What an indicator names that is not there or does not go together, each with the field that names it.

    `before`: the versions of this indicator that stand above it.
    """
    yield from _misfits_of_names(indicator, city, frame)
    yield from _misfits_of_versions(indicator, before)
    unknown = [name for name in indicator.breakdowns if name not in frame.dimensions]
    if unknown:
        yield "breakdowns", f"there is no {unknown[0]!r}; there are {', '.join(frame.dimensions)}"
        return
    facts = facts_of(indicator, frame)
    for name in indicator.breakdowns:
        dimension = frame.dimensions[name]
        if dimension.level is not None and dimension.level not in city.levels:
            yield "breakdowns", f"the city has no areas of the level {dimension.level!r} that {name} is made of"
        if dimension.fact not in _MADE_OF and name not in frame.values:
            yield "breakdowns", f"the values of {name!r} have no words in frame.yaml"
    if facts >= NEVER_CROSSED:
        yield "breakdowns", f"{' and '.join(sorted(NEVER_CROSSED))} may never be crossed"
    for field, part in _parts(indicator):
        yield from ((field, problem) for problem in _misfits_of_part(indicator, part, facts, measures))
    if indicator.delivered is None:
        yield from _misfits_between(indicator, measures)


def facts_of(indicator: Indicator, frame: Frame) -> frozenset[str]:
    """Every fact that some question about this indicator can touch."""
    asked = {frame.dimensions[name].fact for name in indicator.breakdowns}
    fixed = {"nationality"} if indicator.population.nationalities else set()
    further = {name for name in (indicator.days, indicator.overdue_since) if name is not None}
    return frozenset({*asked, *fixed, *further, *(name for part in indicator.parts for name in part.where)})


def _misfits_of_names(indicator: Indicator, city: City, frame: Frame) -> Iterator[tuple[str, str]]:
    known: Sequence[tuple[str, str, str | None, Collection[str]]] = (
        ("source_office", "office", indicator.source_office, frame.offices),
        *(("delivered", "office", body, frame.offices) for body in indicator.delivered_by),
        ("unit", "unit", indicator.unit, frame.units),
        ("per_unit", "unit", indicator.per_unit, frame.units),
        ("population", "group of nationalities", indicator.population.nationalities, city.groups),
        ("age_bands", "set of age bands", indicator.age_bands, city.age_bands),
    )
    for field, what, name, names in known:
        if name is not None and name not in names:
            yield field, f"there is no {what} {name!r}; there are {', '.join(names)}"


def _misfits_of_versions(indicator: Indicator, before: Sequence[Indicator]) -> Iterator[tuple[str, str]]:
    if indicator.version != len(before) + 1:
        there = f"version {len(before)} stands above" if before else "no version stands above"
        yield "version", f"{there}: this one has to be {len(before) + 1}"
    if before:
        last = before[-1]
        if last.valid_until is None or (indicator.valid_from - last.valid_until).days != 1:
            yield "valid_from", f"version {last.version} has to be valid until the day before (valid_until)"


def _parts(indicator: Indicator) -> Sequence[tuple[str, Part]]:
    if indicator.numerator is None:
        return [("counts", part) for part in indicator.parts]
    return list(zip(("numerator", "denominator"), indicator.parts, strict=True))


def _misfits_of_part(
    indicator: Indicator, part: Part, facts: Collection[str], measures: Mapping[str, Measure]
) -> Iterator[str]:
    for count in part.counts:
        measure = measures.get(count.measure)
        if measure is None:
            yield f"there is no measure {count.measure!r}; there are {', '.join(measures)}"
            continue
        if measure.office != indicator.source_office:
            yield f"{measure.name} comes from {measure.office}, not from {indicator.source_office}"
        if measure.is_stock != indicator.is_about_days:
            time = "days" if indicator.is_about_days else "periods"
            yield (
                f"a {indicator.kind} of {time} cannot be made of {measure.name}: stock and flow, and two cut-offs,"
                " are never mixed"
            )
        asked = {fact for fact in facts if not (fact == "area" and "area_to" in measure.dims)}
        if missing := sorted(asked - set(measure.dims)):
            yield f"{measure.name} does not know {', '.join(missing)}"


def _misfits_between(indicator: Indicator, measures: Mapping[str, Measure]) -> Iterator[tuple[str, str]]:
    units = [{measures[c.measure].unit for c in part.counts if c.measure in measures} for part in indicator.parts]
    field = "counts" if indicator.numerator is None else "numerator"
    if any(len(found) > 1 for found in units) or (indicator.kind != "mean" and len(set().union(*units)) > 1):
        yield (
            field,
            f"two units ({', '.join(sorted(set().union(*units)))}) are never added up, nor made a {indicator.kind}",
        )
    if indicator.kind == "share":
        numerator, denominator = indicator.parts
        part_of = {count.measure for count in numerator.counts} <= {count.measure for count in denominator.counts}
        narrower = all(
            name in numerator.where and set(numerator.where[name]) <= set(codes)
            for name, codes in denominator.where.items()
        )
        if not (part_of and narrower):
            yield "numerator", "a share is part of its denominator: the same measures, under narrower conditions"
