"""The ledgers of one office in its database: locked, appended to, read. Nothing here commits: the desk does."""

from collections.abc import Sequence
from datetime import UTC, datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from verbund.ledger.record import GENESIS, Head, Record

_OPEN = text("""
    insert into ledger.head (ledger, number, hash, time)
    select ledger, 0, :genesis, :beginning from unnest(cast(:ledgers as text[])) as wanted (ledger)
    on conflict do nothing
""")
# The collation makes the order of locks the same everywhere: the book ("/book") before the trays ("/to/..."), by name.
_LOCK = text("""
    select ledger, number, hash, time from ledger.head
    where ledger = any(cast(:ledgers as text[])) order by ledger collate "C" for update
""")
# One statement: each further one is a round trip under the head lock. Columns are joined here and split there (none has
# a comma in it): the driver takes longer to quote the elements of a list than the office's rules take to decide.
_APPEND = text("""
    with appended as (
        insert into ledger.record (ledger, number, previous, hash, body)
        select ledger, cast(number as bigint), decode(previous, 'hex'), decode(hash, 'hex'), decode(body, 'hex')
        from unnest(string_to_array(:ledgers, ','), string_to_array(:numbers, ','), string_to_array(:previous, ','),
                    string_to_array(:hashes, ','), string_to_array(:bodies, ','))
            as new (ledger, number, previous, hash, body)
    ), moved as (
        update ledger.head as head set number = new.number, hash = new.hash, time = new.time
        from unnest(cast(:moved as text[]), cast(:to_numbers as bigint[]), cast(:to_hashes as bytea[]),
                    cast(:to_times as timestamptz[])) as new (ledger, number, hash, time)
        where head.ledger = new.ledger
    )
    select pg_notify(channel, '') from unnest(cast(:channels as text[])) as woken (channel)
""")
_READ = text("""
    select ledger, number, previous, hash, body from ledger.record
    where ledger = :ledger and number > :after order by number limit :limit
""")
_HEADS = text('select ledger, number, hash, time from ledger.head order by ledger collate "C"')
_BEAT = text("""
    insert into ledger.beat (office, at) values (:office, clock_timestamp())
    on conflict (office) do update set at = excluded.at
""")

THE_BEGINNING = datetime(1900, 1, 1, tzinfo=UTC)
"""What a ledger without records knows as its latest time: an initial load may begin anywhere after it."""


async def open_ledgers(connection: AsyncConnection, ledgers: Sequence[str]) -> None:
    """Make sure that each ledger has a head; an existing one stays as it is."""
    await connection.execute(_OPEN, {"ledgers": sorted(ledgers), "genesis": GENESIS, "beginning": THE_BEGINNING})


async def lock_heads(connection: AsyncConnection, ledgers: Sequence[str]) -> dict[str, Head]:
    """The heads of these ledgers, locked in one fixed order until the transaction ends.

    Under these locks the order of numbers is the order of commits: no reader can ever see number n + 1 before n.
    """
    rows = await connection.execute(_LOCK, {"ledgers": list(ledgers)})
    return {row.ledger: Head(row.ledger, row.number, row.hash, row.time) for row in rows}


async def append(
    connection: AsyncConnection, records: Sequence[Record], heads: Sequence[Head], readers: Sequence[str]
) -> None:
    """Append sealed records and move the heads (which must be locked); readers are woken when this commits."""
    await connection.execute(
        _APPEND,
        {
            "ledgers": ",".join(record.ledger for record in records),
            "numbers": ",".join(str(record.number) for record in records),
            "previous": ",".join(record.previous.hex() for record in records),
            "hashes": ",".join(record.hash.hex() for record in records),
            "bodies": ",".join(record.body.hex() for record in records),
            "moved": [head.ledger for head in heads],
            "to_numbers": [head.number for head in heads],
            "to_hashes": [head.hash for head in heads],
            "to_times": [head.time for head in heads],
            "channels": [channel_for(reader) for reader in readers],
        },
    )


async def read(connection: AsyncConnection, ledger: str, after: int, limit: int) -> list[Record]:
    """Up to `limit` records of a ledger behind number `after`, in order."""
    rows = await connection.execute(_READ, {"ledger": ledger, "after": after, "limit": limit})
    return [Record(*row) for row in rows]


async def read_heads(connection: AsyncConnection) -> list[Head]:
    """Where each ledger of this office ends; not locked."""
    return [Head(*row) for row in await connection.execute(_HEADS)]


async def beat(connection: AsyncConnection, office: str) -> None:
    """Say that the office is alive, so that its silence can be told from its death."""
    await connection.execute(_BEAT, {"office": office})


def channel_for(reader: str) -> str:
    """The notification channel that wakes a reader of this office's ledgers; it carries no content."""
    return f"feed_{reader.replace('-', '_')}"
