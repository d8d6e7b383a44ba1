"""Who may open which door: every route, every role, in their own office and municipality and in foreign ones.

The table is written by hand from what the offices do and shares nothing with the declarations in the routes: a door
that was declared too wide is seen here.
"""

import re
from collections.abc import Iterator, Set
from itertools import product
from pathlib import Path

import pytest
from conftest import OfficeDatabases, Templates
from stage.served_offices import ServedOffice, served_office, served_reader

from verbund.service.permissions import walk
from verbund.service.principals import ROLES

COUNTER = {"clerk", "second_clerk", "office_lead"}
LOAD = {"initial_load"}
LOOKERS = {"operator", "statistics", "privacy_officer"}
DELIVERERS = {"delivering_body", "statistics"}
FREEZERS = {"chair", "statistics"}
READERS = {"coordination", "chair", "expert_group_reader", "statistics"}
AUTHORS = {"coordination", "chair", "statistics"}
# What each office shows to everybody: how it is, what it is, how to come in.
OPEN = {
    ("GET", path)
    for path in (
        *("/livez", "/readyz", "/version", "/metrics"),
        *("/openapi.json", "/asyncapi.json", "/docs", "/docs.css", "/assets/{name}", "/sign-in", "/sign-out"),
    )
}
HOME = "/residences/{residence_id}"
EDITION = "/editions/{edition_id}"
INDICATOR = "/indicators/{indicator_id}"
# The same for everybody: not even a token that is none is looked at.
PUBLIC_PAGES = {
    ("GET", path) for path in ("/public", "/public/indicators/{indicator_id}", "/public/figures/{indicator_id}.{kind}")
}
# Released figures are everybody's; whoever shows a token that is none is told so.
MATRIX: dict[str, dict[tuple[str, str], Set[str]]] = {
    "registration": {
        ("GET", "/residences"): COUNTER,
        ("POST", "/residences"): COUNTER,
        ("GET", HOME): COUNTER,
        ("POST", f"{HOME}/moves"): COUNTER,
        ("POST", f"{HOME}/deregistrations"): COUNTER,
        ("POST", f"{HOME}/nationality-changes"): COUNTER,
        ("POST", f"{HOME}/kind-changes"): COUNTER,
        ("POST", f"{HOME}/doubts"): COUNTER,
        ("POST", f"{HOME}/confirmations"): COUNTER,
        ("POST", f"{HOME}/corrections"): COUNTER,
        ("GET", "/"): COUNTER,
        ("GET", "/clerk"): COUNTER,
        ("GET", "/clerk/doubts"): COUNTER,
        ("GET", "/clerk/register"): COUNTER,
        ("POST", "/clerk/register"): COUNTER,
        ("GET", f"/clerk{HOME}"): COUNTER,
        ("GET", f"/clerk{HOME}/{{step}}"): COUNTER,
        ("POST", f"/clerk{HOME}/{{step}}"): COUNTER,
        ("GET", "/initial-load"): LOAD,
        ("POST", "/initial-load/bookings"): LOAD,
        ("POST", "/initial-load/closing"): LOAD,
    },
    "reporting": {
        ("GET", "/"): READERS | DELIVERERS,
        ("GET", "/live"): READERS,
        ("POST", "/deliveries"): DELIVERERS,
        ("POST", "/deliveries/revisions"): DELIVERERS,
        ("POST", "/deliveries/keepings"): DELIVERERS,
        ("POST", "/deliveries/finalisations"): DELIVERERS,
        ("POST", "/deliveries/withdrawals"): DELIVERERS,
        ("POST", "/deliveries/check"): DELIVERERS,
        ("POST", "/deliveries/files/{indicator_id}"): DELIVERERS,
        ("POST", "/deliveries/files/{indicator_id}/check"): DELIVERERS,
        ("GET", "/deliver"): DELIVERERS,
        ("GET", "/deliver/{indicator_id}"): DELIVERERS,
        ("GET", "/deliver/{indicator_id}/figures"): DELIVERERS,
        ("POST", "/deliver/{indicator_id}/figures"): DELIVERERS,
        ("POST", "/deliver/{indicator_id}/file"): DELIVERERS,
        ("POST", "/deliver/{indicator_id}/finalise"): DELIVERERS,
        ("POST", "/deliver/{indicator_id}/withdraw"): DELIVERERS,
        ("POST", "/deliver/{indicator_id}/keep"): DELIVERERS,
        ("GET", "/indicators/{indicator_id}/deliveries"): READERS | DELIVERERS,
        ("GET", "/deliveries/templates/{indicator_id}.csv"): READERS | DELIVERERS,
        ("GET", "/deliveries/templates/{indicator_id}.xlsx"): READERS | DELIVERERS,
        ("GET", "/indicators"): ROLES,
        ("GET", "/indicators/{indicator_id}"): READERS,
        ("GET", "/indicators/{indicator_id}/versions"): ROLES,
        ("GET", "/figures/{indicator_id}"): ROLES,
        ("GET", "/figures/{indicator_id}.csv"): ROLES,
        ("GET", "/figures/{indicator_id}.xlsx"): ROLES,
        ("GET", "/figures/{indicator_id}.jsonstat"): ROLES,
        ("GET", "/figures/{indicator_id}.geojson"): ROLES,
        ("GET", "/figures/{indicator_id}.svg"): ROLES,
        ("GET", "/figures/{indicator_id}.png"): ROLES,
        ("GET", "/notes"): READERS,
        ("POST", "/notes"): AUTHORS,
        ("GET", "/notes/{note_id}"): READERS,
        ("POST", "/notes/{note_id}/revisions"): AUTHORS,
        ("POST", "/notes/{note_id}/withdrawals"): AUTHORS,
        ("GET", "/targets"): READERS,
        ("POST", "/targets"): AUTHORS,
        ("GET", "/targets/{target_id}"): READERS,
        ("POST", "/targets/{target_id}/withdrawals"): AUTHORS,
        ("GET", "/thresholds"): READERS,
        ("POST", "/thresholds"): AUTHORS,
        ("GET", "/thresholds/{threshold_id}"): READERS,
        ("POST", "/thresholds/{threshold_id}/removals"): AUTHORS,
        ("GET", "/alerts"): READERS,
        ("GET", "/alerts/{alert_id}"): READERS,
        ("POST", "/alerts/{alert_id}/acknowledgements"): AUTHORS,
        ("POST", "/alerts/{alert_id}/acknowledge"): AUTHORS,
        ("GET", f"{INDICATOR}/remarks"): READERS,
        ("GET", f"{INDICATOR}/notes/new"): AUTHORS,
        ("POST", f"{INDICATOR}/notes/new"): AUTHORS,
        ("GET", f"{INDICATOR}/notes/{{note_id}}"): AUTHORS,
        ("POST", f"{INDICATOR}/notes/{{note_id}}"): AUTHORS,
        ("POST", f"{INDICATOR}/notes/{{note_id}}/withdraw"): AUTHORS,
        ("GET", f"{INDICATOR}/targets/new"): AUTHORS,
        ("POST", f"{INDICATOR}/targets/new"): AUTHORS,
        ("POST", f"{INDICATOR}/targets/{{target_id}}/withdraw"): AUTHORS,
        ("GET", f"{INDICATOR}/thresholds/new"): AUTHORS,
        ("POST", f"{INDICATOR}/thresholds/new"): AUTHORS,
        ("POST", f"{INDICATOR}/thresholds/{{threshold_id}}/remove"): AUTHORS,
        ("GET", "/editions"): READERS,
        ("POST", "/editions"): FREEZERS,
        ("GET", "/editions/new"): FREEZERS,
        ("POST", "/editions/new"): FREEZERS,
        ("GET", EDITION): READERS,
        ("GET", f"{EDITION}/manifest"): READERS,
        ("GET", f"{EDITION}/figures/{{number}}"): READERS,
        ("GET", f"{EDITION}/figures/{{number}}.{{kind}}"): READERS,
        ("GET", f"{EDITION}.zip"): READERS,
        ("POST", f"{EDITION}/withdrawals"): FREEZERS,
        ("GET", f"{EDITION}/restatement"): READERS,
        ("GET", f"{EDITION}/restatement.csv"): READERS,
        ("GET", f"{EDITION}/restatement.xlsx"): READERS,
    },
    "reporting-reader": {
        ("GET", "/parked-records"): LOOKERS,
        ("GET", "/parked-records/{parked_id}"): LOOKERS,
        ("GET", "/parked-records/{parked_id}/payload"): {"operator"},
        ("POST", "/parked-records/{parked_id}/replays"): {"operator"},
        ("POST", "/parked-records/{parked_id}/discards"): {"operator"},
    },
}
SOMETHING = "00000000-0000-4000-8000-000000000000"
OWN, FOREIGN_OFFICE, FOREIGN_MUNICIPALITY = "own", "foreign office", "foreign municipality"


@pytest.fixture(scope="module", params=MATRIX)
def process(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture(scope="module")
def office(process: str, templates: Templates, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedOffice]:
    databases = OfficeDatabases(templates)
    folder: Path = tmp_path_factory.mktemp("matrix")
    if process == "reporting-reader":
        serving = served_reader(databases("reporting"), databases("registration"), folder)
    else:
        serving = served_office(databases(process), folder)
    with serving as served:
        yield served
    databases.drop_all()


def test_the_matrix_names_every_door(office: ServedOffice, process: str) -> None:
    doors = {(method, route.path) for route, _ in walk(office.app.routes) for method in route.methods or ()}
    # Who has no pages has nothing to draw them with.
    expected = MATRIX[process].keys() | (OPEN if process == office.name else OPEN - {("GET", "/assets/{name}")})
    assert doors == (expected | PUBLIC_PAGES if process == "reporting" else expected)


@pytest.mark.parametrize("whence", [OWN, FOREIGN_OFFICE, FOREIGN_MUNICIPALITY])
def test_each_door_opens_to_those_alone_who_work_behind_it(office: ServedOffice, process: str, whence: str) -> None:
    wrong = []
    for ((method, path), insiders), role in product(MATRIX[process].items(), sorted(ROLES)):
        expected = "in" if role in insiders and whence == OWN else "403" if whence == OWN else "401"
        found = knock(office, method, path, role, whence)
        if found != expected:
            wrong.append(f"{method} {path}: {role} of {whence}: {found}, not {expected}")
    assert wrong == []


def test_what_is_open_needs_nobody(office: ServedOffice) -> None:
    statuses = {path: office.client.get(path.replace("{name}", "none")).status_code for _, path in OPEN}
    # Signing in asks for a ticket, which opens that door and no other.
    assert {path for path, status in statuses.items() if status in {401, 403}} == {"/sign-in"}


def test_the_publics_pages_look_at_no_token(office: ServedOffice, process: str) -> None:
    if process != "reporting":
        return
    forged = {"Authorization": "Bearer forged"}
    for method, path in PUBLIC_PAGES:
        place = re.sub(r"\{[^}]*\}", "none", path)
        assert office.client.request(method, place, headers=forged).status_code not in {401, 403}


def test_released_figures_need_nobody(office: ServedOffice, process: str) -> None:
    closed = []
    for method, path in MATRIX[process]:
        answer = office.client.request(method, re.sub(r"\{[^}]*\}", SOMETHING, path))
        if answer.status_code == 401:
            closed.append((method, path))
    assert set(closed) == {door for door, insiders in MATRIX[process].items() if insiders != ROLES}


def knock(office: ServedOffice, method: str, path: str, role: str, whence: str) -> str:
    """`in`, or the status with which the door stays closed; nothing is read of what is behind it."""
    said = {
        FOREIGN_OFFICE: {"office": "problem-property"},
        FOREIGN_MUNICIPALITY: {"municipality": "05334002"},
    }.get(whence, {})
    headers = {**office.bearer(role, **said), "Accept": "application/json", "Sec-Fetch-Site": "same-origin"}
    place = re.sub(r"\{[^}]*\}", SOMETHING, path)
    with office.client.stream(method, place, headers=headers) as answer:
        return str(answer.status_code) if answer.status_code in {401, 403} else "in"
