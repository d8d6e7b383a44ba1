"""What travels on Kafka: records and beats as CloudEvents, and what is none of ours."""

import json
from datetime import UTC, datetime

import pytest
from stage.tally import KNOWN, Added

from verbund.events.envelope import decode
from verbund.events.offices import find_offices
from verbund.kafka.messages import (
    BEAT_TYPE,
    HASH,
    NUMBER,
    PREVIOUS,
    BeatEvent,
    Message,
    Stray,
    beat_message,
    message_of,
    read_message,
)
from verbund.kafka.topics import LARGEST_EVENT, Right, rights_of, topic_of, topics_of, topics_read_by
from verbund.ledger.record import GENESIS, Beat, Entry, Head, Record, chain_hash, seal

BOOK = "/05913000/registration/book"
TOPIC = "verbund.book.registration"
AT = datetime(2018, 12, 31, 8, 30, tzinfo=UTC)
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def record(**more: str) -> Record:
    _, [_, sealed] = seal(Head(BOOK, 0, GENESIS, AT), 2 * [Entry('s "', Added(amount=7), "clerk:1", AT, **more)])
    return sealed


def read(message: Message) -> object:
    return read_message(message.topic, message.key, message.value, message.headers, "here")


def test_a_record_arrives_as_it_was_sent() -> None:
    sent = record()
    message = message_of(sent)
    assert (message.topic, message.key, message.value) == (TOPIC, BOOK.encode(), sent.body)
    assert read(message) == sent


def test_any_cloudevents_consumer_can_read_a_record() -> None:
    sent = record(traceparent=TRACE)
    event, headers = decode(sent.body, KNOWN), dict(message_of(sent).headers)
    assert headers["content-type"].startswith(b"application/cloudevents+json")
    assert {name: value.decode() for name, value in headers.items() if name.startswith(("ce_", "trace"))} == {
        "ce_specversion": "1.0",
        "ce_id": event.id,
        "ce_source": BOOK,
        "ce_type": Added.type,
        "ce_time": "2018-12-31T08:30:00.000000Z",
        "traceparent": TRACE,
    }


def test_a_record_in_another_order_of_attributes_travels_all_the_same() -> None:
    sent = record()
    said = json.loads(sent.body)
    body = json.dumps({"type": said.pop("type"), **said}, separators=(",", ":")).encode()
    other = sent._replace(body=body, hash=chain_hash(sent.previous, body))
    assert "ce_id" not in dict(message_of(other).headers)
    assert read(message_of(other)) == other


@pytest.mark.parametrize("alive_at", [AT, None])
def test_a_beat_arrives_as_it_was_sent(alive_at: datetime | None) -> None:
    beat = Beat(BOOK, 17, b"h" * 32, alive_at, AT)
    message = beat_message(beat)
    assert read(message) == beat
    assert dict(message.headers)["ce_type"] == BEAT_TYPE.encode()
    assert BeatEvent.model_validate_json(message.value).data.number == 17


def poisoned(kind: str) -> Message:
    """A message that is none of ours, in each way in which it can be one."""
    message = message_of(record())
    headers = dict(message.headers)
    other = message.value.replace(b"05913000", b"05915000")
    match kind:
        case "not_json":
            return message._replace(value=b"{")
        case "not_an_object":
            return message._replace(value=b"[]")
        case "oversized":
            return message._replace(value=b"x" * (LARGEST_EVENT + 1))
        case "forged_source":
            return message._replace(value=other, headers=[*headers.items()])
        case "forged_number":
            return message._replace(headers=[*{**headers, NUMBER: b"3"}.items()])
        case "wrong_key":
            return message._replace(key=b"/05913000/reporting/book")
        case "wrong_shape":
            return beat_message(Beat(BOOK, 1, b"short", None, AT))
        case "no_place":
            return message._replace(headers=[("content-type", b"text/plain")])
    raise LookupError(kind)


@pytest.mark.parametrize(
    "kind",
    [
        "not_json",
        "not_an_object",
        "oversized",
        "forged_source",
        "forged_number",
        "wrong_key",
        "wrong_shape",
        "no_place",
    ],
)
def test_what_is_none_of_ours_is_told_apart(kind: str) -> None:
    found = read(poisoned(kind))
    assert isinstance(found, Stray)
    assert (found.reason, found.topic) == (kind, TOPIC)
    assert found.detail.startswith("here")
    assert len(found.value) <= LARGEST_EVENT


@pytest.mark.parametrize("name", [NUMBER, PREVIOUS, HASH])
@pytest.mark.parametrize("value", [b"", b"x", b"-1", b"9" * 40, "text"])
def test_a_bad_header_is_no_place(name: str, value: bytes) -> None:
    message = message_of(record())
    found = read(message._replace(headers=[*{**dict(message.headers), name: value}.items()]))
    assert isinstance(found, Stray)
    assert found.reason == "no_place"


@pytest.mark.parametrize("key", [None, b"", b"\xff", b"/05913000/registration/to/reporting", b"/1/registration/book"])
def test_a_key_that_names_no_ledger_of_the_topic_is_wrong(key: bytes | None) -> None:
    message = message_of(record())
    found = read_message(TOPIC, key, message.value, message.headers, "here")
    assert isinstance(found, Stray)
    assert found.reason == "wrong_key"


def test_a_ledger_has_one_topic() -> None:
    assert topic_of(BOOK) == TOPIC
    assert topic_of("/05913000/registration/to/health-clearing") == "verbund.tray.registration.health-clearing"


def test_books_are_read_by_reporting_alone_and_written_by_their_relay_alone() -> None:
    topics = topics_of(find_offices())
    assert [topic.name for topic in topics] == [TOPIC]
    assert topics_read_by("reporting", find_offices()) == [TOPIC]
    assert topics_read_by("registration", find_offices()) == []
    rights = rights_of(topics)
    assert {right.principal for right in rights if right.operation == "write"} == {"registration-relay"}
    assert {right.principal for right in rights if right.operation == "read"} == {"reporting-reader"}
    assert Right("registration-relay", "topic", TOPIC, "read") not in rights
