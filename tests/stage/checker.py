"""The one checker of all fault tests: is what stands in the databases what was booked, once, whole and in order?

It shares no code with desk, ledger, feed or reader: it looks at raw bytes with hashlib and json, as an auditor would.
Whatever is not right is an `AssertionError` that names it.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import psycopg
from stage.recount import KEYS, Sums, in_words, recount

Connection = psycopg.Connection[Any]


@dataclass(frozen=True)
class Evidence:
    """Where to look: connection strings of both offices, and the secret that makes reporting's record keys."""

    office: str
    reporting: str
    secret: bytes


@dataclass(frozen=True)
class Ledger:
    """What one ledger holds, read by itself."""

    name: str
    events: Sequence[Mapping[str, Any]]
    hash: str
    """Of its last record."""


def check(evidence: Evidence, receipts: Collection[Mapping[str, Any]]) -> Counter[str]:
    """Compare everything; `receipts` are the bodies of all answers 2xx to bookings. Returns what was counted."""
    with psycopg.connect(evidence.office) as connection:
        ledgers = read_ledgers(connection)
        books = [ledger for ledger in ledgers if ledger.name.endswith("/book")]
        bookings = _check_bookings(books, receipts)
        _check_answers(connection, bookings)
        _check_states(connection, books)
    expected = recount((event for book in books for event in book.events), evidence.secret)
    with psycopg.connect(evidence.reporting) as connection:
        _check_positions(connection, books)
        parked = connection.execute(
            "select ledger, number, reason from feed.parked where settled is null order by id"
        ).fetchall()
        assert not parked, f"{len(parked)} records are parked, such as {parked[0]}"
        _check_batches(connection)
        _check_sums(expected, _cube(connection))
    return Counter(records=sum(len(book.events) for book in books), bookings=len(bookings), sums=len(expected))


def is_caught_up(evidence: Evidence) -> bool:
    """Whether every position stands at its ledger's head; False also while nobody can say."""
    with suppress(psycopg.OperationalError):
        with psycopg.connect(evidence.office) as connection:
            heads = connection.execute("select ledger, number from ledger.head where ledger like '%/book'").fetchall()
        with psycopg.connect(evidence.reporting) as connection:
            positions: dict[str, int] = dict(connection.execute("select ledger, number from feed.position").fetchall())
        return all(positions.get(ledger, 0) == number for ledger, number in heads)
    return False


def residents_of(evidence: Evidence, nationalities: Collection[str]) -> int:
    """How many people of these nationalities have their main residence here, by the bytes of the ledgers alone."""
    with psycopg.connect(evidence.office) as connection:
        events = [event for ledger in read_ledgers(connection) for event in ledger.events]
    sums = [
        (json.loads(row[1]), n) for row, (n, _) in recount(events, evidence.secret).items() if row[0] == "residents"
    ]
    return sum(n for f, n in sums if f["nationality"] in nationalities and f["residence_kind"] == "main")


def read_ledgers(connection: Connection) -> list[Ledger]:
    """All ledgers of an office, each whole: numbers, chain and head."""
    heads = connection.execute("select ledger, number, encode(hash, 'hex') from ledger.head").fetchall()
    known = {ledger for ledger, _, _ in heads}
    for (ledger,) in connection.execute("select distinct ledger from ledger.record").fetchall():
        assert ledger in known, f"{ledger}: there are records and no head"
    return [_read_ledger(connection, *head) for head in heads]


def _read_ledger(connection: Connection, ledger: str, number: int, head_hash: str) -> Ledger:
    chained, events, latest = bytes(32), [], ""
    rows = connection.execute(
        "select number, body, previous, hash from ledger.record where ledger = %s order by number", (ledger,)
    )
    for expected, (found, body, previous, stored) in enumerate(rows, 1):
        assert found == expected, f"{ledger}: number {expected} is missing"
        assert previous == chained, f"{ledger}: record {expected} names another one before it"
        chained = hashlib.sha256(chained + body).digest()
        assert chained == stored, f"{ledger}: the chain breaks at {expected}"
        event = json.loads(body)
        assert int(event["sequence"]) == expected, f"{ledger}: record {expected} holds event {event['sequence']}"
        assert event["source"] == ledger, f"{ledger}: record {expected} comes from {event['source']}"
        assert event["time"] >= latest, f"{ledger}: record {expected} was known before the one before it"
        latest = event["time"]
        events.append(event)
    assert len(events) == number, f"{ledger}: the head says {number}, there are {len(events)}"
    assert chained.hex() == head_hash, f"{ledger}: the head holds another hash"
    ids = Counter(event["id"] for event in events)
    assert len(ids) == len(events), f"{ledger}: event {ids.most_common(1)[0][0]} stands twice"
    return Ledger(ledger, events, head_hash)


def _check_bookings(books: Iterable[Ledger], receipts: Collection[Mapping[str, Any]]) -> dict[str, int]:
    """The number of every booking; each stands once, and what was answered 2xx stands where the answer said."""
    numbers: dict[str, int] = {}
    for book in books:
        for number, event in enumerate(book.events, 1):
            booking_id = event["data"].get("booking_id")
            if booking_id is not None:
                assert booking_id not in numbers, f"booking {booking_id} stands twice: {numbers[booking_id]}, {number}"
                numbers[booking_id] = number
    for receipt in receipts:
        booking_id, number = receipt["booking_id"], receipt["number"]
        assert booking_id in numbers, f"booking {booking_id} was answered 2xx and stands nowhere"
        found = numbers[booking_id]
        assert found == number, f"booking {booking_id} was answered 2xx as number {number} and stands as {found}"
    told = Counter(receipt["booking_id"] for receipt in receipts)
    assert len(told) == len(receipts), f"booking {told.most_common(1)[0][0]} answers two requests"
    return numbers


def _check_answers(connection: Connection, bookings: Mapping[str, int]) -> None:
    """What a repeat would be told was booked: an answer is kept with its booking or not at all."""
    rows = connection.execute(
        "select receipt->>'booking_id', (receipt->>'number')::bigint from desk.answer where receipt ? 'booking_id'"
    ).fetchall()
    for booking_id, number in rows:
        assert bookings.get(booking_id) == number, f"an answer is kept for booking {booking_id}, which was not booked"
    missing = bookings.keys() - {booking_id for booking_id, _ in rows}
    assert not missing, f"no answer is kept for {len(missing)} bookings, such as {min(missing)}"


def _check_states(connection: Connection, books: Iterable[Ledger]) -> None:
    """A resident's state knows every booking about them, and no other."""
    booked: Counter[str] = Counter(
        event["subject"] for book in books for event in book.events if "booking_id" in event["data"]
    )
    kept = Counter(dict(connection.execute("select resident_id::text, version from office.resident").fetchall()))
    for resident in booked | kept:
        found, expected = kept[resident], booked[resident]
        assert found == expected, f"resident {resident} has version {found} after {expected} bookings"


def _check_positions(connection: Connection, books: Iterable[Ledger]) -> None:
    rows = connection.execute("select ledger, number, encode(hash, 'hex'), stop_reason from feed.position").fetchall()
    positions = {ledger: rest for ledger, *rest in rows}
    for book in books:
        number, found, stopped = positions.pop(book.name, [0, bytes(32).hex(), None])
        assert stopped is None, f"{book.name}: reading stopped: {stopped}"
        assert number == len(book.events), f"{book.name}: the position is {number}, the head {len(book.events)}"
        assert found == book.hash, f"{book.name}: the position {number} holds another hash than the head"
    assert not positions, f"there is a position in {min(positions)}, which nobody keeps"


def _check_batches(connection: Connection) -> None:
    rows = connection.execute("select municipality, number from cube.batch order by 1, 2").fetchall()
    heads: dict[str, int] = dict(connection.execute("select municipality, number from cube.batch_head").fetchall())
    numbers: dict[str, list[int]] = {municipality: [] for municipality in heads}
    for municipality, number in rows:
        numbers.setdefault(municipality, []).append(number)
    for municipality, found in numbers.items():
        expected = list(range(1, heads.get(municipality, 0) + 1))
        assert found == expected, f"batch numbers of {municipality} have a hole, or do not end at their head"
    orphans = connection.execute(
        "select delta.batch from cube.delta left join cube.batch using (municipality, batch) where number is null"
    ).fetchall()
    assert not orphans, f"changes stand in the cube under a batch without a number: {orphans[0][0]}"


def _cube(connection: Connection) -> Sums:
    rows = connection.execute(
        "select delta.measure, cell.measure, cell.dims, effective_on::text, recorded_on::text, cause, sum(n), sum(key)"
        " from cube.delta left join cube.cell using (municipality, cell) group by 1, 2, 3, 4, 5, 6"
    ).fetchall()
    sums: Sums = {}
    for measure, of_cell, facts, effective_on, recorded_on, cause, n, key in rows:
        assert measure == of_cell, f"changes of {measure} stand in a cell of {of_cell}"
        row = (measure, in_words(facts), effective_on, recorded_on, cause)
        assert row not in sums, f"two cells are one: {row[:2]}"
        sums[row] = (int(n), int(key) % KEYS)
    return {row: found for row, found in sums.items() if found != (0, 0)}


def _check_sums(expected: Sums, found: Sums) -> None:
    nothing = (0, 0)
    for row in sorted(expected.keys() | found.keys()):
        should, does = expected.get(row, nothing), found.get(row, nothing)
        assert does[0] == should[0], f"the cube says {does[0]} where the ledgers say {should[0]}: {row}"
        assert does[1] == should[1], f"the cube holds another record key: {row}"
