import ast
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCES = ("shared/src", "services/registration/src", "services/reporting/src")
CONTRACTS = {
    "verbund: what stands on what": ("shared/src/verbund/errors.py", "import verbund.desk.desk"),
    "registration: what stands on what": ("services/registration/src/registration/utils.py", "import verbund.errors"),
    "reporting: what stands on what": ("services/reporting/src/reporting/deltas.py", "import reporting.cube"),
    "no office imports another one": ("services/registration/src/registration/app.py", "import reporting.office"),
    "what is shared knows no office": ("shared/src/verbund/cli/main.py", "import registration.office"),
    "rules of offices, deltas and events are pure": (
        "services/registration/src/registration/commands.py",
        "import sqlalchemy",
    ),
}
"""Each contract, with a file and a line in it that break it."""

PURE = (
    "registration/commands.py",
    "registration/domain",
    "reporting/deltas.py",
    "verbund/disclosure",
    "verbund/events",
    "verbund/errors.py",
)
PURE_MAY_IMPORT = {"pydantic", "pydantic_core", "typing_extensions", *sys.stdlib_module_names}
COMMITTING = [
    "verbund/cli/feeds.py",  # maintenance: records that a reader could not take
    "verbund/cli/tray.py",  # maintenance: events from an in-tray that are tried again
    "verbund/database.py",  # maintenance: migrations
    "verbund/desk/desk.py",
    "verbund/desk/in_tray.py",  # the same desk: events that ask nothing of it, or cannot be carried out
    "verbund/feeds/parked.py",  # maintenance: what a person decides about such records
    "verbund/feeds/reader.py",
    "verbund/relay/store.py",  # the relay's position
    "registration/store/reading.py",  # whoever reads personal data is recorded before the answer
    "reporting/alerts/postings.py",  # what is still to be posted to the webhook: a position, as the relay's
    "reporting/editions/drafts.py",  # files that are stored before an edition is booked; nothing is sealed by it
    *(f"reporting/image/{name}.py" for name in ("columns", "loading")),  # in the memory of the process alone
    # maintenance: a second cube, built in many transactions and put in its place in one
    *(f"reporting/rebuild/{name}.py" for name in ("build", "changing", "compacting", "comparing", "folding", "run")),
    "reporting/ticking.py",  # the reader's process: from when on figures are shown
]
COMMITS = (".commit", ".begin", ".transaction")
METRIC_MAKERS = {"Counter", "Gauge", "Histogram", "Summary", "Info", "Enum"}


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The workspace's sources, to be spoilt."""
    for source in SOURCES:
        shutil.copytree(ROOT / source, tmp_path / source, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / ".importlinter", tmp_path)
    return tmp_path


def plant(copy: Path, file: str, line: str) -> None:
    spoilt = copy / file
    before = spoilt.read_text(encoding="utf-8") if spoilt.exists() else ""
    spoilt.write_text(f"{before}\n{line}\n", encoding="utf-8")


def lint_imports(copy: Path) -> tuple[int, str]:
    """Exit code and words of import-linter on the copy."""
    paths = os.pathsep.join(str(copy / source) for source in SOURCES)
    ran = subprocess.run(
        [str(Path(sys.executable).with_name("lint-imports")), "--no-cache", "--no-logo"],
        cwd=copy,
        env={**os.environ, "PYTHONPATH": paths, "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )
    return ran.returncode, ran.stdout + ran.stderr


def test_nobody_imports_what_stands_above_or_beside_it(copy: Path) -> None:
    code, said = lint_imports(copy)
    assert code == 0, said
    for contract in CONTRACTS:
        assert f"{contract} KEPT" in said


def test_a_planted_violation_of_each_contract_is_caught(copy: Path) -> None:
    for file, line in CONTRACTS.values():
        plant(copy, file, line)
    code, said = lint_imports(copy)
    assert code == 1, said
    for contract in CONTRACTS:
        assert f"{contract} BROKEN" in said
    assert "registration.utils" in said  # a module without a place


def test_every_contract_has_its_planted_violation() -> None:
    configured = (ROOT / ".importlinter").read_text(encoding="utf-8")
    names = [line.removeprefix("name = ") for line in configured.splitlines() if line.startswith("name = ")]
    assert names == list(CONTRACTS)


def trees(root: Path) -> Iterator[tuple[str, ast.Module]]:
    """Every module as a path such as `verbund/logs.py` and its syntax tree."""
    for source in SOURCES:
        for file in sorted((root / source).rglob("*.py")):
            yield file.relative_to(root / source).as_posix(), ast.parse(file.read_text(encoding="utf-8"))


def imported(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or "."


def called(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func)


def impure(root: Path) -> list[str]:
    """Imports of pure modules beyond the standard library, pydantic, what is pure itself and the office's own data."""
    found = []
    for file, tree in trees(root):
        if file.startswith(PURE):
            package = file.split("/")[0]
            shared = ("verbund.disclosure", "verbund.events", "verbund.errors")
            own = (f"{package}.domain", f"{package}.commands", f"{package}.places", *shared)
            found += [
                f"{file}: {name}"
                for name in imported(tree)
                if name.split(".")[0] not in PURE_MAY_IMPORT and not name.startswith(own)
            ]
    return found


def logs_configured(root: Path) -> list[str]:
    return [file for file, tree in trees(root) if "structlog.configure" in set(called(tree))]


def metrics_created(root: Path) -> list[str]:
    return [
        file
        for file, tree in trees(root)
        if "prometheus_client" in {name.split(".")[0] for name in imported(tree)}
        and METRIC_MAKERS & {name.split(".")[-1] for name in called(tree)}
    ]


def commits(root: Path) -> list[str]:
    """Files with transactions that commit, by hand or at the end of a block."""
    return [file for file, tree in trees(root) if any(name.endswith(COMMITS) for name in called(tree))]


def imports_of(root: Path, package: str) -> list[str]:
    """Files of the product that import a package."""
    return [file for file, tree in trees(root) if package in {name.split(".")[0] for name in imported(tree)}]


def test_pure_modules_import_nothing_that_acts() -> None:
    assert impure(ROOT) == []


def test_an_impure_import_is_caught(copy: Path) -> None:
    plant(copy, "services/registration/src/registration/domain/rules.py", "    \nfrom verbund.desk.orders import Draft")
    plant(copy, "services/reporting/src/reporting/deltas.py", "import httpx")
    assert impure(copy) == [
        "registration/domain/rules.py: verbund.desk.orders",
        "reporting/deltas.py: httpx",
    ]


def test_logs_are_configured_in_one_module(copy: Path) -> None:
    assert logs_configured(ROOT) == ["verbund/logs.py"]
    plant(copy, "services/reporting/src/reporting/app.py", "import structlog\nstructlog.configure()")
    assert "reporting/app.py" in logs_configured(copy)


def test_metrics_are_created_in_one_module(copy: Path) -> None:
    assert metrics_created(ROOT) == ["verbund/metrics.py"]
    line = "import prometheus_client\nmine = prometheus_client.Counter('mine', '')"
    plant(copy, "shared/src/verbund/desk/desk.py", line)
    assert "verbund/desk/desk.py" in metrics_created(copy)


def test_kafka_python_is_imported_by_the_client_of_the_relay_only(copy: Path) -> None:
    assert imports_of(ROOT, "kafka") == [
        f"verbund/relay/client/{file}.py" for file in ("admin", "connecting", "sender")
    ]
    plant(copy, "shared/src/verbund/relay/relay.py", "from kafka import KafkaProducer")
    assert "verbund/relay/relay.py" in imports_of(copy, "kafka")


def test_commits_stand_at_the_desk_the_reader_and_in_named_maintenance_only(copy: Path) -> None:
    assert commits(ROOT) == COMMITTING
    plant(copy, "services/registration/src/registration/api/__init__.py", "async def f(e): await e.commit()")
    assert "registration/api/__init__.py" in commits(copy)
