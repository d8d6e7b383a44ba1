"""The AsyncAPI 3 document of an office: which topics it writes and reads, and what every message in them looks like."""

from collections.abc import Iterable
from typing import Any

from verbund.events.envelope import Data
from verbund.events.ledger_ids import LEDGER_PATTERN
from verbund.events.offices import Office
from verbund.events.schemas import schema_of
from verbund.kafka.messages import BEAT_TYPE, HASH, NUMBER, PREVIOUS, BeatEvent
from verbund.kafka.topics import book_topic

_SCHEMA_FORMAT = "application/schema+json;version=draft-2020-12"
_DESCRIPTION = (
    "Ledgers are append-only, numbered without a gap and chained by hashes; each is one key of one topic. A message is "
    "a CloudEvent 1.0 in structured JSON mode, in the canonical bytes of the ledger (RFC 8785). A version of an event "
    "only ever gains optional fields. On a machine without Kafka the same ledgers are read where they stand."
)
_KEY = {"type": "string", "pattern": LEDGER_PATTERN, "examples": ["/05913000/registration/book"]}
_ATTRIBUTES = {
    "content-type": {"type": "string", "const": "application/cloudevents+json; charset=UTF-8"},
    **{f"ce_{name}": {"type": "string"} for name in ("specversion", "id", "source", "type", "time")},
}
_HEADERS = {
    "type": "object",
    "properties": {
        **_ATTRIBUTES,
        "traceparent": {"type": "string", "description": "W3C trace context, where the booking had one."},
        NUMBER: {"type": "string", "pattern": "^[1-9][0-9]*$", "description": "Number in the ledger, without a gap."},
        PREVIOUS: {"type": "string", "description": "Hash of the record before it: 32 bytes; zeros for the first."},
        HASH: {"type": "string", "description": "SHA-256 of the previous hash and the value: 32 bytes."},
    },
    "required": ["content-type", NUMBER, PREVIOUS, HASH],
}
_BEAT_HEADERS = {"type": "object", "properties": _ATTRIBUTES, "required": [*_ATTRIBUTES]}


def asyncapi_of(office: Office, offices: Iterable[Office], version: str) -> dict[str, Any]:
    """The document of `office` among `offices`; equal announcements give an equal document."""
    writers = [each for each in offices if each.events]
    own = [each for each in writers if each.name == office.name]
    sent = [each for each in own if each.readers]  # a book that nobody reads is not sent
    received = [each for each in writers if each.readers and ("*" in office.reads or each.name in office.reads)]
    channels = {each.name: each for each in (*sent, *received)}
    told = {each.name: each for each in (*own, *received)}
    return {
        "asyncapi": "3.0.0",
        "info": {"title": f"Verbund: {office.name}", "version": version, "description": _DESCRIPTION},
        "defaultContentType": "application/cloudevents+json",
        "channels": {_channel_of(each): _describe_book(each) for each in channels.values()},
        "operations": {
            **{f"book-{each.name}": _operation("send", each) for each in sent},
            **{f"read-{each.name}": _operation("receive", each) for each in received},
        },
        "components": {
            "messages": {
                **{model.type: _message(model) for each in told.values() for model in each.events},
                **({BEAT_TYPE: _BEAT} if told else {}),
            },
            "schemas": {
                model.type: {"schemaFormat": _SCHEMA_FORMAT, "schema": schema_of(model, each.name)}
                for each in told.values()
                for model in each.events
            }
            | ({BEAT_TYPE: {"schemaFormat": _SCHEMA_FORMAT, "schema": BeatEvent.model_json_schema()}} if told else {}),
        },
    }


def _channel_of(office: Office) -> str:
    return f"book-of-{office.name}"


def _describe_book(office: Office) -> dict[str, Any]:
    return {
        "address": book_topic(office.name),
        "description": f"The books of the office {office.name}: statistical facts, one ledger for each municipality.",
        "messages": {
            type_: {"$ref": f"#/components/messages/{type_}"}
            for type_ in (*(model.type for model in office.events), BEAT_TYPE)
        },
    }


def _operation(action: str, office: Office) -> dict[str, Any]:
    return {"action": action, "channel": {"$ref": f"#/channels/{_channel_of(office)}"}}


def _message(model: type[Data]) -> dict[str, Any]:
    return {
        "name": model.type,
        "title": model.__name__,
        "headers": _HEADERS,
        "payload": {"$ref": f"#/components/schemas/{model.type}"},
        "bindings": {"kafka": {"key": _KEY}},
    }


_BEAT = {
    "name": BEAT_TYPE,
    "title": "Beat",
    "summary": "Where a ledger ends, every few seconds: a silent office can be told from a dead one.",
    "headers": _BEAT_HEADERS,
    "payload": {"$ref": f"#/components/schemas/{BEAT_TYPE}"},
    "bindings": {"kafka": {"key": _KEY}},
}
