"""An event that has changed its meaning twice, for tests: version 3 is known, versions 1 and 2 stand in ledgers."""

from typing import Any

from verbund.events.envelope import Data
from verbund.events.registration import RegistryTransition


def sex_is_unknown(data: dict[str, Any]) -> dict[str, Any]:
    """Version 1 did not say the sex; what was not asked is unknown."""
    return {**data, "resident": {**data["resident"], "sex": "unknown"}}


def counts_are_transitions(data: dict[str, Any]) -> dict[str, Any]:
    """Version 2 said who lives here since when; version 3 says what that changes in what is counted."""
    arrival = {
        "sign": 1,
        "unit": "resident",
        "subject": data["person"],
        "n": 1,
        "effective_on": data["since"],
        "kind": "arrival",
        "before": None,
        "after": data["resident"],
        "cause": "booked",
    }
    return {"transitions": [arrival]}


class ResidentWelcomed(
    Data, office="registration", version=3, upcasters={1: sex_is_unknown, 2: counts_are_transitions}
):
    """Somebody has come to live here."""

    transitions: tuple[RegistryTransition, ...]
