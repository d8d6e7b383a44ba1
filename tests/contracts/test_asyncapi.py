"""What offices say of their events: a valid AsyncAPI 3 document, with schemas that fit what was published."""

import gzip
import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from contracts.gate import FOLDER, announced, golden_file, read_golden
from jsonschema import Draft7Validator, Draft202012Validator, FormatChecker, ValidationError
from pydantic import create_model
from stage.service_kit import ServiceKit, ask

from verbund.events.envelope import Data
from verbund.events.offices import Office, find_offices, get_office
from verbund.events.registration import ResidenceRegistered
from verbund.events.schemas import schema_of
from verbund.kafka.asyncapi import asyncapi_of
from verbund.kafka.messages import BEAT_TYPE

EVENTS = [pytest.param(office, model, id=model.type) for office, model in announced()]
OFFICES = [pytest.param(office, id=office.name) for office in find_offices()]


@cache
def rules() -> Draft7Validator:
    """The official rules for AsyncAPI 3.0.0 documents."""
    return Draft7Validator(json.loads(gzip.decompress((FOLDER / "asyncapi" / "3.0.0.json.gz").read_bytes())))


@pytest.fixture
def kit(tmp_path: Path) -> ServiceKit:
    return ServiceKit(tmp_path)


def document_of(office: str) -> dict[str, Any]:
    return asyncapi_of(get_office(office), find_offices(), "1.0")


def follow(document: Any, reference: str) -> Any:
    """What a `$ref` within the document points at; raises `KeyError` where there is nothing."""
    for part in reference.removeprefix("#/").split("/"):
        document = document[part]
    return document


def references(part: Any) -> list[str]:
    if isinstance(part, dict):
        own = [part["$ref"]] if "$ref" in part else []
        return own + [found for value in part.values() for found in references(value)]
    return [found for item in part for found in references(item)] if isinstance(part, list) else []


@pytest.mark.parametrize("office", OFFICES)
def test_the_document_of_every_office_follows_the_rules_of_asyncapi(office: Office) -> None:
    document = document_of(office.name)
    rules().validate(document)
    for name in ("channels", "operations"):
        for reference in references(document[name]):
            assert follow(document, reference)
    for message in document["components"]["messages"].values():
        assert follow(document, message["payload"]["$ref"])


def forget_the_action(document: dict[str, Any]) -> None:
    del document["operations"]["book-registration"]["action"]


def misspell_the_address(document: dict[str, Any]) -> None:
    document["channels"]["book-of-registration"]["adress"] = "/"


def forget_the_title(document: dict[str, Any]) -> None:
    del document["info"]["title"]


def write_a_schema_that_is_none(document: dict[str, Any]) -> None:
    document["components"]["schemas"]["x"] = {"type": "sentence"}


@pytest.mark.parametrize(
    "change", [forget_the_action, misspell_the_address, forget_the_title, write_a_schema_that_is_none]
)
def test_a_document_against_the_rules_is_caught(change: Callable[[dict[str, Any]], None]) -> None:
    document = document_of("registration")
    change(document)
    with pytest.raises(ValidationError):
        rules().validate(document)


def test_an_office_sends_its_own_book_and_reporting_receives_every_book() -> None:
    sent, received = document_of("registration"), document_of("reporting")
    assert [each["action"] for each in sent["operations"].values()] == ["send"]
    assert [each["action"] for each in received["operations"].values()] == ["receive"]
    assert sent["channels"] == received["channels"]
    assert [channel["address"] for channel in sent["channels"].values()] == ["verbund.book.registration"]
    own = [model.type for office, model in announced() if office == "registration"]
    assert list(sent["components"]["schemas"]) == [*own, BEAT_TYPE]


@pytest.mark.parametrize(("office", "model"), EVENTS)
def test_every_golden_event_fits_its_schema(office: str, model: type[Data]) -> None:
    schema = document_of(office)["components"]["schemas"][model.type]["schema"]
    Draft202012Validator.check_schema(schema)
    Draft202012Validator(schema, format_checker=FormatChecker()).validate(
        read_golden(golden_file(office, model))["example"]
    )


@pytest.mark.parametrize(("office", "model"), EVENTS)
@pytest.mark.parametrize(
    ("attribute", "wrong"),
    [
        ("specversion", "0.3"),
        ("source", "/05913000/another/book"),
        ("type", "de.verbund.registration.another.v1"),
        ("sequence", "7"),
        ("time", 7),
        ("data", {}),
    ],
)
def test_another_envelope_does_not_fit(office: str, model: type[Data], attribute: str, wrong: object) -> None:
    validator = Draft202012Validator(schema_of(model, office))
    example = read_golden(golden_file(office, model))["example"]
    if wrong == {} and not read_golden(golden_file(office, model))["data"].get("required"):
        wrong = "nothing"  # an event may say all in its type and its subject
    assert not validator.is_valid({**example, attribute: wrong})
    assert not validator.is_valid({name: value for name, value in example.items() if name != attribute})


def test_a_planted_change_of_a_model_is_caught_by_its_golden_event() -> None:
    changed = create_model("Changed", __base__=ResidenceRegistered, dwelling=(str, ...))
    changed.type = ResidenceRegistered.type
    example = read_golden(golden_file("registration", ResidenceRegistered))["example"]
    with pytest.raises(ValidationError, match="dwelling"):
        Draft202012Validator(schema_of(changed, "registration")).validate(example)


async def test_an_office_serves_its_document_to_everybody_in_the_same_bytes(kit: ServiceKit) -> None:
    first, second = [await ask(kit.service(), "GET", "/asyncapi.json") for _ in range(2)]
    assert (first.status_code, first.headers["content-type"]) == (200, "application/json")
    assert first.content == second.content
    rules().validate(first.json())
