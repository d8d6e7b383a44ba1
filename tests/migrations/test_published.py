"""Migrations that databases out there have seen: they stand as they were published, and new ones are written down."""

import hashlib
from collections.abc import Mapping
from importlib.resources import as_file, files
from pathlib import Path

from stage.releases import FOLDER

from verbund.events.offices import find_offices

ROOT = FOLDER.parent.parent


def published() -> dict[str, str]:
    lines = (FOLDER / "published.sha256").read_text(encoding="utf-8").splitlines()
    return {file: digest for digest, file in (line.split("  ") for line in lines)}


def present(root: Path) -> dict[str, str]:
    """The migrations of all offices, with what is in them."""
    found = {}
    for package in {package for office in find_offices() for package, _ in office.migrations}:
        with as_file(files(package)) as folder:
            place = root / folder.relative_to(ROOT) / "versions"
        for file in place.glob("*.py"):
            found[str(file.relative_to(root))] = hashlib.sha256(file.read_bytes()).hexdigest()
    return found


def differences(was: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    return [
        *(f"{file} is gone or was renamed" for file in sorted(was.keys() - now.keys())),
        *(f"{file} was changed" for file in sorted(was.keys() & now.keys()) if was[file] != now[file]),
        *(f"{file} is new: add it to published.sha256" for file in sorted(now.keys() - was.keys())),
    ]


def test_every_migration_stands_as_it_was_published() -> None:
    assert differences(published(), present(ROOT)) == []


def test_a_changed_a_renamed_and_an_unpublished_migration_are_noticed(tmp_path: Path) -> None:
    for file in published():
        copy = tmp_path / file
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes((ROOT / file).read_bytes())
    assert differences(published(), present(tmp_path)) == []
    ledger, cube = (next(file for file in published() if file.endswith(end)) for end in ("_ledger.py", "_cube.py"))
    (tmp_path / ledger).write_bytes((tmp_path / ledger).read_bytes() + b"\n")
    renamed = cube.replace("0001_cube", "0001_cubes")
    (tmp_path / cube).rename(tmp_path / renamed)
    assert differences(published(), present(tmp_path)) == [
        f"{cube} is gone or was renamed",
        f"{ledger} was changed",
        f"{renamed} is new: add it to published.sha256",
    ]
