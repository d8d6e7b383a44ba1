"""`verbund up` on machines as they are: odd paths, folders that are full, closed or none, a user who is not root."""

import os
import pwd
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp

import psutil
import pytest
from stage.municipality import Municipality, find_offset, until

NEEDS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="mounting a file system needs root")


@pytest.fixture
def folder() -> Iterator[Path]:
    # Not below pytest's own folder: that one is closed to the user that PostgreSQL runs as when root tests.
    made = Path(mkdtemp(prefix="verbund-machine-"))
    yield made
    shutil.rmtree(made)


@contextmanager
def mounted(folder: Path, options: str) -> Iterator[Path]:
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "none", str(folder)], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def up(home: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "VERBUND_HOME": str(home), "VERBUND_PORT_OFFSET": "23000"}
    program = [sys.executable, "-m", "verbund.cli.main", "up"]
    return subprocess.run(program, env=environment, capture_output=True, text=True, timeout=60, check=False)


def assert_said(ended: subprocess.CompletedProcess[str], *words: str) -> None:
    assert ended.returncode == 1
    assert "Traceback" not in ended.stderr
    for word in words:
        assert word in ended.stderr


@NEEDS_ROOT
def test_a_folder_that_is_read_only_is_named_with_what_to_do(folder: Path) -> None:
    with mounted(folder / "closed", "ro") as closed:
        assert_said(up(closed / "home"), str(closed), "cannot be written to", "VERBUND_HOME")


@NEEDS_ROOT
def test_a_disk_without_room_for_the_database_is_named(folder: Path) -> None:
    with mounted(folder / "small", "size=4m") as small:
        assert_said(up(small / "home"), str(small / "home" / "postgres"), "No space left on device")
        assert not (small / "home" / "postgres").exists()  # half a database would pass for a whole one


@NEEDS_ROOT
def test_a_disk_without_any_room_is_named_with_what_to_do(folder: Path) -> None:
    with mounted(folder / "full", "size=64k") as full:
        (full / "filler").write_bytes(bytes(56 << 10))
        assert_said(up(full / "home"), "no room", "VERBUND_HOME")


def test_a_file_where_the_folder_should_be_is_named_with_what_to_do(folder: Path) -> None:
    (folder / "file").write_text("")
    assert_said(up(folder / "file" / "home"), str(folder / "file"), "is no folder", "VERBUND_HOME")
    assert_said(up(folder / "file"), str(folder / "file"), "is no folder", "VERBUND_HOME")


def test_blanks_umlauts_and_signs_in_a_path_are_parts_of_it(folder: Path) -> None:
    municipality = Municipality(folder / "ein Ordner für Übung's $HOME %s; [b]ö", ("up",), {})
    municipality.settings.home.mkdir()
    municipality.start()
    municipality.stop()
    log = (municipality.settings.layout.logs / "postgres.log").read_text(encoding="utf-8")
    assert log.rstrip().endswith("database system is shut down")


@pytest.mark.skipif(os.geteuid() != 0, reason="becoming another user needs root; whoever runs this is none")
def test_who_is_not_root_runs_everything_as_themselves(folder: Path) -> None:
    nobody = pwd.getpwnam("nobody")
    home, said = folder / "home", folder / "said"
    home.mkdir()
    os.chown(home, nobody.pw_uid, nobody.pw_gid)
    folder.chmod(0o755)
    # The right to read is left to them: where this runs, Python itself may lie in a folder of root's.
    become = ["setpriv", f"--reuid={nobody.pw_uid}", f"--regid={nobody.pw_gid}", "--clear-groups"]
    rights = ["--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"]
    environment = {**os.environ, "VERBUND_HOME": str(home), "VERBUND_PORT_OFFSET": str(find_offset())}
    program = [*become, *rights, sys.executable, "-m", "verbund.cli.main", "up"]
    with said.open("wb") as written:
        running = subprocess.Popen(program, env=environment, stdout=written, stderr=written)
    try:
        until(lambda: "ready:" in said.read_text() or running.poll() is not None, "it is ready or has ended")
        assert running.poll() is None, said.read_text()
        users = {process.username() for process in psutil.Process(running.pid).children(recursive=True)}
        assert users == {"nobody"}
    finally:
        running.send_signal(signal.SIGINT)
        assert running.wait(60) == 0, said.read_text()
