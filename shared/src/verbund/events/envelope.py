"""The envelope of every event: CloudEvents 1.0 in structured JSON mode, in canonical bytes."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any, ClassVar, Generic, Literal, TypeVar

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError
from pydantic_core import from_json, to_json

from verbund.events.canonical import canonical_bytes
from verbund.events.ledger_ids import office_of

SEQUENCE_DIGITS = 20  # as wide as a signed 64-bit number with room: text order is number order
# Attributes are sorted by name, and no name comes after this one. In JSON a quote within a text is written `\"`.
_TYPE_AT_THE_END = re.compile(rb'"type":"([a-z0-9.-]+)"\}\Z')
_LONGEST_TYPE = 200

Upcaster = Callable[[dict[str, Any]], dict[str, Any]]
"""Makes the data of one version out of that of the version before it. Pure; where it raises, the record is parked."""


class Data(BaseModel):
    """What one type of event says. Subclasses name their office and version: `class X(Data, office="...", version=1)`.

    A published version only ever gains optional fields; a changed meaning is a new version, which brings an upcaster
    for each older one: `class X(Data, office="...", version=3, upcasters={1: one_to_two, 2: two_to_three})`.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    type: ClassVar[str]
    """CloudEvents type, such as `de.verbund.registration.residence-registered.v1`."""

    upcasters: ClassVar[Mapping[int, Upcaster]] = {}
    """By version, what makes the data of the next version out of it."""

    def __init_subclass__(
        cls,
        office: str | None = None,
        version: int = 1,
        upcasters: Mapping[int, Upcaster] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init_subclass__(**kwargs)
        if office is not None:
            words = re.sub(r"(?<!^)(?=[A-Z])", "-", cls.__name__).lower()
            cls.type = f"de.verbund.{office}.{words}.v{version}"
            cls.upcasters = upcasters or {}

    def counted(self) -> tuple[Any, ...]:
        """All transitions of the event: what it changes in what is counted; none where it changes nothing."""
        return getattr(self, "transitions", ())


DataT_co = TypeVar("DataT_co", bound=Data, covariant=True)


class Event(BaseModel, Generic[DataT_co]):
    """One booked fact with its place in its ledger."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    specversion: Literal["1.0"] = "1.0"
    id: str
    source: str
    """The ledger, such as `/05913000/registration/book`."""
    type: str
    subject: str
    """Random pseudonym of what the event is about; own per office and ledger."""
    time: AwareDatetime
    """When the office knew it (UTC, microseconds); never earlier than the event before it in the ledger."""
    sequence: str
    """Number in the ledger, zero-padded."""
    datacontenttype: Literal["application/json"] = "application/json"
    actor: str
    """Who booked it: a pseudonym with a role, such as `clerk:5f1c...`."""
    traceparent: str | None = None
    causationid: str | None = None
    data: DataT_co

    @property
    def number(self) -> int:
        return int(self.sequence)


class Undecodable(Exception):
    """These bytes are no event of a known type; `reason` is a stable code, `detail` says where (no payload in it)."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason
        self.detail = detail


def sequence_of(number: int) -> str:
    """A ledger number as the CloudEvents attribute `sequence`."""
    return f"{number:0{SEQUENCE_DIGITS}d}"


def instant(at: datetime) -> str:
    """An aware instant in the one spelling that travels: UTC, microseconds, `Z`."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def encode(event: Event[Any]) -> bytes:
    """The canonical bytes of an event: they are hashed, stored, sent, and never made a second time."""
    attributes = {
        "specversion": event.specversion,
        "id": event.id,
        "source": event.source,
        "type": event.type,
        "subject": event.subject,
        "time": instant(event.time),
        "sequence": event.sequence,
        "datacontenttype": event.datacontenttype,
        "actor": event.actor,
        "data": event.data.model_dump(mode="json"),
    }
    if event.traceparent is not None:
        attributes["traceparent"] = event.traceparent
    if event.causationid is not None:
        attributes["causationid"] = event.causationid
    return canonical_bytes(attributes)


def decode(body: bytes, known: Mapping[str, type[Data]]) -> Event[Any]:
    """The event in these bytes, its data as the model that `known` has for its type; raises `Undecodable`.

    Data of an older version goes through the model's upcasters, and the event is then one of the model's version.
    """
    type_ = _type_in(body)
    model = known.get(type_)
    if model is None:
        model = _find_newer(type_, known)
        body, type_ = _upcast(body, type_, model), model.type
    try:
        # Bytes to models in one go: no dictionaries in between, which cost as much as the checks themselves.
        event = _model_of(model).model_validate_json(body)
        office = office_of(event.source)
        number = int(event.sequence)
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        if first["type"] == "json_invalid":
            raise Undecodable("not_json") from error
        raise Undecodable("wrong_shape", "/".join(str(part) for part in first["loc"])) from error
    except ValueError as error:
        raise Undecodable("wrong_source") from error
    if event.type != type_ or not type_.startswith(f"de.verbund.{office}.") or number < 1:
        raise Undecodable("forged_source", event.type[:120])
    return event


def attributes_of(body: bytes) -> dict[str, str]:
    """What bytes say of themselves besides their data, as far as they are an event: for people who look at others.

    Without the subject and the actor, who are persons or may be.
    """
    try:
        attributes = _attributes_in(body)
    except Undecodable:
        return {}
    named = ("specversion", "id", "source", "type", "time", "sequence", "datacontenttype")
    return {name: str(attributes[name])[:200] for name in named if name in attributes}


def _type_in(body: bytes) -> str:
    """The attribute `type`: at the end of canonical bytes, anywhere in others."""
    found = _TYPE_AT_THE_END.search(body, max(len(body) - _LONGEST_TYPE, 0))
    if found is not None:
        return found[1].decode()
    return str(_attributes_in(body).get("type"))


def _attributes_in(body: bytes) -> dict[str, Any]:
    try:
        attributes = from_json(body)
    except ValueError as error:
        raise Undecodable("not_json") from error
    if not isinstance(attributes, dict):
        raise Undecodable("not_an_object")
    return attributes


@cache  # what stands in the brackets is looked up at every mention, which takes as long as many an event
def _model_of(data: type[Data]) -> type[Event[Any]]:
    return Event[data]  # type: ignore[valid-type]


def _find_newer(type_: str, known: Mapping[str, type[Data]]) -> type[Data]:
    """The model of a newer version of this type."""
    name, version = _split(type_)
    for model in known.values():
        other, newer = _split(model.type)
        if other == name and 0 < version < newer:
            return model
    raise Undecodable("unknown_type", type_[:120])


def _upcast(body: bytes, type_: str, model: type[Data]) -> bytes:
    """The same event with its data in the terms of the model's version, one version after the other."""
    attributes = _attributes_in(body)
    said: Any = attributes.get("data")
    (name, oldest), (_, newest) = _split(type_), _split(model.type)
    for step in range(oldest, newest):
        upcaster = model.upcasters.get(step)
        if upcaster is None:
            raise Undecodable("no_upcaster", f"{name}.v{step}")
        try:
            said = upcaster(said)
        except Exception as error:
            raise Undecodable("upcaster_failed", f"{name}.v{step}: {type(error).__name__}") from error
    try:
        return to_json({**attributes, "type": model.type, "data": said})
    except ValueError as error:  # it made what no JSON can say
        raise Undecodable("upcaster_failed", f"{name}.v{newest - 1}: {type(error).__name__}") from error


def _split(type_: str) -> tuple[str, int]:
    """Name and version of a type; version 0 is none that can be."""
    name, _, version = type_.rpartition(".v")
    return name, int(version) if re.fullmatch("[1-9][0-9]{0,3}", version) else 0
