"""The envelope: an event comes back from its bytes as it was, and what is no event of ours is refused with a reason."""

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest
from contracts.examples import example_of
from hypothesis import given
from hypothesis import strategies as st

from verbund.events.canonical import canonical_bytes
from verbund.events.envelope import Data, Undecodable, decode, encode, instant, sequence_of
from verbund.events.offices import known_events
from verbund.events.registration import EVENTS, ResidenceMoved, ResidenceRegistered

KNOWN = known_events()
REGISTERED = example_of("registration", ResidenceRegistered)


@pytest.mark.parametrize("model", EVENTS, ids=[model.type for model in EVENTS])
def test_an_event_comes_back_from_its_bytes_as_it_was(model: type[Data]) -> None:
    event = example_of("registration", model)
    read = decode(encode(event), KNOWN)
    assert read == event
    assert encode(read) == encode(event)


def test_the_bytes_are_canonical_and_structured_cloudevents() -> None:
    body = encode(REGISTERED)
    attributes = json.loads(body)
    assert canonical_bytes(attributes) == body
    assert attributes["specversion"] == "1.0"
    assert attributes["type"] == "de.verbund.registration.residence-registered.v1"
    assert attributes["time"] == "2019-02-04T09:30:00.000000Z"
    assert "causationid" not in attributes


@given(st.integers(0, 4_000_000_000_000_000), st.integers(-14 * 60, 14 * 60))
def test_an_instant_is_written_in_one_way_whatever_its_zone(microseconds: int, minutes: int) -> None:
    at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=microseconds)
    elsewhere = at.astimezone(timezone(timedelta(minutes=minutes)))
    assert instant(elsewhere) == instant(at)
    assert datetime.fromisoformat(instant(at)) == at


@given(st.integers(1, 2**63 - 1), st.integers(1, 2**63 - 1))
def test_numbers_sort_as_text_as_they_do_as_numbers(one: int, other: int) -> None:
    assert (sequence_of(one) < sequence_of(other)) == (one < other)


def with_attributes(**changes: Any) -> bytes:
    return json.dumps({**json.loads(encode(REGISTERED)), **changes}).encode()


def without(name: str) -> bytes:
    attributes = json.loads(encode(REGISTERED))
    del attributes[name]
    return json.dumps(attributes).encode()


def with_data(change: Callable[[dict[str, Any]], object]) -> bytes:
    attributes = json.loads(encode(REGISTERED))
    change(attributes["data"])
    return json.dumps(attributes).encode()


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "not_json"),
        (b"\xff\xfe", "not_json"),
        (b"{", "not_json"),
        (b"[]", "not_an_object"),
        (b"null", "not_an_object"),
        (b"{}", "unknown_type"),
        (with_attributes(type="de.verbund.registration.residence-registered.v2"), "unknown_type"),
        (with_attributes(type=7), "unknown_type"),
        (with_attributes(specversion="0.3"), "wrong_shape"),
        (with_attributes(data=None), "wrong_shape"),
        (with_attributes(data=[]), "wrong_shape"),
        (with_attributes(sequence="first"), "wrong_source"),
        (with_attributes(time="yesterday"), "wrong_shape"),
        (with_attributes(source="nowhere"), "wrong_source"),
        (with_attributes(source="/05913000/health-clearing/book"), "forged_source"),
        (with_attributes(sequence="0"), "forged_source"),
        (without("id"), "wrong_shape"),
        (without("subject"), "wrong_shape"),
        (without("data"), "wrong_shape"),
        (with_data(lambda data: data.pop("area")), "wrong_shape"),
        (with_data(lambda data: data.update(sex="x")), "wrong_shape"),
        (with_data(lambda data: data.update(late="yes")), "wrong_shape"),
        (with_data(lambda data: data.update(birth_year=1987.5)), "wrong_shape"),
        (with_data(lambda data: data["transitions"][0].update(sign=0)), "wrong_shape"),
        (with_data(lambda data: data["transitions"][0].update(n=0)), "wrong_shape"),
        (with_data(lambda data: data["transitions"][0].update(after=None)), "wrong_shape"),
        (with_data(lambda data: data["transitions"][0].update(unit="premises")), "wrong_shape"),
        (with_data(lambda data: data["transitions"][0].update(cause="because")), "wrong_shape"),
    ],
)
def test_what_is_no_event_of_ours_is_refused_with_a_reason(body: bytes, reason: str) -> None:
    with pytest.raises(Undecodable) as refused:
        decode(body, KNOWN)
    assert refused.value.reason == reason


def test_a_refusal_says_where_and_repeats_nothing_that_stood_there() -> None:
    body = with_data(lambda data: data.update(area="Musterstraße 12a"))
    with pytest.raises(Undecodable) as refused:
        decode(body, KNOWN)
    assert "area" in refused.value.detail
    assert "Muster" not in str(refused.value)


def test_the_type_is_the_one_of_the_event_itself_wherever_it_stands() -> None:
    attributes = json.loads(encode(REGISTERED))
    first = {"type": attributes.pop("type"), **attributes}
    assert decode(json.dumps(first).encode(), KNOWN) == REGISTERED
    # The bytes now end like those of another event, inside of a text and inside of the data.
    ending = f'"type":"{ResidenceMoved.type}"}}'
    assert decode(canonical_bytes({**attributes, "type": REGISTERED.type, "zzz": ending}), KNOWN) == REGISTERED
    nested = {**first, "data": {**attributes["data"], "type": ResidenceMoved.type}}
    nested["data"] = nested.pop("data")
    assert decode(json.dumps(nested, separators=(",", ":")).encode(), KNOWN) == REGISTERED


def test_of_two_types_the_last_one_says_what_it_is() -> None:
    body = encode(REGISTERED)
    assert decode(b'{"type":"%b",' % ResidenceMoved.type.encode() + body[1:], KNOWN) == REGISTERED
    with pytest.raises(Undecodable):
        decode(body[:-1] + b',"type":"%b"}' % ResidenceMoved.type.encode(), KNOWN)


def test_a_field_that_is_new_since_is_passed_over() -> None:
    body = with_data(lambda data: data.update(dwelling="3rd floor"))
    assert decode(body, KNOWN) == REGISTERED


def test_an_event_without_an_optional_field_is_read() -> None:
    body = with_data(lambda data: data.pop("previous_state"))
    assert decode(body, KNOWN).data.previous_state is None


@given(st.binary(max_size=200))
def test_no_bytes_break_the_reader(body: bytes) -> None:
    with pytest.raises(Undecodable):
        decode(body, KNOWN)


def test_a_type_names_office_event_and_version() -> None:
    class AddressFlagged(Data, office="problem-properties", version=2):
        """As another office may say it."""

    assert AddressFlagged.type == "de.verbund.problem-properties.address-flagged.v2"
    assert ResidenceMoved.type == "de.verbund.registration.residence-moved.v1"


def test_an_event_is_never_changed() -> None:
    event = example_of("registration", ResidenceRegistered)
    with pytest.raises(ValueError, match="frozen"):
        event.actor = "clerk:other"  # type: ignore[misc]
    with pytest.raises(ValueError, match="frozen"):
        event.data.moved_in_on = date(2018, 1, 1)
