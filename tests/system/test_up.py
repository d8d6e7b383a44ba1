"""`verbund up` as a person meets it: started, started twice, killed, stopped. Nothing stays behind."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from stage.municipality import Municipality, running_municipality, until

from verbund.embedded import record
from verbund.events.offices import find_offices, get_office

PROCESSES = {process.name: process.port for office in find_offices() for process in office.processes_with("ledger")}


@pytest.fixture(scope="module")
def municipality() -> Iterator[Municipality]:
    with running_municipality(VERBUND_CHECKPOINT_MINUTES="0.01") as running:
        yield running


def verbund(municipality: Municipality, *words: str) -> subprocess.CompletedProcess[str]:
    settings = municipality.settings
    environment = {
        **os.environ,
        "VERBUND_HOME": str(settings.home),
        "VERBUND_PORT_OFFSET": str(settings.port_offset),
    }
    program = [sys.executable, "-m", "verbund.cli.main", *words]
    return subprocess.run(program, env=environment, capture_output=True, text=True, timeout=120, check=False)


def supervisor(municipality: Municipality) -> psutil.Process:
    running = record.find_running(municipality.settings.layout)
    assert running is not None
    return psutil.Process(running.supervisor.pid)


def everything(municipality: Municipality) -> list[psutil.Process]:
    """Whatever works for this home: by its environment or by the folder it works in."""
    home = str(municipality.settings.home)
    found = []
    for process in psutil.process_iter():
        try:
            told = process.environ().get("VERBUND_HOME") == home
            if (told or process.cwd().startswith(home)) and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return found


def listening(municipality: Municipality) -> set[tuple[str, int]]:
    ports = set()
    for process in everything(municipality):
        for one in process.net_connections("inet"):
            if one.status == psutil.CONN_LISTEN or one.type == socket.SOCK_DGRAM:
                ports.add((one.laddr.ip, one.laddr.port))
    return ports


def is_well(municipality: Municipality) -> bool:
    try:
        return all(
            httpx.get(f"{municipality.url(name)}/readyz", trust_env=False).status_code == httpx.codes.OK
            for name in PROCESSES
        )
    except httpx.HTTPError:
        return False


def status_of(municipality: Municipality) -> dict[str, Any]:
    said: dict[str, Any] = json.loads(verbund(municipality, "status", "--json").stdout)
    return said


def test_nothing_listens_but_the_documented_ports_on_loopback(municipality: Municipality) -> None:
    ports = {*PROCESSES.values(), 8109}
    assert listening(municipality) == {("127.0.0.1", port + municipality.settings.port_offset) for port in ports}


def test_status_tells_processes_ledgers_positions_lag_and_freshness(municipality: Municipality) -> None:
    until(lambda: len(status_of(municipality)["positions"]) == 1, "the reader has heard of the ledger")
    said = status_of(municipality)
    assert said["running"]
    assert said["well"]
    assert {process["name"] for process in said["processes"]} == set(PROCESSES)
    for process in said["processes"]:
        assert process["pid"]
        assert process["memory_bytes"] > 0
        assert process["uptime_seconds"] > 0
        assert process["not_ready"] is None
    assert [ledger["ledger"] for ledger in said["ledgers"]] == [
        "/05913000/reporting/book",
        "/05913000/registration/book",
    ]
    (position,) = said["positions"]
    assert position["lag"] == 0
    assert position["heard_seconds_ago"] < 60
    assert said["parked"] == {"reporting": 0}
    assert "/05913000/registration/book" in verbund(municipality, "status").stdout


def test_a_second_up_on_the_same_data_says_who_runs_and_ends(municipality: Municipality) -> None:
    before = supervisor(municipality)
    second = verbund(municipality, "up")
    assert second.returncode == 1
    assert f"process {before.pid}" in second.stderr
    assert municipality.url("reporting") in second.stderr
    assert supervisor(municipality) == before


def test_a_demo_beside_it_says_so_too(municipality: Municipality) -> None:
    second = verbund(municipality, "demo", "--no-browser", "--json")
    assert second.returncode == 1
    assert "already runs" in json.loads(second.stdout)["error"]


def test_a_taken_port_is_named_with_its_holder_and_what_to_do(municipality: Municipality, tmp_path: Path) -> None:
    environment = {**os.environ, "VERBUND_HOME": str(tmp_path / "home")}
    environment["VERBUND_PORT_OFFSET"] = str(municipality.settings.port_offset)
    program = [sys.executable, "-m", "verbund.cli.main", "up"]
    ran = subprocess.run(program, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert ran.returncode == 1
    for words in ("is taken by process", "VERBUND_PORT_OFFSET", str(8100 + municipality.settings.port_offset)):
        assert words in ran.stderr


def test_a_link_signs_a_browser_in_once(municipality: Municipality) -> None:
    link = verbund(municipality, "open", "--office", "registration", "--role", "clerk").stdout.strip()
    with httpx.Client(trust_env=False, follow_redirects=True) as browser:
        answer = browser.get(link, follow_redirects=False)
        assert answer.status_code == httpx.codes.SEE_OTHER
        assert "httponly" in answer.headers["set-cookie"].lower()
        assert browser.get(f"{municipality.url('registration')}/").status_code == httpx.codes.OK
    assert httpx.get(link, trust_env=False).status_code == httpx.codes.UNAUTHORIZED


def test_a_token_opens_the_door_it_was_made_for_and_no_other(municipality: Municipality) -> None:
    printed = verbund(municipality, "token", "--office", "registration", "--role", "clerk").stdout.strip()
    authorized = {"Authorization": f"Bearer {printed}"}
    doors = [f"{municipality.url('registration')}/residences", f"{municipality.url('reporting')}/indicators"]
    answers = [httpx.get(door, headers=authorized, trust_env=False).status_code for door in doors]
    assert answers == [httpx.codes.OK, httpx.codes.UNAUTHORIZED]


def test_verify_and_migrate_work_beside_it(municipality: Municipality) -> None:
    verified = verbund(municipality, "verify")
    assert verified.returncode == 0, verified.stderr
    assert "/05913000/registration/book" in verified.stdout
    assert verbund(municipality, "migrate").returncode == 0


def test_what_is_booked_is_signed_on_a_rhythm(municipality: Municipality) -> None:
    token = municipality.token("registration", "initial_load")
    closed = httpx.post(
        f"{municipality.url('registration')}/initial-load/closing",
        headers={"Authorization": f"Bearer {token}", "Idempotency-Key": "closing"},
        trust_env=False,
    )
    assert closed.status_code == httpx.codes.CREATED, closed.text
    file = municipality.settings.layout.checkpoints_file(get_office("registration"))
    until(lambda: file.exists() and b'"number":1,' in file.read_bytes(), "the booking is signed")
    assert "1 records, whole, signed up to 1" in verbund(municipality, "verify").stdout


@pytest.mark.parametrize("name", [*PROCESSES, "postgres"])
def test_whatever_is_killed_is_started_again(municipality: Municipality, name: str) -> None:
    killed = municipality.pid(name)
    assert killed is not None
    os.kill(killed, signal.SIGKILL)
    until(lambda: municipality.pid(name) not in (None, killed), f"{name} runs again")
    until(lambda: is_well(municipality), "everything is ready again")


def test_a_database_that_cannot_be_configured_is_started_as_soon_as_it_can(municipality: Municipality) -> None:
    configuration = municipality.settings.layout.folder / "postgres" / "postgresql.conf"
    configuration.unlink()
    configuration.mkdir()  # nobody can write it, not even root
    municipality.process("postgres").kill()
    until(lambda: "Trying again in" in municipality.log.read_text(), "the supervisor says that it could not")
    configuration.rmdir()
    until(lambda: is_well(municipality), "everything is ready again")


def test_a_killed_supervisor_leaves_nothing_that_a_new_start_does_not_end(municipality: Municipality) -> None:
    before = everything(municipality)
    assert len(before) > len(PROCESSES)
    supervisor(municipality).kill()
    municipality.await_end()
    municipality.start()
    assert [process for process in before if process.is_running()] == []
    assert is_well(municipality)


def test_frozen_processes_of_a_killed_supervisor_are_ended_by_a_new_start(municipality: Municipality) -> None:
    door = municipality.process("registration")
    first = supervisor(municipality)
    door.suspend()  # hears no signal but SIGKILL, and holds its port
    first.kill()
    municipality.await_end()
    municipality.start()
    assert not door.is_running()
    assert is_well(municipality)


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_stopping_it_leaves_no_process_and_no_port(municipality: Municipality, how: signal.Signals) -> None:
    assert len(everything(municipality)) > len(PROCESSES)
    supervisor(municipality).send_signal(how)
    assert municipality.await_end() == 0
    assert everything(municipality) == []
    assert record.read(municipality.settings.layout) is None
    log = (municipality.settings.layout.logs / "postgres.log").read_text(encoding="utf-8")
    assert log.rstrip().endswith("database system is shut down")
    municipality.start()


def test_what_was_booked_is_verified_without_anything_running(municipality: Municipality) -> None:
    supervisor(municipality).send_signal(signal.SIGINT)
    municipality.await_end()
    assert verbund(municipality, "status").returncode == 1
    verified = verbund(municipality, "verify")  # starts PostgreSQL for itself, and ends it
    assert verified.returncode == 0, verified.stderr
    assert everything(municipality) == []
    municipality.start()
