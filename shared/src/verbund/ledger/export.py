"""Exports: a ledger as a text file that a third party can prove with its own tools, up to a signed number."""

import os
from collections.abc import Iterator
from pathlib import Path

from psycopg import Connection

from verbund.ledger.checkpoints import Checkpoint
from verbund.ledger.record import Head
from verbund.ledger.verify import read_records
from verbund.ledger.walk import Damage, Walk

_SHOWN = 20_000  # records between two signs of progress


class NotWhole(Exception):
    """The ledger does not lead to the checkpoint up to which it should be exported."""

    def __init__(self, damage: Damage) -> None:
        super().__init__(
            f"{damage.ledger} was not exported: first bad number {damage.first}, last bad number {damage.last}:"
            f" {damage.reason}. See docs/runbooks/broken-ledger.md."
        )


def file_name(ledger: str) -> str:
    """`/05913000/registration/book` is exported as `05913000-registration-book.ledger`."""
    return ledger.strip("/").replace("/", "-") + ".ledger"


def export_ledger(connection: Connection, checkpoint: Checkpoint, file: Path) -> Iterator[int]:
    """Write the ledger from its first record to the checkpoint's; yields now and then how far it is.

    Line n is the record with number n: its hash in hexadecimal digits, a blank, the event's own bytes. The file stands
    there when it is whole, on the disk and proved; raises `NotWhole` and leaves none where it cannot be proved.
    """
    walk = Walk(checkpoint.ledger, marks=[checkpoint.mark])
    unfinished = file.with_name(file.name + ".part")
    try:
        with unfinished.open("xb") as written:
            unfinished.chmod(0o600)
            for number, own_hash, content in read_records(connection, checkpoint.ledger, up_to=checkpoint.number):
                walk.take(number, own_hash, content)
                written.write(b"%b %b\n" % (own_hash.hex().encode(), content[32:]))
                if number % _SHOWN == 0:
                    yield number
            written.flush()
            os.fsync(written.fileno())
        damage = walk.finish(Head(checkpoint.ledger, checkpoint.number, checkpoint.hash, checkpoint.time))
        if damage is not None:
            raise NotWhole(damage)
        unfinished.rename(file)
    finally:
        unfinished.unlink(missing_ok=True)
    yield checkpoint.number
