"""Checkpoints: what a ledger's head was at a moment, signed by a key that no database holds.

Somebody who may do everything in a database can also write a ledger anew, with all its hashes. A copy of its
checkpoints elsewhere (they hold nothing personal) is the proof that this did not happen before the last of them.
"""

import fcntl
import json
import os
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key

from verbund.events.canonical import canonical_bytes
from verbund.events.envelope import instant
from verbund.ledger.walk import Mark

_TYPE = "de.verbund.checkpoint.v1"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Number and hash of a ledger's last record at a time."""

    ledger: str
    number: int
    hash: bytes
    time: datetime

    @property
    def mark(self) -> Mark:
        return Mark(self.number, self.hash, f"the checkpoint of {instant(self.time)}")

    def statement(self) -> bytes:
        """The canonical bytes (RFC 8785) that are signed."""
        return canonical_bytes(self._attributes())

    def _attributes(self) -> dict[str, object]:
        # The type is signed too: no other signed word can be passed off as a checkpoint.
        return {
            "type": _TYPE,
            "hash": self.hash.hex(),
            "ledger": self.ledger,
            "number": self.number,
            "time": instant(self.time),
        }

    def line(self, key: Ed25519PrivateKey) -> bytes:
        """The line that stands in a file of checkpoints: what is said, and its Ed25519 signature (RFC 8032)."""
        signature = urlsafe_b64encode(key.sign(self.statement())).decode()
        return canonical_bytes({**self._attributes(), "signature": signature}) + b"\n"


@dataclass(frozen=True, slots=True)
class Unbelievable:
    """A line of a file of checkpoints that nobody signed with this key, or that is none."""

    file: Path
    line: int


def signing_key(secret: str) -> Ed25519PrivateKey:
    """The key from a secret of 256 bits in base64url, as `ensure_secret` makes it; raises `ValueError` for others."""
    return Ed25519PrivateKey.from_private_bytes(urlsafe_b64decode(secret + "=" * (-len(secret) % 4)))


def public_pem(key: Ed25519PublicKey) -> bytes:
    """The public key as everybody's tools read it (SubjectPublicKeyInfo, PEM)."""
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def load_public_key(pem: bytes) -> Ed25519PublicKey:
    """The key in a PEM file; raises `ValueError` where it holds no Ed25519 public key."""
    key = load_pem_public_key(pem)
    if not isinstance(key, Ed25519PublicKey):
        raise ValueError("the file holds no Ed25519 public key")
    return key


def append_checkpoints(file: Path, checkpoints: Sequence[Checkpoint], key: Ed25519PrivateKey) -> None:
    """Add lines to a file of checkpoints; they are on the disk when this returns. Call it while `alone`."""
    with file.open("r+b") as written:
        # A last line without its end was never written whole: the machine went away in the middle of it.
        written.seek(written.read().rfind(b"\n") + 1)
        written.truncate()
        written.write(b"".join(checkpoint.line(key) for checkpoint in checkpoints))
        written.flush()
        os.fsync(written.fileno())


@contextmanager
def alone(file: Path) -> Iterator[None]:
    """Be the only writer of a file of checkpoints, made where it is missing; waits for another writer."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with file.open("ab") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield


def read_checkpoints(file: Path, key: Ed25519PublicKey) -> tuple[list[Checkpoint], list[Unbelievable]]:
    """What a file of checkpoints says, and the lines of it that cannot be believed; nothing where there is no file."""
    if not file.exists():
        return [], []
    believed, others = [], []
    # What stands behind the last line's end was never written whole, and is written over by the next one.
    for number, line in enumerate(file.read_bytes().split(b"\n")[:-1], 1):
        checkpoint = _believe(line, key)
        if checkpoint is None:
            others.append(Unbelievable(file, number))
        else:
            believed.append(checkpoint)
    return believed, others


def latest_of(checkpoints: Iterable[Checkpoint]) -> dict[str, Checkpoint]:
    """By ledger, the checkpoint with the highest number."""
    latest: dict[str, Checkpoint] = {}
    for checkpoint in checkpoints:
        if checkpoint.ledger not in latest or checkpoint.number > latest[checkpoint.ledger].number:
            latest[checkpoint.ledger] = checkpoint
    return latest


def _believe(line: bytes, key: Ed25519PublicKey) -> Checkpoint | None:
    try:
        said = json.loads(line)
        if said["type"] != _TYPE:
            return None
        checkpoint = Checkpoint(
            said["ledger"], said["number"], bytes.fromhex(said["hash"]), datetime.fromisoformat(said["time"])
        )
        key.verify(urlsafe_b64decode(said["signature"]), checkpoint.statement())
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError, InvalidSignature):
        return None
    return checkpoint
