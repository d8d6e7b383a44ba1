"""Names of ledgers: who keeps them, and who may read them."""

import re
from functools import lru_cache
from typing import Any

MUNICIPALITY = re.compile(r"^\d{8}$")
LEDGER_PATTERN = r"^/\d{8}/[a-z][a-z0-9-]*/(book|to/[a-z][a-z0-9-]*)$"
"""What every name of a ledger looks like, for documents."""
_LEDGER = re.compile(
    r"^/(?P<municipality>\d{8})/(?P<office>[a-z][a-z0-9-]*)/(?:book|to/(?P<receiver>[a-z][a-z0-9-]*))$"
)


def book_of(municipality: str, office: str) -> str:
    """The ledger of an office's statistical facts, which reporting alone reads. `municipality`: AGS, 8 digits."""
    return _checked(f"/{municipality}/{office}/book")


def tray_of(municipality: str, office: str, receiver: str) -> str:
    """The ledger of what `office` tells `receiver`, which `receiver` alone reads."""
    return _checked(f"/{municipality}/{office}/to/{receiver}")


def municipality_of(ledger: str) -> str:
    """The AGS in a ledger's name; raises `ValueError` where the name is none."""
    return str(_parts(ledger)["municipality"])


def office_of(ledger: str) -> str:
    """The office that writes the ledger; raises `ValueError` where the name is none."""
    return str(_parts(ledger)["office"])


def receiver_of(ledger: str) -> str | None:
    """The office that a tray is for, None for a book; raises `ValueError` where the name is none."""
    receiver: str | None = _parts(ledger)["receiver"]
    return receiver


def _checked(ledger: str) -> str:
    _parts(ledger)
    return ledger


@lru_cache(maxsize=1_000)  # asked of every event, and there are few ledgers
def _parts(ledger: str) -> dict[str, Any]:
    found = _LEDGER.match(ledger)
    if found is None:
        raise ValueError(f"{ledger!r} names no ledger: /<AGS>/<office>/book or /<AGS>/<office>/to/<receiver>")
    return found.groupdict()
