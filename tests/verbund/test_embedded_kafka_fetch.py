"""Fetching Apache Kafka. Maven itself is asked once; what it may do wrong is done by a stand-in on the PATH."""

import hashlib
import shutil
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from verbund.embedded.kafka_jars import (
    VERSION,
    Distribution,
    FetchFailed,
    ensure_distribution,
    read_pins,
)
from verbund.embedded.kafka_java import NotInstalled, find_java

GOOD = b"as it was pinned"
PINS = {"good.jar": hashlib.sha256(GOOD).hexdigest()}

_A_LOT = " ".join(map(str, range(1000)))

MAVEN = """\
#!/bin/sh
echo called >> {calls}
for word in "$@"; do case "$word" in -DoutputDirectory=*) into="${{word#*=}}" ;; esac; done
{does}
"""


@dataclass(frozen=True, slots=True)
class Machine:
    """A cache folder, and programs on a PATH of its own."""

    folder: Path

    @property
    def cache(self) -> Path:
        return self.folder / "cache"

    @property
    def kafka(self) -> Path:
        return self.cache / f"kafka-{VERSION}"

    def install(self, name: str, script: str) -> None:
        program = self.folder / "bin" / name
        program.parent.mkdir(exist_ok=True)
        program.write_text(script)
        program.chmod(0o755)

    def install_maven(self, does: str) -> None:
        """A Maven that does this where it should copy jars `$into` a folder."""
        self.install("mvn", MAVEN.format(calls=self.folder / "calls", does=does))

    def install_java(self, name: str, says: str, code: int = 0) -> None:
        self.install(name, f"#!/bin/sh\necho '{says}' >&2\nexit {code}\n")

    def remove(self, name: str) -> None:
        (self.folder / "bin" / name).unlink(missing_ok=True)

    @property
    def calls(self) -> int:
        """How often Maven was called."""
        file = self.folder / "calls"
        return len(file.read_text().splitlines()) if file.exists() else 0

    def ensure(self, tell: Callable[[str], None] = print) -> Distribution:
        return ensure_distribution(self.cache, tell, PINS)

    @property
    def kept(self) -> set[str]:
        """What is in the cache, without locks."""
        return {file.name for file in self.cache.iterdir() if file.suffix != ".lock"}


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    made = Machine(tmp_path)
    made.install_java("java", 'openjdk version "17.0.15" 2025-04-15')
    made.install_maven(f"printf '{GOOD.decode()}' > $into/good.jar")
    for tool in ("sh", "sleep"):
        (tmp_path / "bin" / tool).symlink_to(str(shutil.which(tool)))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    return made


def test_maven_brings_what_is_pinned(tmp_path: Path, kafka: Distribution) -> None:
    if shutil.which("mvn") is None:
        pytest.skip("Maven is not installed: apt-get install maven")
    told: list[str] = []
    fetched = ensure_distribution(tmp_path, told.append)
    assert {jar.name for jar in fetched.jars.iterdir()} == set(read_pins())
    assert told == [f"fetching Apache Kafka {VERSION} into {fetched.jars}"]
    assert any(name.startswith(f"kafka_2.13-{VERSION}") for name in read_pins())


def test_the_second_time_no_maven_is_needed(machine: Machine) -> None:
    first = machine.ensure()
    assert (first.jars / "good.jar").read_bytes() == GOOD
    machine.remove("mvn")
    told: list[str] = []
    assert machine.ensure(told.append) == first
    assert (machine.calls, told) == (1, [])


@pytest.mark.parametrize(
    ("does", "named"),
    [
        ("printf forged > $into/good.jar", "good.jar has the SHA-256"),
        ("true", "good.jar is missing"),
        (f"printf '{GOOD.decode()}' > $into/good.jar; > $into/more.jar", "more.jar is not pinned"),
    ],
)
def test_what_was_not_pinned_is_refused_and_nothing_is_kept(machine: Machine, does: str, named: str) -> None:
    machine.install_maven(does)
    with pytest.raises(FetchFailed, match=named):
        machine.ensure()
    assert machine.kept == set()


def test_what_maven_complains_of_is_said_and_nothing_is_kept(machine: Machine) -> None:
    machine.install_maven("> $into/half.jar; echo '[INFO] hm'; echo '[ERROR] Unknown host repo.test'; exit 1")
    with pytest.raises(FetchFailed, match=r"needs the network.*Unknown host repo\.test"):
        machine.ensure()
    assert machine.kept == set()


def test_a_cache_that_was_damaged_is_fetched_anew(machine: Machine) -> None:
    machine.ensure()
    (machine.kafka / "good.jar").write_bytes(b"damaged")
    assert (machine.ensure().jars / "good.jar").read_bytes() == GOOD
    assert machine.calls == 2


def test_a_damaged_cache_stays_where_nothing_better_is_to_be_had(machine: Machine) -> None:
    machine.ensure()
    (machine.kafka / "more.jar").touch()
    machine.remove("mvn")
    for _ in range(2):
        with pytest.raises(NotInstalled, match="apt-get install openjdk-17-jre-headless maven"):
            machine.ensure()
    assert (machine.kafka / "good.jar").read_bytes() == GOOD


def test_half_a_fetch_left_by_a_kill_is_made_anew(machine: Machine) -> None:
    half = machine.kafka.with_name(f"{machine.kafka.name}.fresh")
    half.mkdir(parents=True)
    (half / "half.jar").touch()
    machine.ensure()
    assert machine.kept == {machine.kafka.name}


def test_of_two_at_once_one_fetches_and_the_other_waits(machine: Machine) -> None:
    go = machine.folder / "go"
    machine.install_maven(
        f"for _ in {_A_LOT}; do [ -e {go} ] && break; sleep 0.02; done; printf '{GOOD.decode()}' > $into/good.jar"
    )
    found: list[Distribution] = []
    first = threading.Thread(target=lambda: found.append(machine.ensure()))
    first.start()
    until(lambda: machine.calls == 1)
    # Only once the second one says that it waits does the first one's Maven go on.
    told: list[str] = []

    def tell(what: str) -> None:
        told.append(what)
        go.touch()

    found.append(machine.ensure(tell))
    first.join()
    assert told == ["waiting for another process that fetches Apache Kafka"]
    assert machine.calls == 1
    assert found[0] == found[1]


def test_without_maven_it_is_said_what_to_install(machine: Machine) -> None:
    machine.remove("mvn")
    with pytest.raises(NotInstalled, match="apt-get install openjdk-17-jre-headless maven"):
        machine.ensure()
    assert machine.kept == set()


@pytest.mark.parametrize(
    ("says", "code", "named"),
    [
        ('openjdk version "11.0.27" 2025-04-15', 0, "is Java 11"),
        ('java version "1.8.0_451"', 0, "is Java 8"),
        ("The operation could not be completed. Unable to locate a Java Runtime.", 1, "no working Java"),
    ],
)
def test_a_java_that_will_not_do_is_named_with_a_remedy(machine: Machine, says: str, code: int, named: str) -> None:
    machine.install_java("java", says, code)
    with pytest.raises(NotInstalled) as caught:
        machine.ensure()
    for words in (named, str(machine.folder / "bin" / "java"), "apt-get install openjdk-17-jre-headless", "Java 17"):
        assert words in str(caught.value)


def test_no_java_at_all_is_said(machine: Machine) -> None:
    machine.remove("java")
    with pytest.raises(NotInstalled, match=r"found none on the PATH.*apt-get install openjdk-17-jre-headless"):
        find_java()


def test_the_java_of_java_home_is_taken_first_and_only_where_it_will_do(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JAVA_HOME", str(machine.folder))
    by_path = find_java()
    own = machine.folder / "jdk" / "bin" / "java"
    machine.install_java("its-java", 'openjdk version "25.0.1" 2025-10-21')
    own.parent.mkdir(parents=True)
    (machine.folder / "bin" / "its-java").rename(own)
    monkeypatch.setenv("JAVA_HOME", str(machine.folder / "jdk"))
    assert find_java() == own
    own.write_text("#!/bin/sh\necho 'openjdk version \"11.0.27\"' >&2\n")
    assert find_java() == by_path


def test_maven_runs_on_the_java_that_was_found(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JAVA_HOME", "/no/such/java")
    machine.install_maven(f'test "$JAVA_HOME" = "{machine.folder}" && printf "{GOOD.decode()}" > $into/good.jar')
    machine.ensure()


def until(condition: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)
