"""What travels on Kafka: a ledger's record with its place in the chain, and beats. Both sides are made here.

Each message is a CloudEvent in structured mode, whose value is the ledger's very bytes: any CloudEvents consumer reads
it without our headers. Its key is the ledger's name, so that a ledger stays in one partition.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from typing import Literal, NamedTuple

import uuid_utils
from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError
from pydantic_core import from_json

from verbund.events.canonical import canonical_bytes
from verbund.events.envelope import SEQUENCE_DIGITS, instant
from verbund.kafka.topics import LARGEST_EVENT, topic_of
from verbund.ledger.record import Beat, Record

CONTENT_TYPE = b"application/cloudevents+json; charset=UTF-8"
BEAT_TYPE = "de.verbund.beat.v1"

_BEAT_TYPE = BEAT_TYPE.encode()

NUMBER, PREVIOUS, HASH = "verbund_number", "verbund_previous", "verbund_hash"
"""Headers of a record: decimal digits, and twice 32 bytes."""

# Canonical bytes have their attributes in order, so their end says everything that headers repeat.
_ATTRIBUTES = re.compile(
    rb'"datacontenttype":"application/json","id":"(?P<id>[^"\\]+)","sequence":"\d+","source":"(?P<source>[^"\\]+)",'
    rb'"specversion":"1.0","subject":"(?:[^"\\]++|\\.)*+","time":"(?P<time>[^"\\]+)"'
    rb'(?:,"traceparent":"(?P<traceparent>[^"\\]+)")?,"type":"(?P<type>[^"\\]+)"\}\Z'
)

Header = tuple[str, bytes]
_CONTENT_TYPE: Header = ("content-type", CONTENT_TYPE)
_SPECVERSION: Header = ("ce_specversion", b"1.0")


class Message(NamedTuple):
    """What is sent."""

    topic: str
    key: bytes
    value: bytes
    headers: list[Header]


@dataclass(frozen=True, slots=True)
class Stray:
    """A message that no relay of ours sent: kept with its bytes until a person decides, and it moves nothing."""

    topic: str
    reason: str
    detail: str
    """Where it lay, and what of it is wrong; nothing of its content."""
    value: bytes

    @property
    def hash(self) -> bytes:
        """Tells it from others (SHA-256 of its value)."""
        return sha256(self.value).digest()


class _BeatData(BaseModel):
    model_config = ConfigDict(frozen=True)

    number: int
    hash: str
    """Hexadecimal."""
    alive_at: AwareDatetime | None
    """When the office last said of itself that it lives."""


class BeatEvent(BaseModel):
    """A beat as it travels: where a ledger ends, as of `time`; it has no number and takes no place in a chain."""

    model_config = ConfigDict(frozen=True)

    specversion: Literal["1.0"] = "1.0"
    id: str
    source: str
    type: Literal["de.verbund.beat.v1"] = "de.verbund.beat.v1"
    time: AwareDatetime
    datacontenttype: Literal["application/json"] = "application/json"
    data: _BeatData


def message_of(record: Record) -> Message:
    """A record as it travels."""
    ledger, number, previous, own_hash, body = record
    topic, key = _place_of(ledger)
    # No string can hold these quotes without a backslash in front of them: the last ones begin the attributes.
    found = _ATTRIBUTES.match(body, max(body.rfind(b'"datacontenttype":'), 0))
    headers = [_CONTENT_TYPE, (NUMBER, b"%d" % number), (PREVIOUS, previous), (HASH, own_hash)]
    if found is not None:  # what an older release wrote in another order travels without them, and is read all the same
        id_, source, time, traceparent, type_ = found.groups()
        headers += _attributes(id_, source, type_, time, traceparent)
    return Message(topic, key, body, headers)


@lru_cache(maxsize=4_096)  # a state's cities, and their offices
def _place_of(ledger: str) -> tuple[str, bytes]:
    """Topic and key."""
    return topic_of(ledger), ledger.encode()


def beat_message(beat: Beat) -> Message:
    """A beat as it travels; it has to say as of when (by the clock of the office's database)."""
    if beat.as_of is None:
        raise ValueError(f"a beat of {beat.ledger} does not say as of when")
    id_, time = str(uuid_utils.uuid7()), instant(beat.as_of)
    value = canonical_bytes(
        {
            "specversion": "1.0",
            "id": id_,
            "source": beat.ledger,
            "type": BEAT_TYPE,
            "time": time,
            "datacontenttype": "application/json",
            "data": {
                "number": beat.number,
                "hash": beat.hash.hex(),
                "alive_at": None if beat.at is None else instant(beat.at),
            },
        }
    )
    attributes = _attributes(id_.encode(), beat.ledger.encode(), BEAT_TYPE.encode(), time.encode(), None)
    return Message(topic_of(beat.ledger), beat.ledger.encode(), value, [_CONTENT_TYPE, *attributes])


def _attributes(id_: bytes, source: bytes, type_: bytes, time: bytes, traceparent: bytes | None) -> list[Header]:
    headers = [
        _SPECVERSION,
        ("ce_id", id_),
        ("ce_source", source),
        ("ce_type", type_),
        ("ce_time", time),
    ]
    return headers if traceparent is None else [*headers, ("traceparent", traceparent)]


def read_message(
    topic: str, key: bytes | None, value: bytes | None, headers: Iterable[Sequence[object]], place: str
) -> Record | Beat | Stray:
    """What a message says: a record, a beat, or something that is none of ours.

    A record's hash and chain are for whoever knows the position; `place` names the message for people.
    """
    key, value = key or b"", value or b""

    def stray(reason: str, what: str = "") -> Stray:
        kept = value if len(value) <= LARGEST_EVENT else value[:LARGEST_EVENT]
        return Stray(topic, reason, f"{place}: {what}" if what else place, kept)

    if len(value) > LARGEST_EVENT:
        return stray("oversized", f"{len(value)} bytes")
    try:
        ledger = key.decode("ascii")
        if _place_of(ledger)[0] != topic:
            return stray("wrong_key", "a ledger of another topic")
    except ValueError:
        return stray("wrong_key", "no ledger")
    told: dict[object, object] = dict(headers)  # type: ignore[arg-type]
    if told.get("ce_type") == _BEAT_TYPE:
        return _read_beat(ledger, value) or stray("wrong_shape", "no beat")
    number, previous, own_hash = told.get(NUMBER), told.get(PREVIOUS), told.get(HASH)
    if not (
        isinstance(number, bytes)
        and number.isdigit()
        and 0 < len(number) < 19
        and isinstance(previous, bytes)
        and isinstance(own_hash, bytes)
        and len(previous) == len(own_hash) == 32
    ):
        return stray("no_place", "without number, previous hash and hash in its headers")
    # Every record of a ledger says in its own bytes where it stands: what does not was not sealed there.
    if b'"sequence":"%b","source":"%b"' % (number.rjust(SEQUENCE_DIGITS, b"0"), key) not in value:
        return stray(*_what_else(value, ledger))
    return Record(ledger, int(number), previous, own_hash, value)


def _read_beat(ledger: str, value: bytes) -> Beat | None:
    try:
        event = BeatEvent.model_validate_json(value)
        beat = Beat(ledger, event.data.number, bytes.fromhex(event.data.hash), event.data.alive_at, event.time)
    except (ValidationError, ValueError):
        return None
    return beat if event.source == ledger and len(beat.hash) == 32 and beat.number >= 0 else None


def _what_else(value: bytes, ledger: str) -> tuple[str, str]:
    """What bytes are that do not say of themselves that they stand at their place in the ledger."""
    try:
        said = from_json(value)
    except ValueError:
        return "not_json", ""
    if not isinstance(said, dict):
        return "not_an_object", ""
    if said.get("source") != ledger:
        return "forged_source", "it names another ledger than its key"
    return "forged_number", "it names another number than its headers"
