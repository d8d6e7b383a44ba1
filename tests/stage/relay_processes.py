"""The registration office's relay as a process of its own, to be killed, paused and asked how it is."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
from stage.relaying import Stage
from stage.service_kit import ISSUER, ServiceKit

from verbund.embedded.ports import find_free_port

_WAIT_SECONDS = 30.0


class RelayProcess:
    """Begun by `start`, ended by `kill` or `stop`; may be started again."""

    def __init__(self, stage: Stage, folder: Path) -> None:
        self._kit = ServiceKit(folder)
        self._log = folder / "relay.log"
        self.port = find_free_port()
        database = stage.database.settings("relay")
        told = {
            "PORT": self.port,
            "TOKENS__ISSUER": ISSUER,
            "TOKENS__JWKS_FILE": self._kit.jwks_file,
            "HASH_KEY_FILE": folder / "hash-key",
            "KAFKA__BROKERS": json.dumps(stage.kafka.brokers),
            **{f"DATABASE__{name.upper()}": value for name, value in database.model_dump().items()},
        }
        self._environment = {**os.environ, **{f"VERBUND_{name}": str(value) for name, value in told.items()}}
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        with self._log.open("ab") as log:
            words = [sys.executable, "-m", "verbund.service.serving", "registration-relay"]
            self._process = subprocess.Popen(words, env=self._environment, stdout=log, stderr=log)

    def send_signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        assert self._process.poll() is None, self._log.read_text(encoding="utf-8")[-3000:]
        self._process.send_signal(number)

    def kill(self) -> None:
        """With SIGKILL, which nothing can prepare for."""
        self.send_signal(signal.SIGKILL)
        assert self._process is not None
        self._process.wait(_WAIT_SECONDS)

    def stop(self) -> None:
        """As the supervisor does; fails where it had to be killed, or fell."""
        self.send_signal(signal.SIGTERM)
        assert self._process is not None
        assert self._process.wait(_WAIT_SECONDS) in (0, -signal.SIGTERM)

    def is_ready(self) -> bool:
        try:
            return self._get("/readyz").status_code == httpx.codes.OK
        except httpx.HTTPError:
            return False

    def metric(self, name: str) -> float:
        """A metric without labels."""
        lines = self._get("/metrics").text.splitlines()
        return next(float(line.split()[1]) for line in lines if line.startswith(f"{name} "))

    def _get(self, path: str) -> httpx.Response:
        return httpx.get(f"http://127.0.0.1:{self.port}{path}", trust_env=False, timeout=5)

    def end(self) -> None:
        """However it is: nothing stays behind."""
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait(_WAIT_SECONDS)


@contextmanager
def relay_process(stage: Stage, folder: Path) -> Iterator[RelayProcess]:
    """One that was started."""
    folder.mkdir()
    process = RelayProcess(stage, folder)
    try:
        process.start()
        yield process
    finally:
        process.end()
