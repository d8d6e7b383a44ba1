"""What is asked of the book of targets."""

from dataclasses import dataclass, field

from reporting.commands.forms import BothLanguages, Decimals, ScopeForm, new_pseudonym
from verbund.events.days import Day
from verbund.events.reporting.alerts import WatchedBy
from verbund.events.reporting.targets import Aim


class TargetForm(ScopeForm):
    """What a figure should come to on each day from `from_on` to `to_on`, or in that time as a whole."""

    from_on: Day
    to_on: Day
    agreed_on: Day
    aim: Aim
    low: Decimals | None = None
    """For `at_least` and `between`."""
    high: Decimals | None = None
    """For `at_most` and `between`."""
    source: BothLanguages
    """Where it was agreed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SetTarget:
    """Book what was agreed."""

    form: TargetForm
    seen_by: WatchedBy
    target_id: str = field(default_factory=new_pseudonym)


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawTarget:
    """Book that it does not hold any more."""

    seen_by: WatchedBy
    target_id: str
