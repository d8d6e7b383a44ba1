"""Asks every documented route of an office, with good and bad requests and in chains, and checks every answer.

What a request looks like is made by schemathesis out of the office's own OpenAPI document.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import schemathesis
from hypothesis import strategies as st
from schemathesis.config import SchemathesisConfig
from schemathesis.core.parameters import ParameterLocation
from schemathesis.engine import events, from_schema
from schemathesis.engine.recorder import ScenarioRecorder
from schemathesis.hooks import unregister
from schemathesis.schemas import BaseSchema
from stage.served_offices import ServedOffice

NDJSON = "application/x-ndjson"
TABLES = frozenset({"text/csv", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"})
_REFUSED = ["400", "401", "403", "404", "405", "409", "412", "413", "415", "422"]
# The rules of an office may refuse what is well written: then these, with a code of the rule.
_ACCEPTED = ["2xx", "404", "409", "422"]
_NOT_UNDERSTOOD = frozenset(
    {
        *("invalid", "json_malformed", "content_type_wrong", "bad_request"),
        *("field_twice", "given_twice", "nul_character", "cursor_invalid"),
    }
)
_AT_THE_DOOR = frozenset(
    {
        *("token_missing", "token_invalid", "not_found", "method_not_allowed"),
        *("idempotency_key_missing", "idempotency_key_invalid"),
    }
)


@dataclass
class Found:
    """What the answers were."""

    wrong: list[str] = field(default_factory=list)
    """Each answer that is not as documented, with the request that got it."""
    answers: Counter[tuple[str, int]] = field(default_factory=Counter)
    """How often a route (such as `GET /residences`) answered with which status."""

    def reached(self) -> set[str]:
        """Routes that have carried out something at least once."""
        return {route for route, status in self.answers if status < 300}


Known = Mapping[str, Sequence[str]]
"""Values worth trying, by parameter, such as `path.residence_id` or `body.area`."""


def documented(
    office: ServedOffice,
    roles: Sequence[str],
    *,
    examples: int,
    seed: int,
    known: Known,
    known_by_path: Mapping[str, Known] | None = None,
    carried_out: Mapping[str, Mapping[str, Any]] | None = None,
    below: str = "/",
) -> BaseSchema:
    """The document of the routes `below` a path, ready to be asked by somebody with these roles.

    `carried_out`: by path of a POST, a body that can be carried out here, asked beside the documented examples.
    `examples`: how many random requests of each kind each route gets; `seed`: which.
    """
    document = office.app.openapi()
    for path, body in (carried_out or {}).items():
        content = document["paths"][path]["post"]["requestBody"]["content"]["application/json"]
        # More than once: the other parameters of each are drawn.
        content["examples"] |= {f"carried out {number}": {"value": body} for number in range(5)}
    routes = {path: item for path, item in document["paths"].items() if path.startswith(below)}
    config = SchemathesisConfig.from_dict(
        {
            "seed": seed,
            "continue-on-failure": True,
            "base-url": office.url,
            "headers": office.bearer(*roles),
            "max-stream-events": 1,
            "generation": {"max-examples": examples, "database": "none", "no-shrink": True, "allow-x00": False},
            "checks": {
                "positive_data_acceptance": {"expected-statuses": _ACCEPTED},
                "negative_data_rejection": {"expected-statuses": _REFUSED},
            },
            **_hints(known, known_by_path or {}),
        }
    )
    schema = schemathesis.openapi.from_dict({**document, "paths": routes}, config=config)

    @schema.hook
    def before_generate_body(context: schemathesis.HookContext, strategy: Any) -> Any:
        body = context.operation.definition.raw.get("requestBody", {}) if context.operation is not None else {}
        if NDJSON not in body.get("content", {}):
            return strategy
        return strategy | lines_like(json.loads(body["content"][NDJSON]["example"]))

    return schema


def _hints(known: Known, known_by_path: Mapping[str, Known]) -> dict[str, Any]:
    """What schemathesis is told beside the document: values that mean something here, often but not always used."""
    dictionaries: dict[str, Any] = {}

    def bound(place: str, names: Known) -> dict[str, Any]:
        dictionaries.update({f"{place}{name}": {"values": list(values)} for name, values in names.items()})
        return {name: {"dictionary": f"{place}{name}", "probability": 0.7} for name in names}

    return {
        "dictionaries": dictionaries,
        "parameters": bound("", known),
        "operations": [
            *({"include-path": path, "parameters": bound(path, names)} for path, names in known_by_path.items()),
            # Any text is an upload; which of its lines are refused stands in an answer that is 200.
            {"include-path": "/initial-load/bookings", "checks": {"negative_data_rejection": {"enabled": False}}},
        ],
    }


def lines_like(example: Mapping[str, Any]) -> st.SearchStrategy[str]:
    """An upload of lines, some of them right."""
    text = st.text(st.characters(codec="utf-8", exclude_characters="\0"))  # NULs are refused in whatever they stand
    value = st.none() | st.booleans() | st.integers() | text | st.lists(text) | st.sampled_from(["x", *example])
    changes = st.dictionaries(st.sampled_from(["x", *example]), value, max_size=3)
    right = st.just({name: said for name, said in example.items() if name != "residence_id"})
    line = (right | changes.map(lambda changed: {**example, **changed})).map(json.dumps) | text
    return st.lists(line, max_size=5).map("\n".join)


def ask_everything(schema: BaseSchema) -> Found:
    """Documented examples, the borders of every schema, random requests, and chains of routes."""
    found = Found()
    with _clerk():
        for event in from_schema(schema).execute():
            if isinstance(event, events.ScenarioFinished):
                _note(event.recorder, found)
            elif isinstance(event, events.NonFatalError):
                found.wrong.append(f"{event.label}: {event.value}")
            elif isinstance(event, events.FatalError):
                raise event.exception
    return found


@contextmanager
def _clerk() -> Iterator[None]:
    """Good requests are sent as a clerk sends them: each under a key of its own, about what was never seen before."""
    numbers = count(1)

    def before_call(_: schemathesis.HookContext, case: schemathesis.Case[Any], __: dict[str, Any]) -> None:
        if case.meta is None or not case.meta.generation.mode.is_positive:
            return
        if "Idempotency-Key" in case.headers:
            case.headers["Idempotency-Key"] = f"good-{next(numbers)}"
        case.headers.pop("If-Match", None)
        case.query.pop("cursor", None)

    def encode(_: schemathesis.SerializationContext, value: object) -> bytes:
        return str(value).encode("utf-8", "replace")

    schemathesis.serializer(NDJSON)(encode)
    schemathesis.hook(before_call)
    try:
        yield
    finally:
        unregister(before_call)


def _note(recorder: ScenarioRecorder, found: Found) -> None:
    for case_id, interaction in recorder.interactions.items():
        case, answer = recorder.cases[case_id].value, interaction.response
        assert answer is not None, f"no answer to {case.as_curl_command()}"
        found.answers[case.operation.label, answer.status_code] += 1
        if answer.status_code >= 400 and (wrong := _refused_by_chance(case, answer.json()["code"])):
            found.wrong.append(f"{wrong}\n{case.as_curl_command()}\n{answer.text}")
    for checks in recorder.checks.values():
        for check in checks:
            if check.failure_info is not None:
                found.wrong.append(f"{check.name}: {check.failure_info.failure}\n{check.failure_info.code_sample}")


def _refused_by_chance(case: schemathesis.Case[Any], code: str) -> str | None:
    """What is wrong where a good request was not understood, or where a bad one was and a rule refused it."""
    if case.meta is None:
        return None
    if case.meta.generation.mode.is_positive and code in _NOT_UNDERSTOOD:
        return "This fits the document, and was not understood:"
    # Only of bodies is that known: in an address everything is text, and fits many a schema once it is sent.
    body = case.meta.components.get(ParameterLocation.BODY)
    is_table = case.media_type in TABLES  # any text may be one: what is wrong in it only its reader can tell
    if body is not None and body.mode.is_negative and not is_table and code not in _NOT_UNDERSTOOD | _AT_THE_DOOR:
        return "This does not fit the document, and only a rule of the office refused it:"
    return None
