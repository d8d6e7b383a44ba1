"""Bugs of feeds: each record takes effect once, in order, and a ledger that became another one is noticed."""

from mutants.planting import Bug, Edit

_POSITIONS = "verbund/feeds/positions.py"
_READER = "verbund/feeds/reader.py"
_BUILD = "reporting/rebuild/build.py"
_CHANGING = "reporting/rebuild/changing.py"
_FOLDING = "reporting/rebuild/folding.py"
_PARKED = "verbund/feeds/parked.py"
_RUN = "reporting/rebuild/run.py"
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
                "        if taken.applied:\n            await self._effect.finish(connection)\n",
                "        if taken.applied:\n"
                "            await (await connection.get_raw_connection()).driver_connection.commit()\n"
                "            await self._effect.finish(connection)\n",
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
        "changed over without comparing",
        "figures become others, and nobody is asked",
        "reporting/test_rebuild_beside.py::test_a_difference_is_told_by_sums_and_by_nobodys_facts",
        (Edit(_RUN, "if differences and not self._context.accept:", "if not self._build:"),),
    ),
    Bug(
        "record keys not compared",
        "two cubes count alike and protect their cells differently",
        "reporting/test_rebuild_beside.py::test_another_record_key_alone_is_a_difference",
        (Edit("reporting/rebuild/comparing.py", " or mod(sum(key), %(modulus)s) <> 0", " or %(modulus)s < 0"),),
    ),
    Bug(
        "rebuilt beside a reader that goes on",
        "what is read between the comparison and the changeover counts twice or never",
        "reporting/test_rebuild_beside.py::test_whoever_reads_on_waits_for_the_changeover_and_goes_on_from_it",
        (
            Edit(
                _CHANGING,
                '"lock table feed.position in exclusive mode"',
                '"lock table feed.position in row share mode"',
            ),
        ),
    ),
    Bug(
        "changed over under whoever looks",
        "a page shows the head of one cube and the sums of the other one",
        "reporting/test_rebuild_beside.py::test_whoever_looks_during_the_changeover_sees_one_cube_and_not_half_of_each",
        (Edit("reporting/cube.py", "        await connection.execute(_STAY)\n", ""),),
    ),
    Bug(
        "killed rebuild begun anew on top of what it left",
        "a slice that was folded before the kill counts twice",
        "reporting/test_rebuild_beside.py::test_a_rebuild_goes_on_where_it_was_and_folds_nothing_twice",
        (Edit(_BUILD, "[(one.first, one.last) for one in slices]", "[]"),),
    ),
    Bug(
        "slices of a lost history kept",
        "a cube made of two histories takes the place of a true one",
        "reporting/test_rebuild_beside.py::test_what_was_folded_of_another_history_is_folded_again",
        (
            Edit(_BUILD, "            is_another = any(", "            is_another = bool(goal.number < 0) and any("),
            Edit(_BUILD, "if one.first != number + 1 or one.previous != last_hash:", "if one.first != number + 1:"),
            Edit(_BUILD, "if number != goal.number or last_hash != goal.hash:", "if number != goal.number:"),
        ),
    ),
    Bug(
        "whoever was fenced off goes on folding",
        "a process of a killed rebuild adds its slice to the next one",
        "reporting/test_rebuild_folding.py::test_whoever_lost_the_build_adds_nothing_to_it",
        (Edit(_FOLDING, "if mine is None or mine[0] != self._bench.epoch:", "if mine is None:"),),
    ),
    Bug(
        "rebuilt in the same generation",
        "open pages add new batches to the sums of a cube that is gone",
        "reporting/test_rebuild.py::test_a_rebuild_is_a_new_generation_and_repeats_exactly",
        (Edit(_CHANGING, "coalesce(before.generation, 0) + 1", "coalesce(before.generation, 1)"),),
    ),
    Bug(
        "folded past a hole",
        "a rebuild from a damaged ledger replaces true figures by less",
        "reporting/test_rebuild.py::test_a_ledger_that_is_not_whole_is_not_folded_and_nothing_changes",
        (
            Edit("verbund/feeds/slices.py", "        if found != number + 1:\n", "        if found < number:\n"),
            Edit("verbund/feeds/slices.py", "content[:32] != last_hash", "not content"),
        ),
    ),
    Bug(
        "replayed as often as asked",
        "a record that was parked counts once for each time that somebody replays it",
        "reporting/test_parked.py::test_a_replayed_record_takes_effect_once_however_often_and_by_how_many",
        (
            Edit(
                _PARKED,
                "        if row.settled is None:\n            refusal",
                "        if row.id:\n            refusal",
            ),
        ),
    ),
    Bug(
        "foreign bytes replayed",
        "whoever can write on the wire has an operator write into the figures",
        "reporting/test_parked.py::test_what_has_no_place_in_a_ledger_is_never_replayed",
        (Edit(_PARKED, "row.number is None or row.reason == FOREIGN", "row.number is None"),),
    ),
    Bug(
        "another version stops under no name of its own",
        "whoever looks for a faulty record looks in vain: the cube has to be rebuilt",
        "reporting/test_versions.py::test_a_reader_whose_functions_changed_stops_the_book_by_name",
        (Edit(_READER, "error.reason if isinstance(error, EffectRefused) else", ""),),
    ),
)
