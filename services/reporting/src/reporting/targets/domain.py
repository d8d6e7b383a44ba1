"""The rules of the book of targets, pure: `decide` says what is booked, `evolve` what is true after it."""

import hashlib
import json
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal

from reporting.audiences import Audience
from reporting.commands.targets import SetTarget, TargetForm, WithdrawTarget
from reporting.figures import check_decimals, check_scope, is_exact_to
from reporting.indicators import Catalogue, Indicator
from verbund.errors import Forbidden, NotFound, NotNow, RuleBroken
from verbund.events.envelope import Data
from verbund.events.reporting.targets import Aim, TargetSet, TargetWithdrawn

Command = SetTarget | WithdrawTarget


@dataclass(frozen=True, slots=True)
class Target:
    """A target as it stands; where it was agreed stands in the table."""

    target_id: str
    indicator: str
    breakdown: str | None
    value: str | None
    from_on: date
    to_on: date
    agreed_on: date
    aim: Aim
    low: Decimal | None
    high: Decimal | None
    recorded_at: datetime
    withdrawn_at: datetime | None = None


def decide(state: Target | None, command: Command, catalogue: Catalogue) -> Data:
    """The event that the command leads to; raises what refuses it."""
    if isinstance(command, SetTarget):
        return _set(command, catalogue)
    if state is None or not may_see(state, Audience(command.seen_by), catalogue):
        raise NotFound("no_such_target", "There is no such target.")
    if state.withdrawn_at is not None:
        raise NotNow("target_withdrawn", "This target was withdrawn already.", allowed=("SetTarget",))
    return TargetWithdrawn()


def evolve(state: Target | None, target_id: str, event: Data, at: datetime) -> Target:
    """The target after an event that was booked at this instant."""
    match event:
        case TargetSet():
            scope = (event.indicator, event.breakdown, event.value)
            low, high = _decimal(event.low), _decimal(event.high)
            time = (event.from_on, event.to_on, event.agreed_on)
            return Target(target_id, *scope, *time, event.aim, low, high, at)
        case TargetWithdrawn() if state is not None:
            return replace(state, withdrawn_at=at)
    raise AssertionError(f"{type(event).__name__} is no event of this target")


def may_see(target: Target, audience: Audience, catalogue: Catalogue) -> bool:
    """Whether an audience may be told of a target: where it sees the cell exactly."""
    indicator = catalogue.indicators.get(target.indicator)
    scope = (target.breakdown, target.value, target.to_on)
    return indicator is not None and is_exact_to(catalogue, indicator, *scope, audience)


def _set(command: SetTarget, catalogue: Catalogue) -> TargetSet:
    form = command.form
    if form.from_on > form.to_on:
        raise RuleBroken("from_after_to", "The first day lies after the last one.", pointer="/from_on")
    indicator = check_scope(catalogue, form.indicator, form.breakdown, form.value, form.to_on)
    scope = (form.breakdown, form.value, form.to_on)
    if not is_exact_to(catalogue, indicator, *scope, Audience(command.seen_by)):
        raise Forbidden("cell_not_exact", "This is finer than you see exactly. Set a target for the whole.")
    for name in ("low", "high"):
        _check_bound(form, name, indicator)
    if form.low is not None and form.high is not None and Decimal(form.low) > Decimal(form.high):
        raise RuleBroken("low_above_high", "The lower bound lies above the upper one.", pointer="/low")
    return TargetSet(
        indicator=form.indicator,
        breakdown=form.breakdown,
        value=form.value,
        from_on=form.from_on,
        to_on=form.to_on,
        agreed_on=form.agreed_on,
        aim=form.aim,
        low=form.low,
        high=form.high,
        words_digest=_digest(form),
    )


def _check_bound(form: TargetForm, name: str, indicator: Indicator) -> None:
    """An aim has the bounds that it speaks of, and no other one."""
    number: str | None = getattr(form, name)
    is_needed = form.aim in ("between", "at_least" if name == "low" else "at_most")
    if is_needed and number is None:
        raise RuleBroken("bound_missing", "This aim needs a bound here.", pointer=f"/{name}")
    if number is not None and not is_needed:
        raise RuleBroken("bound_without_aim", "This aim has no bound here. Leave it out.", pointer=f"/{name}")
    check_decimals(indicator, number, f"/{name}")


def _digest(form: TargetForm) -> str:
    """SHA-256 of where it was agreed, in both languages: proves it, and says nothing."""
    return hashlib.sha256(json.dumps([form.source.de, form.source.en], ensure_ascii=False).encode()).hexdigest()


def _decimal(number: str | None) -> Decimal | None:
    return None if number is None else Decimal(number)
