"""Proof that the ledgers of an office are whole, read fast: some four microseconds a record, in flat memory."""

from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from struct import Struct

import psycopg
from psycopg import Connection, sql

from verbund.ledger.record import Head
from verbund.ledger.walk import Damage, Mark, Walk
from verbund.settings import DatabaseSettings

_SHOWN = 20_000  # records between two signs of progress
# Several hundred records in one value, laid one behind the other by PostgreSQL: fetched row by row, the driver alone
# takes longer than all hashes. About 0.5 MB are held at a time.
_IN_ONE_VALUE = 500
_READ = sql.SQL("""
    copy (
        select string_agg(int8send(number) || hash || int4send(octet_length(body) + 32) || previous || body, ''::bytea
                          order by number)
        from {schema}.record where ledger = {ledger} and number > {after} and number <= {up_to}
        group by (number - 1) / {size} order by (number - 1) / {size}
    ) to stdout (format binary)
""")
_NO_END = 2**63 - 1
_COPY_HEADER = 19  # signature, flags, length of the header's extension (PostgreSQL, COPY, binary format)
_FIELD = 6  # number of fields, length of the only one
_RECORD = Struct(">q32si")


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a verification has come: records of `total` seen, and at the end of a ledger what is wrong with it."""

    ledger: str
    done: int
    total: int
    damage: Damage | None = None


def verify_ledgers(settings: DatabaseSettings, marks: Mapping[str, Sequence[Mark]] | None = None) -> Iterator[Progress]:
    """Verify every ledger of an office in one snapshot, also against what `marks` (by ledger) vouch for.

    Yields progress; the last one of each ledger carries the damage, where there is any.
    """
    with snapshot(settings) as connection:
        yield from verify_on(connection, marks or {})


def snapshot(settings: DatabaseSettings) -> Connection:
    """A connection whose transaction sees heads and records of one moment, and changes nothing."""
    connection = psycopg.connect(settings.conninfo())
    connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
    connection.read_only = True
    return connection


def verify_on(connection: Connection, marks: Mapping[str, Sequence[Mark]]) -> Iterator[Progress]:
    """The same on a connection of the caller's, within its transaction."""
    heads = read_heads(connection)
    for (ledger,) in connection.execute("select distinct ledger from ledger.record order by ledger").fetchall():
        if ledger not in heads:
            yield Progress(ledger, 0, 0, Damage(ledger, 1, 1, "the ledger has records and no head"))
    for ledger in sorted(marks.keys() - heads.keys()):
        last = max(mark.number for mark in marks[ledger])
        yield Progress(ledger, 0, 0, Damage(ledger, 1, last, "a checkpoint vouches for a ledger that is not there"))
    for head in heads.values():
        walk = Walk(head.ledger, marks=marks.get(head.ledger, ()))
        for number in walk_along(connection, walk):
            yield Progress(head.ledger, number, head.number)
        yield Progress(head.ledger, walk.number, head.number, walk.finish(head))


def read_heads(connection: Connection) -> dict[str, Head]:
    """Where each ledger of the office ends."""
    rows = connection.execute('select ledger, number, hash, time from ledger.head order by ledger collate "C"')
    return {row[0]: Head(*row) for row in rows}


def walk_along(connection: Connection, walk: Walk) -> Iterator[int]:
    """Give the walk all records behind its number; yields now and then how far it is."""
    take, shown = walk.take, walk.number
    for number, own_hash, content in read_records(connection, walk.ledger, after=walk.number):
        take(number, own_hash, content)
        if number - shown >= _SHOWN:
            shown = number
            yield shown


def read_records(
    connection: Connection, ledger: str, *, after: int = 0, up_to: int = _NO_END, schema: str = "ledger"
) -> Generator[tuple[int, bytes, bytes], None, None]:
    """Number, hash and content (the bytes that were hashed: 32 of the previous hash, then the body) of each record.

    `schema`: where a reader has its own view of the records.
    """
    unpack, size = _RECORD.unpack_from, _RECORD.size
    query = _READ.format(
        schema=sql.Identifier(schema),
        ledger=sql.Literal(ledger),
        after=sql.Literal(after),
        up_to=sql.Literal(up_to),
        size=sql.Literal(_IN_ONE_VALUE),
    )
    header = _COPY_HEADER
    with connection.cursor() as cursor, cursor.copy(query) as copy:
        for data in copy:
            value = bytes(data[header + _FIELD :])
            header, place, end = 0, 0, len(value)
            while place < end:
                number, own_hash, length = unpack(value, place)
                place += size + length
                yield number, own_hash, value[place - length : place]
