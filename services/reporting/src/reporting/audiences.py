"""Who sees what: the rule for each audience, applied to what a question would show (decision 0005).

Statistics office: everything, exact and live. Coordination group: the city's totals exact and live; margins that the
printed reports publish too exact, but only as known at the end of yesterday; anything finer not at all until there
is disclosure control. Nobody else sees figures.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Literal

from reporting.deltas import NEVER_CROSSED, day_of
from verbund.errors import Forbidden


class Audience(StrEnum):
    """Whoever sees figures in the same way."""

    STATISTICS = "statistics"
    COORDINATION = "coordination"


_AUDIENCES: Mapping[str, Audience] = {
    "statistics": Audience.STATISTICS,
    "coordination": Audience.COORDINATION,
    "chair": Audience.COORDINATION,
    "expert_group_reader": Audience.COORDINATION,
}
"""By role; a role that is not named here sees no figures."""

ROLES_WITH_FIGURES = frozenset(_AUDIENCES)

Shown = Mapping[str, frozenset[str]]
"""What a question shows apart, as breakdown or as filter: by dimension, the codes."""


@dataclass(frozen=True, slots=True)
class Sight:
    """How an audience may see the answer to a question."""

    data_state: Literal["live", "end_of_day"]
    known_on: date | None
    """The knowledge to be used; None is everything."""


def audience_of(roles: Collection[str]) -> Audience:
    """The widest audience that one of the roles belongs to; raises `Forbidden` (`no_figures`) where none does."""
    audiences = {_AUDIENCES[role] for role in roles if role in _AUDIENCES}
    for audience in Audience:
        if audience in audiences:
            return audience
    raise Forbidden("no_figures", "Your roles do not include seeing figures.")


def sight_of(audience: Audience, shown: Shown, margins: Shown, known_on: date | None, at: datetime) -> Sight:
    """How `audience` may see what is `shown`, at the instant `at`.

    `margins` are the breakdowns declared exact for it. Raises `Forbidden`: `crossing_refused` for everybody,
    `finer_than_allowed` with the breakdowns that are allowed.
    """
    if set(shown) >= NEVER_CROSSED:
        raise Forbidden("crossing_refused", "Flagged premises are never shown together with nationality.")
    if known_on is not None and known_on >= day_of(at):
        known_on = None  # what is known by the end of today is what is known now
    if audience is Audience.STATISTICS or not shown:
        return Sight("live", known_on)
    if not _is_margin(shown, margins):
        raise Forbidden(
            "finer_than_allowed",
            "This is finer than the coordination group may see. Allowed are the city's totals, and one of: {allowed}.",
            allowed=", ".join(sorted(margins)) or "–",
        )
    yesterday = day_of(at) - timedelta(days=1)
    return Sight("end_of_day", yesterday if known_on is None else known_on)


def _is_margin(shown: Shown, margins: Shown) -> bool:
    if len(shown) != 1:
        return False
    ((dimension, codes),) = shown.items()
    return dimension in margins and codes <= margins[dimension]
