"""Answers on the map: each area of one level with its borders (GeoJSON, RFC 7946) and its value."""

from typing import Any

from reporting.exports.csv_files import is_compared
from reporting.exports.notes import SCHEMATIC, notes_of
from reporting.exports.one_level import area_breakdown_of
from reporting.exports.signs import MEANINGS, sign_of
from reporting.figures import Answer, Cell, Value, number_of
from reporting.indicators import Catalogue, MapOfLevel
from reporting.wording import Phrases
from verbund.errors import RuleBroken

_OF_ALL = {"adds_up", "generation", "batch", "areas_on", "over_changes", "breaks"}


def as_geo_json(answer: Answer, catalogue: Catalogue, language: str) -> dict[str, Any]:
    """A feature for each row, also for what cannot be placed, which lies nowhere (`geometry` null).

    Everything that has to stand beside a number stands in its properties: most programs keep nothing else. Raises
    `RuleBroken` where not areas of one level are shown at one point, or the city has no map of them.
    """
    level, phrases = area_breakdown_of(answer, catalogue), Phrases(language)
    if len(answer.points) != 1:
        raise RuleBroken("one_point", "A map shows one day or one period: ask for one.", pointer="/as_of")
    if level not in catalogue.city.maps:
        raise RuleBroken("no_map", "There is no map of these areas.", pointer="/by")
    drawn = catalogue.city.maps[level]
    shapes = drawn.shapes_on(answer.areas_on or answer.points[0].to_on)
    return {
        "type": "FeatureCollection",
        "title": answer.title.say(language),
        "definition": answer.definition.say(language),
        "limits": [limit.say(language) for limit in answer.limits],
        "population": answer.population.say(language),
        "source": answer.source_office,
        "map_source": drawn.source.say(language),
        "schematic": drawn.is_schematic,
        "notes": [*([SCHEMATIC.say(language)] if drawn.is_schematic else []), *notes_of(answer, phrases)],
        "signs": {sign: words.say(language) for sign, words in MEANINGS.items()},
        **answer.model_dump(
            mode="json", include={"adds_up", "generation", "batch", "areas_on", "over_changes", "breaks"}
        ),
        "features": [
            {
                "type": "Feature",
                "id": cell.keys[0].code,
                "geometry": dict(shape.geometry) if (shape := shapes.get(cell.keys[0].code)) is not None else None,
                "properties": _properties(answer, cell, drawn, phrases),
            }
            for cell in answer.cells
        ],
    }


def _properties(answer: Answer, cell: Cell, drawn: MapOfLevel, phrases: Phrases) -> dict[str, Any]:
    (key,), (point,) = cell.keys, answer.points
    found = {
        "code": key.code,
        "name": key.name.say(phrases.language),
        **_said(answer, "", cell.values[0]),
        "estimated": bool(cell.estimated),
        "unit": phrases.unit(answer),
        "from": None if point.from_on is None else point.from_on.isoformat(),
        "to": point.to_on.isoformat(),
        "cut_off": answer.cut_off.say(phrases.language),
        "schematic": drawn.is_schematic,
        **answer.model_dump(
            mode="json",
            include={"indicator", "version", "audience", "data_state", "is_exact", "ticked_at", "known_on"},
        ),
    }
    if is_compared(answer):
        found |= _said(answer, "compared_", cell.compared[0]) | _said(answer, "change_", cell.changes[0])
    return found


def _said(answer: Answer, prefix: str, value: Value) -> dict[str, Any]:
    number = number_of(value)
    return {
        f"{prefix}value": number if number is None or isinstance(number, int) else float(number),
        f"{prefix}sign": sign_of(answer, value),
    }
