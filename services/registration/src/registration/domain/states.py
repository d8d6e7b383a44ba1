"""The states of a residence, and what can be booked in each: this table is the rule, and the documents print it."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

State = Literal["registered", "doubtful", "deregistered"]
CommandName = Literal[
    "RegisterResidence",
    "MoveResidence",
    "DeregisterResidence",
    "ChangeNationality",
    "ChangeResidenceKind",
    "DoubtAddress",
    "ClarifyAddress",
    "CorrectRegistration",
]

TRANSITIONS: Mapping[State, Mapping[CommandName, State]] = MappingProxyType(
    {
        "registered": {
            "MoveResidence": "registered",
            "DeregisterResidence": "deregistered",
            "ChangeNationality": "registered",
            "ChangeResidenceKind": "registered",
            "DoubtAddress": "doubtful",
            "CorrectRegistration": "registered",
        },
        "doubtful": {
            "MoveResidence": "registered",
            "DeregisterResidence": "deregistered",
            "ChangeNationality": "doubtful",
            "ChangeResidenceKind": "doubtful",
            "ClarifyAddress": "registered",
            "CorrectRegistration": "doubtful",
        },
        "deregistered": {
            "RegisterResidence": "registered",
            "CorrectRegistration": "deregistered",
        },
    }
)
"""By state and command, the state after it. `RegisterResidence` begins a residence of its own, also for somebody whose
residence is over. `DeregisterResidence` ex officio is possible out of `doubtful` alone, once the inquiry period is over
(§ 6 BMG); whatever is corrected or cancelled leaves the state that the other bookings make.
"""


def allowed(state: State) -> tuple[CommandName, ...]:
    """What can be booked about a residence in this state, in the order of the table."""
    return tuple(TRANSITIONS[state])
