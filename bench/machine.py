"""What a municipality takes of a machine: seconds until each service is ready, memory and processor time while idle.

Memory is PSS: what is shared with other processes (the code of libraries) counts by shares, so that the figures can be
added up. Ratios are shares of the goals: ready within 3 s, at most 120 MB and 2 % of one core each.
"""

import argparse
import os
import re
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp

import httpx
import psutil
from stand import report

from verbund.embedded import record
from verbund.embedded.home import EmbeddedSettings
from verbund.embedded.ports import is_free
from verbund.events.offices import find_offices

_READY_SECONDS, _MEMORY_MB, _CPU_PERCENT = 3.0, 120.0, 2.0
_DEADLINE_SECONDS = 120
_POLL_SECONDS = 0.05  # looking takes processor time from those who start


def main(settle_seconds: float, watch_seconds: float) -> None:
    home = Path(mkdtemp(prefix="verbund-bench-"))
    offset = next(n for n in range(2_000, 22_000, 20) if all(is_free(port + n) for port in (8100, 8101, 8109, 8110)))
    settings = EmbeddedSettings(home=home, port_offset=offset)
    environment = {**os.environ, "VERBUND_HOME": str(home), "VERBUND_PORT_OFFSET": str(offset)}
    up = subprocess.Popen([sys.executable, "-m", "verbund.cli.main", "up"], env=environment, stdout=subprocess.DEVNULL)
    try:
        ready = _seconds_until_ready(settings)
        time.sleep(settle_seconds)
        memory, cpu = _idle(settings, psutil.Process(up.pid), watch_seconds)
    finally:
        up.send_signal(signal.SIGINT)
        up.wait(60)
        rmtree(home, ignore_errors=True)
    names = list(ready)
    report(
        "machine",
        {
            "ready": max(ready.values()) / _READY_SECONDS,
            "memory": max(memory[name] for name in names) / _MEMORY_MB,
            "cpu": max(cpu[name] for name in names) / _CPU_PERCENT,
        },
        {
            **{f"{name}_ready_seconds": seconds for name, seconds in ready.items()},
            **{f"{name}_mb": megabytes for name, megabytes in memory.items()},
            **{f"{name}_cpu_percent": percent for name, percent in cpu.items()},
        },
    )


def _seconds_until_ready(settings: EmbeddedSettings) -> dict[str, float]:
    """From the start of each process until its door says so; all of them start at the same time."""
    waiting = {process.name: process.port for office in find_offices() for process in office.processes_with("ledger")}
    ready: dict[str, float] = {}
    deadline = time.monotonic() + _DEADLINE_SECONDS
    with httpx.Client(trust_env=False, timeout=1.0) as client:
        while waiting:
            for name, port in list(waiting.items()):
                with suppress(httpx.HTTPError):
                    url = f"http://127.0.0.1:{port + settings.port_offset}/readyz"
                    if client.get(url).status_code == httpx.codes.OK:
                        ready[name] = time.time() - _processes(settings)[name].create_time()
                        del waiting[name]
            if time.monotonic() > deadline:
                raise TimeoutError(f"not ready: {', '.join(waiting)}")
            time.sleep(_POLL_SECONDS)
    return ready


def _idle(
    settings: EmbeddedSettings, supervisor: psutil.Process, seconds: float
) -> tuple[dict[str, float], dict[str, float]]:
    """Megabytes (PSS), and percent of one core over some time, of every process; those of PostgreSQL together."""
    postgres = [process for process in supervisor.children(recursive=True) if process.name() == "postgres"]
    watched = {**_processes(settings), "supervisor": supervisor}
    before = {name: _cpu_seconds([process]) for name, process in watched.items()}
    before["postgres"] = _cpu_seconds(postgres)
    time.sleep(seconds)
    after = {name: _cpu_seconds([process]) for name, process in watched.items()}
    after["postgres"] = _cpu_seconds(postgres)
    memory = {name: _pss(process) / 1e6 for name, process in watched.items()}
    memory["postgres"] = sum(_pss(process) for process in postgres) / 1e6
    return memory, {name: 100 * (after[name] - before[name]) / seconds for name in after}


def _processes(settings: EmbeddedSettings) -> dict[str, psutil.Process]:
    running = record.find_running(settings.layout)
    return {one.name: psutil.Process(one.pid) for one in running.processes} if running else {}


def _cpu_seconds(processes: list[psutil.Process]) -> float:
    total = 0.0
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            times = process.cpu_times()
            total += times.user + times.system
    return total


def _pss(process: psutil.Process) -> int:
    with suppress(OSError):
        found = re.search(r"^Pss:\s+(\d+) kB", Path(f"/proc/{process.pid}/smaps_rollup").read_text(), re.MULTILINE)
        return int(found[1]) * 1024 if found else 0
    return 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--settle-seconds", type=float, default=70, help="reporting's drawing process ends within it")
    parser.add_argument("--watch-seconds", type=float, default=30)
    chosen = parser.parse_args()
    main(chosen.settle_seconds, chosen.watch_seconds)
