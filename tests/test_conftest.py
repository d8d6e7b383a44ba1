import os
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
SKIPPED = """
import pytest

@pytest.fixture
def browser():
    pytest.skip("no browser")

def test_needs_a_browser(browser):
    pass

@pytest.mark.skip(reason="later")
def test_marked():
    pass

@pytest.mark.xfail(strict=True)
def test_expected_to_fail():
    assert False
"""


def run(folder: Path, tests: str, ci: str) -> subprocess.CompletedProcess[str]:
    """pytest with our conftest on a file of its own."""
    (folder / "test_skipped.py").write_text(tests)
    (folder / "pytest.ini").touch()
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "conftest", "-p", "no:cacheprovider", str(folder)],
        cwd=folder,
        env={**os.environ, "CI": ci, "PYTHONPATH": str(TESTS)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("ci", "code", "closing"), [("true", 1, "1 xfailed, 2 errors"), ("", 0, "2 skipped, 1 xfailed")]
)
def test_a_skipped_test_is_a_failure_in_ci_alone(tmp_path: Path, ci: str, code: int, closing: str) -> None:
    ran = run(tmp_path, SKIPPED, ci)
    assert ran.returncode == code, ran.stdout + ran.stderr
    assert closing in ran.stdout


def test_a_file_that_is_skipped_as_a_whole_is_a_failure_in_ci(tmp_path: Path) -> None:
    assert run(tmp_path, "import pytest\npytest.importorskip('no_such_module')\n", "true").returncode != 0
