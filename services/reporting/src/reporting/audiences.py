"""Who sees what: the rule for each audience, applied to what a question would show (decision 0017).

Statistics office: everything, exact and live. Coordination group: the city's totals exact and live; margins that the
printed reports publish too exact, and anything finer protected by the cell-key method, both at ticks. The public: what
is released, all of it protected, as of the last release.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Literal

from reporting.deltas import NEVER_CROSSED, day_of
from reporting.ticks import LastTicks, Tick
from verbund.errors import Forbidden


class Audience(StrEnum):
    """Whoever sees figures in the same way."""

    STATISTICS = "statistics"
    COORDINATION = "coordination"
    PUBLIC = "public"


_AUDIENCES: Mapping[str, Audience] = {
    "statistics": Audience.STATISTICS,
    "coordination": Audience.COORDINATION,
    "chair": Audience.COORDINATION,
    "expert_group_reader": Audience.COORDINATION,
    "public": Audience.PUBLIC,
}
"""By role; a role that is not named here sees no figures."""

ROLES_WITH_FIGURES = frozenset(_AUDIENCES)
STEERING_ROLES = frozenset(role for role, audience in _AUDIENCES.items() if audience is not Audience.PUBLIC)
"""Those who see what is not released, too."""

Shown = Mapping[str, frozenset[str]]
"""What a question shows apart, as breakdown or as filter: by dimension, the codes."""


@dataclass(frozen=True, slots=True)
class Sight:
    """How an audience may see the answer to a question."""

    known_on: date | None
    """The knowledge to be used; None is everything, as far as it may be seen."""
    is_live: bool = True
    """Whether it moves with every fact; at ticks otherwise."""
    is_exact: bool = True
    """Whether the numbers are those that were counted; protected by the cell-key method otherwise."""
    tick: Tick | None = None
    """The last tick or release, where it does not move live; None before the first one."""
    ticks_of_districts: Mapping[str, Tick] = field(default_factory=dict)
    """Where each Stadtbezirk moves at ticks of its own: the last ones."""

    @property
    def data_state(self) -> Literal["live", "tick"]:
        return "live" if self.is_live else "tick"


def audience_of(roles: Collection[str]) -> Audience:
    """The widest audience that one of the roles belongs to; raises `Forbidden` (`no_figures`) where none does."""
    audiences = {_AUDIENCES[role] for role in roles if role in _AUDIENCES}
    for audience in Audience:
        if audience in audiences:
            return audience
    raise Forbidden("no_figures", "Your roles do not include seeing figures.")


def sight_of(
    audience: Audience, shown: Shown, margins: Shown, known_on: date | None, at: datetime, ticks: LastTicks | None
) -> Sight:
    """How `audience` may see what is `shown`, at the instant `at`, where `ticks` are the indicator's last ones for it.

    `margins` are the breakdowns declared exact for it. Raises `Forbidden` (`crossing_refused`), for everybody.
    """
    _check_crossing(shown)
    if audience is Audience.STATISTICS or (audience is Audience.COORDINATION and not shown):
        return Sight(_until(known_on, at))
    is_exact = audience is Audience.COORDINATION and _is_margin(shown, margins)
    if ticks is None:
        return Sight(None, is_live=False, is_exact=is_exact)
    return Sight(
        _until(known_on, ticks.of_margins.ticked_at),
        is_live=False,
        is_exact=is_exact,
        tick=ticks.of_margins,
        ticks_of_districts={} if is_exact else ticks.by_district,
    )


def sight_of_delivered(shown: Shown, known_on: date | None, at: datetime) -> Sight:
    """How everybody who sees figures may see what was delivered: as its body reported it, for others to read.

    Raises `Forbidden` (`crossing_refused`) as `sight_of` does.
    """
    _check_crossing(shown)
    return Sight(_until(known_on, at))


def _check_crossing(shown: Shown) -> None:
    if set(shown) >= NEVER_CROSSED:
        raise Forbidden("crossing_refused", "Flagged premises are never shown together with nationality.")


def _until(known_on: date | None, at: datetime) -> date | None:
    """What is known by the end of the day of an instant is what is known at it."""
    return None if known_on is not None and known_on >= day_of(at) else known_on


def _is_margin(shown: Shown, margins: Shown) -> bool:
    if len(shown) != 1:
        return False
    ((dimension, codes),) = shown.items()
    return dimension in margins and codes <= margins[dimension]
