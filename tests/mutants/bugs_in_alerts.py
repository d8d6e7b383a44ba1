"""Bugs in notes, targets, thresholds, alerts and their webhook."""

from mutants.planting import Bug, Edit

BUGS: tuple[Bug, ...] = (
    Bug(
        name="note_on_a_protected_cell_is_told",
        meaning="a note on a cell that the group sees protected says what the protection hides",
        test="reporting/test_notes_and_targets.py::test_a_note_on_a_cell_is_told_to_those_alone_who_see_it_exactly",
        edits=(
            Edit(
                "reporting/figures/scopes.py",
                "    if breakdown is None or value is None:\n        return True",
                "    if breakdown is None or value is None or audience:\n        return True",
            ),
        ),
    ),
    Bug(
        name="note_forgets_what_it_said",
        meaning="who asks what was known before a revision is shown the revision",
        test="reporting/test_notes_and_targets.py::"
        "test_what_a_note_said_before_it_was_revised_and_withdrawn_stays_known",
        edits=(
            Edit(
                "reporting/figures/remarks.py",
                "      and (cast(:known_on as date) is null or recorded_on <= :known_on)\n    order by note_id",
                "      and (cast(:known_on as date) is null or true)\n    order by note_id",
            ),
        ),
    ),
    Bug(
        name="alert_without_hysteresis",
        meaning="a figure that wavers about its limit raises an alert each time",
        test="reporting/test_alert_rules.py::test_random_figures_raise_and_end_alerts_in_turn",
        edits=(
            Edit(
                "reporting/alerts/domain.py", "sign * number <= sign * self.back", "sign * number <= sign * self.limit"
            ),
        ),
    ),
    Bug(
        name="crossing_booked_twice",
        meaning="two processes that look at once raise two alerts of one crossing",
        test="reporting/test_alert_rules.py::test_a_crossing_is_booked_once",
        edits=(
            Edit(
                "reporting/alerts/domain.py",
                "state.open_alert is not None or command.crossing != state.crossings + 1",
                "command.crossing != state.crossings + 1",
            ),
        ),
    ),
    Bug(
        name="alert_seen_with_other_eyes",
        meaning="an alert for the group is made of what only the statistics office sees, live",
        test="reporting/test_alerts.py::test_a_protected_figure_moves_an_alert_at_ticks_only_and_is_named_by_none",
        edits=(
            Edit(
                "reporting/alerts/evaluator.py",
                "Audience(threshold.audience)",
                "Audience.STATISTICS",
            ),
        ),
    ),
    Bug(
        name="webhook_settles_before_it_is_accepted",
        meaning="an alert that the receiver refused is never posted again",
        test="reporting/test_alerts.py::test_every_change_is_posted_in_order_though_the_receiver_fails_first",
        edits=(Edit("reporting/alerts/webhook.py", "        return answer.is_success\n", "        return True\n"),),
    ),
    Bug(
        name="webhook_forgets_what_was_claimed",
        meaning="a change that a killed process had taken is never posted",
        test="reporting/test_alerts.py::test_a_post_that_nobody_settled_is_sent_again_after_its_lease",
        edits=(
            Edit(
                "reporting/alerts/postings.py",
                "set tries = tries + 1, due_at = now() + :lease",
                "set tries = tries + 1, due_at = now() + :lease, posted_at = now()",
            ),
        ),
    ),
    Bug(
        name="sunday_is_late",
        meaning="every Monday morning the page says that the offices are late",
        test="reporting/test_rhythm.py::test_no_news_late_news_and_no_data_are_three_things",
        edits=(Edit("reporting/indicators/rhythm.py", "day.weekday() < 5 and ", ""),),
    ),
)
