"""Apache Kafka as Maven fetches it: once, into the cache folder, believed only where every file is the pinned one."""

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import file_digest
from importlib.resources import files
from pathlib import Path

from verbund.embedded.kafka_java import KafkaFailed, find_java, find_maven

VERSION = "4.3.0"
COORDINATES = (
    ("org.apache.kafka", "kafka_2.13", VERSION),
    # Speaks SLF4J 1, as this Kafka does.
    ("org.apache.logging.log4j", "log4j-slf4j-impl", "2.24.3"),
)
_COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies"
_PINS = f"kafka-{VERSION}.sha256"
_FETCH_SECONDS = 600.0
_SHOWN = 3  # of many complaints

Tell = Callable[[str], None]
Pins = Mapping[str, str]
"""SHA-256 of each jar by its name."""


class FetchFailed(KafkaFailed):
    """Apache Kafka could not be fetched; nothing of it was kept."""


@dataclass(frozen=True, slots=True)
class Distribution:
    """Apache Kafka on this machine: its jars, and the Java that runs them."""

    java: Path
    jars: Path

    @property
    def classpath(self) -> str:
        return f"{self.jars}/*"


def read_pins() -> Pins:
    """What was shipped with this package, in the format of `sha256sum`."""
    lines = files(__package__).joinpath(_PINS).read_text(encoding="ascii").splitlines()
    return {name: digest for digest, name in (line.split() for line in lines)}


def ensure_distribution(cache: Path, tell: Tell, pins: Pins | None = None) -> Distribution:
    """Apache Kafka from the cache folder, fetched where it is not there whole.

    Maven and the network are needed only then. Raises `NotInstalled` where a program is missing, `FetchFailed`
    where Maven fails or brings something else than was pinned. Others may fetch at the same time.
    """
    java = find_java()
    pins = read_pins() if pins is None else pins
    folder = cache / f"kafka-{VERSION}"
    cache.mkdir(parents=True, exist_ok=True)
    with _alone(cache / f"kafka-{VERSION}.lock", tell):
        if _differences(folder, pins):
            tell(f"fetching Apache Kafka {VERSION} into {folder}")
            _replace(folder, java, pins)
    return Distribution(java, folder)


def _replace(folder: Path, java: Path, pins: Pins) -> None:
    fresh = folder.with_name(f"{folder.name}.fresh")
    # A fetch that was killed left half of it.
    shutil.rmtree(fresh, ignore_errors=True)
    try:
        _fetch(fresh, java)
        wrong = _differences(fresh, pins)
        if wrong:
            raise FetchFailed(
                f"What Maven brought as Apache Kafka {VERSION} is not what was pinned, and was thrown away:"
                f" {_shortened(wrong)}. Remove it from Maven's own folder (~/.m2/repository) too, and ask who runs the"
                " repository that it came from."
            )
        shutil.rmtree(folder, ignore_errors=True)
        fresh.rename(folder)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _fetch(folder: Path, java: Path) -> None:
    maven = find_maven()
    folder.mkdir(parents=True)
    pom = folder / "pom.xml"
    pom.write_text(_pom(), encoding="utf-8")
    words = ["--batch-mode", "--no-transfer-progress", f"--file={pom}", _COPY, "-DincludeScope=runtime"]
    try:
        done = subprocess.run(  # noqa: S603 - Maven, with words of our own
            [str(maven), *words, f"-DoutputDirectory={folder}"],
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            timeout=_FETCH_SECONDS,
            # The Java that was found good, also where JAVA_HOME names another one.
            env={**os.environ, "JAVA_HOME": str(java.resolve().parent.parent)},
        )
    except subprocess.TimeoutExpired as error:
        raise FetchFailed(f"Maven did not fetch Apache Kafka within {_FETCH_SECONDS:.0f} s.") from error
    if done.returncode != 0:
        said = (done.stdout + done.stderr).splitlines()
        errors = [line.removeprefix("[ERROR]").strip() for line in said if line.startswith("[ERROR]")] or said
        raise FetchFailed(
            f"Maven could not fetch Apache Kafka {VERSION}. It needs the network this once; a proxy or a mirror is told"
            f" to it in ~/.m2/settings.xml. It said: {errors[0] if errors else 'nothing'}"
        )
    pom.unlink()


def _pom() -> str:
    dependencies = "".join(
        f"<dependency><groupId>{group}</groupId><artifactId>{artifact}</artifactId><version>{version}</version>"
        "</dependency>"
        for group, artifact, version in COORDINATES
    )
    return (
        '<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>'
        "<groupId>de.verbund</groupId><artifactId>broker</artifactId><version>1</version><packaging>pom</packaging>"
        f"<dependencies>{dependencies}</dependencies></project>\n"
    )


def _digests(folder: Path) -> Pins:
    found = {}
    for file in sorted(folder.iterdir()):
        with file.open("rb") as content:
            found[file.name] = file_digest(content, "sha256").hexdigest()
    return found


def _differences(folder: Path, pins: Pins) -> list[str]:
    """What keeps the folder from being what was pinned, in words; empty where nothing does."""
    if not folder.is_dir():
        return [f"{folder} is not there"]
    found = _digests(folder)
    return [
        *(f"{name} is missing" for name in pins if name not in found),
        *(f"{name} is not pinned" for name in found if name not in pins),
        *(f"{name} has the SHA-256 {found[name]}" for name in pins if name in found and found[name] != pins[name]),
    ]


def _shortened(complaints: list[str]) -> str:
    more = len(complaints) - _SHOWN
    return "; ".join(complaints[:_SHOWN]) + (f"; and {more} more" if more > 0 else "")


@contextmanager
def _alone(lock: Path, tell: Tell) -> Iterator[None]:
    """One at a time; the kernel lets go of the lock however the holder ends."""
    with lock.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            tell("waiting for another process that fetches Apache Kafka")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def main(folder: Path) -> None:
    """Pin what Maven brings for `COORDINATES` now; for whoever moves to another version (docs/kafka.md)."""
    _fetch(folder, find_java())
    lines = [f"{digest}  {name}\n" for name, digest in _digests(folder).items()]
    Path(__file__).with_name(_PINS).write_text("".join(lines), encoding="ascii")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
