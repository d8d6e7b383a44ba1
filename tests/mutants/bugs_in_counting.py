"""Bugs between a fact and a figure: transitions, deltas, the cube, live views, and who may see what."""

from mutants.planting import Bug, Edit

_HISTORY = "registration/domain/history.py"
_DELTAS = "reporting/deltas.py"
_VIEWS = "reporting/live/views.py"
_CUBE = "reporting/cube.py"
_CUBE_TABLES = "reporting/migrations/versions/0001_cube.py"
_HUB = "reporting/live/hub.py"
_AUDIENCES = "reporting/audiences.py"
_DIFFERENCE = "    return (*_signed(old, gone, -1, cause), *_signed(new, come, 1, cause))\n"
_CORRECTED = (
    "registration/test_domain.py::test_a_nationality_corrected_from_before_a_move_takes_back_both_and_says_both_anew"
)
_NUMBERED_BY_A_SEQUENCE = (
    Edit(
        _CUBE_TABLES,
        "create table cube.batch (\n",
        "create sequence cube.batch_number;\ncreate table cube.batch (\n",
    ),
    Edit(
        _CUBE_TABLES,
        '    op.execute(f"grant update on cube.batch_head to {office}_reader")\n',
        '    op.execute(f"grant update on cube.batch_head to {office}_reader")\n'
        '    op.execute(f"grant usage on sequence cube.batch_number to {office}_reader")\n',
    ),
    Edit(
        _CUBE,
        """        on conflict (municipality) do update
        set number = head.number + 1, versions = head.versions || excluded.versions
        where (head.versions || excluded.versions) @> head.versions
        returning number
""",
        """        on conflict do nothing
""",
    ),
    Edit(
        _CUBE,
        "        select :municipality, number, cast(:batch as uuid) from head\n",
        "        select :municipality, nextval('cube.batch_number'), cast(:batch as uuid)\n",
    ),
    Edit(
        _CUBE,
        """    select head.generation, head.number, batch.batch
    from cube.batch_head as head left join cube.batch as batch using (municipality, number)
    where municipality = :municipality
""",
        """    select head.generation, coalesce(batch.number, head.number) as number, batch.batch
    from cube.batch_head as head left join cube.batch as batch using (municipality)
    where municipality = :municipality order by batch.number desc limit 1
""",
    ),
)

BUGS = (
    Bug(
        "correction that forgets to retract",
        "whoever's nationality is corrected counts twice from then on",
        _CORRECTED,
        (Edit(_HISTORY, _DIFFERENCE, "    return (*_signed(new, come, 1, cause),)\n"),),
    ),
    Bug(
        "retraction under other dimensions",
        "the wrong nationality keeps its resident, and the right one loses the one it gets",
        _CORRECTED,
        (
            Edit(
                _HISTORY,
                _DIFFERENCE,
                "    true, wrong = _signed(new, come, 1, cause), _signed(old, gone, -1, cause)\n"
                "    wrong = [t.model_copy(update={'after': true[0].after}) if true else t for t in wrong]\n"
                "    return (*wrong, *true)\n",
            ),
        ),
    ),
    Bug(
        "retraction counted in another cell",
        "what an office takes back leaves a rest in the areas where it was",
        "reporting/test_deltas.py::test_a_retraction_takes_back_exactly_what_was_asserted",
        (
            Edit(
                _DELTAS,
                "        for measure, dims, sign in _effects(transition):\n",
                "        if transition.sign < 0:\n"
                "            transition = transition.model_copy(update={'before': transition.after})\n"
                "        for measure, dims, sign in _effects(transition):\n",
            ),
        ),
    ),
    Bug(
        "key not modulo",
        "sums of record keys leave their 32 bits, and the cell-key method its proof",
        "reporting/test_deltas.py::test_the_key_is_the_record_key_times_what_is_counted",
        (Edit(_DELTAS, "cause, sign * n, sign * key % KEY_MODULUS)", "cause, sign * n, sign * key)"),),
    ),
    Bug(
        "known from the day in UTC on",
        "what is booked after midnight in Berlin was known a day too early",
        "reporting/test_deltas.py::test_an_event_is_known_from_its_day_in_berlin_on",
        (Edit(_DELTAS, "timedelta(hours=hour % 24)).astimezone(BERLIN)", "timedelta(hours=hour % 24))"),),
    ),
    Bug(
        "resolved doubt left open",
        "the stock of doubts only grows, and nobody sees that the office clears them",
        "reporting/test_deltas.py::test_a_doubt_is_open_until_it_is_resolved_and_counts_with_its_days",
        (Edit(_DELTAS, '("open_doubts", dims_of(before), -1)', '("open_doubts", dims_of(before), 0)'),),
    ),
    Bug(
        "deregistered without inquiry",
        "somebody loses their registration before anybody has looked whether they live there (§ 6 BMG)",
        "registration/test_doubts.py::test_the_inquiry_takes_as_long_as_the_city_has_set",
        (Edit("registration/domain/trials.py", "        if booking.booked_on < until:\n", "        if False:\n"),),
    ),
    Bug(
        "deregistered out of no doubt",
        "ex officio ends residences that nobody ever doubted",
        "registration/test_refusals.py::test_what_does_not_fit_is_refused_with_what_is_allowed"
        "[ex officio without a doubt]",
        (
            Edit(
                "registration/domain/doubts.py",
                '                raise Impossible("not_doubtful", booking)\n            self.ex_officio',
                "                return\n            self.ex_officio",
            ),
        ),
    ),
    Bug(
        "doubt that outlives its correction",
        "a doubt that was booked in error stays in the figures for good",
        "registration/test_doubts.py::test_a_doubt_booked_in_error_was_never_there",
        (
            Edit(
                "registration/domain/doubts.py",
                "gone = [change for change in old.changes if change not in new.changes]",
                "gone: list[DoubtChange] = []",
            ),
        ),
    ),
    Bug(
        "two main residences by a change of kind",
        "somebody counts twice in the population",
        "registration/test_refusals.py::test_what_does_not_fit_is_refused_with_what_is_allowed"
        "[a secondary residence beside a main one made the main one too]",
        (
            Edit(
                "registration/domain/history.py",
                '    if booking.residence_kind == "main":\n        _check_no_other_main(days, booking)\n    days.open[',
                "    days.open[",
            ),
        ),
    ),
    Bug(
        "office's day in UTC",
        "who registers shortly after midnight is refused: the day lies in the future",
        "registration/test_domain.py::test_the_day_of_a_booking_is_the_day_in_berlin",
        (
            Edit(
                "registration/domain/trials.py",
                "return at.astimezone(BERLIN).date()",
                "return at.utctimetuple() and at.date()",
            ),
        ),
    ),
    Bug(
        "batch number from a sequence",
        "a higher number shows before a lower one is committed",
        "reporting/test_cube.py::test_a_batch_that_waits_for_its_number_does_not_show[behind another batch]",
        _NUMBERED_BY_A_SEQUENCE,
    ),
    Bug(
        "watermark over a sequence",
        "live views look for numbers above the last one they saw, and miss what was committed below it for good",
        "reporting/test_live.py::test_a_look_between_two_commits_misses_neither",
        _NUMBERED_BY_A_SEQUENCE,
    ),
    Bug(
        "two versions of counting in one cube",
        "figures mix two meanings after an update, and nobody is told",
        "reporting/test_cube.py::test_deltas_of_other_functions_are_never_mixed_in",
        (Edit(_CUBE, "        where (head.versions || excluded.versions) @> head.versions\n", ""),),
    ),
    Bug(
        "live stream that skips a batch",
        "open pages miss what was booked first after they last looked",
        "reporting/test_live.py::test_a_booking_moves_the_stock_the_flow_and_the_difference",
        (
            Edit(
                _HUB,
                "read_batches(connection, municipality, held.number,",
                "read_batches(connection, municipality, held.number + 1,",
            ),
        ),
    ),
    Bug(
        "restored cube not noticed",
        "open pages go on from figures that no longer stand anywhere",
        "reporting/test_live.py::test_a_restored_cube_is_asked_afresh_though_its_numbers_go_on",
        (Edit(_HUB, "    return bool(stands == held.batch)\n", "    return stands is not None\n"),),
    ),
    Bug(
        "knowledge ignored",
        "'as known on' shows what was learned later",
        "reporting/test_figures.py::test_the_two_dates_are_two_questions",
        (
            Edit(
                "reporting/image/columns.py",
                'conditions.append("recorded_on <= $known_on")',
                'conditions.append("$known_on is not null")',
            ),
        ),
    ),
    Bug(
        "coordination group allowed a fine breakdown",
        "a cell of one person is shown",
        "reporting/test_audiences.py::test_anything_finer_is_protected_and_stands_still_until_the_next_tick[shown1]",
        (Edit(_AUDIENCES, "_is_margin(shown, margins)", "len(shown) == 1"),),
    ),
    Bug(
        "margin that moves live",
        "a margin is redrawn the moment a person leaves the counter, and tells on that person",
        "reporting/test_audiences.py::test_a_printed_margin_is_exact_and_stands_still_until_the_next_tick",
        (Edit(_AUDIENCES, "        is_live=False,\n", "        is_live=_is_margin(shown, margins),\n"),),
    ),
    Bug(
        "flagged premises crossed with nationality",
        "a figure says in which houses people of one origin live",
        "reporting/test_audiences.py::test_flagged_premises_are_never_crossed_with_nationality",
        (Edit(_AUDIENCES, "    if set(shown) >= NEVER_CROSSED:\n", "    if not NEVER_CROSSED:\n"),),
    ),
    Bug(
        "live past the beginning",
        "an earlier fact makes an office report from another day on, and open pages do not show it",
        "reporting/test_live.py::test_an_office_in_its_first_days_is_followed_by_addition",
        (Edit(_VIEWS, " or delta.effective_on < self._begin for", " for"),),
    ),
)
