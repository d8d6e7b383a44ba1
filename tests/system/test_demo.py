"""A whole demo as a person starts it: the city is there, its figures are the printed ones, no name leaves the vault."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import psycopg
import pytest
from stage.municipality import Municipality, running_municipality, until
from stage.registration_office import ADDRESS, NEW_RESIDENT
from stage.secrets_told import database_texts, told, words_told

from verbund.embedded.home import EmbeddedSettings
from verbund.settings import DatabaseSettings

TODAY = datetime.now(ZoneInfo("Europe/Berlin")).date().isoformat()
SECRETS = {
    "family_name": "Zaunkönig-Vögelein",
    "given_names": "Quendoline",
    "birth_date": "1919-02-28",
    "street": "Übersehgasse",
    "house_number": "4711zy",
    "landlord": "Grünspecht-Erben",
}
LOADING_SECONDS = 300.0
PAGES = ("/", "/indicators/population", "/indicators", "/figures/population", "/figures/population.csv")


@pytest.fixture(scope="module")
def demo() -> Iterator[Municipality]:
    """The city, after people with secrets came to its doors, and after doors and databases failed them."""
    with running_municipality("demo", "--no-browser", "--json", "--pace", "600") as running:
        until(lambda: "lives" in running.log.read_text(), "the city lives", LOADING_SECONDS)
        come_and_go(Visitor(running))
        yield running


class Visitor:
    """A clerk with somebody at the counter whose names and addresses are the secrets."""

    def __init__(self, municipality: Municipality) -> None:
        self.municipality = municipality
        self.answers: list[str] = []
        self._token = municipality.token("registration", "clerk")
        self._keys = 0

    def ask(self, method: str, path: str, **more: Any) -> httpx.Response:
        self._keys += 1
        headers = {
            "Authorization": f"Bearer {self._token}",
            "Idempotency-Key": f"k{self._keys}",
            **more.pop("headers", {}),
        }
        url = self.municipality.url("registration")
        answer = httpx.request(method, url + path, headers=headers, trust_env=False, timeout=10, **more)
        if answer.is_error:
            self.answers.append(f"{method}: {answer.headers} {answer.text}")
        return answer

    def form(self, **changes: Any) -> dict[str, Any]:
        # Today, which no printed figure tells of.
        return {**NEW_RESIDENT, **SECRETS, "moved_in_on": TODAY, **changes}


def come_and_go(visitor: Visitor) -> None:
    """Everything that is done with names: booked, moved, corrected, refused, mistyped, put where it does not belong."""
    booked = visitor.ask("POST", "/residences", json=visitor.form())
    assert booked.status_code == httpx.codes.CREATED, booked.text
    receipt = booked.json()
    home = f"/residences/{receipt['residence_id']}"
    address = {**ADDRESS, **{name: SECRETS[name] for name in ("street", "house_number", "landlord")}}
    moved = visitor.ask("POST", f"{home}/moves", json={**address, "moved_on": TODAY})
    assert moved.status_code == httpx.codes.CREATED, moved.text
    correction = {"booking_id": receipt["booking_id"], "reason": "typing_error"}
    amended = visitor.ask(
        "POST", f"{home}/corrections", json={**correction, "amendment": {"family_name": SECRETS["landlord"]}}
    )
    assert amended.status_code == httpx.codes.CREATED, amended.text
    for page in (home, f"/clerk{home}", "/residences", "/clerk"):
        assert visitor.ask("GET", page).status_code == httpx.codes.OK
    form = visitor.ask("POST", "/clerk/register", data=SECRETS, headers={"Sec-Fetch-Site": "same-origin"})
    assert told(form.text, SECRETS.values()) == set(SECRETS.values())  # comes back to be completed
    visitor.answers.clear()
    misplace(visitor, home)
    # The database goes away while people are at the counter.
    killed = visitor.municipality.pid("postgres")
    assert killed is not None
    os.kill(killed, signal.SIGKILL)
    for _ in range(5):
        with suppress(httpx.HTTPError):
            visitor.ask("POST", "/residences", json=visitor.form())
    until(lambda: visitor.ask("GET", "/residences").status_code == httpx.codes.OK, "the office is there again")


def misplace(visitor: Visitor, home: str) -> None:
    """Names wherever a hurried person or program may put them."""
    for field, secret in SECRETS.items():
        for other in (*SECRETS, "nationality", "area", "arrival_kind", "moved_in_on"):
            visitor.ask("POST", "/residences", json=visitor.form(**{other: secret, field: 17}))
        ascii_secret = secret.encode("ascii", "ignore").decode()
        visitor.ask("GET", f"/residences?{secret}={secret}")
        visitor.ask("GET", f"/residences/{secret}")
        visitor.ask("GET", f"/{secret}")
        visitor.ask("POST", f"{home}/{secret}", json={})
        visitor.ask("POST", "/residences", json=visitor.form(), headers={"Idempotency-Key": ascii_secret})
        visitor.ask("POST", "/residences", json=visitor.form(), headers={"Idempotency-Key": secret.encode()})
        visitor.ask("GET", "/residences", headers={"User-Agent": ascii_secret, "traceparent": ascii_secret})
        visitor.ask("GET", "/residences", headers={"Authorization": f"Bearer {ascii_secret}"})
        visitor.ask("GET", "/residences", headers={"Cookie": f"verbund_session_registration={ascii_secret}"})
        visitor.ask("POST", "/residences", content=f'{{"street": "{secret}", '.encode())
        reader = {"Authorization": f"Bearer {visitor.municipality.token('reporting', 'coordination')}"}
        reporting = visitor.municipality.url("reporting")
        httpx.get(f"{reporting}/?as_of={secret}", headers=reader, trust_env=False)  # shows what was typed, to be mended
        for path in (f"/indicators/{secret}", f"/figures/population?area={secret}"):
            asked = httpx.get(reporting + path, headers=reader, trust_env=False)
            visitor.answers.append(f"{asked.headers} {asked.text}")
    for answer in visitor.answers:
        assert told(answer, SECRETS.values()) == set(), answer


def logs_of(settings: EmbeddedSettings) -> Iterator[tuple[str, str]]:
    for file in sorted([*settings.layout.logs.rglob("*"), settings.layout.folder / "up.log"]):
        if file.is_file():
            yield file.name, file.read_text(encoding="utf-8", errors="replace")


def told_to_readers(municipality: Municipality) -> Iterator[tuple[str, str]]:
    token = municipality.token("reporting", "coordination")
    headers = {"Authorization": f"Bearer {token}", "Accept": "text/html, */*"}
    for path in PAGES:
        answer = httpx.get(municipality.url("reporting") + path, headers=headers, trust_env=False, timeout=30)
        assert answer.status_code == httpx.codes.OK, f"{path}: {answer.text}"
        yield path, answer.text
    with httpx.stream("GET", f"{municipality.url('reporting')}/live", headers=headers, trust_env=False) as live:
        yield "/live", next(line for line in live.iter_lines() if line.startswith("data:"))
    for process in ("registration", "reporting", "reporting-reader"):
        yield f"metrics of {process}", httpx.get(f"{municipality.url(process)}/metrics", trust_env=False).text


def everything_outside_the_vault(municipality: Municipality) -> dict[str, str]:
    """By place, all that is written or told anywhere but in the vault of the registration office."""
    registration, reporting = (municipality.superuser(name) for name in ("registration", "reporting"))
    return {
        **dict(logs_of(municipality.settings)),
        **dict(told_to_readers(municipality)),
        **dict(database_texts(registration, without=["vault"])),
        **dict(database_texts(reporting)),
    }


def names_in_the_vault(settings: DatabaseSettings) -> set[str]:
    with psycopg.connect(settings.conninfo()) as connection:
        rows = connection.execute(
            "select family_name from vault.person union select given_names from vault.person"
            " union select street from vault.address"
        )
        return {name for (name,) in rows}


def test_no_name_and_no_address_leaves_the_vault(demo: Municipality) -> None:
    names = names_in_the_vault(demo.superuser("registration"))
    assert len(names) > 500
    assert {SECRETS["street"], SECRETS["family_name"]} <= names  # what is looked for is there to be found
    places = everything_outside_the_vault(demo)
    assert {"postgres.log", "registration.log", "reporting.log", "reporting-reader.log", "up.log"} <= places.keys()
    assert sum(map(len, places.values())) > 1_000_000
    assert {place: found for place, text in places.items() if (found := told(text, SECRETS.values()))} == {}
    assert {place: found for place, text in places.items() if (found := words_told(text, names))} == {}


def test_a_vault_would_be_found_out(demo: Municipality) -> None:
    """The search itself: in the vault it finds what it looks for."""
    vault = "\n".join(text for _, text in database_texts(demo.superuser("registration"), without=["office"]))
    assert told(vault, SECRETS.values()) == set(SECRETS.values())


def test_the_figures_of_the_city_are_the_printed_ones(demo: Municipality) -> None:
    environment = {
        **os.environ,
        "VERBUND_HOME": str(demo.settings.home),
        "VERBUND_PORT_OFFSET": str(demo.settings.port_offset),
    }
    words = [sys.executable, "-m", "verbund.cli.main", "demo", "--check", "--json"]
    checked = subprocess.run(words, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert checked.returncode == 0, checked.stderr + checked.stdout
    assert json.loads(checked.stdout.splitlines()[-1])
