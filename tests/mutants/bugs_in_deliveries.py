"""Bugs in what other bodies deliver: booked as it came, all or nothing, kept for ever, never corrected in silence."""

from mutants.planting import Bug, Edit

_CHECKS, _DECISIONS = "reporting/deliveries/checks.py", "reporting/deliveries/decisions.py"
_SUMS = "reporting/deliveries/sums.py"
_STANDING, _SIGNS = "reporting/delivered.py", "reporting/exports/signs.py"
_FORM, _REASONS = "reporting/pages/delivery_form.py", "reporting/editions/delivered_reasons.py"
_RULES = "reporting/test_delivery_rules.py"
_DOORS = "reporting/test_deliveries.py"
_PAGES = "reporting/test_delivery_pages.py"

BUGS = (
    Bug(
        "foreign body delivers",
        "the job centre books cases of tuberculosis, and the health office answers for them",
        f"{_RULES}::test_a_body_delivers_its_own_figures_only",
        (Edit(_CHECKS, "    if body not in spec.bodies:\n", "    if False:\n"),),
    ),
    Bug(
        "what is wrong is left out",
        "a table with one bad line is booked without it, and nobody misses the line",
        f"{_RULES}::test_everything_that_is_wrong_is_told_at_once",
        (
            Edit(
                _CHECKS,
                "        if self.findings:\n            raise",
                "        if len(self.findings) > 99:\n            raise",
            ),
        ),
    ),
    Bug(
        "delivered over what stands there",
        "a second delivery replaces published numbers without a reason",
        f"{_RULES}::test_what_does_not_fit_what_stands_delivered_is_refused",
        (
            Edit(
                _DECISIONS,
                '            _refuse(sheets, series, command="DeliverFigure")\n',
                "            series = series\n",
            ),
        ),
    ),
    Bug(
        "file booked twice",
        "a file that is sent again every month delivers the same numbers every month",
        f"{_RULES}::test_a_file_twice_changes_nothing_and_a_changed_one_needs_a_reason",
        (
            Edit(
                _DECISIONS,
                "new = [sheet for sheet in sheets if period_of(sheet) not in standing]",
                "new = list(sheets)",
            ),
        ),
    ),
    Bug(
        "changed without a reason",
        "a file with other numbers revises what was published, and the report cannot say why",
        f"{_RULES}::test_a_file_twice_changes_nothing_and_a_changed_one_needs_a_reason",
        (Edit(_DECISIONS, "    if other and reason is None:\n", '    reason = reason or "other"\n    if False:\n'),),
    ),
    Bug(
        "earlier knowledge overwritten",
        "nobody can tell any more what the council was shown",
        f"{_DOORS}::test_a_revision_leaves_what_was_known_before",
        (
            Edit(
                _STANDING,
                "          and recorded_on <= coalesce(:known_on, 'infinity'::date)\n",
                "          and coalesce(:known_on, 'infinity'::date) is not null\n",
            ),
        ),
    ),
    Bug(
        "withdrawn and still told",
        "a number that its body has taken back stands on the page for good",
        f"{_DOORS}::test_withdrawn_figures_are_not_reported",
        (Edit(_STANDING, "    where age = 1 and happened <> 'withdrawn'\n", "    where age = 1\n"),),
    ),
    Bug(
        "differences not told",
        "6,480 stands where the years come to 5,732, and nobody is told",
        f"{_DOORS}::test_what_does_not_fit_is_shown_beside_the_figure",
        (Edit(_SUMS, "        *_over_time(spec, sheet, standing, together),\n", ""),),
    ),
    Bug(
        "provisional without its mark",
        "a number that will change looks in a file like one that will not",
        f"{_DOORS}::test_marks_stand_behind_the_numbers_in_every_file",
        (Edit(_SIGNS, '{"provisional": PROVISIONAL, "revised"', '{"revised"'),),
    ),
    Bug(
        "typed numbers at other rows",
        "what is wrong with one number is told at another one",
        f"{_PAGES}::test_what_was_typed_is_never_lost_and_each_error_has_its_place",
        (Edit(_FORM, 'f"value_{places[int(row[1])]}"', 'f"value_{places[int(row[1])] + 1}"'),),
    ),
    Bug(
        "reasons from before the edition",
        "a restatement blames a revision that the council had been shown already",
        "reporting/test_restatements.py::test_a_delivered_number_that_was_not_there_or_is_no_more_says_so",
        (Edit(_REASONS, "if _is_known(each, after) and not _is_known(each, before)]", "if _is_known(each, after)]"),),
    ),
)
