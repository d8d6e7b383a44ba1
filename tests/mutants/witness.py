"""A pytest plugin for the runs of named tests: writes down what became of each test, and whose code they ran on."""

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

REPORT = "MUTANTS_REPORT"
"""The environment variable that names the file to be written."""
PACKAGES = ("verbund", "registration", "reporting")

_seen: list[dict[str, Any]] = []


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if report.when == "call" or not report.passed:
        _seen.append({"test": report.nodeid, "when": report.when, "outcome": report.outcome, "line": _line(report)})


def pytest_collectreport(report: pytest.CollectReport) -> None:
    if report.failed:
        _seen.append(
            {"test": report.nodeid, "when": "collect", "outcome": report.outcome, "line": str(report.longrepr)}
        )


def pytest_sessionfinish() -> None:
    files = [getattr(module, "__file__", None) for name, module in list(sys.modules.items()) if _is_ours(name)]
    report = {"seen": _seen, "files": [file for file in files if file is not None]}
    Path(os.environ[REPORT]).write_text(json.dumps(report), encoding="utf-8")


def _is_ours(module: str) -> bool:
    return module.partition(".")[0] in PACKAGES


def _line(report: pytest.TestReport) -> str:
    """Where it failed, and the first line of why."""
    crash = getattr(report.longrepr, "reprcrash", None)
    if crash is None:
        return "" if report.longrepr is None else str(report.longrepr).strip().splitlines()[-1]
    return f"{Path(crash.path).name}:{crash.lineno}: {crash.message.splitlines()[0]}"
