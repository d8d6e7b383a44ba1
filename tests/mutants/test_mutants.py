"""Every bug that is planted here is caught by the test that is named for it, and by nothing but the bug.

A run of the whole suite plants a selection of them, and looks that all the others can still be planted; `make mutants`
plants all.

Each bug is made in a scratch copy of the product and goes with it; the product itself has no switch for any of them.
"""

import os
import random
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import pytest
from mutants import (
    bugs_at_doors,
    bugs_in_alerts,
    bugs_in_areas,
    bugs_in_booking,
    bugs_in_counting,
    bugs_in_deliveries,
    bugs_in_disclosure,
    bugs_in_editions,
    bugs_in_kafka,
    bugs_in_protection,
    bugs_in_public_pages,
    bugs_in_reading,
    bugs_in_sending,
    bugs_in_the_image,
    bugs_in_trays,
    bugs_on_kafka_too,
)
from mutants.planting import ROOT, Bug, Outcome, catch, copy_of_the_product, planted, run

BUGS = (
    *bugs_in_booking.BUGS,
    *bugs_in_reading.BUGS,
    *bugs_in_kafka.BUGS,
    *bugs_on_kafka_too.BUGS,
    *bugs_in_sending.BUGS,
    *bugs_in_trays.BUGS,
    *bugs_in_counting.BUGS,
    *bugs_in_areas.BUGS,
    *bugs_in_the_image.BUGS,
    *bugs_in_disclosure.BUGS,
    *bugs_in_protection.BUGS,
    *bugs_in_public_pages.BUGS,
    *bugs_at_doors.BUGS,
    *bugs_in_alerts.BUGS,
    *bugs_in_deliveries.BUGS,
    *bugs_in_editions.BUGS,
)

# Where several processes share the tests out, all of them choose the same bugs: from the name of their common run.
_RUN = random.Random(os.environ.get("PYTEST_XDIST_TESTRUNUID"))
SEED = int(os.environ.get("VERBUND_SEED", "0")) or _RUN.randrange(1, 2**31)
PLANTED = int(os.environ.get("VERBUND_MUTANTS", "15"))
SELECTED = sorted(random.Random(SEED).sample(BUGS, min(PLANTED, len(BUGS))), key=BUGS.index)

_AT_ONCE = 2  # each run is a Python and a PostgreSQL of its own; the small machines that run this have two cores


@dataclass(frozen=True, slots=True)
class Runs:
    """What is under way: the named tests without any bug, and each bug's test with it."""

    sound: Future[Outcome]
    caught: dict[str, Future[str]]


@pytest.fixture(scope="module")
def runs(request: pytest.FixtureRequest) -> Iterator[Runs]:
    """Only what was chosen is run, two at a time."""
    items = [item for item in request.session.items if isinstance(item, pytest.Function)]
    chosen = [
        bug for bug in SELECTED if any(item.name == f"{test_the_bug_is_caught.__name__}[{bug.name}]" for item in items)
    ]
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        sound = pool.submit(_run_without_bugs, sorted({bug.test for bug in chosen}))
        yield Runs(sound, {bug.name: pool.submit(catch, bug) for bug in chosen})
        pool.shutdown(cancel_futures=True)


def _run_without_bugs(tests: list[str]) -> Outcome:
    with copy_of_the_product() as copy:
        return run(copy, tests, deadline_seconds=600.0)


@pytest.mark.parametrize("bug", SELECTED, ids=[bug.name for bug in SELECTED])
def test_the_bug_is_caught(bug: Bug, runs: Runs, capsys: pytest.CaptureFixture[str]) -> None:
    sound = runs.sound.result()
    assert sound.passes(bug.test), f"{bug.test} does not pass without the bug either:\n{sound.said[-3000:]}"
    line = runs.caught[bug.name].result()
    with capsys.disabled():
        print(f"\n{bug.name}: {bug.meaning}\n  caught by {bug.test}\n  {line}")  # noqa: T201 - the list is what one runs this for


def test_every_bug_has_a_place_and_a_test() -> None:
    """Of those, too, that this run does not plant."""
    print(f"seed {SEED}")  # noqa: T201 - which bugs were planted follows from it
    with copy_of_the_product() as copy:
        for bug in BUGS:
            with planted(bug, copy):
                pass
            file, *names = bug.test.partition("[")[0].split("::")
            assert f"def {names[-1]}(" in (ROOT / "tests" / file).read_text(encoding="utf-8"), bug.name


def test_bugs_have_names_of_their_own() -> None:
    assert len({bug.name for bug in BUGS}) == len(BUGS)
