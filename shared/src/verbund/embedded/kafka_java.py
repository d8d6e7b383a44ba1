"""What Apache Kafka needs on a machine: a Java to run it, and Maven to fetch it once."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

OLDEST_JAVA = 17
"""Brokers of Kafka 4 run on nothing older."""

_VERSION = re.compile(r'version "(?:1\.)?(\d+)')  # until Java 8 it was written 1.8
_ANSWER_SECONDS = 60.0


class KafkaFailed(Exception):
    """Kafka could not be had or did not start; the message says why and what to do."""


class NotInstalled(KafkaFailed):
    """A program is missing on this machine; the message says what to install."""


def find_java() -> Path:
    """The Java of JAVA_HOME, else the one on the PATH: the first that is new enough.

    Raises `NotInstalled`, which names what was found instead.
    """
    too_old = []
    for program in _candidates():
        version = _version_of(program)
        if version is not None and version >= OLDEST_JAVA:
            return program
        too_old.append(f"{program} is {'no working Java' if version is None else f'Java {version}'}")
    found = f": {', '.join(too_old)}" if too_old else ", and found none on the PATH and no JAVA_HOME"
    raise NotInstalled(
        f"Apache Kafka needs Java {OLDEST_JAVA} or newer{found}."
        " On Debian: apt-get install openjdk-17-jre-headless. Elsewhere set JAVA_HOME to one."
    )


def find_maven() -> Path:
    """Maven, on the PATH; raises `NotInstalled`."""
    found = shutil.which("mvn")
    if found is None:
        raise NotInstalled(
            "Apache Kafka is fetched by Maven, which is not on the PATH."
            " On Debian: apt-get install openjdk-17-jre-headless maven."
        )
    return Path(found)


def _candidates() -> Iterator[Path]:
    home = os.environ.get("JAVA_HOME")
    if home:
        yield Path(home) / "bin" / "java"
    found = shutil.which("java")
    if found is not None:
        yield Path(found)


def _version_of(program: Path) -> int | None:
    """The feature release; None where it does not run (macOS has a `java` that only says that there is none)."""
    with suppress(OSError, subprocess.TimeoutExpired):
        answer = subprocess.run(  # noqa: S603 - what the user's own environment calls Java
            [str(program), "-version"], capture_output=True, text=True, timeout=_ANSWER_SECONDS
        )
        matched = _VERSION.search(answer.stderr)
        if answer.returncode == 0 and matched is not None:
            return int(matched.group(1))
    return None
