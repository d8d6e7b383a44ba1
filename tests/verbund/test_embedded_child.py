import asyncio
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from verbund.embedded import tether
from verbund.embedded.child import Child
from verbund.embedded.environment import environment_of, sources_of
from verbund.embedded.home import EmbeddedSettings
from verbund.embedded.ports import LOOPBACK, find_free_port, holder_of, is_free
from verbund.embedded.postgres import Cluster
from verbund.embedded.secret_files import ensure_secret
from verbund.events.offices import Office, Process

NORTH = Office("north", (Process("north", 9001, "n:create", "desk"),), (), readers=("south", "east"))
SOUTH = Office(
    "south", (Process("south", 9002, "s:c", "web"), Process("south-reader", 9003, "s:r", "reader")), (), reads=("*",)
)
EAST = Office("east", (Process("east", 9004, "e:create", "desk"),), (), reads=("south",))
OFFICES = (NORTH, SOUTH, EAST)


def poll(condition: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def test_a_process_is_told_its_database_its_port_and_the_issuer(tmp_path: Path) -> None:
    settings = EmbeddedSettings(home=tmp_path, port_offset=100)
    told = environment_of(NORTH.door, NORTH, OFFICES, settings, Cluster(tmp_path, 8209))
    assert told["VERBUND_PORT"] == "9101"
    assert told["VERBUND_DATABASE__USER"] == "north_desk"
    assert told["VERBUND_DATABASE__PORT"] == "8209"
    assert told["VERBUND_DATABASE__PASSWORD_FILE"] == str(tmp_path / "secrets" / "north_desk.password")
    assert told["VERBUND_TOKENS__ISSUER"] == "urn:verbund:embedded"
    assert Path(told["VERBUND_HASH_KEY_FILE"]).stat().st_mode & 0o777 == 0o600
    assert "VERBUND_SOURCES" not in told


def test_a_reader_is_told_the_ledgers_it_may_see_under_a_role_for_them_alone(tmp_path: Path) -> None:
    settings = EmbeddedSettings(home=tmp_path)
    door, reader = (environment_of(one, SOUTH, OFFICES, settings, Cluster(tmp_path, 8109)) for one in SOUTH.processes)
    assert "VERBUND_SOURCES" not in door
    (source,) = json.loads(reader["VERBUND_SOURCES"])
    assert source["office"] == "north"
    assert source["database"]["user"] == "north_feed_south"
    assert source["database"]["name"] == "north"


def test_only_ledgers_kept_for_a_reader_are_its_sources() -> None:
    assert sources_of(SOUTH, OFFICES) == [NORTH]
    assert sources_of(EAST, OFFICES) == []  # it would read the south, which keeps nothing for it
    assert sources_of(NORTH, OFFICES) == []


async def test_a_process_that_ends_is_started_again_after_a_longer_wait_each_time(tmp_path: Path) -> None:
    said: list[str] = []
    child = Child("no-such-process", find_free_port(), dict(os.environ), tmp_path / "child.log", said.append)
    keeping = asyncio.create_task(child.keep())
    async with asyncio.timeout(60):
        while sum("starting it again" in sentence for sentence in said) < 2:  # noqa: ASYNC110 - nothing to wait on
            await asyncio.sleep(0.02)
    child.stop()
    await keeping
    ends = [sentence for sentence in said if "starting it again" in sentence]
    assert "exit code 1; starting it again in 0.5 s" in ends[0]
    assert "starting it again in 1 s" in ends[1]
    assert "There is no process 'no-such-process'" in (tmp_path / "child.log").read_text(encoding="utf-8")


def test_a_tethered_program_ends_with_whoever_started_it(tmp_path: Path) -> None:
    if sys.platform != "linux":
        return  # other kernels cannot do this; the next start ends what was left
    inner = [sys.executable, "-c", "import time; time.sleep(600)"]
    outer = (
        "import os, subprocess, sys, time\n"
        f"started = subprocess.Popen([sys.executable, '-I', '-S', {tether.__file__!r}, str(os.getpid()), '15', '-1',"
        f" '-1', *{inner!r}])\n"
        "print(started.pid, flush=True); time.sleep(600)"
    )
    starter = subprocess.Popen([sys.executable, "-c", outer], stdout=subprocess.PIPE, text=True)
    with starter:
        assert starter.stdout is not None
        try:
            pid = int(starter.stdout.readline())
            poll(lambda: psutil.Process(pid).cmdline() == inner)
        finally:
            starter.kill()
    poll(lambda: not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)


def test_a_tethered_program_does_not_start_for_somebody_who_is_gone() -> None:
    if sys.platform != "linux":
        return
    words = [sys.executable, "-I", "-S", tether.__file__, "1", "15", "-1", "-1", sys.executable, "-c", "print('ran')"]
    ran = subprocess.run(words, capture_output=True, text=True, check=False)
    assert ran.returncode == 1
    assert ran.stdout == ""


def test_a_port_is_taken_while_somebody_listens_there() -> None:
    port = find_free_port()
    assert is_free(port)
    with socket.create_server((LOOPBACK, port)):
        assert not is_free(port)
        assert f"process {os.getpid()}" in holder_of(port)
    assert is_free(port)


def test_a_secret_is_made_once(tmp_path: Path) -> None:
    file = tmp_path / "secrets" / "one"
    first = ensure_secret(file)
    assert ensure_secret(file) == first
    assert len(first) >= 43
    assert ensure_secret(tmp_path / "secrets" / "two") != first
    assert sorted(path.name for path in file.parent.iterdir()) == ["one", "two"]


def test_an_empty_secret_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    with pytest.raises(ValueError, match="empty"):
        ensure_secret(tmp_path / "empty")
