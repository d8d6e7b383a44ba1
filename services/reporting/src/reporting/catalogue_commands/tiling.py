"""Tile maps: one square for each area, in about the right place, for a city whose borders are not at hand."""

import math
from pathlib import Path
from typing import Any

from reporting.indicators.lines import Findings, Line, made_of, read_lines

_KILOMETRES = 111.195  # a degree of a great circle, on a sphere of 6,371 km
_SOURCE = {
    "de": "schematisch, keine amtlichen Grenzen: ein Quadrat je Gebiet",
    "en": "schematic, no official borders: one square for each area",
}


def tiles_of(layout: Path, center: tuple[float, float], side: float) -> dict[str, Any]:
    """A map of squares from a layout (CSV: code, column, row, counted from the north-west).

    `center`: longitude and latitude of the middle of the grid, in degrees. `side`: of a square, in kilometres on the
    ground there. Raises `BadCatalogue` for a layout with mistakes; areas that are missing in it are found by the map.
    """
    findings = Findings()
    taken: dict[tuple[int, int], str] = {}

    def tile(line: Line) -> tuple[str, int, int]:
        place = (int(line["column"]), int(line["row"]))
        if min(place) < 0:
            raise ValueError("columns and rows count from 0")
        if taken.setdefault(place, line["code"]) != line["code"]:
            raise ValueError(f"{taken[place]} is there already")
        return line["code"], *place

    columns = ("code", "column", "row")
    tiles = [made for _, made in made_of(read_lines(layout, columns, columns), tile, findings)]
    findings.refuse()
    high = side / _KILOMETRES
    wide = high / math.cos(math.radians(center[1]))
    west = center[0] - wide * (1 + max((column for _, column, _ in tiles), default=0)) / 2
    north = center[1] + high * (1 + max((row for _, _, row in tiles), default=0)) / 2
    features = [
        {
            "type": "Feature",
            "properties": {"code": code},
            "geometry": {
                "type": "Polygon",
                "coordinates": [_square(west + wide * column, north - high * row, wide, high)],
            },
        }
        for code, column, row in tiles
    ]
    return {"type": "FeatureCollection", "schematic": True, "source": _SOURCE, "features": features}


def _square(west: float, north: float, wide: float, high: float) -> list[list[float]]:
    south, east = north - high, west + wide
    return [[west, south], [east, south], [east, north], [west, north], [west, south]]
