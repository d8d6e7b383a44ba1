"""`verbund kafka` as a developer meets it: fetched, started, started twice, stopped."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest
from stage.brokers import scratch_home
from typer.testing import CliRunner

from verbund.cli.main import build
from verbund.embedded.kafka_jars import VERSION, Distribution
from verbund.embedded.kafka_probe import find_brokers
from verbund.embedded.ports import find_free_port, is_free

PROGRAM = (sys.executable, "-m", "verbund.cli.main", "kafka")


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch, kafka: Distribution) -> Iterator[Path]:
    with scratch_home() as folder:
        monkeypatch.setenv("VERBUND_HOME", str(folder))
        monkeypatch.setenv("VERBUND_CACHE", str(kafka.jars.parent))
        yield folder


def run(*words: str) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of `verbund kafka`."""
    done = subprocess.run([*PROGRAM, *words], capture_output=True, text=True, timeout=180)
    return done.returncode, done.stdout, done.stderr


def free_port() -> int:
    """A port with two free ones just below it."""
    while True:
        port = find_free_port()
        if is_free(port - 1) and is_free(port - 2):
            return port


@contextmanager
def kafka_up(port: int) -> Iterator[tuple["subprocess.Popen[str]", dict[str, Any]]]:
    """`verbund kafka up` in a process of its own, and what it said when it served."""
    words = [*PROGRAM, "up", "--port", str(port), "--json"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            assert process.stdout is not None
            yield process, json.loads(process.stdout.readline())
        finally:
            process.kill()


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_it_serves_once_per_home_until_it_is_told_to_stop(home: Path, how: signal.Signals) -> None:
    port = free_port()
    with kafka_up(port) as (process, ready):
        assert ready["ready"] is True
        assert ready["brokers"] == [f"127.0.0.1:{port}"]
        assert find_brokers(port) == {1}
        code, _, complained = run("up", "--port", str(free_port()))
        assert code == 1
        assert find_brokers(port) == {1}
        assert "Another process runs Kafka on" in complained
        process.send_signal(how)
        assert process.wait(60) == 0
    assert find_brokers(port) == frozenset()
    assert list(home.glob("kafka/1/data/.kafka_cleanshutdown"))


def test_it_ends_with_a_complaint_when_its_broker_has_died(home: Path) -> None:
    port = free_port()
    with kafka_up(port) as (process, _):
        (broker,) = psutil.Process(process.pid).children()
        broker.kill()
        assert process.wait(60) == 1
        assert process.stdout is not None
        complaints = [json.loads(line)["error"] for line in process.stdout]
    assert str(port) in complaints[0]
    assert str(home / "logs" / "kafka-1.log") in complaints[0]
    assert complaints[-1] == "No broker runs any more."


def test_a_taken_port_is_named(home: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = holder.getsockname()[1]
        code, said, complained = run("up", "--port", str(port))
    assert (code, said) == (1, "")
    assert f"Port {port}" in complained
    assert f"process {os.getpid()}" in complained


def test_fetch_says_where_it_is(home: Path, kafka: Distribution) -> None:
    result = CliRunner().invoke(build(), ["kafka", "fetch"])
    assert (result.exit_code, result.stdout) == (0, f"{kafka.jars}\n")
    result = CliRunner().invoke(build(), ["kafka", "fetch", "--json"])
    assert result.exit_code == 0
    assert json.loads(result.stdout) == {"version": VERSION, "folder": str(kafka.jars), "java": str(kafka.java)}


def test_what_is_missing_and_what_cannot_be_written_is_said_in_words(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_the_way = tmp_path / "file"
    in_the_way.touch()
    monkeypatch.setenv("VERBUND_CACHE", str(in_the_way))
    result = CliRunner().invoke(build(), ["kafka", "fetch"])
    assert result.exit_code == 1
    assert f"{in_the_way} cannot be used" in result.stderr
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("JAVA_HOME", raising=False)
    for command in ("fetch", "up"):
        result = CliRunner().invoke(build(), ["kafka", command])
        assert result.exit_code == 1
        assert "apt-get install openjdk-17-jre-headless" in result.stderr


def test_only_one_or_three_brokers_can_be_asked_for() -> None:
    assert CliRunner().invoke(build(), ["kafka", "up", "--brokers", "2"]).exit_code == 2


@pytest.mark.parametrize("command", ["up", "fetch"])
def test_every_command_explains_itself_and_answers_in_json(command: str) -> None:
    result = CliRunner().invoke(build(), ["kafka", command, "--help"])
    assert result.exit_code == 0
    assert "--json" in result.stdout
