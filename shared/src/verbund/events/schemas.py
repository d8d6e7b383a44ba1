"""JSON Schemas (2020-12) of events as they travel, made from the models that read and write them."""

from typing import Any

from verbund.events.envelope import SEQUENCE_DIGITS, Data, Event

_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schema_of(model: type[Data], office: str) -> dict[str, Any]:
    """The schema of a whole event, envelope and data, in the book of `office`; stands by itself under its own `$id`."""
    schema = Event[model].model_json_schema(mode="validation")  # type: ignore[valid-type]
    fields = schema["properties"]
    fields["type"] = {"const": model.type}
    fields["source"] |= {"pattern": rf"^/\d{{8}}/{office}/book$"}
    fields["sequence"] |= {"pattern": rf"^\d{{{SEQUENCE_DIGITS}}}$"}
    return {
        **schema,
        "$schema": _DIALECT,
        "$id": f"urn:verbund:event:{model.type}",
        "title": model.__name__,
        "description": _words_of(model),
        # A reader could do without those that never vary; they are written nevertheless.
        "required": sorted(name for name, field in Event.model_fields.items() if field.default is not None),
    }


def _words_of(model: type[Data]) -> str:
    """What an event says of itself, in one line."""
    return " ".join((model.__doc__ or "").split())
