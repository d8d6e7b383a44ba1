"""Bugs of feeds: each record takes effect once, in order, and a ledger that became another one is noticed."""

from mutants.planting import Bug, Edit

_POSITIONS = "verbund/feeds/positions.py"
_READER = "verbund/feeds/reader.py"
_SIFT = "verbund/feeds/sift.py"

BUGS = (
    Bug(
        "position not locked",
        "two readers of one book count each of its facts twice",
        "verbund/test_feeds.py::test_of_two_readers_at_one_record_the_second_waits_and_finds_repeats",
        (Edit(_POSITIONS, """order by ledger collate "C" for update\n""", """order by ledger collate "C"\n"""),),
    ),
    Bug(
        "position before effect",
        "a reader that dies between the two commits has skipped facts for good",
        "reporting/test_reader.py::test_a_transaction_that_fails_leaves_nothing_and_hinders_nobody",
        (
            Edit(
                _READER,
                "        if events:\n            await self._effect.apply(connection, events)\n",
                "        if moves:\n"
                "            await move_positions(connection, moves)\n"
                "            await (await connection.get_raw_connection()).driver_connection.commit()\n"
                "        if events:\n            await self._effect.apply(connection, events)\n",
            ),
        ),
    ),
    Bug(
        "position without its hash",
        "the chain is compared with what was read long ago, and every healthy book stops",
        "reporting/test_reader.py::test_repeats_count_once",
        (Edit(_POSITIONS, "set number = new.number, hash = new.hash,", "set number = new.number,"),),
    ),
    Bug(
        "repeats not skipped",
        "what comes twice over the wire counts twice",
        "verbund/test_feeds_sift.py::test_repeats_are_skipped_and_counted",
        (Edit(_SIFT, "if record.number <= number:", "if record.number < 1:"),),
    ),
    Bug(
        "hole applied",
        "what is missing in front is skipped for good, as by everybody who follows 'greater than the last one seen'",
        "verbund/test_feeds_sift.py::test_nothing_behind_a_hole_is_taken",
        (
            Edit(_SIFT, "if record.number > number + 1:", "if record.number < number:"),
            Edit(_SIFT, "if record.previous != last_hash:", "if record.number == number + 1 != record.number:"),
        ),
    ),
    Bug(
        "chain not compared",
        "an office that was restored and booked on is taken for the one that was read",
        "verbund/test_feeds_sift.py::test_a_chain_that_does_not_go_on_stops_the_ledger",
        (Edit(_SIFT, "if record.previous != last_hash:", "if not record.previous:"),),
    ),
    Bug(
        "foreign hash accepted",
        "whoever can write on the wire can write into the figures",
        "verbund/test_feeds_sift.py::test_bytes_that_do_not_fit_their_own_hash_are_foreign",
        (Edit(_SIFT, "if chain_hash(record.previous, record.body) != record.hash:", "if not record.hash:"),),
    ),
    Bug(
        "other hash at the position ignored",
        "another book under the same numbers is taken for a repeat",
        "verbund/test_feeds_sift.py::test_another_hash_at_the_position_stops_the_ledger",
        (Edit(_SIFT, "if record.number == number and record.hash != last_hash:", "if not record.hash:"),),
    ),
    Bug(
        "head below position ignored",
        "an office restored from a backup books other facts under numbers that were read already",
        "verbund/test_feeds_sift.py::test_a_head_below_the_position_means_the_office_was_restored",
        (Edit(_SIFT, "if beat.number < position.number:", "if beat.number < 0:"),),
    ),
)
