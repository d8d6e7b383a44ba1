"""What is wrong with the fields of a request, in words: pydantic's findings with stable codes of our own."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, get_args

from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from pydantic_core.core_schema import ErrorType

from verbund.errors import Finding
from verbund.service.words import message_id

_PARAMETER = "parameter:"  # no JSON pointer begins so: a finding about a part of the request that is not its body

# pydantic's type of error -> our code and sentence. What stands on the left may change with pydantic, the code may not.
_KNOWN: dict[str, tuple[str, str]] = {
    "missing": ("missing", message_id("This is missing.")),
    "extra_forbidden": ("unknown_field", message_id("There is no such field.")),
    "string_too_short": ("too_short", message_id("At least {min_length} characters are needed.")),
    "string_too_long": ("too_long", message_id("At most {max_length} characters are taken.")),
    "string_pattern_mismatch": ("wrong_form", message_id("This is not written in the form that is needed.")),
    "string_type": ("text_needed", message_id("Text is needed here.")),
    "string_unicode": ("text_needed", message_id("Text is needed here.")),
    "string_sub_type": ("text_needed", message_id("Text is needed here.")),
    "int_type": ("number_needed", message_id("A whole number is needed here.")),
    "int_parsing": ("number_needed", message_id("A whole number is needed here.")),
    "int_from_float": ("number_needed", message_id("A whole number is needed here.")),
    "int_parsing_size": ("number_needed", message_id("A whole number is needed here.")),
    "float_type": ("number_needed", message_id("A number is needed here.")),
    "float_parsing": ("number_needed", message_id("A number is needed here.")),
    "decimal_type": ("number_needed", message_id("A number is needed here.")),
    "decimal_parsing": ("number_needed", message_id("A number is needed here.")),
    "finite_number": ("number_needed", message_id("A number is needed here.")),
    "bool_type": ("yes_or_no_needed", message_id("Yes or no is needed here (true or false).")),
    "bool_parsing": ("yes_or_no_needed", message_id("Yes or no is needed here (true or false).")),
    "greater_than": ("too_small", message_id("This has to be more than {gt}.")),
    "greater_than_equal": ("too_small", message_id("This has to be at least {ge}.")),
    "less_than": ("too_large", message_id("This has to be less than {lt}.")),
    "less_than_equal": ("too_large", message_id("This has to be at most {le}.")),
    "too_short": ("too_few", message_id("At least {min_length} entries are needed.")),
    "too_long": ("too_many", message_id("At most {max_length} entries are taken.")),
    "literal_error": ("not_offered", message_id("Only these are possible: {expected}.")),
    "enum": ("not_offered", message_id("Only these are possible: {expected}.")),
    "union_tag_invalid": ("not_offered", message_id("Only these are possible: {expected_tags}.")),
    "union_tag_not_found": ("missing", message_id("This is missing.")),
    "date_type": ("date_needed", message_id("A date is needed here, such as 2018-12-31.")),
    "date_parsing": ("date_needed", message_id("A date is needed here, such as 2018-12-31.")),
    "date_from_datetime_parsing": ("date_needed", message_id("A date is needed here, such as 2018-12-31.")),
    "date_from_datetime_inexact": ("date_needed", message_id("A date is needed here, such as 2018-12-31.")),
    "date_past": ("not_past", message_id("This day has to be in the past.")),
    "date_future": ("not_future", message_id("This day has to be in the future.")),
    "datetime_type": ("moment_needed", message_id("A moment is needed here, such as 2018-12-31T12:00:00Z.")),
    "datetime_parsing": ("moment_needed", message_id("A moment is needed here, such as 2018-12-31T12:00:00Z.")),
    "datetime_from_date_parsing": (
        "moment_needed",
        message_id("A moment is needed here, such as 2018-12-31T12:00:00Z."),
    ),
    "timezone_aware": (
        "time_zone_missing",
        message_id("The moment needs its time zone, such as 2018-12-31T12:00:00Z."),
    ),
    "uuid_type": ("identifier_needed", message_id("An identifier (UUID) is needed here.")),
    "uuid_parsing": ("identifier_needed", message_id("An identifier (UUID) is needed here.")),
    "list_type": ("list_needed", message_id("A list is needed here.")),
    "tuple_type": ("list_needed", message_id("A list is needed here.")),
    "dict_type": ("object_needed", message_id("A JSON object is needed here.")),
    "model_type": ("object_needed", message_id("A JSON object is needed here.")),
    "model_attributes_type": ("object_needed", message_id("A JSON object is needed here.")),
}
_PLAIN = re.compile(r"[!-~]{1,64}")  # as a misspelt field looks; what looks otherwise is not repeated
_MOST = 100  # findings in one answer: more of them help nobody
_UNKNOWN = ("invalid", message_id("This is not right."))
_PYDANTIC = frozenset(get_args(ErrorType))


def findings_of(error: ValidationError | RequestValidationError, body: object = None) -> tuple[Finding, ...]:
    """What pydantic found, as findings: pointers into the body, messages to translate, nothing that was typed.

    `body`: what was validated, for a model that was validated by itself, such as one line of an upload.
    """
    if isinstance(error, RequestValidationError):
        return tuple(_finding(item, error.body) for item in error.errors()[:_MOST])
    return tuple(
        _finding({**item, "loc": ("body", *item["loc"])}, body)
        for item in error.errors(include_url=False, include_input=False)[:_MOST]
    )


def parameter_of(finding: Finding) -> Mapping[str, str] | None:
    """Name and place (`query`, `header`, `cookie`) of the parameter that a finding is about; None: it is the body."""
    if not finding.pointer.startswith(_PARAMETER):
        return None
    place, _, name = finding.pointer.removeprefix(_PARAMETER).partition(":")
    return {"parameter": name, "in": place}


def parameter_finding(place: str, name: str, code: str, message: str) -> Finding:
    """A finding about a parameter (`place`: query, header, cookie); one whose name looks like none is not named."""
    return Finding(f"{_PARAMETER}{place}:{name if _PLAIN.fullmatch(name) else ''}", code, message)


def is_about_the_path(errors: Iterable[Mapping[str, Any]]) -> bool:
    """An address whose parts have not even the right form is an address where nothing is."""
    return any(item["loc"][:1] == ("path",) for item in errors)


def _finding(item: Mapping[str, Any], body: object) -> Finding:
    kind = item["type"]
    values = {name: value for name, value in item.get("ctx", {}).items() if isinstance(value, str | int | float)}
    if "expected" in values:
        values["expected"] = str(values["expected"]).replace(" or ", ", ")
    if kind == "value_error":
        code, message = "invalid", str(item["ctx"]["error"])  # a validator of an office, in its own words
    elif kind in _PYDANTIC:
        code, message = _KNOWN.get(kind, _UNKNOWN)
    else:
        code, message = kind, item["msg"]  # likewise, with a code of its own (`PydanticCustomError`)
    place, *rest = item["loc"]
    if kind == "extra_forbidden" and not _PLAIN.fullmatch(str(rest[-1])):
        rest = rest[:-1]  # points at what it stands in, and does not repeat what somebody typed
    if place != "body":
        return Finding(f"{_PARAMETER}{place}:{'.'.join(str(part) for part in rest)}", code, message, values)
    return Finding(_pointer(rest, body, kind), code, message, values)


def _pointer(parts: Sequence[str | int], body: object, kind: str) -> str:
    """The JSON pointer (RFC 6901) to where something is wrong.

    pydantic also names members of unions, which stand nowhere in the body: such parts are left out, found by
    walking along the body that came.
    """
    taken: list[str] = []
    here: Any = body
    for index, part in enumerate(parts):
        last = index == len(parts) - 1
        if _has(here, part):
            here = here[part]
        elif here is not None and not (last and kind == "missing"):
            continue
        taken.append(str(part).replace("~", "~0").replace("/", "~1"))
    return "".join(f"/{part}" for part in taken)


def _has(body: object, part: str | int) -> bool:
    if isinstance(body, Mapping):
        return part in body
    return isinstance(body, list) and isinstance(part, int) and part < len(body)
