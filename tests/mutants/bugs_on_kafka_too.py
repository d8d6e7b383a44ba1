"""Bugs of feeds once more: what the rules of reading forbid is seen over a real Kafka too, and not by their own tests
alone."""

from dataclasses import replace

from mutants import bugs_in_reading

_SEEN_BY = {
    "position without its hash": "test_what_is_booked_arrives_once_and_in_order",
    "repeats not skipped": "test_a_hole_that_stays_stops_the_ledger_until_it_is_filled_and_resumed",
    "hole applied": "test_a_hole_that_stays_stops_the_ledger_until_it_is_filled_and_resumed",
    "foreign hash accepted": "test_changed_bytes_are_parked_as_foreign_and_stop_the_ledger",
    "head below position ignored": "test_an_office_restored_from_an_older_backup_is_noticed",
}

BUGS = tuple(
    replace(bug, name=f"{bug.name}, on Kafka", test=f"verbund/test_feeds.py::{_SEEN_BY[bug.name]}[kafka]")
    for bug in bugs_in_reading.BUGS
    if bug.name in _SEEN_BY
)
