"""Drawing in a process of its own that ends when nobody looks: the drawing engine alone takes 200 MB of memory.

One request a line on its standard input, one answer a line on its standard output, JSON. It ends when its input ends,
so that it never outlives the service.
"""

import atexit
import json
import select
import signal
import subprocess
import sys
from base64 import b64encode
from collections.abc import Sequence
from contextlib import suppress
from threading import Lock
from typing import Any, Literal

Call = Literal["vegalite_to_svg", "svg_to_png", "get_format_locale", "javascript_bundle"]
"""What can be asked for: functions of `vl_convert`. Bytes are answered as base64."""
_IDLE_SECONDS = 60.0
_TRIES = 2  # the process may end itself in the very moment in which it is asked


class DrawingFailed(Exception):
    """The engine could not draw this, and says why."""


class DrawingProcess:
    """Starts the process when something is to be drawn. Threads may ask at once; they are served one by one."""

    def __init__(self, idle_seconds: float = _IDLE_SECONDS) -> None:
        self._program = [sys.executable, "-m", __spec__.name, str(idle_seconds)]
        self._lock = Lock()
        self._process: subprocess.Popen[bytes] | None = None
        atexit.register(self.close)  # where no service ends it, as in a command or a test

    @property
    def pid(self) -> int | None:
        """The number of the process that runs; None while there is none."""
        process = self._process
        return None if process is None or process.poll() is not None else process.pid

    def ask(self, call: Call, *values: Any, **named: Any) -> Any:
        """What `vl_convert` answers; raises `DrawingFailed` where it fails, or where no process stays alive."""
        request = json.dumps([call, values, named], ensure_ascii=False).encode() + b"\n"
        with self._lock:
            for _ in range(_TRIES):
                line = self._talk(request)
                if line.endswith(b"\n"):
                    answer, error = json.loads(line)
                    if error is not None:
                        raise DrawingFailed(error)
                    return answer
                self._end()
        raise DrawingFailed("the drawing process ended twice")

    def close(self) -> None:
        """End the process, if there is one."""
        with self._lock:
            self._end()

    def _talk(self, request: bytes) -> bytes:
        """One line of answer; less than a line where the process has ended."""
        if self._process is None:
            self._process = subprocess.Popen(  # noqa: S603 - this very module
                self._program, stdin=subprocess.PIPE, stdout=subprocess.PIPE
            )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.write(request)
            self._process.stdin.flush()
        except OSError:
            return b""
        return self._process.stdout.readline()

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        for pipe in (process.stdin, process.stdout):
            assert pipe is not None
            with suppress(OSError):  # what was not written before the process ended
                pipe.close()
        process.kill()  # it holds nothing that could be lost
        process.wait()


def _draw(idle_seconds: float) -> None:
    """The process itself: answers until it is not asked for some time, or never again."""
    import vl_convert  # only here

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the service, which ends this one
    while select.select([sys.stdin], [], [], idle_seconds)[0]:
        line = sys.stdin.buffer.readline()
        if not line:
            return
        call, values, named = json.loads(line)
        answer: Sequence[Any]
        try:
            drawn = getattr(vl_convert, call)(*values, **named)
            answer = [b64encode(drawn).decode() if isinstance(drawn, bytes) else drawn, None]
        except Exception as error:  # noqa: BLE001 - whatever the engine says is said to whoever asked
            answer = [None, f"{type(error).__name__}: {error}"]
        sys.stdout.buffer.write(json.dumps(answer, ensure_ascii=False).encode() + b"\n")
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    _draw(float(sys.argv[1]))
