"""What may change in a published version of an event: it may gain optional fields, and nothing else."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from verbund.events.envelope import Data
from verbund.events.offices import find_offices

FOLDER = Path(__file__).parent
_WORDS = frozenset({"title", "description", "default", "examples", "discriminator"})
"""Parts of a schema that say nothing about the shape. A default is what a reader makes of a field that is missing."""

Schema = Mapping[str, Any]


def golden_file(office: str, model: type[Data]) -> Path:
    """Where the published shape of an event stands."""
    return FOLDER / office / f"{model.type}.json"


def announced() -> list[tuple[str, type[Data]]]:
    """Every event that an office announces, with the office's name."""
    return [(office.name, model) for office in find_offices() for model in office.events]


def shape_of(model: type[Data]) -> Schema:
    """The JSON Schema of an event's data, without references and without words."""
    schema = model.model_json_schema(mode="validation")
    shape: Schema = _resolved(schema, schema.get("$defs", {}))
    return shape


def read_golden(file: Path) -> dict[str, Any]:
    golden: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return golden


def breaks(published: Schema, current: Schema, at: str = "") -> Iterator[str]:
    """What in `current` a reader of the published shape could not read; nothing where only optional fields are new."""
    old, new = published.get("properties", {}), current.get("properties", {})
    for name in sorted(old.keys() - new.keys()):
        yield f"{at}/{name} is gone"
    for name in sorted(old.keys() & new.keys()):
        yield from breaks(old[name], new[name], f"{at}/{name}")
    always, always_now = set(published.get("required", ())), set(current.get("required", ()))
    for name in sorted(always_now - always):
        yield f"{at}/{name} was optional or unknown, and is required now"
    for name in sorted((always - always_now) & new.keys()):
        yield f"{at}/{name} was always there, and may be missing now"
    for keyword in sorted((published.keys() | current.keys()) - {"properties", "required"}):
        yield from _breaks_of_keyword(keyword, published.get(keyword), current.get(keyword), at)


def _breaks_of_keyword(keyword: str, old: Any, new: Any, at: str) -> Iterator[str]:
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        yield from breaks(old, new, f"{at}/{keyword}")
    elif keyword in ("anyOf", "oneOf") and isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for number, (one, other) in enumerate(zip(old, new, strict=True)):
            yield from breaks(one, other, f"{at}/{keyword}/{number}")
    elif old != new:
        yield f"{at}: {keyword} was {json.dumps(old)}, and is {json.dumps(new)} now"


def _resolved(part: Any, definitions: Mapping[str, Any]) -> Any:
    if isinstance(part, list):
        return [_resolved(item, definitions) for item in part]
    if not isinstance(part, Mapping):
        return part
    if "$ref" in part:
        return _resolved(definitions[part["$ref"].rpartition("/")[2]], definitions)
    return {
        # The names of fields are not keywords: a field may be called "title".
        key: {name: _resolved(field, definitions) for name, field in value.items()}
        if key == "properties"
        else _resolved(value, definitions)
        for key, value in part.items()
        if key not in _WORDS and key != "$defs"
    }
