"""What the doors answer is what OpenAPI says: every route of every office, with good requests, bad ones, and in chains.

`VERBUND_FUZZ` is how many random requests of each kind each route gets (a few by default), `VERBUND_FUZZ_SEED` which.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
from conftest import OfficeDatabases
from jsonschema import Draft202012Validator
from schemathesis.schemas import BaseSchema
from stage.booking import NOTE, TARGET, THRESHOLD
from stage.fuzzing import Found, ask_everything, documented
from stage.parked import park
from stage.registration_office import NEW_RESIDENT
from stage.served_offices import ServedOffice, furnish, served_office, served_reader

from registration.commands import ResidenceForm

EXAMPLES = int(os.environ.get("VERBUND_FUZZ", "4"))
SEED = int(os.environ.get("VERBUND_FUZZ_SEED", "1"))
Serve = Callable[[str], AbstractContextManager[ServedOffice]]


@pytest.fixture
def serve(office_database: OfficeDatabases, tmp_path: Path) -> Serve:
    @contextmanager
    def serving(name: str) -> Iterator[ServedOffice]:
        with served_office(office_database(name), tmp_path, "CRITICAL") as office:
            yield office

    return serving


def ask(schema: BaseSchema) -> Found:
    """Every answer is as documented."""
    found = ask_everything(schema)
    print(f"VERBUND_FUZZ={EXAMPLES} VERBUND_FUZZ_SEED={SEED}: {found.answers.total()} answers")  # noqa: T201
    assert not found.wrong, "\n\n".join(found.wrong[:10])
    return found


def routes_of(schema: BaseSchema) -> set[str]:
    return {f"{method.upper()} {path}" for path, item in schema.raw_schema["paths"].items() for method in item}


def test_the_registration_office_answers_as_documented(serve: Serve) -> None:
    with serve("registration") as office:
        furnish(office)
        settled, doubted, mistaken = office.register(), office.register(), office.register()
        office.doubt(doubted["residence_id"], "2018-12-03")
        schema = documented(
            office,
            ("clerk", "initial_load"),
            examples=EXAMPLES,
            seed=SEED,
            known={
                "path.residence_id": [office.places["home"], office.places["gone"], settled["residence_id"]],
                "body.area": ["04", "05", "unplaced"],
                "body.nationality": ["125", "154", "000"],
                "body.resident_id": [office.places["resident"], settled["resident_id"]],
                "body.moved_in_on": ["2018-12-01", "2020-02-29"],
                "body.moved_on": ["2019-01-01", "2020-03-04"],
                "body.changed_on": ["2019-02-01", "2021-03-04"],
                "body.deregistered_on": ["2021-12-31", "2022-01-01"],
            },
            known_by_path={
                "/residences/{residence_id}/confirmations": {
                    "path.residence_id": [doubted["residence_id"]],
                    "body.confirmed_on": ["2018-12-20"],
                },
                "/residences/{residence_id}/corrections": {
                    # Nothing else is booked about this one: what others stand on cannot be cancelled.
                    "path.residence_id": [mistaken["residence_id"]],
                    "body.booking_id": [mistaken["booking_id"]],
                },
            },
            carried_out={
                "/residences/{residence_id}/corrections": {
                    "booking_id": mistaken["booking_id"],
                    "reason": "booked_in_error",
                    "amendment": None,
                },
                "/residences/{residence_id}/confirmations": {"confirmed_on": "2018-12-20"},
            },
        )
        found = ask(schema)
    assert found.reached() == routes_of(schema) - {"POST /initial-load/closing"}  # it happens once, and has happened


def test_the_reporting_office_answers_as_documented(serve: Serve) -> None:
    with serve("reporting") as office:
        numbers: dict[str, str] = {}
        for path, form in (("/notes", NOTE), ("/targets", TARGET), ("/thresholds", THRESHOLD)):
            numbers |= office.ask("POST", path, "statistics", json=form).json()
        schema = documented(
            office,
            ("statistics",),
            examples=EXAMPLES,
            seed=SEED,
            known={
                "path.indicator_id": ["population", "arrivals", "population_share"],
                "query.by": ["district", "nationality,sex"],
                "query.as_of": ["2018-12-31", "2017-12-31,2018-12-31"],
                "path.note_id": [numbers["note_id"]],
                "path.target_id": [numbers["target_id"]],
                "path.threshold_id": [numbers["threshold_id"]],
                "body.indicator": ["population"],
                "body.breakdown": ["district"],
                "body.value": ["SB02"],
                "query.indicator": ["population"],
            },
        )
        found = ask(schema)
    # What can be delivered stands in no document: units, codes and days are the catalogue's (test_deliveries.py).
    # And no figure is beyond a threshold here: of alerts there is the empty list.
    assert found.reached() >= {
        route
        for route in routes_of(schema)
        if not route.startswith("POST /deliveries") and "/alerts/{alert_id}" not in route
    }


def test_the_reader_of_the_books_answers_as_documented(office_database: OfficeDatabases, tmp_path: Path) -> None:
    reporting, registration = office_database("reporting"), office_database("registration")
    with served_reader(reporting, registration, tmp_path, "CRITICAL") as office:
        parked = [park(office, number) for number in range(1, 41)]
        schema = documented(
            office,
            ("operator",),
            examples=EXAMPLES,
            seed=SEED,
            known={"path.parked_id": [str(each) for each in parked]},
        )
        found = ask(schema)
    assert found.reached() == routes_of(schema)


def test_an_office_that_takes_in_its_initial_load_answers_as_documented(serve: Serve) -> None:
    with serve("registration") as office:
        schema = documented(
            office, ("initial_load",), examples=EXAMPLES, seed=SEED, known={}, below="/initial-load/bookings"
        )
        found = ask(schema)
        booked = office.query("select number from ledger.head")
    assert found.reached() == routes_of(schema)
    assert booked[0][0] > 0


@pytest.mark.parametrize("field", ["street", "house_number", "family_name", "given_names", "city", "landlord"])
def test_the_document_says_that_blanks_alone_are_nothing(field: str) -> None:
    form = Draft202012Validator(ResidenceForm.model_json_schema())
    assert form.is_valid({**NEW_RESIDENT, field: " x "})
    assert not form.is_valid({**NEW_RESIDENT, field: " \t"})
