"""Secrets made at the first start: one file each, for nobody but the user who runs the embedded default."""

import os
import secrets
from contextlib import suppress
from pathlib import Path

from verbund.settings import read_secret

_BYTES = 32


def ensure_secret(file: Path) -> str:
    """The secret in `file`; made (256 bits, mode 0600, folder 0700) where there is none yet.

    Raises `ValueError` where the file is empty: a password of nothing would let anybody in, and a new one nobody.
    """
    with suppress(FileNotFoundError):
        return _read(file)
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = file.with_name(f".{file.name}.{os.getpid()}")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as written:
        written.write(secrets.token_urlsafe(_BYTES))
        written.flush()
        os.fsync(written.fileno())
    # Whole or not at all, and whoever comes second takes what is there.
    with suppress(FileExistsError):
        os.link(fresh, file)
    fresh.unlink()
    return _read(file)


def _read(file: Path) -> str:
    secret = read_secret(file)
    if not secret:
        raise ValueError(f"the secret file {file} is empty")
    return secret
