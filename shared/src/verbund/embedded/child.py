"""One supervised process: started, watched, started again when it dies, ended."""

import asyncio
import os
import signal
import sys
import time
from asyncio.subprocess import Process as Running
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

from verbund.embedded import record, tether
from verbund.embedded.leftovers import PROGRAM

_FIRST_WAIT_SECONDS = 0.5
_LONGEST_WAIT_SECONDS = 30.0
_HEALTHY_SECONDS = 60.0  # who lived this long died of something new
_KEPT_LOG_BYTES = 20_000_000


class Child:
    """Keeps one process of an office alive until it is told to stop."""

    def __init__(
        self, name: str, port: int, environment: Mapping[str, str], log: Path, changed: Callable[[str], None]
    ) -> None:
        self.name = name
        self.port = port
        self.started: record.Started | None = None
        self._environment = dict(environment)
        self._log = log
        self._changed = changed
        self._process: Running | None = None
        self._stopping = asyncio.Event()
        self._restarts = 0

    async def keep(self) -> None:
        """Start the process, and again whenever it ends, each time after a longer wait; returns after `stop`."""
        wait = _FIRST_WAIT_SECONDS
        while not self._stopping.is_set():
            born = time.monotonic()
            self._process = await self._start()
            # The supervisor may have been told to stop while the process was being started.
            if self._stopping.is_set():
                self._signal(signal.SIGTERM)
            code = await self._process.wait()
            self._process = None
            if self._stopping.is_set():
                return
            wait = _FIRST_WAIT_SECONDS if time.monotonic() - born > _HEALTHY_SECONDS else wait
            self._restarts += 1
            self._changed(f"{self.name} ended with {_in_words(code)}; starting it again in {wait:g} s; see {self._log}")
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), wait)
            wait = min(wait * 2, _LONGEST_WAIT_SECONDS)

    def stop(self) -> None:
        """Ask the process to finish what it does and end; it is not started again."""
        self._stopping.set()
        self._signal(signal.SIGTERM)

    def kill(self) -> None:
        """End the process at once."""
        self._stopping.set()
        self._signal(signal.SIGKILL)

    async def _start(self) -> Running:
        self._shorten_log()
        with self._log.open("ab") as log:
            words = [str(os.getpid()), str(int(signal.SIGTERM)), "-1", "-1"]
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-I", "-S", tether.__file__, *words),
                *(sys.executable, *PROGRAM, self.name),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self._environment,
                # Ctrl-C in a terminal goes to the supervisor alone, which ends everything in order.
                start_new_session=True,
            )
        self.started = record.describe(self.name, process.pid, self.port, self._restarts)
        self._changed(f"{self.name} started as process {process.pid} on port {self.port}")
        return process

    def _shorten_log(self) -> None:
        """One older log is kept; a process that dies again and again must not fill the disk."""
        if self._log.exists() and self._log.stat().st_size > _KEPT_LOG_BYTES:
            self._log.replace(self._log.with_name(f"{self._log.name}.1"))

    def _signal(self, how: signal.Signals) -> None:
        if self._process is not None and self._process.returncode is None:
            with suppress(ProcessLookupError):
                self._process.send_signal(how)


def _in_words(code: int) -> str:
    return f"exit code {code}" if code >= 0 else f"signal {signal.Signals(-code).name}"
