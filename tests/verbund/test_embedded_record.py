import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from verbund.embedded import record
from verbund.embedded.home import EmbeddedSettings, Home
from verbund.embedded.leftovers import PROGRAM, end_leftovers
from verbund.embedded.ports import find_free_port
from verbund.embedded.postgres import Cluster
from verbund.embedded.record import AlreadyRunning, Running, Started, describe

# Looks like a supervised process to whoever reads its words, and does nothing.
SLEEPER = "import time; print(flush=True); time.sleep(600)"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    made = Home(tmp_path / "home")
    made.prepare()
    return made


@contextmanager
def sleeper(words: tuple[str, ...], verbund_home: Path) -> Iterator[psutil.Process]:
    environment = {**os.environ, "VERBUND_HOME": str(verbund_home)}
    started = subprocess.Popen([sys.executable, "-c", SLEEPER, *words], env=environment, stdout=subprocess.PIPE)
    with started:
        assert started.stdout is not None
        started.stdout.readline()
        try:
            yield psutil.Process(started.pid)
        finally:
            started.kill()


def running(*processes: Started) -> Running:
    return Running(
        supervisor=describe("supervisor", os.getpid(), 8100),
        municipality="05913000",
        port_offset=0,
        postgres_port=8109,
        link="http://127.0.0.1:8100",
        processes=processes,
    )


def test_a_home_has_one_supervisor(home: Home) -> None:
    with record.lock(home):
        record.write(home, running())
        with pytest.raises(AlreadyRunning) as caught, record.lock(home):
            raise AssertionError("locked twice")
    for words in (f"process {os.getpid()}", "http://127.0.0.1:8100", str(home.folder)):
        assert words in str(caught.value)
    with record.lock(home):
        """Free again."""


def test_a_record_is_believed_only_while_its_supervisor_lives(home: Home) -> None:
    assert record.find_running(home) is None
    said = running()
    record.write(home, said)
    assert record.find_running(home) == said
    # The same process number, started at another time: somebody else.
    gone = said.supervisor.model_copy(update={"created": said.supervisor.created - 3600})
    record.write(home, said.model_copy(update={"supervisor": gone}))
    assert record.find_running(home) is None


def test_a_supervisor_is_known_again_when_the_clock_was_set(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    record.write(home, running())
    started = psutil.boot_time()
    # The kernel tells the start of the machine as what the clock says less how long ago that was.
    monkeypatch.setattr("psutil._pslinux.boot_time", lambda: started - 3600)
    assert psutil.boot_time() == started - 3600
    found = record.find_running(home)
    assert found is not None
    assert found.supervisor.uptime_seconds < 3600


def test_a_number_of_before_the_machine_was_started_anew_is_nobodys(home: Home) -> None:
    said = running()
    before = said.supervisor.model_copy(update={"boot": "another"})
    record.write(home, said.model_copy(update={"supervisor": before}))
    assert record.find_running(home) is None


def test_half_a_record_is_no_record(home: Home) -> None:
    (home.run / "supervisor.json").write_text('{"supervisor": {"name"')
    assert record.read(home) is None


def test_what_a_killed_supervisor_left_is_ended(home: Home) -> None:
    with sleeper((*PROGRAM, "registration"), home.folder) as process:
        record.write(home, running(describe("registration", process.pid, 8101)))
        assert end_leftovers(home, Cluster(home.folder, find_free_port())) == ["registration"]
        assert not process.is_running()
    assert record.read(home) is None


@pytest.mark.parametrize(
    ("words", "same_home", "age_seconds"),
    [
        ((*PROGRAM, "registration"), False, 0),  # another municipality on this machine
        ((*PROGRAM, "reporting"), True, 0),  # another process of this one
        (("-m", "something.else"), True, 0),
        ((*PROGRAM, "registration"), True, 3600),  # the number was given to a younger process since
    ],
)
def test_a_process_that_only_has_the_number_is_left_alone(
    home: Home, tmp_path: Path, *, words: tuple[str, ...], same_home: bool, age_seconds: int
) -> None:
    with sleeper(words, home.folder if same_home else tmp_path) as process:
        recorded = describe("registration", process.pid, 8101)
        record.write(home, running(recorded.model_copy(update={"created": recorded.created - age_seconds})))
        assert end_leftovers(home, Cluster(home.folder, find_free_port())) == []
        assert process.status() != psutil.STATUS_ZOMBIE


def test_a_home_is_closed_to_other_users(home: Home) -> None:
    for folder in (home.folder, home.secrets, home.tickets, home.run, home.logs):
        assert folder.stat().st_mode & 0o777 == 0o700


def test_the_home_is_where_the_environment_says(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("VERBUND_HOME", str(tmp_path))
    monkeypatch.setenv("VERBUND_PORT_OFFSET", "1000")
    settings = EmbeddedSettings()
    assert settings.layout.folder == tmp_path
    assert settings.port_offset == 1000
    monkeypatch.delenv("VERBUND_HOME")
    assert EmbeddedSettings().layout.folder.name == "verbund"
