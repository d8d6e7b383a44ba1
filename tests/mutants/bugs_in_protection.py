"""Bugs in what finer figures say of single persons, and in what definitions say of figures."""

from mutants.planting import Bug, Edit

_OUTLET = "reporting/figures/outlet.py"
_PROTECTION = "reporting/figures/protection.py"
_EVALUATION, _PLAN = "reporting/figures/evaluation.py", "reporting/figures/plan.py"
_FINEST, _RELEASED = "reporting/figures/finest_cells.py", "reporting/figures/released.py"
_AUDIENCES, _RELEASES = "reporting/audiences.py", "reporting/releases.py"
_SPANS = "reporting/figures/protected_spans.py"
_TICKS, _TICKING = "reporting/ticks.py", "reporting/ticking.py"
_TERMS = "reporting/indicators/terms.py"
_COMBINING = "reporting/figures/combining.py"
_SIGNS, _CSV = "reporting/exports/signs.py", "reporting/exports/csv_files.py"
_PUBLISHED = "reporting/indicators/published.py"
_OFF_BY_LITTLE = "reporting/test_protection.py::test_every_number_is_off_by_little_and_none_is_one_or_two"
_ENOUGH = "reporting/test_ticks.py::test_nothing_moves_until_enough_have_changed_and_the_time_has_passed"

BUGS = (
    Bug(
        "finer figures unprotected",
        "a cell of one person is shown as one",
        _OFF_BY_LITTLE,
        (
            Edit(
                _OUTLET, "    if plan.sight.is_exact:\n        return combined", "    if plan:\n        return combined"
            ),
        ),
    ),
    Bug(
        "noise from anything but the key",
        "asked often enough, or over another way, the noise averages out",
        "reporting/test_protection.py::test_the_noise_is_that_of_the_published_table",
        (Edit(_PROTECTION, ".published(max(n, 0), key)", ".published(max(n, 0), hash(str(content)))"),),
    ),
    Bug(
        "a row that tells by being there",
        "of those with a rare value one sees whether there is anybody",
        "reporting/test_protection.py::test_a_row_says_nothing_by_being_there",
        (Edit(_OUTLET, "has_rest = not plan.sight.is_exact or any(", "has_rest = any("),),
    ),
    Bug(
        "share of few shown",
        "a share of three people says what two of them are",
        "reporting/test_protection.py::test_a_share_is_made_of_protected_parts_and_of_enough_units",
        (Edit(_PROTECTION, " and numbers[1] < indicator.minimum_base", " and numbers[1] < 1"),),
    ),
    Bug(
        "finer figures on any day",
        "from one day to the next one sees who came",
        "reporting/test_protection.py::test_days_in_between_are_not_shown",
        (Edit(_SPANS, "    if not all(is_shown", "    if not any(is_shown"),),
    ),
    Bug(
        "a year before on any day",
        "what is compared with is asked day by day",
        "reporting/test_protection.py::test_the_same_day_a_year_before_is_no_end_of_a_period",
        (
            Edit(
                _OUTLET,
                "if is_shown_protected(plan.periods, span, plan.moves_on) else PROTECTED",
                "if is_shown_protected(plan.periods, span, span.to_on) else PROTECTED",
            ),
        ),
    ),
    Bug(
        "finer figures beyond the tick",
        "a cell is redrawn the moment a person leaves the counter",
        _ENOUGH,
        (Edit(_OUTLET, "    seen = moment if plan.sight.is_live else", "    seen = moment if plan.sight else"),),
    ),
    Bug(
        "a tick for one",
        "whoever comes alone in an hour is seen",
        _ENOUGH,
        (Edit(_TICKS, "            return self.units\n", "            return 1\n"),),
    ),
    Bug(
        "a tick at any time",
        "five who change their nationality one after the other are seen one by one with the next five",
        _ENOUGH,
        (Edit(_TICKS, "        if passed >= self.time:\n", "        if passed:\n"),),
    ),
    Bug(
        "one person for many",
        "whoever comes and goes five times calls a tick for himself",
        "reporting/test_ticks.py::test_one_who_comes_and_goes_again_and_again_is_one",
        (
            Edit(
                _TICKS,
                "case delta.n when 1 then delta.key when -1 then mod(:modulus - delta.key, :modulus) end as unit",
                "case delta.n when 1 then delta.key when -1 then delta.key end as unit",
            ),
            Edit(_TICKS, "            singles.add(change.unit)\n", "            singles.add(len(singles))\n"),
        ),
    ),
    Bug(
        "others call the tick",
        "among two hundred others, one of those who are shown is seen",
        "reporting/test_ticks.py::test_who_is_not_counted_by_an_indicator_moves_nothing_of_it",
        (Edit(_TICKING, 'change.dims.get("nationality") not in members', "not members"),),
    ),
    Bug(
        "midnight moves a cell",
        "who moves in tomorrow, and was booked alone, is seen at midnight",
        "reporting/test_ticks.py::test_a_day_that_begins_moves_nothing_without_a_tick",
        (
            Edit(
                _SPANS,
                "    if tick is None:\n        return question, today\n",
                "    if tick is not None:\n        return question, today\n    assert tick\n",
            ),
        ),
    ),
    Bug(
        "a tick outlives its cube",
        "after a rebuild a number names another batch, and figures of any moment are shown",
        "reporting/test_ticks.py::test_a_tick_of_another_generation_says_nothing",
        (
            Edit(
                _TICKS,
                "    and generation = :generation and number <= :number\n",
                "    and :generation > 0 and number <= :number\n",
            ),
        ),
    ),
    Bug(
        "noise for each cell of its own",
        "a whole beside all but one of its parts says whether anybody is in the rest",
        "reporting/test_protection.py::test_a_whole_says_nothing_beside_its_parts",
        (Edit(_EVALUATION, "self._cells = None if plan.sight.is_exact", "self._cells = None if plan"),),
    ),
    Bug(
        "a year with a noise of its own",
        "a year beside one of its halves says whether anybody came in the other one",
        "reporting/test_protection.py::test_a_year_says_nothing_beside_its_halves",
        (Edit(_EVALUATION, "cuts = cut_at_periods(span, plan.periods)", "cuts = (span,)"),),
    ),
    Bug(
        "moves by Stadtbezirk with a noise of their own",
        "moves by area beside them say who moved within the Stadtbezirk",
        "reporting/test_protection.py::test_a_move_within_an_area_is_left_over_as_it_is_published",
        (
            Edit(
                _FINEST, '        if fact == "area_from":\n', '        if fact == "area_from":\n            return ""\n'
            ),
        ),
    ),
    Bug(
        "any number of facts together",
        "by four of them nobody but one person touches a cell between two ticks",
        "reporting/test_protection.py::test_what_is_too_fine_is_refused",
        (Edit(_PLAN, "    if len(shown) > most:\n", "    if len(shown) > most + 3:\n"),),
    ),
    Bug(
        "all districts tick at once",
        "whoever knows where somebody registered finds the cells that moved there",
        "reporting/test_ticks.py::test_what_is_protected_moves_when_enough_have_changed_in_its_district",
        (Edit(_TICKING, "(pace.units if is_over else pace.units_per_district)", "pace.units"),),
    ),
    Bug(
        "beyond a district's own tick",
        "what is booked shows before enough has changed in its Stadtbezirk",
        "reporting/test_ticks.py::test_what_is_protected_moves_when_enough_have_changed_in_its_district",
        (
            Edit(
                _EVALUATION,
                "    if not ticks:\n        return None\n    fronts",
                "    if ticks:\n        return None\n    fronts",
            ),
        ),
    ),
    Bug(
        "tomorrow shows before the tick",
        "one who moves in on a day moves a cell alone when others tick",
        "reporting/test_ticks.py::test_a_fact_of_a_later_day_waits_for_the_tick_of_its_district",
        (Edit(_EVALUATION, "day_of(ticks[district].ticked_at))", "plan.today)"),),
    ),
    Bug(
        "exact for the public",
        "a city's total says to everybody that somebody came",
        "reporting/test_audiences.py::test_the_public_sees_nothing_exact_and_nothing_live",
        (Edit(_AUDIENCES, "(audience is Audience.COORDINATION and not shown)", "not shown"),),
    ),
    Bug(
        "the unreleased is named",
        "the public learns of an indicator that is not released",
        "reporting/test_public.py::test_what_is_not_released_is_not_there",
        (Edit(_RELEASED, "    if rule is None:\n", "    if rule is None and indicator.valid_until:\n"),),
    ),
    Bug(
        "periods that are not over",
        "the public sees month by month what comes to the present year",
        "reporting/test_public.py::test_whole_periods_that_were_over_are_shown_and_nothing_else",
        (Edit(_PLAN, "return None if self.audience is Audience.PUBLIC else self.today", "return self.today"),),
    ),
    Bug(
        "released before the source has spoken",
        "a year is released without what was booked on its last evening",
        "reporting/test_public.py::test_the_first_release_waits_for_a_midnight_and_for_the_word_of_the_source",
        (Edit(_RELEASES, " and number >= coalesce(head_number, 0)", ""),),
    ),
    Bug(
        "a dash for a protected zero",
        "a table says that there is exactly nobody where there may be some",
        "reporting/test_exports.py::test_a_protected_zero_is_a_nought_and_an_exact_one_a_dash",
        (Edit(_SIGNS, "return NOTHING if answer.is_exact else ZERO", "return NOTHING"),),
    ),
    Bug(
        "formulas in a table",
        "a spreadsheet carries out what somebody wrote as a name",
        "reporting/test_exports.py::test_nothing_that_is_text_is_carried_out",
        (Edit(_CSV, "isinstance(cell, str) and cell.startswith(_FORMULAS)", "not _FORMULAS"),),
    ),
    Bug(
        "overdue a day too early",
        "what is to be done by the evening is called overdue in the morning",
        "reporting/test_further_office.py::test_what_is_overdue_is_overdue_from_the_day_after_its_term",
        (Edit(_TERMS, "value < self.day.isoformat()", "value <= self.day.isoformat()"),),
    ),
    Bug(
        "the lower median",
        "of an even number the smaller of both in the middle is taken",
        "reporting/test_further_office.py::test_a_repair_counts_with_its_days_and_on_both_time_axes",
        (Edit(_COMBINING, "_at(units, wanted, strictly=True)", "_at(units, wanted)"),),
    ),
    Bug(
        "a share of nothing is nothing",
        "where nobody was registered, nobody seems to have been late",
        "reporting/test_further_office.py::test_ratios_are_rounded_once_and_there_is_none_of_nothing",
        (
            Edit(
                _COMBINING,
                "    if denominator == 0:\n        return NOT_REPORTED\n",
                "    denominator = denominator or 1\n",
            ),
        ),
    ),
    Bug(
        "a definition changed quietly",
        "two years of one series count different people, and nothing says so",
        "reporting/test_catalogue_files.py::TestPublished::test_what_was_published_keeps_its_meaning",
        (
            Edit(
                _PUBLISHED,
                "    if known is None or known == fingerprint(indicator):\n",
                "    if known is None or known:\n",
            ),
        ),
    ),
)
