"""A published version of an event keeps its shape, or the build fails."""

import json
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest
from contracts.gate import FOLDER, announced, breaks, golden_file, read_golden, shape_of
from jsonschema import Draft202012Validator

from verbund.events.canonical import canonical_bytes
from verbund.events.envelope import Data, decode, encode
from verbund.events.offices import find_offices, known_events
from verbund.events.registration import RegistrationCorrected, ResidenceRegistered

EVENTS = [pytest.param(office, model, id=model.type) for office, model in announced()]


@pytest.mark.parametrize(("office", "model"), EVENTS)
def test_a_published_event_keeps_its_shape(office: str, model: type[Data]) -> None:
    file = golden_file(office, model)
    assert file.exists(), "not published yet: run `python tests/contracts/publish.py` and commit what it wrote"
    assert list(breaks(read_golden(file)["data"], shape_of(model))) == []


def test_no_event_was_published_and_then_dropped() -> None:
    announced_files = {golden_file(office, model) for office, model in announced()}
    published = {file for office in find_offices() for file in (FOLDER / office.name).glob("*.json")}
    assert announced_files <= published
    for older in published - announced_files:  # a version that was followed by another one: an upcaster reads it
        decode(canonical_bytes(read_golden(older)["example"]), known_events())


@pytest.mark.parametrize(("office", "model"), EVENTS)
def test_what_was_once_written_can_be_read_and_says_the_same(office: str, model: type[Data]) -> None:
    example = read_golden(golden_file(office, model))["example"]
    event = decode(canonical_bytes(example), known_events())
    assert type(event.data) is model
    said_again = json.loads(encode(event))
    assert without_nulls(said_again) == without_nulls(example)


@pytest.mark.parametrize(("office", "model"), EVENTS)
def test_the_example_fits_the_published_shape(office: str, model: type[Data]) -> None:
    golden = read_golden(golden_file(office, model))
    Draft202012Validator(golden["data"]).validate(golden["example"]["data"])


def without_nulls(value: Any) -> Any:
    """An optional field that is new since is null in what was written before it."""
    if isinstance(value, dict):
        return {key: without_nulls(item) for key, item in value.items() if item is not None}
    return [without_nulls(item) for item in value] if isinstance(value, list) else value


def drop_a_field(shape: dict[str, Any]) -> None:
    del shape["properties"]["previous_state"]


def drop_a_required_field(shape: dict[str, Any]) -> None:
    del shape["properties"]["area"]
    shape["required"].remove("area")


def rename_a_field(shape: dict[str, Any]) -> None:
    shape["properties"]["moved_in_at"] = shape["properties"].pop("moved_in_on")
    shape["required"] = [name.replace("moved_in_on", "moved_in_at") for name in shape["required"]]


def change_a_type(shape: dict[str, Any]) -> None:
    shape["properties"]["birth_year"]["type"] = "string"


def change_a_pattern(shape: dict[str, Any]) -> None:
    shape["properties"]["nationality"]["pattern"] = r"^\d{4}$"


def let_null_in(shape: dict[str, Any]) -> None:
    shape["properties"]["late"] = {"anyOf": [shape["properties"]["late"], {"type": "null"}]}


def add_a_word_to_a_list(shape: dict[str, Any]) -> None:
    shape["properties"]["sex"]["enum"].append("x")


def ask_for_a_new_field(shape: dict[str, Any]) -> None:
    shape["properties"]["dwelling"] = {"type": "string"}
    shape["required"].append("dwelling")


def ask_for_what_was_optional(shape: dict[str, Any]) -> None:
    shape["required"].append("previous_state")


def no_longer_promise_a_field(shape: dict[str, Any]) -> None:
    shape["required"].remove("moved_in_on")


def change_a_fact(shape: dict[str, Any]) -> None:
    transitions = shape["properties"]["transitions"]["items"]["oneOf"]
    del transitions[0]["properties"]["after"]["anyOf"][0]["properties"]["sex"]


def drop_a_unit(shape: dict[str, Any]) -> None:
    shape["properties"]["transitions"]["items"]["oneOf"].pop()


PLANTED = [
    drop_a_field,
    drop_a_required_field,
    rename_a_field,
    change_a_type,
    change_a_pattern,
    let_null_in,
    add_a_word_to_a_list,
    ask_for_a_new_field,
    ask_for_what_was_optional,
    no_longer_promise_a_field,
    change_a_fact,
    drop_a_unit,
]


@pytest.mark.parametrize("change", PLANTED, ids=[change.__name__ for change in PLANTED])
def test_a_planted_change_is_caught(change: Callable[[dict[str, Any]], None]) -> None:
    published = shape_of(ResidenceRegistered)
    changed = deepcopy(dict(published))
    change(changed)
    assert list(breaks(published, changed)) != []


def test_a_new_optional_field_passes_anywhere() -> None:
    for model in (ResidenceRegistered, RegistrationCorrected):
        published = shape_of(model)
        changed = deepcopy(dict(published))
        changed["properties"]["dwelling"] = {"anyOf": [{"type": "string"}, {"type": "null"}]}
        transition = changed["properties"]["transitions"]["items"]["oneOf"][0]
        transition["properties"]["after"]["anyOf"][0]["properties"]["household"] = {"type": "integer"}
        assert list(breaks(published, changed)) == []


def test_words_about_an_event_may_change() -> None:
    class Reworded(ResidenceRegistered):
        """Other words."""

    assert list(breaks(shape_of(ResidenceRegistered), shape_of(Reworded))) == []
