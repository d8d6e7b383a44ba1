"""What is wrong with the shape of an area, and which shapes lie on one another."""

import math
from collections.abc import Iterator, Sequence
from typing import Any

import shapely
from shapely import STRtree
from shapely.geometry import mapping, shape
from shapely.geometry.polygon import orient
from shapely.validation import explain_validity

from reporting.indicators.areas import Shape

_GERMANY = (5.8, 47.2, 15.1, 55.1)
"""West, south, east, north in degrees; a municipality with an AGS lies in it. Catches exchanged axes."""
_OVERLAP = 1e-3
"""Of the smaller area: neighbours that were drawn apart from each other overlap by slivers."""
_DIGITS = 7  # a hundredth of a metre


def problem_of_geometry(geometry: Any) -> str | None:
    """What is wrong with a GeoJSON geometry that has to be an area in WGS 84; None where nothing is."""
    if not isinstance(geometry, dict) or geometry.get("type") not in ("Polygon", "MultiPolygon"):
        found = geometry.get("type") if isinstance(geometry, dict) else "nothing"
        return f"its geometry is a Polygon or a MultiPolygon, not {found}"
    coordinates = geometry.get("coordinates")
    polygons = [coordinates] if geometry["type"] == "Polygon" else coordinates
    if not isinstance(polygons, list) or not polygons:
        return "its geometry has no coordinates"
    for polygon in polygons:
        if not isinstance(polygon, list) or not polygon:
            return "its geometry has no coordinates"
        for ring in polygon:
            if (problem := _problem_of_ring(ring)) is not None:
                return problem
    made = shape(geometry)
    if made.convex_hull.area == 0:  # a border that crosses itself may enclose as much on either side
        return "its area is zero"
    return None if made.is_valid else f"its border crosses or touches itself: {explain_validity(made)}"


def overlapping(shapes: Sequence[Shape]) -> Iterator[tuple[int, int]]:
    """Pairs of shapes, by their places, that lie on one another on some day by more than a sliver."""
    drawn = [shape(dict(one.geometry)) for one in shapes]
    for one, other in sorted(map(tuple, STRtree(drawn).query(drawn, predicate="intersects").T.tolist())):
        if one < other and _meet(shapes[one], shapes[other]):
            shared = drawn[one].intersection(drawn[other]).area
            if shared > _OVERLAP * min(drawn[one].area, drawn[other].area):
                yield one, other


def written(geometry: Any) -> dict[str, Any]:
    """A checked geometry as RFC 7946 wants it: outer rings counterclockwise; no digits that nobody can measure."""
    made = shapely.set_precision(shapely.force_2d(shape(geometry)), 10.0**-_DIGITS, mode="pointwise")
    polygons = [orient(polygon) for polygon in getattr(made, "geoms", [made])]
    rings = [[_rounded(ring) for ring in mapping(polygon)["coordinates"]] for polygon in polygons]
    if geometry["type"] == "Polygon":
        return {"type": "Polygon", "coordinates": rings[0]}
    return {"type": "MultiPolygon", "coordinates": rings}


def _rounded(ring: Sequence[Sequence[float]]) -> list[list[float]]:
    return [[round(value, _DIGITS) for value in position] for position in ring]


def _meet(one: Shape, other: Shape) -> bool:
    return one.valid_from <= other.valid_until and other.valid_from <= one.valid_until


def _problem_of_ring(ring: Any) -> str | None:
    if not isinstance(ring, list) or len(ring) < 4:
        return "a ring of its border has at least four positions"
    for position in ring:
        if (problem := _problem_of_position(position)) is not None:
            return problem
    return None if ring[0] == ring[-1] else "a ring of its border is not closed: its last position is its first one"


def _problem_of_position(position: Any) -> str | None:
    if not isinstance(position, list) or len(position) not in (2, 3):
        return f"{position!r} is no position: [longitude, latitude]"
    if not all(isinstance(value, int | float) and not isinstance(value, bool) for value in position):
        return f"{position!r} is no position: two numbers are expected"
    longitude, latitude = position[:2]
    if not (math.isfinite(longitude) and math.isfinite(latitude)):
        return f"{position!r} is no position: two numbers are expected"
    if abs(longitude) > 180 or abs(latitude) > 90:
        return f"{position} is not in degrees, maybe in metres (UTM): turn it into WGS 84 (EPSG:4326) first"
    west, south, east, north = _GERMANY
    if not (west <= longitude <= east and south <= latitude <= north):
        return f"{position} does not lie in Germany: longitude comes first, latitude second"
    return None
