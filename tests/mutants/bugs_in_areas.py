"""Bugs in what is known of areas: their list, their maps, what became of them, and how figures are carried over."""

from mutants.planting import Bug, Edit

_AREA_FILES, _MAP_FILES = "reporting/indicators/area_files.py", "reporting/indicators/map_files.py"
_SHAPES, _STAGING = "reporting/indicators/shapes.py", "reporting/catalogue_commands/staging.py"
_CARRYING, _CARRIED = "reporting/indicators/carrying.py", "reporting/figures/carried.py"
_BREAKS, _GEO_JSON, _CHARTS = "reporting/figures/breaks.py", "reporting/exports/geo_json.py", "reporting/charts.py"
_CHANGES = "reporting/test_area_changes.py"
_WRONG_AREAS = "reporting/test_taking_in_areas.py::test_wrong_areas_are_refused_by_line_and_nothing_is_changed"
_WRONG_MAP = "reporting/test_taking_in_areas.py::test_a_wrong_map_is_refused_by_feature_and_nothing_is_changed"

_PLAIN = "reporting/test_plain_counting.py::test_every_figure_of_a_made_city_is_what_counting_by_hand_gives"

BUGS = (
    Bug(
        "rows of a change that lack areas add up",
        "a district was drawn anew, its rows leave people out, and nothing says so",
        f"{_CHANGES}::test_a_change_over_a_split_does_not_say_that_it_adds_up",
        (Edit(_BREAKS, "for pair in pairs for area in areas)", "for pair in pairs[:0] for area in areas)"),),
    ),
    Bug(
        "quarter for ever",
        "a Sozialraum keeps the statistische Bezirke that it had once",
        _PLAIN,
        (
            Edit(
                "reporting/indicators/city.py",
                "if p.area == code and p.valid_from <= on <= p.valid_until)\n        return joined",
                "if p.area == code)\n        return joined",
            ),
        ),
    ),
    Bug(
        "earlier knowledge not compared",
        "a figure stands beside itself, and nobody sees what was corrected since",
        _PLAIN,
        (
            Edit(
                "reporting/figures/plan.py",
                "known_on=self.compared_known_on), spans=self.compared)",
                "known_on=self.sight.known_on), spans=self.compared)",
            ),
        ),
    ),
    Bug(
        "percentile of the unit before",
        "every second median is too low by half a step",
        "reporting/test_plain_durations.py::test_every_share_mean_and_duration_is_what_going_through_the_list_gives",
        (Edit("reporting/figures/combining.py", "Fraction(below + above, 2)", "Fraction(below + below, 2)"),),
    ),
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
    Bug(
        "zero where no area is",
        "a district that is still to come is shown as empty for all years before",
        f"{_CHANGES}::test_an_area_that_is_not_there_is_not_reported_and_never_zero",
        (Edit(_BREAKS, "    return all(\n        UNPLACED in codes or", "    return all(\n        codes or"),),
    ),
    Bug(
        "divided without being asked",
        "estimates stand where exact numbers are expected",
        f"{_CHANGES}::test_without_dividing_new_areas_have_no_value_before_they_were_split_off",
        (Edit(_CARRYING, 'share is None or (share != 1 and self.over_changes == "whole")', "share is None"),),
    ),
    Bug(
        "units lost in dividing",
        "the parts of an area are fewer people than lived there",
        f"{_CHANGES}::test_a_count_is_divided_into_whole_units_that_add_up_to_it",
        (Edit(_CARRYING, "        whole[code] += 1\n", "        whole[code] += 0\n"),),
    ),
    Bug(
        "divided before it is protected",
        "noise is drawn anew for every part: adding them up tells the number",
        f"{_CHANGES}::test_protected_numbers_are_perturbed_first_and_divided_then",
        (Edit(_CARRIED, "counted = _exactly if is_exact else published", "counted = _exactly"),),
    ),
    Bug(
        "estimates that nobody marks",
        "a number that nobody counted looks like one that somebody did",
        f"{_CHANGES}::test_by_shares_new_areas_have_estimates_that_add_up_to_what_there_was",
        (Edit(_CARRIED, "(indicator, numbers), True", "(indicator, numbers), False"),),
    ),
    Bug(
        "redrawn in the middle of a year",
        "what was booked on both sides of a change is carried over as if it were on one",
        f"{_CHANGES}::test_a_period_in_which_an_area_was_drawn_anew_under_its_code_cannot_be_carried_over",
        (Edit(_CARRYING, "is_redrawn = _keeps_its_code_within(self.city, area, span)", "is_redrawn = False"),),
    ),
    Bug(
        "schematic map that looks official",
        "squares are taken for borders",
        "reporting/test_exports.py::test_a_map_says_that_it_is_schematic_and_what_each_number_is",
        (Edit(_GEO_JSON, '        "schematic": drawn.is_schematic,\n        "notes"', '        "notes"'),),
    ),
    Bug(
        "rows that change their places",
        "what is protected stands at the end of a picture, as if it were ranked",
        "reporting/test_charts.py::test_what_has_no_value_keeps_its_place_and_shows_its_sign",
        (Edit(_CHARTS, '| {"scale": {"domain": labels}}', '| {"sort": None}'),),
    ),
)
