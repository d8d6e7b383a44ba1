"""From events to deltas: what an event adds to what is counted. Pure; the cube is the sum of what stands here.

A delta is additive on two time axes, so the order in which events arrive changes nothing in any sum.
"""

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache, lru_cache
from importlib import import_module
from types import MappingProxyType
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from verbund.disclosure import KEY_MODULUS
from verbund.events.canonical import canonical_bytes
from verbund.events.envelope import Event
from verbund.events.ledger_ids import municipality_of, office_of
from verbund.events.offices import Office
from verbund.events.transitions import Facts, Transition

BERLIN = ZoneInfo("Europe/Berlin")

Dims = tuple[tuple[str, str], ...]
"""Facts of a cell, in order of their names; every value is text, as `->>` gives it (`"1985"`, `"true"`)."""
RecordKey = Callable[[str], int]
"""Keyed hash of a counted unit's pseudonym, below `KEY_MODULUS`."""


@dataclass(frozen=True, slots=True)
class Measure:
    """One stream of additive changes. `office` is its source; the facts named in `dims` stand on every delta."""

    name: str
    office: str
    unit: str
    dims: tuple[str, ...]
    is_stock: bool = False
    """Whether its sum up to a day is how many there are; the sum over a period is what happened in it otherwise."""


_RESIDENT = ("area", "birth_year", "nationality", "residence_kind", "sex")
_MOVE = ("area_from", "area_to", "birth_year", "nationality", "residence_kind", "sex")
_REGISTRATION = (
    "area",
    "arrival_kind",
    "at_flagged_premises",
    "landlord_confirmation",
    "late",
    "residence_kind",
)

_DOUBT = ("area", "reason")

MEASURES: Mapping[str, Measure] = MappingProxyType(
    {
        measure.name: measure
        for measure in (
            Measure("residents", "registration", "resident", _RESIDENT, is_stock=True),
            Measure("openings", "registration", "resident", _RESIDENT),
            Measure("arrivals", "registration", "resident", _RESIDENT),
            Measure("departures", "registration", "resident", _RESIDENT),
            Measure("births", "registration", "resident", _RESIDENT),
            Measure("deaths", "registration", "resident", _RESIDENT),
            Measure("moves", "registration", "resident", _MOVE),
            Measure("registrations", "registration", "registration", _REGISTRATION),
            Measure("open_doubts", "registration", "doubt", (*_DOUBT, "since"), is_stock=True),
            Measure("doubts", "registration", "doubt", _DOUBT),
            Measure("resolved_doubts", "registration", "doubt", (*_DOUBT, "days", "outcome")),
        )
    }
)
"""`openings` counts what was there when an office began: it dates the beginning, and stocks come out without a rest."""

NEVER_CROSSED = frozenset({"at_flagged_premises", "nationality"})
"""Facts that no figure may cross: together they would say which houses people of one origin live in."""

_COMES = {"opening": "openings", "arrival": "arrivals", "birth": "births"}
_GOES = {"departure": "departures", "death": "deaths"}


class Delta(NamedTuple):
    """`n` more (or fewer) of a measure in one cell, from `effective_on` on, known from `recorded_on` on.

    Both dates are days in Europe/Berlin. `key` is the record key times `n`, modulo `KEY_MODULUS`.
    """

    municipality: str
    measure: str
    dims: Dims
    effective_on: date
    recorded_on: date
    cause: str
    n: int
    key: int


Sum = tuple[int, Delta]
"""The number of a cell, and what is added to it."""

DeltasOf = Callable[[Event[Any], RecordKey], list[Delta]]


@dataclass(frozen=True, slots=True)
class DeltaFunction:
    """What turns one office's events into deltas. A changed function has a new version and needs a rebuilt cube."""

    version: int
    deltas_of: DeltasOf
    measures: tuple[Measure, ...] = ()
    """Every measure that the deltas are of."""


class UnknownUnit(LookupError):
    """An event counts a unit that no measure is made of: its ledger has to wait, or figures would miss it."""


def record_key(secret: bytes, subject: str) -> int:
    """First four bytes of HMAC-SHA256 under the office's secret: says nothing about the pseudonym without it."""
    started, finished = _padded(secret)
    inner, outer = started.copy(), finished.copy()
    inner.update(subject.encode())
    outer.update(inner.digest())
    return int.from_bytes(outer.digest()[:4], "big")


@lru_cache(maxsize=8)  # the part of HMAC (RFC 2104) that is the same for every subject takes longer than the rest
def _padded(secret: bytes) -> tuple["hashlib._Hash", "hashlib._Hash"]:
    """Inner and outer hash of HMAC-SHA256 with nothing in them yet; to be copied."""
    block = (hashlib.sha256(secret).digest() if len(secret) > 64 else secret).ljust(64, b"\0")
    return hashlib.sha256(bytes(byte ^ 0x36 for byte in block)), hashlib.sha256(bytes(byte ^ 0x5C for byte in block))


def deltas_of(event: Event[Any], record_key: RecordKey) -> list[Delta]:
    """What the event adds, in the order of its transitions; events without transitions add nothing.

    Raises `UnknownUnit` for a transition that nothing here counts.
    """
    transitions: tuple[Transition[Any], ...] = event.data.counted()
    if not transitions:
        return []
    municipality, recorded_on = municipality_of(event.source), day_of(event.time)
    deltas = []
    for transition in transitions:
        on, cause = transition.effective_on, transition.cause
        n = transition.sign * transition.n
        key = record_key(transition.subject) * n
        for measure, dims, sign in _effects(transition):
            deltas.append(
                Delta(municipality, measure, dims, on, recorded_on, cause, sign * n, sign * key % KEY_MODULUS)
            )
    return deltas


class Sums:
    """Deltas added up: one for each municipality, measure, cell, pair of dates and cause."""

    def __init__(self) -> None:
        # By the number of the cell: to hash and compare the facts themselves takes longer than all the rest.
        self._by_place: dict[tuple[str, int, date, date, str], Delta] = {}

    def add(self, deltas: Iterable[Delta]) -> None:
        """Add further ones."""
        by_place = self._by_place
        for delta in deltas:
            municipality, measure, dims, effective_on, recorded_on, cause, n, key = delta
            place = (municipality, cell_of(measure, dims), effective_on, recorded_on, cause)
            found = by_place.get(place)
            if found is not None:
                delta = found._replace(n=found.n + n, key=(found.key + key) % KEY_MODULUS)
            by_place[place] = delta

    def by_municipality(self) -> dict[str, list[Sum]]:
        """The sums; what adds up to nothing is left out."""
        found: defaultdict[str, list[Sum]] = defaultdict(list)
        for (municipality, cell, *_), delta in self._by_place.items():
            if delta.n or delta.key:
                found[municipality].append((cell, delta))
        return found


def summed(deltas: Iterable[Delta]) -> list[Delta]:
    """One delta for each municipality, measure, cell, pair of dates and cause; what adds up to nothing is left out."""
    sums = Sums()
    sums.add(deltas)
    return [one for found in sums.by_municipality().values() for _, one in found]


@lru_cache(maxsize=200_000)
def cell_of(measure: str, dims: Dims) -> int:
    """Name of a cell: 64 bits of a hash of measure and facts, signed as PostgreSQL's bigint is.

    Two cells of a city would share a name with a probability of about 1 in 40 million at a million cells.
    """
    digest = hashlib.blake2b(canonical_bytes([measure, dims]), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)


def day_of(at: datetime) -> date:
    """The day in Europe/Berlin of an instant."""
    if at.utcoffset() == _NONE and at.year >= _WHOLE_HOURS:
        return _day_of_hour(at.toordinal() * 24 + at.hour)
    return at.astimezone(BERLIN).date()


_NONE = timedelta(0)
_WHOLE_HOURS = (
    1900  # since then, clocks in Berlin have differed from UTC by whole hours and have been changed at full ones
)


@lru_cache(maxsize=50_000)  # asked of every event; conversion takes ten times as long
def _day_of_hour(hour: int) -> date:
    """The same for an hour, counted from the first day of the calendar on, in UTC."""
    return (datetime.fromordinal(hour // 24).replace(tzinfo=UTC) + timedelta(hours=hour % 24)).astimezone(BERLIN).date()


def dims_of(facts: Facts) -> Dims:
    """The facts of a cell in their canonical form; a fact that is null is left out."""
    # The values themselves, not the model: to hash and compare a model costs more than what is saved.
    return _dims_of(type(facts), *facts.__dict__.values())


@lru_cache(maxsize=200_000, typed=True)  # typed: `True` is not `1`
def _dims_of(kind: type[Facts], *values: object) -> Dims:
    named = zip(kind.model_fields, values, strict=True)
    return tuple(sorted((name, _text(value)) for name, value in named if value is not None))


BUILT_IN = DeltaFunction(version=1, deltas_of=deltas_of, measures=tuple(MEASURES.values()))


def delta_functions(offices: Iterable[Office]) -> dict[str, DeltaFunction]:
    """By office, what counts its events: its own function where it brings one (`Office.deltas`), or the one here."""
    return {office.name: BUILT_IN if office.deltas is None else _load(office.deltas) for office in offices}


def measures_of(offices: Iterable[Office]) -> Mapping[str, Measure]:
    """By name, the measures that the events of these offices are counted in."""
    functions = dict.fromkeys(delta_functions(offices).values())
    return MappingProxyType({measure.name: measure for function in functions for measure in function.measures})


def count(events: Iterable[Event[Any]], functions: Mapping[str, DeltaFunction], record_key: RecordKey) -> Sums:
    """The summed deltas of events of several offices; raises `LookupError` for an office without a function."""
    sums = Sums()
    sums.add(each_delta(events, functions, record_key))
    return sums


def each_delta(
    events: Iterable[Event[Any]], functions: Mapping[str, DeltaFunction], record_key: RecordKey
) -> Iterator[Delta]:
    """The deltas of events of several offices; raises `LookupError` for an office without a function."""
    return (delta for event in events for delta in functions[office_of(event.source)].deltas_of(event, record_key))


def _effects(transition: Transition[Any]) -> tuple[tuple[str, Dims, int], ...]:
    """Measure, cell and sign of what one unit of an asserted transition adds."""
    before, after = transition.before, transition.after
    if transition.unit == "doubt":
        return _effects_of_doubt(transition)
    types = None if before is None else type(before), None if after is None else type(after)
    # The values themselves, not the models: to hash and compare a model costs more than what is saved.
    return _effects_of(
        transition.unit,
        transition.kind,
        types,
        *(() if before is None else before.__dict__.values()),
        *(() if after is None else after.__dict__.values()),
    )


@lru_cache(maxsize=100_000, typed=True)  # typed: `True` is not `1`
def _effects_of(
    unit: str, kind: str, types: tuple[type[Facts] | None, type[Facts] | None], *values: object
) -> tuple[tuple[str, Dims, int], ...]:
    """The same from the values of `before` and, behind them, of `after`; those of None are none."""
    before_type, after_type = types
    middle = 0 if before_type is None else len(before_type.model_fields)
    before = None if before_type is None else _dims_of(before_type, *values[:middle])
    after = None if after_type is None else _dims_of(after_type, *values[middle:])
    match unit:
        case "resident":
            return _effects_of_resident(kind, before, after)
        case "registration":
            return (("registrations", after, 1),) if after is not None else ()
        case _:
            raise UnknownUnit(f"nothing counts the unit {unit!r}: its office has to bring its own deltas")


def _effects_of_resident(kind: str, before: Dims | None, after: Dims | None) -> tuple[tuple[str, Dims, int], ...]:
    effects = []
    if before is not None:
        effects.append(("residents", before, -1))
    if after is not None:
        effects.append(("residents", after, 1))
    if after is not None and kind in _COMES:
        effects.append((_COMES[kind], after, 1))
    if before is not None and kind in _GOES:
        effects.append((_GOES[kind], before, 1))
    if before is not None and after is not None and kind == "move":
        effects.append(("moves", _move(before, after), 1))
    return tuple(effects)


def _effects_of_doubt(transition: Transition[Any]) -> tuple[tuple[str, Dims, int], ...]:
    """A doubt counts in the stock until it is resolved; the resolution counts with the days that it took."""
    before, after = transition.before, transition.after
    if after is None:
        raise AssertionError("a doubt always says how it stands")
    if before is None:
        return (("open_doubts", dims_of(after), 1), ("doubts", _without_since(after), 1))
    days = str((transition.effective_on - before.since).days)
    resolved = tuple(sorted((*_without_since(after), ("days", days))))
    return (("open_doubts", dims_of(before), -1), ("resolved_doubts", resolved, 1))


def _without_since(facts: Facts) -> Dims:
    return tuple((name, value) for name, value in dims_of(facts) if name != "since")


def _move(before: Dims, after: Dims) -> Dims:
    """Both areas of a move, and the other facts as they were after it."""
    others = [(name, value) for name, value in after if name != "area"]
    return tuple(sorted([("area_from", dict(before)["area"]), ("area_to", dict(after)["area"]), *others]))


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int):
        return str(value)
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"a fact cannot be a {type(value).__name__}")


@cache
def _load(place: str) -> DeltaFunction:
    module, _, name = place.partition(":")
    found = getattr(import_module(module), name)
    if not isinstance(found, DeltaFunction):
        raise TypeError(f"{place} is no DeltaFunction")
    return found
