"""Records that a reader of an older release has set aside, for tests of what is decided about them."""

from datetime import date

import psycopg
from stage.facts import BOOK, arrival, booked
from stage.served_offices import ServedOffice

from verbund.events.envelope import encode, sequence_of
from verbund.ledger.record import GENESIS, chain_hash

DAY = date(2018, 3, 1)


def park(office: ServedOffice, number: int, reason: str = "unknown_type", body: bytes | None = None) -> int:
    """A record that a reader of an older release has set aside; its id."""
    if body is None:
        event = booked(DAY, arrival(DAY, subject=f"s{number}"))
        body = encode(event.model_copy(update={"sequence": sequence_of(number), "source": BOOK}))
    with psycopg.connect(office.database.superuser().conninfo()) as connection:
        row = connection.execute(
            "insert into feed.parked (ledger, number, reason, detail, body, hash) values (%s, %s, %s, '', %s, %s)"
            " returning id",
            (BOOK, number, reason, body, chain_hash(GENESIS, body)),
        ).fetchone()
    assert row is not None
    return int(row[0])
