"""What a supervisor that was killed left behind is ended before a new one starts."""

from collections.abc import Sequence
from contextlib import suppress

import psutil

from verbund.embedded import record
from verbund.embedded.home import Home
from verbund.embedded.postgres import Cluster

PROGRAM = ("-m", "verbund.service.serving")
"""How a supervised process was called; its name follows."""

_POLITE_SECONDS = 10.0


def end_leftovers(home: Home, cluster: Cluster) -> list[str]:
    """End recorded processes that still live, then PostgreSQL; returns their names. Call it under the lock only."""
    last = record.read(home)
    found = [(started, started.find()) for started in (last.processes if last else ())]
    alive = {started.name: process for started, process in found if process and _is_ours(process, started, home)}
    end(list(alive.values()), _POLITE_SECONDS)
    ended = list(alive)
    if cluster.find_running() is not None:
        cluster.stop()
        ended.append("postgres")
    record.remove(home)
    return ended


def end(processes: Sequence[psutil.Process], seconds: float) -> None:
    """Ask processes to end, and after a deadline make them."""
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.terminate()
    _, stubborn = psutil.wait_procs(processes, timeout=seconds)
    for process in stubborn:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(stubborn, timeout=seconds)


def _is_ours(process: psutil.Process, started: record.Started, home: Home) -> bool:
    """Whether the process does what was recorded, for this very home: nobody else's process is ended."""
    try:
        words = process.cmdline()
        if not _contains(words, (*PROGRAM, started.name)):
            return False
        return process.environ().get("VERBUND_HOME") == str(home.folder)
    except (psutil.AccessDenied, psutil.NoSuchProcess):
        return False


def _contains(words: Sequence[str], wanted: Sequence[str]) -> bool:
    width = len(wanted)
    return any(tuple(words[at : at + width]) == tuple(wanted) for at in range(len(words) - width + 1))
