"""Bugs of the public's pages, and of what people book at the pages: who is told what, and who may write."""

from mutants.planting import Bug, Edit

_LIVE, _HUB = "reporting/live/route.py", "reporting/live/hub.py"
_TICKING = "reporting/ticking.py"
_BOOKING = "reporting/pages/booking.py"
_WORDS = "reporting/pages/public_words.py"
_RELEASED = "reporting/figures/released.py"
_HERE = "reporting/test_public_pages.py::"

BUGS = (
    Bug(
        "public page with an unreleased indicator",
        "everybody is told of what is not released",
        f"{_HERE}test_every_released_indicator_has_a_tile_and_no_other_one",
        (
            Edit(
                _RELEASED,
                "catalogue.indicators.values() if one.audiences.public is not None]",
                "catalogue.indicators.values()]",
            ),
            Edit(
                _RELEASED,
                "    if rule is None:\n        raise",
                "    if rule is None:\n        return indicator\n        raise",
            ),
        ),
    ),
    Bug(
        "public page with the eyes of the group",
        "the city's totals stand exact and live on the page for everybody",
        f"{_HERE}test_what_came_after_the_release_is_on_no_page",
        (Edit(_WORDS, "question, Audience.PUBLIC, self.at", "question, Audience.COORDINATION, self.at"),),
    ),
    Bug(
        "unreleased indicator at its address",
        "who guesses the address of an indicator reads what is not released",
        f"{_HERE}test_what_is_not_released_is_not_there",
        (
            Edit(_WORDS, "question, Audience.PUBLIC, self.at", "question, Audience.STATISTICS, self.at"),
            Edit(
                _RELEASED,
                "    if rule is None:\n        raise",
                "    if rule is None and not indicator_id:\n        raise",
            ),
            Edit(
                _RELEASED,
                '    return indicator.model_copy(update={"breakdowns": rule.breakdowns, "every": rule.every})',
                "    return indicator",
            ),
        ),
    ),
    Bug(
        "files of the public with internals",
        "the link on the public's page leads to the file of whoever is signed in",
        f"{_HERE}test_every_link_leads_to_what_everybody_may_see",
        (Edit(_WORDS, 'f"/public/figures/{released.id}', 'f"/figures/{released.id}'),),
    ),
    Bug(
        "form without the key that it carries",
        "a double click writes two notes",
        "reporting/test_booking_pages.py::test_a_form_that_is_sent_twice_books_once[notes]",
        (
            Edit(
                _BOOKING,
                "fill_form_from_fields(request, typed.values)\n        seen",
                'fill_form_from_fields(request, {**typed.values, "idempotency_key": command.note_id})\n        seen',
            ),
        ),
    ),
    Bug(
        "correction over a correction",
        "who corrects a note overwrites what somebody else has written since",
        "reporting/test_booking_pages.py::test_a_note_is_corrected_unless_somebody_was_faster",
        (Edit(_BOOKING, "replace(filled, if_match=seen)", "filled"),),
    ),
    Bug(
        "form that loses what was typed",
        "who forgot one field types everything anew",
        "reporting/test_booking_pages.py::test_a_form_that_came_back_is_booked_when_it_is_mended",
        (
            Edit(
                _BOOKING,
                """author, typed)\n\n\n@router.get("/notes/{note_id}")""",
                """author, blank("note", "de"))\n\n\n@router.get("/notes/{note_id}")""",
            ),
        ),
    ),
    Bug(
        "alert pushed to whoever listens",
        "the group is told at once of what is watched with the eyes of the statistics office alone",
        "reporting/test_live.py::test_alerts_reach_those_alone_who_may_be_told_of_them[coordination-told0-True]",
        (Edit(_LIVE, "told.alerts.get(reader.audience, ())", "told.alerts.get(Audience.STATISTICS, ())"),),
    ),
    Bug(
        "stream that begins without the alerts",
        "who was away while an alert was raised is never told of it",
        "reporting/test_live.py::test_alerts_reach_those_alone_who_may_be_told_of_them[chair-told1-True]",
        (Edit(_LIVE, "hub.freshness(), hub.alerts()):", "hub.freshness()):"),),
    ),
    Bug(
        "alert that is told once",
        "what became of an alert reaches nobody who has the page open",
        "reporting/test_live.py::test_open_pages_are_told_of_alerts_as_they_come_are_acknowledged_and_go",
        (Edit(_HUB, "        if alerts != self._alerts:\n", "        if alerts.keys() != self._alerts.keys():\n"),),
    ),
    Bug(
        "releases that nobody counts",
        "a release that never comes is seen by nobody who watches",
        "reporting/test_public.py::test_a_release_is_counted_once_it_is_written",
        (Edit(_TICKING, "TICKS.labels(audience.value).inc()", "TICKS.labels(audience.value).inc(0)"),),
    ),
    Bug(
        "late source that is measured as current",
        "an office that has stopped booking raises no alert",
        "reporting/test_live.py::test_a_source_that_is_late_by_its_rhythm_is_measured[2026-01-05-1.0]",
        (Edit(_HUB, '.set(source.state == "overdue")', '.set(source.state == "late")'),),
    ),
)
