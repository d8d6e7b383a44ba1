"""Who asks: what a verified access token says of its bearer."""

from dataclasses import dataclass

CLERK = "clerk"
SECOND_CLERK = "second_clerk"
OFFICE_LEAD = "office_lead"
INITIAL_LOAD = "initial_load"
IN_TRAY = "in_tray"

OFFICE_ROLES = frozenset({CLERK, SECOND_CLERK, OFFICE_LEAD, INITIAL_LOAD, IN_TRAY})
"""Roles that hold within the bearer's own office only."""
ROLES = OFFICE_ROLES | {
    "delivering_body",
    "coordination",
    "chair",
    "expert_group_reader",
    "statistics",
    "privacy_officer",
    "operator",
    "public",
}
"""Every role there is; a permission that names another one does not start."""


@dataclass(frozen=True, slots=True)
class Principal:
    """Somebody, or something, that may ask: a pseudonym with roles."""

    subject: str
    roles: frozenset[str]
    office: str
    """Whose clerk this is."""
    municipality: str

    @property
    def actor(self) -> str:
        """As events name who booked them."""
        return f"clerk:{self.subject}"


ANYBODY = Principal(subject="anybody", roles=frozenset({"public"}), office="", municipality="")
"""Who asks at a public door without showing a token."""
