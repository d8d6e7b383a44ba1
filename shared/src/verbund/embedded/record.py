"""What a running supervisor leaves in `run/` for others to read: who it is, and its processes."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
from pydantic import BaseModel, ConfigDict, ValidationError

from verbund.embedded.home import Home

_SAME_SECONDS = 0.5  # starts are told in hundredths of a second
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class Started(BaseModel):
    """A process as it was started: the id alone would soon belong to another one."""

    model_config = ConfigDict(frozen=True)

    name: str
    pid: int
    created: float
    """Seconds from the start of the machine to its own: the clock may be set, this does not move."""
    boot: str
    """Which start of the machine that was."""
    port: int
    restarts: int = 0

    def find(self) -> psutil.Process | None:
        """The very process, if it still lives."""
        try:
            process = psutil.Process(self.pid)
            is_same = self.boot == _boot() and abs(_created(process) - self.created) < _SAME_SECONDS
            return process if is_same and process.status() != psutil.STATUS_ZOMBIE else None
        except psutil.NoSuchProcess:
            return None

    @property
    def uptime_seconds(self) -> float:
        return max(0.0, time.clock_gettime(time.CLOCK_BOOTTIME) - self.created)


class Running(BaseModel):
    """A supervisor and what it keeps alive."""

    model_config = ConfigDict(frozen=True)

    supervisor: Started
    municipality: str
    port_offset: int
    postgres_port: int
    link: str
    """The page to start at."""
    processes: tuple[Started, ...] = ()
    kafka: Started | None = None
    """The broker, where there is one."""


class AlreadyRunning(Exception):
    """Another supervisor works on the same data."""

    def __init__(self, home: Home, running: Running | None) -> None:
        who = f"process {running.supervisor.pid}, {running.link}" if running else "it is just starting"
        super().__init__(f"Verbund already runs on {home.folder}: {who}")
        self.running = running


def describe(name: str, pid: int, port: int, restarts: int = 0) -> Started:
    """The record of a process that was just started by this one."""
    created = _created(psutil.Process(pid))
    return Started(name=name, pid=pid, created=created, boot=_boot(), port=port, restarts=restarts)


def _created(process: psutil.Process) -> float:
    return process.create_time() - psutil.boot_time()


def _boot() -> str:
    return _BOOT_ID.read_text(encoding="ascii").strip()


@contextmanager
def lock(home: Home) -> Iterator[None]:
    """Be the only supervisor on this data; the kernel lets go of the lock however the holder ends.

    Raises `AlreadyRunning`.
    """
    home.prepare()
    with (home.run / "lock").open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise AlreadyRunning(home, read(home)) from error
        yield


def find_running(home: Home) -> Running | None:
    """The supervisor that runs on this data, if one does and has come so far as to say so."""
    running = read(home)
    return running if running and running.supervisor.find() else None


def write(home: Home, running: Running) -> None:
    """Replace the record in one step."""
    fresh = _file(home).with_suffix(f".{os.getpid()}")
    fresh.write_text(running.model_dump_json(indent=1), encoding="utf-8")
    fresh.replace(_file(home))


def read(home: Home) -> Running | None:
    """The record that the last supervisor left, alive or not."""
    with suppress(FileNotFoundError, ValidationError):
        return Running.model_validate_json(_file(home).read_text(encoding="utf-8"))
    return None


def remove(home: Home) -> None:
    _file(home).unlink(missing_ok=True)


def _file(home: Home) -> Path:
    return home.run / "supervisor.json"
