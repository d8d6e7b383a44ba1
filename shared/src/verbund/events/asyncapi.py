"""The AsyncAPI 3 document of an office: which ledgers it writes and reads, and what every event in them looks like."""

from collections.abc import Iterable
from typing import Any

from verbund.events.envelope import Data
from verbund.events.offices import Office
from verbund.events.schemas import schema_of

_SCHEMA_FORMAT = "application/schema+json;version=draft-2020-12"
_DESCRIPTION = (
    "Ledgers are append-only, numbered without a gap and chained by hashes. An event is a CloudEvent 1.0 in structured "
    "JSON mode, in canonical bytes (RFC 8785). A version of an event only ever gains optional fields."
)
_MUNICIPALITY = {"description": "Amtlicher Gemeindeschlüssel, eight digits.", "examples": ["05913000"]}


def asyncapi_of(office: Office, offices: Iterable[Office], version: str) -> dict[str, Any]:
    """The document of `office` among `offices`; equal announcements give an equal document."""
    writers = [each for each in offices if each.events]
    sent = [each for each in writers if each.name == office.name]
    received = [each for each in writers if "*" in office.reads or each.name in office.reads]
    told = {each.name: each for each in (*sent, *received)}
    return {
        "asyncapi": "3.0.0",
        "info": {"title": f"Verbund: {office.name}", "version": version, "description": _DESCRIPTION},
        "defaultContentType": "application/cloudevents+json",
        "channels": {_channel_of(each): _describe_book(each) for each in told.values()},
        "operations": {
            **{f"book-{each.name}": _operation("send", each) for each in sent},
            **{f"read-{each.name}": _operation("receive", each) for each in received},
        },
        "components": {
            "messages": {model.type: _message(model) for each in told.values() for model in each.events},
            "schemas": {
                model.type: {"schemaFormat": _SCHEMA_FORMAT, "schema": schema_of(model, each.name)}
                for each in told.values()
                for model in each.events
            },
        },
    }


def _channel_of(office: Office) -> str:
    return f"book-of-{office.name}"


def _describe_book(office: Office) -> dict[str, Any]:
    return {
        "address": f"/{{municipality}}/{office.name}/book",
        "description": f"The book of the office {office.name}: statistical facts, one ledger for each municipality.",
        "parameters": {"municipality": _MUNICIPALITY},
        "messages": {model.type: {"$ref": f"#/components/messages/{model.type}"} for model in office.events},
    }


def _operation(action: str, office: Office) -> dict[str, Any]:
    return {"action": action, "channel": {"$ref": f"#/channels/{_channel_of(office)}"}}


def _message(model: type[Data]) -> dict[str, Any]:
    payload = {"$ref": f"#/components/schemas/{model.type}"}
    return {"name": model.type, "title": model.__name__, "payload": payload}
