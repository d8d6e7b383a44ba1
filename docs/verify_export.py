"""Proves an export of ledgers, with nothing but Python and the package `cryptography`: python verify_export.py FOLDER.

Ends with exit code 1 where a ledger is not the one that was signed, and names the first number that is wrong.
"""

import base64
import hashlib
import json
import sys
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import load_pem_public_key


def read_checkpoints(folder, key):
    """By ledger and number, the hashes that were signed. A line is what was signed, and `signature` beside it."""
    signed, faults = {}, []
    for file in sorted(folder.glob("*.checkpoints")):
        for n, line in enumerate(file.read_bytes().splitlines(), 1):
            try:
                said = json.loads(line)
                signature = base64.urlsafe_b64decode(said.pop("signature"))
                # RFC 8785 for what stands here: sorted names, no blanks.
                key.verify(signature, json.dumps(said, sort_keys=True, separators=(",", ":")).encode())
                signed.setdefault(said["ledger"], {})[said["number"]] = said["hash"]
            except (InvalidSignature, ValueError, KeyError, AttributeError, TypeError):
                faults.append(f"{file.name}: line {n} is not signed with this key")
    return signed, faults


def verify(file, ledger, signed):
    """What is wrong in one ledger: (number, reason), or None. Each hash covers the one before it and the event."""
    number, before, marks = 0, bytes(32), dict(signed)
    with file.open("rb") as lines:
        for line in lines:
            number += 1
            hexadecimal, _, body = line.rstrip(b"\n").partition(b" ")
            before = hashlib.sha256(before + body).digest()
            if hexadecimal != before.hex().encode():
                return number, "the event does not fit its hash, or does not go on from the one before it"
            try:
                event = json.loads(body)
                placed = (event["source"], int(event["sequence"])) == (ledger, number)
            except (ValueError, KeyError, TypeError):
                placed = False
            if not placed:
                return number, "the event carries another number or another ledger"
            if marks.pop(number, before.hex()) != before.hex():
                return number, "another history was signed up to here"
    return (number + 1, f"records up to {max(marks)} were signed and are not here") if marks else None


def main(folder):
    key = load_pem_public_key((folder / "checkpoint.pem").read_bytes())
    print("key: SHA-256", hashlib.sha256((folder / "checkpoint.pem").read_bytes()).hexdigest())
    signed, faults = read_checkpoints(folder, key)
    for ledger, marks in sorted(signed.items()):
        file = folder / (ledger.strip("/").replace("/", "-") + ".ledger")
        fault = verify(file, ledger, marks) if file.exists() else (1, "the file is missing")
        if fault:
            faults.append(f"{ledger}: first bad number {fault[0]}: {fault[1]}")
        else:
            print(f"{ledger}: whole, signed up to {max(marks)}")
    print(*faults, sep="\n", end="\n" if faults else "", file=sys.stderr)
    return 1 if faults or not signed else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
