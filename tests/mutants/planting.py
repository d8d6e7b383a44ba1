"""Plants a bug in a copy of the product, runs a test on that copy, and says whether the test caught the bug."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from mutants.witness import REPORT

ROOT = Path(__file__).parents[2]
SOURCES = ("shared/src", "services/registration/src", "services/reporting/src")
_DEADLINE_SECONDS = 180.0  # for one run: a named test takes seconds, on a busy machine some more
_FAREWELL_SECONDS = 20.0  # to stop its PostgreSQL when it is interrupted


@dataclass(frozen=True, slots=True)
class Edit:
    """Replaces the one occurrence of `old` in a file such as `verbund/desk/desk.py`."""

    file: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Bug:
    """A mistake that somebody could make, and the test that has to catch it."""

    name: str
    meaning: str
    """What would happen in a city."""
    test: str
    """Below `tests/`, as pytest names it."""
    edits: tuple[Edit, ...]


class Stale(Exception):
    """The place of a planted bug is not there any more, or not once: the bug has to be planted anew."""


class NotCaught(Exception):
    """The named test does not prove what it is said to prove."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of the tests of one run."""

    seen: Sequence[dict[str, Any]]
    said: str
    """What pytest printed."""

    def passes(self, test: str) -> bool:
        """Whether this test ran and passed; with all its parameters, where the name has none."""
        of_it = [each for each in self.seen if _is_of(each["test"], f"tests/{test}")]
        return bool(of_it) and all(each["outcome"] == "passed" for each in of_it)


@contextmanager
def copy_of_the_product() -> Iterator[Path]:
    """A scratch folder with the three source trees."""
    with TemporaryDirectory(prefix="verbund-mutant-") as folder:
        copy = Path(folder)
        for source in SOURCES:
            # With their compiled modules, which hold for the copies too: these keep the time of the originals.
            shutil.copytree(ROOT / source, copy / source)
        yield copy


def plant(bug: Bug, copy: Path) -> None:
    """Make the mistake in the copy; raises `Stale` where there is no such place any more, or no program is left."""
    for edit in bug.edits:
        places = (copy / source / edit.file for source in SOURCES)
        file = next((place for place in places if place.exists()), None)
        if file is None:
            raise Stale(f"{bug.name}: there is no file {edit.file} any more; plant the bug anew")
        before = file.read_text(encoding="utf-8")
        if before.count(edit.old) != 1:
            raise Stale(
                f"{bug.name}: its place in {edit.file} is there {before.count(edit.old)} times; plant the bug anew:\n"
                f"{edit.old}"
            )
        after = before.replace(edit.old, edit.new)
        try:
            compile(after, edit.file, "exec")
        except SyntaxError as error:
            raise Stale(f"{bug.name}: what it leaves of {edit.file} is no program: {error}") from error
        file.write_text(after, encoding="utf-8")
        for compiled in file.parent.glob(f"__pycache__/{file.stem}.*"):
            compiled.unlink()


@contextmanager
def planted(bug: Bug, copy: Path) -> Iterator[None]:
    """The copy with the bug; afterwards as it was. Raises `Stale`."""
    files = [place for edit in bug.edits for source in SOURCES if (place := copy / source / edit.file).exists()]
    before = {file: file.read_text(encoding="utf-8") for file in files}
    plant(bug, copy)
    yield
    for file, text in before.items():
        file.write_text(text, encoding="utf-8")


def run(copy: Path, tests: Sequence[str], deadline_seconds: float = _DEADLINE_SECONDS) -> Outcome:
    """Run tests in a process of their own, on the code of the copy; raises `NotCaught` where that cannot be told."""
    with TemporaryDirectory(prefix="verbund-mutant-report-") as folder:
        report = Path(folder) / "report.json"
        said = _run_pytest(copy, tests, report, deadline_seconds)
        if not report.exists():
            raise NotCaught(f"pytest broke off before it could say anything:\n{said[-3000:]}")
        found = json.loads(report.read_bytes())
    elsewhere = sorted(file for file in found["files"] if not Path(file).is_relative_to(copy))
    if elsewhere or not found["files"]:
        raise NotCaught(
            f"the tests did not run on the copy but on {elsewhere[:3] or 'nothing of ours'}:\n{said[-3000:]}"
        )
    return Outcome(found["seen"], said)


def _run_pytest(copy: Path, tests: Sequence[str], report: Path, deadline_seconds: float) -> str:
    paths = [*(str(copy / source) for source in SOURCES), str(ROOT / "tests")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths), REPORT: str(report)}
    environment.pop("PYTEST_ADDOPTS", None)
    words = ["-q", "-p", "mutants.witness", "-p", "no:cacheprovider", *(f"tests/{test}" for test in tests)]
    running = subprocess.Popen(
        [sys.executable, "-m", "pytest", *words],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        return running.communicate(timeout=deadline_seconds)[0]
    except subprocess.TimeoutExpired:
        running.send_signal(signal.SIGINT)  # pytest then leaves its fixtures, and stops its PostgreSQL
        try:
            said = running.communicate(timeout=_FAREWELL_SECONDS)[0]
        except subprocess.TimeoutExpired:
            running.kill()
            said = running.communicate()[0]
        raise NotCaught(
            f"{', '.join(tests)} did not end within {deadline_seconds:.0f} s: a bug that makes a test hang is caught"
            f" by a deadline of the test's own only\n{said[-3000:]}"
        ) from None


def catch(bug: Bug) -> str:
    """The line at which the named test failed on a copy with the bug; raises `NotCaught`."""
    with copy_of_the_product() as copy:
        plant(bug, copy)
        outcome = run(copy, [bug.test])
    lines = [each["line"] for each in outcome.seen if each["when"] == "call" and each["outcome"] == "failed"]
    broken = [each for each in outcome.seen if each["when"] != "call"]
    if broken:
        raise NotCaught(f"{bug.test} could not even begin, or end: {broken[0]['line']}\n{outcome.said[-3000:]}")
    if not lines:
        raise NotCaught(f"{bug.test} did not see it: {bug.meaning}\n{outcome.said[-3000:]}")
    line: str = lines[0]
    if line.partition(": ")[2].startswith(("ImportError", "ModuleNotFoundError", "NameError", "SyntaxError")):
        raise NotCaught(f"{bug.test} failed since the bug is no program: {line}")
    return line


def _is_of(node: str, test: str) -> bool:
    return node == test or node.startswith(f"{test}[")
