"""Bugs of the image: it answers what the cube of that moment says, whatever was extended, restored or compacted."""

from mutants.planting import Bug, Edit

_COLUMNS = "reporting/image/columns.py"
_IMAGE = "reporting/image/image.py"
_LOADING = "reporting/image/loading.py"
_COMPACTING = "reporting/rebuild/compacting.py"
_TESTS = "reporting/test_image.py"
_EQUALS = f"{_TESTS}::test_an_image_that_was_extended_equals_one_loaded_afresh_and_the_list_of_deltas"
_COMPACTION = f"{_TESTS}::TestCompaction::test_changes_no_answer"

BUGS = (
    Bug(
        "large file of several moments",
        "the second half of a file counts what the first half does not know yet",
        "reporting/test_large_files.py::test_what_is_booked_meanwhile_is_in_no_part",
        (
            Edit(
                "reporting/figures/in_parts.py",
                "answer_plan(moment.back_at(head.number), part",
                "answer_plan(moment, part",
            ),
        ),
    ),
    Bug(
        "large file of two cubes",
        "a rebuild in the middle of a download mixes two countings in one file, which looks whole",
        "reporting/test_large_files.py::test_a_file_ends_as_a_broken_one_where_the_figures_were_built_afresh",
        (Edit("reporting/figures/in_parts.py", "if moment.head.generation != head.generation:", "if False:"),),
    ),
    Bug(
        "restored cube not noticed by the image",
        "figures go on from batches that no longer stand anywhere",
        f"{_TESTS}::test_a_restored_cube_is_noticed_by_its_batches",
        (Edit(_IMAGE, "        return bool(stands == held.batch)\n", "        return True\n"),),
    ),
    Bug(
        "another branch below the end not noticed",
        "after a restore, figures come from lost batches until the numbers are reached again",
        f"{_TESTS}::test_a_restored_cube_is_noticed_by_its_batches",
        (
            Edit(
                _IMAGE,
                "            return await asyncio.to_thread(columns.batch_at, head.number) == head.batch\n",
                "            return True\n",
            ),
        ),
    ),
    Bug(
        "generation not looked at",
        "a rebuilt cube is never seen, or half of each",
        f"{_TESTS}::test_another_generation_is_loaded_afresh_though_its_batches_have_the_same_names",
        (Edit(_IMAGE, "        if held.generation != head.generation:\n", "        if held.generation < 0:\n"),),
    ),
    Bug(
        "image ahead of the snapshot",
        "two figures on one page are of two moments",
        f"{_TESTS}::test_an_earlier_snapshot_is_answered_from_what_it_sees",
        (Edit(_COLUMNS, 'conditions = ["number <= $number",', 'conditions = ["$number is not null",'),),
    ),
    Bug(
        "keys of the image not modulo",
        "the same cell gets another noise than elsewhere",
        _EQUALS,
        (Edit(_COLUMNS, "cast(sum(key) % {modulus} as bigint)", "cast(sum(key) as bigint)"),),
    ),
    Bug(
        "last day left out",
        "what happened on the last day of a period is missing",
        _EQUALS,
        (Edit(_COLUMNS, '"effective_on <= $last"]', '"effective_on < $last"]'),),
    ),
    Bug(
        "batches taken in twice",
        "whoever gave up waiting has left a thread behind, and what it brings counts twice",
        f"{_TESTS}::test_whoever_gives_up_waiting_leaves_nothing_twice",
        (Edit(_COLUMNS, "yield cursor if self.head == behind else None", "yield cursor if self.head else None"),),
    ),
    Bug(
        "what failed stays half",
        "measures of one batch are in the image, the others never come",
        f"{_TESTS}::test_what_fails_half_way_is_taken_in_whole_the_next_time",
        (Edit(_COLUMNS, "            cursor.begin()\n", ""), Edit(_COLUMNS, "        cursor.commit()\n", "")),
    ),
    Bug(
        "loaded by another snapshot",
        "what is booked while an image is loaded counts twice",
        f"{_TESTS}::test_what_is_booked_while_it_loads_counts_once",
        (
            Edit(_LOADING, "(_BEGIN, _SEE.format(snapshot=sql.Literal(origin.snapshot)))", "(_BEGIN,)"),
            Edit(_LOADING, "{measure} and number > {after} and number <= {until}", "{measure} and number > {after}"),
        ),
    ),
    Bug(
        "compaction across a cut",
        "an edition is asked again, and says what came after it",
        _COMPACTION,
        (Edit(_COMPACTING, "sorted({*cuts, number})", "sorted({number})"),),
    ),
    Bug(
        "compaction that loses what is booked meanwhile",
        "facts that came while sums were made are in no figure",
        _COMPACTION,
        (
            Edit(
                _COMPACTING,
                "(_LATER_DELTAS, _LATER_BATCHES, _CELLS, _NEXT_HEADS, _CARRIED_TICKS, _CARRIED_EDITIONS)",
                "(_LATER_BATCHES, _CELLS, _NEXT_HEADS, _CARRIED_TICKS, _CARRIED_EDITIONS)",
            ),
        ),
    ),
    Bug(
        "compaction that forgets what adds up to nothing",
        "an office seems to have begun on another day than it did",
        _COMPACTION,
        (
            Edit(
                _COMPACTING,
                '    group by municipality, measure, cell, effective_on, recorded_on, cause\n"""\n_MEMORY',
                "    group by municipality, measure, cell, effective_on, recorded_on, cause"
                ' having sum(n) <> 0 or mod(sum(key), 4294967296) <> 0\n"""\n_MEMORY',
            ),
        ),
    ),
)
