"""Proving an export as a third party does: with the script in docs/, in a Python of its own."""

import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).parents[2] / "docs" / "verify_export.py"


def prove(folder: Path) -> tuple[int, list[str]]:
    """The script's exit code, and what it says of the ledgers: whole ones first, then faults."""
    run = subprocess.run(
        [sys.executable, "-I", str(SCRIPT), str(folder)], capture_output=True, text=True, check=False, timeout=60
    )
    first, *whole = run.stdout.splitlines()
    assert first.startswith("key: SHA-256 "), run.stderr
    return run.returncode, [*whole, *run.stderr.splitlines()]
