"""Checkpoints of the embedded default: one file for each office, one key for the municipality, on this machine."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from verbund.embedded.home import Home
from verbund.embedded.secret_files import ensure_secret
from verbund.events.offices import Office
from verbund.ledger.checkpoints import (
    Checkpoint,
    Unbelievable,
    alone,
    append_checkpoints,
    latest_of,
    load_public_key,
    public_pem,
    read_checkpoints,
    signing_key,
)
from verbund.ledger.verify import read_heads, snapshot, walk_along
from verbund.ledger.walk import Damage, Walk
from verbund.settings import DatabaseSettings


class Broken(Exception):
    """A ledger does not go on from its last checkpoint: nothing was signed."""


def read_office(
    home: Home, office: Office, copies: Sequence[Path] = (), public_key: Path | None = None
) -> tuple[list[Checkpoint], list[Unbelievable]]:
    """The checkpoints of an office's ledgers, and the lines that cannot be believed.

    `copies`: further files, kept elsewhere. `public_key`: as it was deposited elsewhere; without it this home's own.
    Raises `ValueError` where that file holds no such key.
    """
    if public_key is not None:
        key = load_public_key(public_key.read_bytes())
    else:
        key = signing_key(ensure_secret(home.checkpoint_key)).public_key()
    believed: list[Checkpoint] = []
    others: list[Unbelievable] = []
    for file in (home.checkpoints_file(office), *copies):
        good, bad = read_checkpoints(file, key)
        believed += [each for each in good if each.ledger.split("/")[2:3] == [office.name]]
        others += bad
    return believed, others


def checkpoint_office(home: Home, office: Office, database: DatabaseSettings) -> list[Checkpoint]:
    """Sign the head of each ledger of an office that has moved since its last checkpoint; returns what was signed.

    Walks from the last checkpoint to the head first. Raises `Broken` where that is not whole, or where a line of the
    file cannot be believed: a signature beside it would make a forgery look proved.
    """
    key = signing_key(ensure_secret(home.checkpoint_key))
    home.checkpoint_public_key.write_bytes(public_pem(key.public_key()))
    file = home.checkpoints_file(office)
    with alone(file):
        checkpoints, unbelievable = read_office(home, office)
        if unbelievable:
            raise Broken(f"{file}: line {unbelievable[0].line} is no checkpoint that this key has signed")
        signed = _verify_what_is_new(database, latest_of(checkpoints))
        if signed:
            append_checkpoints(file, signed, key)
    return signed


def _verify_what_is_new(database: DatabaseSettings, latest: Mapping[str, Checkpoint]) -> list[Checkpoint]:
    signed = []
    now = datetime.now(UTC)
    with snapshot(database) as connection:
        heads = read_heads(connection)
        gone = sorted(latest.keys() - heads.keys())
        if gone:
            raise Broken(f"{gone[0]} is not there any more")
        for head in heads.values():
            before = latest.get(head.ledger)
            walk = Walk(head.ledger, before.number, before.hash) if before else Walk(head.ledger)
            begun = walk.number
            for _ in walk_along(connection, walk):
                continue
            damage = walk.finish(head)
            if damage is not None:
                raise Broken(_in_words(damage))
            if head.number > begun:
                signed.append(Checkpoint(head.ledger, head.number, head.hash, now))
    return signed


def _in_words(damage: Damage) -> str:
    return (
        f"{damage.ledger} was not signed: first bad number {damage.first}, last bad number {damage.last}:"
        f" {damage.reason}. Run `verbund verify`; see docs/runbooks/broken-ledger.md."
    )
