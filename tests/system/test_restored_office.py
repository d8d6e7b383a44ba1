"""docs/runbooks/restored-office.md, done as it stands there on a whole municipality."""

import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import psycopg
import pytest
from stage.backups import back_up, restore
from stage.checker import check
from stage.live_page import live_page
from stage.municipality import Municipality, running_municipality, until
from stage.registration_office import NEW_RESIDENT

BOOK = "/05913000/registration/book"
DEADLINE_SECONDS = 120.0


class City:
    """Clerks who book, and whoever looks after the machines."""

    def __init__(self, municipality: Municipality) -> None:
        self.municipality = municipality
        self.acknowledged: list[dict[str, Any]] = []

    def post(self, path: str, role: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        answer = httpx.post(
            f"{self.municipality.url('registration')}{path}",
            json=body,
            headers={
                "Authorization": f"Bearer {self.municipality.token('registration', role)}",
                "Idempotency-Key": str(uuid4()),
            },
            trust_env=False,
        )
        assert answer.status_code == 201, answer.text
        receipt: dict[str, Any] = answer.json()
        return receipt

    def register(self, count: int, **fields: Any) -> list[dict[str, Any]]:
        """Receipts of residents who came."""
        return [self.post("/residences", "clerk", {**NEW_RESIDENT, **fields}) for _ in range(count)]

    def run(self, *words: str, answer: str = "") -> tuple[int, str, str]:
        """Exit code and what a command said and complained of; `answer` is typed in."""
        command = self.municipality.command(*words)
        said, complained = command.communicate(answer, timeout=DEADLINE_SECONDS)
        return command.returncode, said, complained

    def position(self) -> tuple[int, str | None] | None:
        """How far the book was read, and why it was stopped."""
        with psycopg.connect(self.municipality.superuser("reporting").conninfo()) as connection:
            return connection.execute("select number, stop_reason from feed.position").fetchone()

    def readiness(self) -> httpx.Response:
        return httpx.get(f"{self.municipality.url('reporting-reader')}/readyz", trust_env=False)

    def check(self) -> None:
        check(self.municipality.evidence(), self.acknowledged)


@pytest.fixture
def city() -> Iterator[City]:
    with running_municipality() as municipality:
        yield City(municipality)


def test_a_restored_office_is_brought_back_as_the_runbook_says(city: City, tmp_path: Path) -> None:
    municipality = city.municipality
    city.post("/initial-load/closing", "initial_load")
    city.acknowledged += city.register(4)
    back_up(municipality.superuser("registration"), tmp_path / "backup")
    city.register(3)
    until(lambda: city.position() == (8, None), "everything was read")

    restore(municipality.superuser("registration"), tmp_path / "backup")
    until(lambda: city.position() == (8, "head_below_position"), "the reader has noticed")
    until(lambda: f"{BOOK} stopped: head_below_position" in city.readiness().text, "the reader says so")
    assert city.readiness().status_code == 503
    code, said, _ = city.run("status", "--json")
    assert code == 1
    assert [each["stop_reason"] for each in json.loads(said)["positions"]] == ["head_below_position"]
    city.acknowledged += city.register(5, nationality="000")  # the office itself works, and nobody folds this
    assert city.position() == (8, "head_below_position")
    code, said, complained = city.run("rebuild", answer="n\n")
    assert code == 1
    assert BOOK in said
    code, said, _ = city.run("rebuild", "--yes", "--json")
    assert code == 1
    refused = json.loads(said.splitlines()[-1])
    assert {each["measure"] for each in refused["differences"]} >= {"residents", "arrivals"}
    assert city.position() == (8, "head_below_position")

    with live_page(municipality) as page:
        until(lambda: page.shown.get("population") == 7, "the page shows what stands")
        kill_in_the_middle(city)
        code, said, complained = city.run("rebuild", "--yes", "--accept", "--json")
        assert code == 0, complained
        told = json.loads(said.splitlines()[-1])
        assert (told["ledger"], told["records"], told["before"]) == (BOOK, 10, 8)
        until(lambda: city.position() == (10, None), "the reader goes on from the rebuilt cube")
        until(lambda: page.shown["population"] == 4, "the page has heard of it")  # of two states
        assert page.opened == 1
        code, said, complained = city.run("compact", "--json")
        assert code == 0, complained
        told = json.loads(said.splitlines()[-1])
        assert (told["municipality"], told["generation"]) == ("05913000", 3)
        assert 0 < told["rows"] <= told["rows_before"]
        assert page.opened == 1
    city.check()
    city.acknowledged += city.register(2)
    until(lambda: city.position() == (12, None), "what is booked now is read")
    city.check()
    until(lambda: city.readiness().status_code == 200, "the reader is ready")


def kill_in_the_middle(city: City) -> None:
    """SIGKILL as soon as the first line about the folding is out."""
    command = city.municipality.command("rebuild", "--yes", "--restart", "--json")
    assert command.stderr is not None
    line = next(line for line in command.stderr if json.loads(line).get("phase") == BOOK)
    command.kill()
    with suppress(BrokenPipeError):
        command.communicate()
    assert json.loads(line)["done"] == 0
