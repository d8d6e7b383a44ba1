"""Bugs in what was frozen, and in what is said of it afterwards."""

from mutants.planting import Bug, Edit

_EDITIONS, _RESTATEMENTS = "reporting/test_editions.py", "reporting/test_restatements.py"
_CAUSES = "reporting/figures/causes.py"
_REBUILT = "reporting/test_editions_rebuilt.py"
_BY_HAND = "reporting/test_restatements_by_hand.py"
_DOMAIN, _REASONS = "reporting/editions/domain.py", "reporting/editions/reasons.py"

BUGS = (
    Bug(
        "freezing for anybody",
        "the chair freezes exact figures that only the statistics office may see",
        f"{_EDITIONS}::test_nobody_freezes_for_a_wider_audience_than_their_own",
        (Edit(_DOMAIN, "    if not may_see(own, wanted):", "    if own is None:"),),
    ),
    Bug(
        "editions for everybody",
        "what was frozen exactly for the statistics office is open to the group",
        f"{_EDITIONS}::test_an_edition_is_there_for_its_audience_and_for_wider_ones_alone",
        (
            Edit(
                "reporting/editions/reading.py",
                "for audience in Audience if may_see(reader, audience)]",
                "for audience in Audience]",
            ),
        ),
    ),
    Bug(
        "sealed drafts cleared",
        "an edition loses its files after a day",
        f"{_EDITIONS}::test_a_draft_that_nobody_sealed_is_cleared_after_a_day_and_an_edition_never",
        (Edit("reporting/editions/drafts.py", "and edition.draft_id = draft.draft_id", "and false"),),
    ),
    Bug(
        "amounts by cause for the group",
        "from the amounts of corrections one sees whose they were",
        f"{_RESTATEMENTS}::test_the_group_sees_no_amounts_and_of_protected_cells_the_reasons_of_the_whole_figure",
        (Edit(_REASONS, "audience is Audience.STATISTICS", "audience is not None"),),
    ),
    Bug(
        "batches of editions not carried over",
        "after a compaction nobody can tell any more why a figure changed",
        f"{_RESTATEMENTS}::test_a_compaction_changes_no_byte_and_no_reason",
        (Edit("reporting/rebuild/compacting.py", "_CARRIED_TICKS, _CARRIED_EDITIONS)", "_CARRIED_TICKS)"),),
    ),
    Bug(
        "changed files unnoticed",
        "a figure is changed in what was frozen, and the proof says that all is whole",
        f"{_RESTATEMENTS}::test_a_forgery_is_found_and_named",
        (
            Edit(
                "reporting/editions/verification.py",
                "hashlib.sha256(bytes(found.body)).hexdigest() != file.sha256 or found.sha256",
                "found.sha256",
            ),
        ),
    ),
    Bug(
        "what the older edition knew as a reason",
        "what was booked last before freezing is told as a reason for what changed afterwards",
        f"{_BY_HAND}::test_what_changed_by_how_much_and_why_is_what_is_counted_by_hand",
        (
            Edit(_CAUSES, "batch.number <= :earlier and", "batch.number < :earlier and"),
            Edit(_CAUSES, "batch.number > :least", "batch.number >= :least"),
        ),
    ),
    Bug(
        "all of a change put down to the definition",
        "beside a new definition what was booked counts twice",
        f"{_BY_HAND}::test_what_the_causes_do_not_explain_is_the_new_definition",
        (Edit(_REASONS, "int(new - old) - sum(amounts.values())", "int(new - old)"),),
    ),
    Bug(
        "reasons of single protected cells",
        "the reasons of a protected cell tell what was booked of the few people in it",
        f"{_BY_HAND}::test_the_group_is_told_no_more_than_the_causes_of_exact_cells_and_of_the_whole_figure",
        (Edit(_REASONS, "if not is_exact(before) or not is_exact(after):", "if before is None:"),),
    ),
    Bug(
        "slices beyond editions",
        "after a rebuild no batch ends where an edition was frozen",
        f"{_REBUILT}::test_an_edition_keeps_its_bytes_its_reasons_and_its_moment",
        (Edit("reporting/rebuild/build.py", "*(end for end in ends if end > number)", "*()"),),
    ),
    Bug(
        "batches of a rebuilt cube in any order",
        "what was booked after an edition is numbered before it",
        f"{_REBUILT}::test_an_edition_keeps_its_bytes_its_reasons_and_its_moment",
        (Edit("reporting/rebuild/changing.py", "and slice.last > coalesce", "and slice.last < coalesce"),),
    ),
    Bug(
        "moments of editions lost by a rebuild",
        "after a rebuild an edition stands at a batch that is not its own",
        f"{_REBUILT}::test_an_edition_keeps_its_bytes_its_reasons_and_its_moment",
        (Edit("reporting/rebuild/marks.py", "and slice.last <= coalesce", "and slice.last < coalesce"),),
    ),
    Bug(
        "editions without bounds",
        "one edition takes all memory that there is",
        "reporting/test_large_editions.py::test_an_edition_beyond_all_bounds_is_refused_and_leaves_nothing_behind",
        (Edit("reporting/editions/freezing.py", "if values > _MOST_VALUES:", "if values < 0:"),),
    ),
)
