"""One broker: a Java process that is broker and controller in one, on loopback ports."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

import psutil

from verbund.embedded import tether
from verbund.embedded.kafka_config import Place, Security, server_properties, write_logging, write_properties
from verbund.embedded.kafka_jars import Distribution
from verbund.embedded.kafka_java import KafkaFailed
from verbund.embedded.kafka_probe import find_brokers
from verbund.embedded.ports import PortTaken, is_free

_START_SECONDS = 90.0  # two seconds where nothing else runs; after a crash it reads its logs first
_STOP_SECONDS = 15.0
_FORMAT_SECONDS = 120.0
_POLL_SECONDS = 0.05

_HEAP = "-Xmx512m"
_JVM = ("-Djava.net.preferIPv4Stack=true", "-Djava.awt.headless=true", "-XX:+ExitOnOutOfMemoryError")
_BRIEF_JVM = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")


class Broker:
    """One broker of a cluster. Its data is in `folder`, its two logs in `logs`: what Kafka and what Java has to say.

    Start it from a thread that lives as long as the broker should: on Linux it stops when the thread that started it
    ends.
    """

    def __init__(
        self,
        folder: Path,
        logs: Path,
        place: Place,
        places: Sequence[Place],
        distribution: Distribution,
        security: Security,
    ) -> None:
        self.place = place
        self.log = logs / f"kafka-{place.id}.log"
        self._folder = folder
        self._java_log = self.log.with_suffix(".out")
        self._places = places
        self._distribution = distribution
        self._security = security
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """Process id of the running broker, None where it does not run."""
        return self._child.pid if self._child is not None and self.is_running else None

    @property
    def is_running(self) -> bool:
        return self._child is not None and self._child.poll() is None

    def format(self, cluster_id: str) -> None:
        """Make the data folder where there is none: all of it or nothing."""
        if self._data.exists():
            return
        fresh = self._data.with_name("data.fresh")
        shutil.rmtree(fresh, ignore_errors=True)
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = self._folder / "format.properties"
        write_properties(file, server_properties(self.place, self._places, fresh, self._security.properties))
        done = subprocess.run(  # noqa: S603 - Kafka's own program
            [
                *self._program(_BRIEF_JVM, "kafka.tools.StorageTool"),
                *("format", f"--cluster-id={cluster_id}", f"--config={file}", *self._security.format_words),
            ],
            capture_output=True,
            text=True,
            timeout=_FORMAT_SECONDS,
            env=_environment(),
        )
        file.unlink()
        if done.returncode != 0:
            raise KafkaFailed(f"Kafka could not make {self._data}: {(done.stderr or done.stdout).strip()}")
        fresh.rename(self._data)

    def start(self) -> None:
        """Start it and wait until it serves; raises `PortTaken` and `KafkaFailed`."""
        self.launch()
        self.await_ready({self.place.id})

    def launch(self) -> None:
        """Start the process, in place of one that was left over; does not wait. Raises `PortTaken`."""
        self.end_leftover()
        for port in (self.place.port, self.place.controller_port, self.place.internal_port):
            if not is_free(port):
                raise PortTaken(port, "Kafka", "End it, or choose another one: VERBUND_KAFKA_PORT.")
        properties = server_properties(self.place, self._places, self._data, self._security.properties)
        write_properties(self._properties, properties)
        program = self._program((_HEAP, *_JVM), "kafka.Kafka")
        with self._java_log.open("wb") as log:
            self._child = subprocess.Popen(  # noqa: S603 - the Java that was found, and the pinned jars
                [
                    *(sys.executable, "-I", "-S", tether.__file__),
                    *(str(os.getpid()), str(int(signal.SIGTERM)), "-1", "-1"),
                    *program,
                    str(self._properties),
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                env=_environment(),
                # Ctrl-C in a terminal must not end the broker before those who write to it.
                start_new_session=True,
            )

    def await_ready(self, brokers: Iterable[int]) -> None:
        """Wait until it serves, and sees these brokers serve too; raises `KafkaFailed`, with an end to its process."""
        awaited = frozenset(brokers)
        deadline = time.monotonic() + _START_SECONDS
        while not awaited <= find_brokers(self.place.internal_port, self._security.tls):
            if not self.is_running:
                raise KafkaFailed(f"Kafka did not start; see {self.log} and {self._java_log}")
            if time.monotonic() > deadline:
                self.kill()
                raise KafkaFailed(f"Kafka was not ready within {_START_SECONDS:.0f} s; see {self.log}")
            time.sleep(_POLL_SECONDS)

    def ask_to_stop(self) -> None:
        """Have it hand over what it leads, write everything, and end; does not wait."""
        if self._child is not None:
            self._child.send_signal(signal.SIGTERM)
            # Frozen, it would not hear of it.
            self._child.send_signal(signal.SIGCONT)

    def await_end(self, deadline: float) -> None:
        """Wait for the end of the process; kill it when the monotonic clock shows `deadline`."""
        if self._child is not None:
            try:
                self._child.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                self.kill()
        self._child = None

    def stop(self) -> None:
        """A clean stop; after a deadline it is killed."""
        self.ask_to_stop()
        self.await_end(time.monotonic() + _STOP_SECONDS)

    def kill(self) -> None:
        """End it as a crash would; what it had acknowledged is there at the next start."""
        if self._child is not None:
            self._child.kill()
            self._child.wait()
        self._child = None

    def end_leftover(self) -> None:
        """End a broker that somebody else started on this data, which the caller knows to be nobody's any more."""
        own = self._child.pid if self._child is not None else None
        found = psutil.process_iter(["cmdline"])
        words = str(self._properties)
        left = [each for each in found if each.pid != own and (each.info["cmdline"] or [""])[-1] == words]
        for process in left:
            with suppress(psutil.Error):
                process.terminate()
                process.resume()
        _, stubborn = psutil.wait_procs(left, _STOP_SECONDS)
        for process in stubborn:
            with suppress(psutil.Error):
                process.kill()
        psutil.wait_procs(stubborn, _STOP_SECONDS)

    @property
    def _data(self) -> Path:
        return self._folder / "data"

    @property
    def _properties(self) -> Path:
        return self._folder / "server.properties"

    def _program(self, options: Sequence[str], main: str) -> list[str]:
        """The words that start one of Kafka's programs, for which everything is laid ready."""
        logging = self._folder / "log4j2.properties"
        self.log.parent.mkdir(parents=True, exist_ok=True)
        write_logging(logging, self.log)
        # Java puts native libraries there, and a killed one leaves them behind.
        scratch = self._folder / "tmp"
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir()
        words = [
            f"-Dlog4j2.configurationFile={logging.as_uri()}",
            f"-Djava.io.tmpdir={scratch}",
            f"-XX:ErrorFile={self._java_log}.crash",
        ]
        return [str(self._distribution.java), *options, *words, "-cp", self._distribution.classpath, main]


def _environment() -> dict[str, str]:
    """Nothing of the user's but where programs are; names of files are UTF-8, whatever the terminal speaks."""
    return {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C.UTF-8"}
