"""The one checker of all fault tests: is what stands in the databases what was booked, once, whole and in order?

It shares no code with desk, ledger, feed or reader: it looks at raw bytes with hashlib and json, as an auditor would.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import psycopg

_BERLIN = ZoneInfo("Europe/Berlin")
_STOCK = "residents"
_ONE_SIDED = {
    "opening": "openings",
    "arrival": "arrivals",
    "departure": "departures",
    "birth": "births",
    "death": "deaths",
}

Row = tuple[str, str, str, str, str]
"""Measure, facts as sorted JSON, effective on, recorded on, cause."""


@dataclass(frozen=True)
class Booked:
    """What one ledger holds, read by itself."""

    ledger: str
    events: list[dict[str, Any]]
    head_number: int
    head_hash: str


def read_ledgers(office: str) -> list[Booked]:
    """All ledgers behind a connection string; raises `AssertionError` where one is not whole."""
    with psycopg.connect(office) as connection:
        heads = connection.execute("select ledger, number, encode(hash, 'hex') from ledger.head").fetchall()
        return [_read_ledger(connection, *head) for head in heads]


def _read_ledger(connection: psycopg.Connection[Any], ledger: str, number: int, head_hash: str) -> Booked:
    previous, events = bytes(32), []
    rows = connection.execute(
        "select number, body, hash from ledger.record where ledger = %s order by number", (ledger,)
    ).fetchall()
    for expected, (found, body, stored) in enumerate(rows, 1):
        assert found == expected, f"{ledger}: number {expected} is missing"
        previous = hashlib.sha256(previous + body).digest()
        assert previous == stored, f"{ledger}: the chain breaks at {expected}"
        event = json.loads(body)
        assert int(event["sequence"]) == expected, f"{ledger}: record {expected} holds event {event['sequence']}"
        events.append(event)
    assert len(events) == number, f"{ledger}: the head says {number}, there are {len(events)}"
    assert previous.hex() == head_hash, f"{ledger}: the head holds another hash"
    return Booked(ledger, events, number, head_hash)


def check(office: str, reporting: str, acknowledged: Iterable[str]) -> Counter[str]:
    """Compare everything; `acknowledged` are the booking ids of all answers 2xx. Returns what was counted."""
    ledgers = read_ledgers(office)
    books = [booked for booked in ledgers if booked.ledger.endswith("/book")]
    bookings = Counter(
        event["data"]["booking_id"] for booked in books for event in booked.events if "booking_id" in event["data"]
    )
    for booking_id in acknowledged:
        times = bookings[booking_id]
        assert times == 1, f"booking {booking_id} was answered 2xx and stands {times} times"
    assert all(count == 1 for count in bookings.values()), "a booking stands twice"
    with psycopg.connect(reporting) as connection:
        _check_positions(connection, books)
        _check_batches(connection)
        assert connection.execute("select count(*) from feed.parked").fetchone() == (0,), "records are parked"
        in_cube = _cube(connection)
    expected = _recompute(event for booked in books for event in booked.events)
    different = {row: (expected[row], in_cube[row]) for row in expected | in_cube if expected[row] != in_cube[row]}
    assert not different, f"{len(different)} sums differ, such as {next(iter(different.items()))}"
    return Counter(records=sum(len(booked.events) for booked in books), bookings=len(bookings), sums=len(expected))


def _check_positions(connection: psycopg.Connection[Any], books: list[Booked]) -> None:
    rows = connection.execute("select ledger, number, encode(hash, 'hex'), stop_reason from feed.position").fetchall()
    positions = {ledger: rest for ledger, *rest in rows}
    for booked in books:
        found = positions.get(booked.ledger, [0, bytes(32).hex(), None])
        assert found == [booked.head_number, booked.head_hash, None], f"{booked.ledger}: the position is {found}"


def _check_batches(connection: psycopg.Connection[Any]) -> None:
    numbers = [n for (n,) in connection.execute("select number from cube.batch order by number").fetchall()]
    assert numbers == list(range(1, len(numbers) + 1)), "batch numbers have a hole"
    orphans = connection.execute(
        "select count(*) from cube.delta left join cube.batch using (municipality, batch) where batch.number is null"
    ).fetchone()
    assert orphans == (0,), "changes stand in the cube without a batch number"


def _cube(connection: psycopg.Connection[Any]) -> Counter[Row]:
    rows = connection.execute(
        "select cell.measure, cell.dims, delta.effective_on::text, delta.recorded_on::text, delta.cause, sum(delta.n)"
        " from cube.delta join cube.cell using (municipality, cell) group by 1, 2, 3, 4, 5 having sum(delta.n) <> 0"
    ).fetchall()
    sums: Counter[Row] = Counter()
    for measure, dims, effective_on, recorded_on, cause, n in rows:
        sums[(measure, _words(dims), effective_on, recorded_on, cause)] += int(n)
    return sums


def _recompute(events: Iterable[Mapping[str, Any]]) -> Counter[Row]:
    sums: Counter[Row] = Counter()
    for event in events:
        recorded_on = str(datetime.fromisoformat(event["time"]).astimezone(_BERLIN).date())
        for transition in event["data"].get("transitions", ()):
            for measure, facts, n in _changes(transition):
                sums[(measure, _words(facts), transition["effective_on"], recorded_on, transition["cause"])] += n
    return Counter({row: n for row, n in sums.items() if n != 0})


def _changes(transition: Mapping[str, Any]) -> Iterable[tuple[str, Mapping[str, Any], int]]:
    n = transition["sign"] * transition["n"]
    before, after, kind = transition["before"], transition["after"], transition["kind"]
    if transition["unit"] == "registration":
        yield "registrations", after or before, n
        return
    if before is not None:
        yield _STOCK, before, -n
    if after is not None:
        yield _STOCK, after, n
    if kind in _ONE_SIDED:
        yield _ONE_SIDED[kind], after or before, n
    if kind == "move":
        facts = {name: value for name, value in after.items() if name != "area"}
        yield "moves", {**facts, "area_from": before["area"], "area_to": after["area"]}, n


def _words(facts: Mapping[str, Any]) -> str:
    return json.dumps({name: str(value).lower() for name, value in facts.items()}, sort_keys=True)
