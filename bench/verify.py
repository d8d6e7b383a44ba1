"""Records a second that `verbund verify` walks through, against a plain loop over the driver's rows with hashlib.

Both check number, link, own hash and the place in the bytes of every record.
Run: `python bench/verify.py [--records 100000]`.
"""

import argparse
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter

import psycopg
from projection import BOOK, records
from stand import report, scratch_offices

from verbund.embedded.postgres import Cluster
from verbund.ledger.verify import verify_ledgers
from verbund.settings import DatabaseSettings

_PROFILES = 100  # different facts about residents; a record is as long with many as with few


def fill(cluster: Cluster, count: int) -> None:
    """Put a book of this many records into the database, as it lies after the nightly vacuum."""
    booked = records(count - _PROFILES, _PROFILES)
    with psycopg.connect(cluster.superuser("registration").conninfo(), autocommit=True) as connection:
        with connection.cursor().copy("copy ledger.record from stdin (format binary)") as copy:
            copy.set_types(["text", "int8", "bytea", "bytea", "bytea"])
            for each in booked:
                copy.write_row((each.ledger, each.number, each.previous, each.hash, each.body))
        last = booked[-1]
        connection.execute("insert into ledger.head values (%s, %s, %s, now())", (BOOK, last.number, last.hash))
        connection.execute("vacuum (analyze) ledger.record")


def plainly(settings: DatabaseSettings) -> int:
    """The walk as one would write it first."""
    previous, expected = bytes(32), 0
    with psycopg.connect(settings.conninfo()) as connection:
        rows = connection.execute(
            "select number, previous, hash, body from ledger.record where ledger = %s order by number", (BOOK,)
        )
        for number, before, own, body in rows:
            expected += 1
            assert number == expected
            assert before == previous
            assert hashlib.sha256(before + body).digest() == own
            assert f'"sequence":"{number:020}"'.encode() in body
            assert f'"source":"{BOOK}"'.encode() in body
            previous = own
    return expected


def verified(settings: DatabaseSettings) -> int:
    """The product's walk."""
    ends = list(verify_ledgers(settings))
    assert all(end.damage is None for end in ends)
    return ends[-1].done


@contextmanager
def timed(seconds: list[float]) -> Iterator[None]:
    begun = perf_counter()
    yield
    seconds.append(perf_counter() - begun)


def measure(cluster: Cluster, count: int) -> None:
    """Measure both in turns in one run, the best of three each, and print the closing line."""
    settings = cluster.settings("registration_owner", "registration")
    fill(cluster, count)
    plain: list[float] = []
    walk: list[float] = []
    for _ in range(3):
        with timed(plain):
            assert plainly(settings) == count
        with timed(walk):
            assert verified(settings) == count
    report(
        "verify",
        {"plain": min(plain) / min(walk)},
        {"rows_per_second": count / min(walk), "plain_rows_per_second": count / min(plain)},
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=100_000)
    with scratch_offices("registration") as running:
        measure(running, parser.parse_args().records)
