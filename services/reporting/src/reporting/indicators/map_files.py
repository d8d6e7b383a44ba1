"""Reads maps of areas from GeoJSON (RFC 7946: WGS 84, longitude before latitude), and says everything that is wrong."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from importlib.resources.abc import Traversable
from typing import Any

from reporting.indicators.areas import Area, MapOfLevel, Shape
from reporting.indicators.lines import BadCatalogue, Findings
from reporting.indicators.shapes import overlapping, problem_of_geometry
from reporting.indicators.words import Words

SUFFIX = ".geojson"

_DAY = timedelta(days=1)
_WGS_84 = ("urn:ogc:def:crs:OGC:1.3:CRS84", "urn:ogc:def:crs:OGC::CRS84", "EPSG:4326", "urn:ogc:def:crs:EPSG::4326")


@dataclass(frozen=True, slots=True)
class _Read:
    """One feature where it stands."""

    place: str
    shape: Shape


def read_maps(folder: Traversable, areas: Mapping[str, Area]) -> dict[str, MapOfLevel]:
    """The maps in a folder by level, which is the name of the file; raises `BadCatalogue`."""
    files = sorted((file for file in folder.iterdir() if file.name.endswith(SUFFIX)), key=lambda file: file.name)
    return {name: read_map(file, name, areas) for file in files for name in (file.name.removesuffix(SUFFIX),)}


def read_map(file: Traversable, level: str, areas: Mapping[str, Area], key: str = "code") -> MapOfLevel:
    """The map of one level; `key` is the property that holds the code of an area.

    Every area of the level has one shape on each of its days, no other area has any, every shape is a closed area in
    degrees, and areas of one hierarchy do not overlap. Raises `BadCatalogue` with everything that is not so.
    """
    findings = Findings()
    document = _document(file)
    for problem in _problems_of_document(document):
        findings.add(str(file), problem)
    if all(area.level != level for area in areas.values()):
        findings.add(str(file), f"the city has no areas of the level {level!r}")
    findings.refuse()
    read = list(_shapes(document["features"], str(file), level, areas, key, findings))
    for place, problem in _misfits(read, str(file), level, areas, {reached for reached, _ in _named(document, key)}):
        findings.add(place, problem)
    findings.refuse()
    return MapOfLevel(level, document["schematic"], _source(document), tuple(one.shape for one in read))


def _document(file: Traversable) -> Any:
    try:
        return json.loads(file.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise BadCatalogue(f"{file}: cannot be read ({error.strerror})") from error
    except json.JSONDecodeError as error:
        raise BadCatalogue(f"{file}:{error.lineno}: is no JSON ({error.msg})") from error
    except (UnicodeDecodeError, RecursionError) as error:
        raise BadCatalogue(f"{file}: is no JSON in UTF-8") from error


def _problems_of_document(document: Any) -> Iterator[str]:
    if not isinstance(document, dict) or document.get("type") != "FeatureCollection":
        yield "a FeatureCollection (GeoJSON, RFC 7946) is expected"
        return
    if not isinstance(document.get("features"), list) or not document["features"]:
        yield "there are no features"
    crs = document.get("crs")
    if crs is not None and not (isinstance(crs, dict) and _name_of(crs) in _WGS_84):
        yield f"its coordinates are in {_name_of(crs) or 'another system'}: turn them into WGS 84 (EPSG:4326) first"
    if not isinstance(document.get("schematic"), bool):
        yield 'say whether these are symbols or borders: "schematic": true or false'
    source = document.get("source")
    if not isinstance(source, dict) or not all(
        isinstance(source.get(each), str) and source[each] for each in ("de", "en")
    ):
        yield 'say where it comes from: "source": {"de": ..., "en": ...}'


def _name_of(crs: Any) -> str | None:
    named = crs.get("properties") if isinstance(crs, dict) else None
    name = named.get("name") if isinstance(named, dict) else None
    return name if isinstance(name, str) else None


def _source(document: Mapping[str, Any]) -> Words:
    return Words(de=document["source"]["de"], en=document["source"]["en"])


def _named(document: Mapping[str, Any], key: str) -> Iterator[tuple[str, int]]:
    """The codes that features name, whatever else is wrong with them, with the numbers of the features."""
    for number, feature in enumerate(document["features"], start=1):
        properties = feature.get("properties") if isinstance(feature, dict) else None
        code = properties.get(key) if isinstance(properties, dict) else None
        if isinstance(code, str):
            yield code, number


def _shapes(
    features: list[Any], file: str, level: str, areas: Mapping[str, Area], key: str, findings: Findings
) -> Iterator[_Read]:
    for number, feature in enumerate(features, start=1):
        place = f"{file}: feature {number}"
        if not isinstance(feature, dict) or feature.get("type") != "Feature":
            findings.add(place, "is no Feature")
            continue
        properties = feature.get("properties")
        if not isinstance(properties, dict) or not isinstance(code := properties.get(key), str):
            findings.add(place, f"has no code: {key!r} has to be a text in its properties (codes are no numbers)")
            continue
        place = f"{place} ({code})"
        if code not in areas:
            findings.add(place, "there is no area of this code")
        elif areas[code].level != level:
            findings.add(place, f"is a {areas[code].level}, not a {level}")
        elif (problem := problem_of_geometry(feature.get("geometry"))) is not None:
            findings.add(place, problem)
        else:
            try:
                yield _Read(place, Shape(code, feature["geometry"], *_validity(properties, areas[code])))
            except ValueError as error:
                findings.add(place, str(error))


def _validity(properties: Mapping[str, Any], area: Area) -> tuple[date, date]:
    """The days on which an area has this shape: all of its own where the feature names none."""
    first, last = (properties.get(name) for name in ("valid_from", "valid_until"))
    for given in (first, last):
        if not (given is None or isinstance(given, str)):
            raise ValueError("valid_from and valid_until are days such as 2018-01-01")
    from_on = date.fromisoformat(first) if first else area.valid_from
    until = date.fromisoformat(last) if last else area.valid_until
    if until < from_on:
        raise ValueError("its shape ends before it begins")
    if from_on < area.valid_from or until > area.valid_until:
        raise ValueError("it has a shape on days on which there is no such area")
    return from_on, until


def _misfits(
    read: list[_Read], file: str, level: str, areas: Mapping[str, Area], named: set[str]
) -> Iterator[tuple[str, str]]:
    """Areas that have no shape, two at once, or lie on one another."""
    for area in (area for area in areas.values() if area.level == level):
        own = sorted((one for one in read if one.shape.area == area.code), key=lambda one: one.shape.valid_from)
        if not own:
            if area.code not in named:  # else it was said already what is wrong with its feature
                yield file, f"the area {area.code} ({area.name}) is missing"
            continue
        expected = area.valid_from
        for one in own:
            if one.shape.valid_from < expected:
                yield one.place, "stands there twice: the area has another shape on some of these days"
            elif one.shape.valid_from > expected:
                yield one.place, f"the area has no shape from {expected} to {one.shape.valid_from - _DAY}"
            expected = min(one.shape.valid_until, date.max - _DAY) + _DAY
        if own[-1].shape.valid_until < area.valid_until:
            yield own[-1].place, f"the area has no shape from {expected} on"
    hierarchical = [one for one in read if areas[one.shape.area].parent is not None]
    for at, other in overlapping([each.shape for each in hierarchical]):
        yield hierarchical[at].place, f"lies in part on {hierarchical[other].shape.area}"
