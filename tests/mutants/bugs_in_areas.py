"""Bugs in what is known of areas: their list, their maps, what became of them, and how figures are carried over."""

from mutants.planting import Bug, Edit

_AREA_FILES, _MAP_FILES = "reporting/indicators/area_files.py", "reporting/indicators/map_files.py"
_SHAPES, _STAGING = "reporting/indicators/shapes.py", "reporting/catalogue_commands/staging.py"
_WRONG_AREAS = "reporting/test_taking_in_areas.py::test_wrong_areas_are_refused_by_line_and_nothing_is_changed"
_WRONG_MAP = "reporting/test_taking_in_areas.py::test_a_wrong_map_is_refused_by_feature_and_nothing_is_changed"

BUGS = (
    Bug(
        "metres taken for degrees",
        "a map in UTM is taken in, and every area lies nowhere on earth",
        _WRONG_MAP,
        (Edit(_SHAPES, "    if abs(longitude) > 180 or abs(latitude) > 90:\n", "    if False:\n"),),
    ),
    Bug(
        "area without a place on the map",
        "a district has figures and is on no map, and nobody sees that it is missing",
        _WRONG_MAP,
        (Edit(_MAP_FILES, "            if area.code not in named:", "            if area.code in named:"),),
    ),
    Bug(
        "border that crosses itself",
        "an area has an inside that no program agrees on",
        _WRONG_MAP,
        (Edit(_SHAPES, "    return None if made.is_valid else", "    return None if made else"),),
    ),
    Bug(
        "areas on one another",
        "two areas claim the same street",
        _WRONG_MAP,
        (Edit(_SHAPES, "if shared > _OVERLAP *", "if shared > 2 *"),),
    ),
    Bug(
        "area that outlives what it lies in",
        "a statistischer Bezirk lies in a Stadtbezirk that is no more",
        _WRONG_AREAS,
        (Edit(_AREA_FILES, "or area.valid_until > parent.valid_until:", "or area.valid_until < area.valid_from:"),),
    ),
    Bug(
        "half of it taken in",
        "areas are exchanged and their map is not: the next start is refused",
        "reporting/test_taking_in_areas.py::test_areas_that_leave_a_map_behind_are_refused_and_come_with_a_new_one",
        (
            Edit(
                _STAGING,
                "        read_territory(self.municipality, self.city, levels)\n        if all(",
                "        if all(",
            ),
        ),
    ),
)
