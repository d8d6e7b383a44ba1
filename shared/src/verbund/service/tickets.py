"""One-time tickets: how a link from the command line signs a browser in (embedded default only).

The folder knows a ticket's hash and the token it stands for; only the link knows the code. Whoever can read the folder
could read the issuer's key beside it too.
"""

from contextlib import suppress
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from secrets import token_hex, token_urlsafe
from time import time

LIFETIME = timedelta(minutes=10)


def write_ticket(folder: Path, token: str) -> str:
    """Lay a token down for whoever brings the returned code within ten minutes; sweeps out what is too old."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for file in folder.iterdir():
        with suppress(FileNotFoundError):  # somebody took it
            if _too_old(file):
                file.unlink()
    code = token_urlsafe(32)
    ticket = _file(folder, code)
    ticket.touch(mode=0o600, exist_ok=False)
    ticket.write_text(token, encoding="ascii")
    return code


def take_ticket(folder: Path, code: str) -> str | None:
    """The token for a code, once: of two who bring the same code at the same time, one gets it. Else None."""
    taken = folder / f"taken-{token_hex(8)}"
    try:
        _file(folder, code).rename(taken)
    except OSError:
        return None
    try:
        return None if _too_old(taken) else taken.read_text(encoding="ascii")
    finally:
        taken.unlink()


def _file(folder: Path, code: str) -> Path:
    return folder / sha256(code.encode("utf-8", "surrogatepass")).hexdigest()


def _too_old(file: Path) -> bool:
    return time() - file.stat().st_mtime > LIFETIME.total_seconds()
