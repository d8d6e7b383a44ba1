"""Whoever may do everything in the database can change a ledger; whoever verifies it finds out, and where.

`VERBUND_TAMPERS=1000` tries so many (`make tampers`); `VERBUND_SEED` repeats a run.
"""

import os
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import psycopg
import pytest
from conftest import OfficeDatabases
from stage.ledgers import BOOK, book_events, disable_trigger

from verbund.ledger.verify import verify_on
from verbund.ledger.walk import Damage, Mark

RECORDS = 400
CHECKPOINT_EVERY = 50
Connection = psycopg.Connection[Any]

_REMOVE = "delete from ledger.record where ledger = %s and number between %s and %s"
_INSERT = "insert into ledger.record values (%s, %s, %s, %s, %s)"


@dataclass(frozen=True)
class Touched:
    """The first and the last number that were changed, and what a verifier may name beside them."""

    first: int
    last: int
    before: int = 0
    """How many numbers before the first may be named too."""
    behind: int = 0

    def may_be_named_first(self) -> set[int]:
        """Where a mark's very record was touched, everything since the mark before it is in doubt."""
        near = set(range(self.first - self.before, self.first + 1))
        since_mark = (self.first - 1) // CHECKPOINT_EVERY * CHECKPOINT_EVERY
        return near | {since_mark + 1} if since_mark + CHECKPOINT_EVERY <= self.last else near


class Forger:
    """A superuser with a plan, in a transaction that is rolled back."""

    def __init__(self, connection: Connection, chance: random.Random) -> None:
        self.connection = connection
        self.chance = chance
        rows = connection.execute("select number, previous, hash, body from ledger.record order by number").fetchall()
        self.records: dict[int, tuple[bytes, bytes, bytes]] = {number: tuple(rest) for number, *rest in rows}

    def any_number(self, first: int = 1, last: int = RECORDS) -> int:
        return self.chance.randint(first, last)

    def body_of(self, number: int) -> bytes:
        """Other bytes of the same length, with one bit turned."""
        body = bytearray(self.records[number][2])
        body[self.chance.randrange(len(body))] ^= 1 << self.chance.randrange(8)
        return bytes(body)

    def write(self, number: int, previous: bytes, hash_: bytes, body: bytes) -> None:
        self.connection.execute(_REMOVE, (BOOK, number, number))
        self.connection.execute(_INSERT, (BOOK, number, previous, hash_, body))

    def move_head(self, number: int, hash_: bytes) -> None:
        self.connection.execute(
            "update ledger.head set number = %s, hash = %s where ledger = %s", (number, hash_, BOOK)
        )


def change_a_byte(forger: Forger) -> Touched:
    number = forger.any_number()
    previous, hash_, _ = forger.records[number]
    forger.write(number, previous, hash_, forger.body_of(number))
    return Touched(number, number)


def change_a_byte_and_its_hash(forger: Forger) -> Touched:
    """The chain tells that this record and the next one do not fit, and not which of them was changed."""
    number = forger.any_number()
    previous, body = forger.records[number][0], forger.body_of(number)
    forger.write(number, previous, sha256(previous + body).digest(), body)
    return Touched(number, number, behind=1)


def change_a_byte_and_the_chain_behind_it(forger: Forger) -> Touched:
    """Everything fits, to the head: only checkpoints tell."""
    number = forger.any_number()
    previous, body = forger.records[number][0], forger.body_of(number)
    hash_ = b""
    for each in range(number, RECORDS + 1):
        hash_ = sha256(previous + body).digest()
        forger.write(each, previous, hash_, body)
        previous, body = hash_, forger.records.get(each + 1, (b"", b"", b""))[2]
    forger.move_head(RECORDS, hash_)
    return Touched(number, RECORDS)


def change_a_hash(forger: Forger) -> Touched:
    number = forger.any_number()
    previous, _, body = forger.records[number]
    forger.write(number, previous, forger.chance.randbytes(32), body)
    return Touched(number, number)


def remove_a_row(forger: Forger) -> Touched:
    number = forger.any_number()
    forger.connection.execute(_REMOVE, (BOOK, number, number))
    return Touched(number, number)


def swap_two_rows(forger: Forger) -> Touched:
    first, last = sorted(forger.chance.sample(range(1, RECORDS + 1), 2))
    forger.write(first, *forger.records[last])
    forger.write(last, *forger.records[first])
    return Touched(first, last, before=1)


def cut_the_tail(forger: Forger) -> Touched:
    """With the head moved, so that nothing in the database tells."""
    number = forger.any_number(0, RECORDS - 1)
    forger.connection.execute(_REMOVE, (BOOK, number + 1, RECORDS))
    forger.move_head(number, forger.records[number][1] if number else bytes(32))
    return Touched(number + 1, RECORDS)


def cut_the_tail_and_leave_the_head(forger: Forger) -> Touched:
    number = forger.any_number()
    forger.connection.execute(_REMOVE, (BOOK, number, RECORDS))
    return Touched(number, RECORDS)


def insert_a_row(forger: Forger) -> Touched:
    """A made-up record with a fitting hash; those behind it take the next number."""
    number = forger.any_number()
    forger.connection.execute(_REMOVE, (BOOK, number, RECORDS))
    previous = forger.records[number][0]
    body = forger.body_of(number)
    forger.connection.execute(_INSERT, (BOOK, number, previous, sha256(previous + body).digest(), body))
    for each in range(number, RECORDS + 1):
        forger.connection.execute(_INSERT, (BOOK, each + 1, *forger.records[each]))
    forger.move_head(RECORDS + 1, forger.records[RECORDS][1])
    # Where the bit turned in the event's own number, the record tells on itself, and the one before it is in doubt.
    return Touched(number, RECORDS + 1, before=1)


TAMPERS: tuple[Callable[[Forger], Touched], ...] = (
    change_a_byte,
    change_a_byte_and_its_hash,
    change_a_byte_and_the_chain_behind_it,
    change_a_hash,
    remove_a_row,
    swap_two_rows,
    cut_the_tail,
    cut_the_tail_and_leave_the_head,
    insert_a_row,
)


@pytest.fixture(scope="module")
def seed() -> int:
    seed = int(os.environ.get("VERBUND_SEED", random.SystemRandom().randrange(2**32)))
    print(f"seed {seed}")  # noqa: T201 - shown by pytest with a failure
    return seed


@pytest.fixture
def ledger(office_database: OfficeDatabases) -> Iterator[Connection]:
    """A superuser's connection to a database with one ledger, on which the triggers are off."""
    database = office_database("registration")
    book_events(database.settings("desk"), RECORDS)
    with psycopg.connect(database.superuser().conninfo()) as connection:
        disable_trigger(connection)
        connection.commit()
        yield connection
        connection.rollback()


def verified(connection: Connection, marks: list[Mark]) -> Damage | None:
    *_, end = verify_on(connection, {BOOK: marks})
    return end.damage


def test_every_tampering_is_found_where_it_is(ledger: Connection, seed: int) -> None:
    tries, chance = int(os.environ.get("VERBUND_TAMPERS", "100")), random.Random(seed)
    hashes = dict(ledger.execute("select number, hash from ledger.record").fetchall())
    marks = [Mark(n, hashes[n], f"mark {n}") for n in range(CHECKPOINT_EVERY, RECORDS + 1, CHECKPOINT_EVERY)]
    assert verified(ledger, marks) is None
    for n in range(tries):
        tamper = TAMPERS[n % len(TAMPERS)]
        with ledger.transaction(force_rollback=True):
            touched = tamper(Forger(ledger, chance))
            found = verified(ledger, marks)
        about = f"{tamper.__name__}, seed {seed}, try {n}: {touched}, {found}"
        assert found is not None, about
        assert found.first in touched.may_be_named_first(), about
        assert touched.last <= found.last <= touched.last + touched.behind, about
    assert verified(ledger, marks) is None
