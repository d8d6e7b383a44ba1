"""Reads the areas of a city, what makes them up and what became of them, and says everything that is wrong."""

import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import date, timedelta
from fractions import Fraction
from importlib.resources.abc import Traversable
from types import MappingProxyType

from reporting.indicators.areas import CITY_LEVEL, LEVEL_OF_FACTS, Area, AreaChange, AreaPart, Territory
from reporting.indicators.lines import BadCatalogue, Findings, Line, made_of, read_lines
from reporting.indicators.map_files import read_maps
from reporting.indicators.words import Words

AREAS, PARTS, CHANGES, MAPS = "areas.csv", "area_parts.csv", "area_changes.csv", "geometry"
RESERVED = frozenset({"unplaced", "other"})
"""Codes that mean something in every question."""

_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,31}")  # questions separate codes by commas
_DAY = timedelta(days=1)


def read_territory(municipality: str, folder: Traversable, levels: Collection[str]) -> Territory:
    """The areas in a city's folder; `levels` are those that some breakdown shows. Raises `BadCatalogue` with every
    finding of the first file that has any: what builds on it would only repeat it."""
    areas = read_areas(municipality, folder / AREAS, levels)
    parts = _read_parts(folder / PARTS, areas) if (folder / PARTS).is_file() else ()
    changes = _read_changes(folder / CHANGES, areas) if (folder / CHANGES).is_file() else ()
    maps = read_maps(folder / MAPS, areas) if (folder / MAPS).is_dir() else {}
    return Territory(MappingProxyType(areas), parts, changes, MappingProxyType(maps))


def read_areas(municipality: str, file: Traversable, levels: Collection[str]) -> dict[str, Area]:
    """The areas by code, in the order of the file; raises `BadCatalogue` with everything that is wrong."""
    findings = Findings()
    areas: dict[str, Area] = {}
    known = list(dict.fromkeys((CITY_LEVEL, LEVEL_OF_FACTS, *levels)))

    def area(line: Line) -> Area:
        code = line["code"]
        if not _CODE.fullmatch(code) or code in RESERVED:
            raise ValueError(f"{code!r} cannot be a code: letters, digits, '.', '_', '-', and not {sorted(RESERVED)}")
        if code in areas:
            raise ValueError(f"there is another area of the code {code}")
        areas[code] = Area(code, line["name"], line["level"], line["parent"] or None, *line.validity())
        return areas[code]

    columns = ("code", "name", "level", "parent", "valid_from")
    lines = read_lines(file, columns, (*columns, "valid_until"))
    made = list(made_of(lines, area, findings))
    for line, found in made:
        for problem in _misfits(found, areas, known):
            findings.add(line.place, problem)
    if [found.code for found in areas.values() if found.level == CITY_LEVEL] != [municipality]:
        findings.add(str(file), f"exactly one line has the level {CITY_LEVEL}, and its code is {municipality}")
    for line, found in made:
        for problem in _misplaced(municipality, found, areas):
            findings.add(line.place, problem)
    findings.refuse()
    return areas


def _misfits(area: Area, areas: Mapping[str, Area], levels: Sequence[str]) -> Iterator[str]:
    """What is wrong with one area and the one that it lies in."""
    if not area.name:
        yield f"{area.code} has no name"
    if area.level not in levels:
        yield f"there is no level {area.level!r}; there are {', '.join(levels)}"
    if area.valid_until < area.valid_from:
        yield f"{area.code} ends before it begins"
    if area.parent is None:
        return
    parent = areas.get(area.parent)
    if parent is None:
        yield f"the parent of {area.code}, {area.parent}, is no area in this file"
    elif parent is not area and parent.level == area.level:
        yield f"{area.code} lies in {parent.code}, which is a {area.level} too"
    elif area.valid_from < parent.valid_from or area.valid_until > parent.valid_until:
        yield f"{area.code} is there on days on which {parent.code}, that it lies in, is not"


def _misplaced(municipality: str, area: Area, areas: Mapping[str, Area]) -> Iterator[str]:
    above = [area.code]
    while (parent := areas[above[-1]].parent) is not None and parent in areas:
        if parent in above:
            yield f"{area.code} lies in itself ({' in '.join([*above, parent])})"
            return
        above.append(parent)
    if area.level == LEVEL_OF_FACTS and above[-1] != municipality:
        yield f"{area.code} lies in no area that leads to the city: give it a parent"


def _read_parts(file: Traversable, areas: Mapping[str, Area]) -> tuple[AreaPart, ...]:
    findings = Findings()
    before: dict[tuple[str, str], list[AreaPart]] = defaultdict(list)

    def part(line: Line) -> AreaPart:
        if line["area"] not in areas or areas[line["area"]].parent is not None:
            raise ValueError(f"{line['area']} is no area without parent in {AREAS}")
        if line["part"] not in areas or areas[line["part"]].level != LEVEL_OF_FACTS:
            raise ValueError(f"{line['part']} is no {LEVEL_OF_FACTS} in {AREAS}")
        made = AreaPart(line["area"], line["part"], *line.validity())
        if made.valid_until < made.valid_from:
            raise ValueError("it ends before it begins")
        if any(
            one.valid_from <= made.valid_until and made.valid_from <= one.valid_until
            for one in before[made.area, made.part]
        ):
            raise ValueError(f"{made.part} belongs to {made.area} on some of these days already")
        before[made.area, made.part].append(made)
        return made

    columns = ("area", "part", "valid_from")
    made = tuple(one for _, one in made_of(read_lines(file, columns, (*columns, "valid_until")), part, findings))
    findings.refuse()
    return made


def _read_changes(file: Traversable, areas: Mapping[str, Area]) -> tuple[AreaChange, ...]:
    findings = Findings()
    columns = ("changed_on", "former", "new", "share", "share_back", "source_de", "source_en")
    lines = read_lines(file, columns, columns)
    made = list(made_of(lines, lambda line: _change(line, areas), findings))
    seen: set[tuple[date, str, str]] = set()
    for line, one in made:
        if (one.changed_on, one.former, one.new) in seen:
            findings.add(line.place, f"{one.former} and {one.new} stand there twice on this day")
        seen.add((one.changed_on, one.former, one.new))
    for place, problem in _without_rest(made, areas):
        findings.add(place, problem)
    for words, key, share in (
        ("share of the former area", lambda one: one.former, lambda one: one.share),
        ("share_back of the new area", lambda one: one.new, lambda one: one.share_back),
    ):
        for place, problem in _not_whole(made, words, key, share):
            findings.add(place, problem)
    findings.refuse()
    return tuple(one for _, one in made)


def _change(line: Line, areas: Mapping[str, Area]) -> AreaChange:
    day = date.fromisoformat(line["changed_on"])
    for code in (line["former"], line["new"]):
        if code not in areas:
            raise ValueError(f"{code!r} is no area in {AREAS}")
    former, new = areas[line["former"]], areas[line["new"]]
    for area in (former, new):
        if area.level != LEVEL_OF_FACTS:  # all others are made of these
            raise ValueError(f"{area.code} is no {LEVEL_OF_FACTS}")
    if not former.is_valid(day - _DAY):
        raise ValueError(f"{former.code} is not there on the day before the change")
    if not new.is_valid(day):
        raise ValueError(f"{new.code} is not there on the day of the change")
    is_sourced = line["source_de"] and line["source_en"]
    source = Words(de=line["source_de"], en=line["source_en"]) if is_sourced else None
    shares = [_share(line[column]) for column in ("share", "share_back")]
    if source is None and any(share not in (None, 1) for share in shares):
        raise ValueError("say where the shares come from (source_de, source_en)")
    return AreaChange(day, former.code, new.code, shares[0], shares[1], source)


def _without_rest(made: Sequence[tuple[Line, AreaChange]], areas: Mapping[str, Area]) -> Iterator[tuple[str, str]]:
    """Areas that are drawn anew under their old code, and of which it is not said what stays with them."""
    there = {(one.changed_on, one.former, one.new) for _, one in made}
    for line, one in made:
        for code in (one.former, one.new):
            keeps = areas[code].is_valid(one.changed_on - _DAY) and areas[code].is_valid(one.changed_on)
            if keeps and (one.changed_on, code, code) not in there:
                yield line.place, f"{code} keeps its code on {one.changed_on}: say what stays in it ({code} to {code})"


def _share(text: str) -> Fraction | None:
    if not text:
        return None
    try:
        share = Fraction(text)
    except (ValueError, ZeroDivisionError):
        raise ValueError(f"{text!r} is no share: write 0.25 or 1/4") from None
    if not 0 < share <= 1:
        raise ValueError(f"{text} is no share: it is more than 0 and 1 at most")
    return share


def _not_whole(
    made: Sequence[tuple[Line, AreaChange]],
    words: str,
    key: Callable[[AreaChange], str],
    share: Callable[[AreaChange], Fraction | None],
) -> Iterator[tuple[str, str]]:
    """Where the shares of one area on one day are given in part, or do not add up to 1."""
    groups: dict[tuple[date, str], list[tuple[Line, Fraction | None]]] = defaultdict(list)
    for line, one in made:
        groups[one.changed_on, key(one)].append((line, share(one)))
    for (day, code), group in groups.items():
        given = [found for _, found in group if found is not None]
        if not given:
            continue
        if len(given) < len(group):
            yield group[0][0].place, f"the {words} {code} on {day} is said of some parts only: of all, or of none"
        elif sum(given) != 1:
            yield group[0][0].place, f"the {words} {code} on {day} adds up to {sum(given)}, not to 1"


__all__ = ["AREAS", "CHANGES", "MAPS", "PARTS", "RESERVED", "BadCatalogue", "read_areas", "read_territory"]
