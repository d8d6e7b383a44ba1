"""`docker-compose.yml` without Docker: the same commands, environments, configurations and order, on this machine.

What differs is what Docker would do: hosts become loopback, ports free ones, and each container's paths a folder of
its own, which holds the secrets that the service is given and no other.
"""

import os
import random
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp

import httpx
from stage.compose_file import CHECKOUT, TOLD, Service, read_compose
from stage.municipality import until

from verbund.embedded.kafka_jars import Distribution
from verbund.embedded.ports import is_free
from verbund.embedded.postgres import Cluster

_JOB_SECONDS = 120.0
_LAST_LINES = 40
_PROGRAM = [sys.executable, "-m", "verbund.cli.main"]
"""What the image's entry point is."""


class Production:
    """A municipality as the compose file describes it."""

    def __init__(self, folder: Path, kafka: Distribution) -> None:
        self.home = folder / "home"
        self.home.mkdir(mode=0o700)
        self.root = folder / "root"
        """Where the processes find themselves; in a container nothing can be written there."""
        self.root.mkdir()
        self._folder = folder
        self._kafka = kafka
        self.compose = read_compose({**TOLD, "VERBUND_HOME": str(self.home)})
        # By the number that stands in the file, which no two services share.
        self._ports: dict[int, int] = {}
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._postgres: Cluster | None = None

    def start(self) -> None:
        """What `docker compose run --rm tools secrets` and `docker compose up --wait` do."""
        self.tools("secrets")
        for service in self.compose.in_order():
            if service.name == "postgres":
                self._start_postgres(service)
            elif service.name == "kafka":
                self._start_kafka(service)
            elif service.is_ours and service.is_job and service.command:
                self._run_job(service)
            elif service.is_ours and not service.is_job:
                # Nobody waits for a process: they begin together, as they do there.
                self._launch(service.name, self._command(service), self._environment(service))
        for process in self.compose.processes:
            self._await_healthy(process.name)

    def stop(self) -> None:
        """Everything, the last one first; what does not end in time is killed."""
        for process in reversed(self._running.values()):
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._running.clear()
        if self._postgres is not None:
            self._postgres.stop()

    def tools(self, *words: str) -> str:
        """What `docker compose run --rm tools ...` prints; fails where the command does."""
        service = self.compose.services["tools"]
        done = subprocess.run(
            [*_PROGRAM, *words],
            env=self._environment(service),
            capture_output=True,
            text=True,
            timeout=_JOB_SECONDS,
            check=False,
        )
        assert done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
        return done.stdout.strip()

    def url(self, name: str) -> str:
        port = self.compose.services[name].environment["VERBUND_PORT"]
        return f"http://127.0.0.1:{self._port(int(port))}"

    def port_of(self, host: str) -> int:
        """Where PostgreSQL (`postgres`) and Kafka (`kafka`) are."""
        return self._port({"postgres": 5432, "kafka": 9092}[host])

    def is_healthy(self, name: str) -> bool:
        """What the health check of the service says, run as Docker runs it."""
        service = self.compose.services[name]
        kind, *words = service.said["healthcheck"]["test"]
        assert (kind, words[0]) == ("CMD", "python")
        program = [sys.executable, *words[1:]]
        return subprocess.run(program, env=self._environment(service), capture_output=True, check=False).returncode == 0

    def log(self, name: str) -> Path:
        return self._folder / f"{name}.log"

    def say_last_words(self) -> None:
        """For whoever reads why a test failed: how the logs end."""
        for log in sorted([*self._folder.glob("*.log"), *self.home.glob("logs/*.log")]):
            lines = log.read_text(encoding="utf-8", errors="replace").splitlines()[-_LAST_LINES:]
            print(f"--- {log.name}", *lines, sep="\n")  # noqa: T201 - shown by pytest with a failure

    def _port(self, said: int) -> int:
        while said not in self._ports:
            # Below the range from which the kernel takes those of outgoing connections: it is used seconds later.
            port = random.randrange(10_000, 30_000)
            if is_free(port) and port not in self._ports.values():
                self._ports[said] = port
        return self._ports[said]

    def _inside(self, service: Service) -> Path:
        """The root of a service's own paths, with what is mounted there."""
        root = self._folder / service.name
        for name in service.secrets:
            secret = root / "run" / "secrets" / name
            secret.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(self.home / "secrets" / name, secret)
        for source, target in service.mounts:
            place = root / target.removeprefix("/")
            if not place.is_symlink() and (CHECKOUT / source).exists():
                place.parent.mkdir(parents=True, exist_ok=True)
                place.symlink_to(CHECKOUT / source)
        return root

    def _environment(self, service: Service) -> dict[str, str]:
        """What the service is told, where it runs here, and nothing of what this process was told."""
        root = self._inside(service)
        told = {name: self._told_here(value, root) for name, value in service.environment.items()}
        for name, value in told.items():
            if name.endswith("PORT"):
                told[name] = str(self._port(int(value)))
        return {"PATH": os.environ["PATH"], **told}

    def _command(self, service: Service) -> list[str]:
        root = self._inside(service)
        options = [word.partition("=") for word in service.command]
        return [*_PROGRAM, *(f"{name}{mark}{self._told_here(value, root)}" for name, mark, value in options)]

    def _told_here(self, value: str, root: Path) -> str:
        if value.startswith("/"):
            return f"{root}{value}"
        for host, port in (("postgres", 5432), ("kafka", 9092)):
            value = value.replace(f"{host}:{port}", f"127.0.0.1:{self._port(port)}")
        return "127.0.0.1" if value in ("0.0.0.0", "postgres") else value  # noqa: S104 - not bound here

    def _start_postgres(self, service: Service) -> None:
        """The embedded server under the configuration and the rules of the container's."""
        options = dict(_settings_in(CHECKOUT / "deploy/postgres/postgresql.conf"))
        # The user that it runs as when root tests may not enter the checkout.
        rules = self.home / "pg_hba.conf"
        shutil.copy(CHECKOUT / "deploy/postgres/pg_hba.conf", rules)
        rules.chmod(0o644)
        here = {"listen_addresses": "'127.0.0.1'", "hba_file": f"'{rules}'", "fsync": "off"}
        self._postgres = Cluster(self.home, self._port(5432), {**options, **here})
        self._postgres.start()

    def in_kafka(self, script: str) -> None:
        """What `docker compose exec kafka sh SCRIPT` does."""
        service = self.compose.services["kafka"]
        program = ["sh", f"{self._inside(service)}{script}"]
        subprocess.run(program, env=self._kafka_environment(service), check=True, timeout=_JOB_SECONDS)

    def _start_kafka(self, service: Service) -> None:
        root = self._inside(service)
        said = dict(_settings_in(CHECKOUT / "deploy/kafka/server.properties"))
        data = root / "var" / "lib" / "kafka" / "data"
        data.mkdir(parents=True)
        environment = self._kafka_environment(service)
        lines = [f"{name}={self._kafka_here(value, data)}\n" for name, value in said.items()]
        Path(environment["KAFKA_PROPERTIES"]).write_text("".join(lines), encoding="utf-8")
        program, script = service.said["entrypoint"]
        self._launch(service.name, [program, str(root) + script], environment)
        until(lambda: self._lives("kafka") and _listens(self._port(9092)), "Kafka serves")

    def _kafka_environment(self, service: Service) -> dict[str, str]:
        root = self._inside(service)
        return {
            "PATH": f"{self._kafka.java.parent}:{os.environ['PATH']}",
            "KAFKA_LIBS": str(self._kafka.jars),
            "KAFKA_SECRETS": str(root / "run" / "secrets"),
            "KAFKA_PROPERTIES": str(root / "server.properties"),
        }

    def _kafka_here(self, value: str, data: Path) -> str:
        value = value.replace("/var/lib/kafka/data", str(data)).replace("0.0.0.0", "127.0.0.1")  # noqa: S104
        value = value.replace("kafka:9092", "127.0.0.1:9092")
        for port in (9092, 9093, 9094):
            value = value.replace(f":{port}", f":{self._port(port)}")
        return value

    def _run_job(self, service: Service) -> None:
        with self.log(service.name).open("wb") as log:
            done = subprocess.run(
                self._command(service),
                env=self._environment(service),
                stdout=log,
                stderr=log,
                timeout=_JOB_SECONDS,
                check=False,
            )
        assert done.returncode == 0, f"{service.name} ended with {done.returncode}"

    def _await_healthy(self, name: str) -> None:
        until(lambda: self._lives(name) and self.is_healthy(name), f"{name} is healthy")

    def _launch(self, name: str, program: list[str], environment: Mapping[str, str]) -> None:
        with self.log(name).open("wb") as log:
            self._running[name] = subprocess.Popen(
                program,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.root,
                start_new_session=True,
            )

    def _lives(self, name: str) -> bool:
        assert self._running[name].poll() is None, f"{name} has ended"
        return True


def _settings_in(file: Path) -> Iterator[tuple[str, str]]:
    """Names and values of a file of lines `name = value`."""
    for line in file.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            name, _, value = line.partition("=")
            yield name.strip(), value.strip()


def _listens(port: int) -> bool:
    try:
        httpx.get(f"http://127.0.0.1:{port}", timeout=1, trust_env=False)
    except httpx.ConnectError:
        return False
    except httpx.HTTPError:
        return True
    return True


@contextmanager
def production(kafka: Distribution) -> Iterator[Production]:
    """Everything that the compose file describes, started in its order; gone afterwards."""
    # Not below pytest's own folder: that one is closed to the user that PostgreSQL runs as when root tests.
    folder = Path(mkdtemp(prefix="verbund-production-"))
    made = Production(folder, kafka)
    try:
        made.start()
        yield made
    except BaseException:
        made.say_last_words()
        raise
    finally:
        try:
            made.stop()
        finally:
            shutil.rmtree(folder, ignore_errors=True)
