"""Bugs of feeds: each record takes effect once, in order, and a ledger that became another one is noticed."""

from mutants.planting import Bug, Edit

_POSITIONS = "verbund/feeds/positions.py"
_READER = "verbund/feeds/reader.py"
_REBUILD = "verbund/feeds/rebuild.py"
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
    Bug(
        "emptied before it is folded anew",
        "a rebuild that is killed leaves a city without figures",
        "reporting/test_rebuild.py::test_a_rebuild_killed_midway_changed_nothing_and_can_be_repeated",
        (
            Edit(
                _REBUILD,
                "        await empty(connection)\n",
                "        await empty(connection)\n"
                "        await (await connection.get_raw_connection()).driver_connection.commit()\n",
            ),
        ),
    ),
    Bug(
        "rebuilt beside a reader",
        "whoever rebuilds believes that nobody writes, while somebody does",
        "reporting/test_rebuild.py::test_a_restored_office_is_noticed_stops_and_is_brought_back_by_a_rebuild",
        (Edit(_REBUILD, "and usename = :role", "and usename = :role and state = 'idle in transaction'"),),
    ),
    Bug(
        "rebuilt in the same generation",
        "open pages add new batches to the sums of a cube that is gone",
        "reporting/test_rebuild.py::test_a_rebuild_is_a_new_generation_and_repeats_exactly",
        (Edit("reporting/cube.py", "set generation = generation + 1, number = 0", "set number = 0"),),
    ),
    Bug(
        "rebuilt on top of what stood",
        "every figure counts twice after a rebuild",
        "reporting/test_rebuild.py::test_a_rebuild_is_a_new_generation_and_repeats_exactly",
        (Edit("reporting/cube.py", 'text(f"delete from {table}") for table in CUBE_TABLES', 'text("select 1"),'),),
    ),
    Bug(
        "folded past a hole",
        "a rebuild from a damaged ledger replaces true figures by less",
        "reporting/test_rebuild.py::test_a_ledger_that_is_not_whole_is_not_folded_and_nothing_changes",
        (
            Edit(
                _REBUILD,
                "if taken.holes or beat.ledger not in taken.positions:\n            raise _unreadable("
                'beat.ledger, number, taken.alarms.get(beat.ledger, "hole"))',
                "if beat.ledger not in taken.positions:\n            break",
            ),
            Edit(_REBUILD, "    if last_hash != beat.hash:", "    if not beat.hash:"),
        ),
    ),
    Bug(
        "another version stops under no name of its own",
        "whoever looks for a faulty record looks in vain: the cube has to be rebuilt",
        "reporting/test_versions.py::test_a_reader_whose_functions_changed_stops_the_book_by_name",
        (Edit(_READER, "error.reason if isinstance(error, EffectRefused) else", ""),),
    ),
)
