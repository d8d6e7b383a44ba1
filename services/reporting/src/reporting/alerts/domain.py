"""The rules of thresholds and their alerts, pure: `decide` says what is booked, `evolve` what is true after it."""

from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID, uuid5

from reporting.audiences import Audience
from reporting.commands.alerts import (
    AcknowledgeAlert,
    EndAlert,
    RaiseAlert,
    RemoveThreshold,
    SetThreshold,
    ThresholdForm,
)
from reporting.deltas import day_of
from reporting.figures import Question, check_decimals, check_scope, plan_of
from reporting.indicators import Catalogue
from verbund.errors import Forbidden, NotFound, NotNow, RuleBroken
from verbund.events.envelope import Data
from verbund.events.reporting.alerts import (
    AlertAcknowledged,
    AlertOver,
    AlertRaised,
    OverReason,
    Period,
    Side,
    ThresholdRemoved,
    ThresholdSet,
    WatchedBy,
)

Command = SetThreshold | RemoveThreshold | RaiseAlert | EndAlert | AcknowledgeAlert


@dataclass(frozen=True, slots=True)
class Alert:
    """The last alert of a threshold: raised, perhaps acknowledged, perhaps over."""

    alert_id: str
    crossing: int
    raised_at: datetime
    acknowledged_at: datetime | None = None
    over_at: datetime | None = None
    over_reason: OverReason | None = None


@dataclass(frozen=True, slots=True)
class Threshold:
    """A figure that is watched."""

    threshold_id: str
    version: int
    audience: WatchedBy
    indicator: str
    breakdown: str | None
    value: str | None
    period: Period | None
    side: Side
    limit: Decimal
    back: Decimal
    valid_from: date
    valid_until: date | None
    set_at: datetime
    removed_at: datetime | None = None
    crossings: int = 0
    alert: Alert | None = None
    """The last one that it raised."""

    @property
    def open_alert(self) -> Alert | None:
        return self.alert if self.alert is not None and self.alert.over_at is None else None

    def due(self, number: int | Decimal | None, today: date) -> RaiseAlert | EndAlert | None:
        """What today's figure leads to; None where nothing changes. A figure that says no number changes nothing.

        Beyond `limit` an alert is raised; it is over from `back` on. What lies between changes nothing.
        """
        opened = self.open_alert
        if self.removed_at is not None or today < self.valid_from:
            return None
        if self.valid_until is not None and today > self.valid_until:
            return (
                None
                if opened is None
                else EndAlert(threshold_id=self.threshold_id, crossing=opened.crossing, reason="expired")
            )
        if number is None:
            return None
        sign = 1 if self.side == "over" else -1
        if opened is None:
            is_beyond = sign * number > sign * self.limit
            return RaiseAlert(threshold_id=self.threshold_id, crossing=self.crossings + 1) if is_beyond else None
        is_back = sign * number <= sign * self.back
        return EndAlert(threshold_id=self.threshold_id, crossing=opened.crossing, reason="back") if is_back else None


def question_of(threshold: Threshold | ThresholdForm, today: date) -> Question:
    """The one question that a threshold asks on a day."""
    breakdown, value = threshold.breakdown, threshold.value
    return Question(
        indicator=threshold.indicator,
        filters={} if breakdown is None or value is None else {breakdown: (value,)},
        as_of=(today,),
        every=threshold.period,
    )


def alert_id_of(threshold_id: str, crossing: int) -> str:
    """One crossing, one alert, whoever notices it and how often."""
    return str(uuid5(UUID(threshold_id), str(crossing)))


def decide(state: Threshold | None, command: Command, at: datetime, catalogue: Catalogue) -> tuple[Data, ...]:
    """The events that the command leads to; raises what refuses it."""
    match command:
        case SetThreshold():
            return (_set(command, at, catalogue),)
        case RemoveThreshold():
            return tuple(_removed(state, command))
        case RaiseAlert():
            return (_raised(state, command),)
        case EndAlert():
            return (_over(state, command),)
        case AcknowledgeAlert():
            return (_acknowledged(state, command),)


def evolve(state: Threshold | None, threshold_id: str, event: Data, at: datetime) -> Threshold:
    """The threshold with its last alert after an event that was booked at this instant."""
    if isinstance(event, ThresholdSet):
        scope = (event.audience, event.indicator, event.breakdown, event.value, event.period, event.side)
        bounds = (Decimal(event.limit), Decimal(event.back))
        return Threshold(threshold_id, 1, *scope, *bounds, event.valid_from, event.valid_until, at)
    assert state is not None
    state = replace(state, version=state.version + 1)
    alert = state.alert
    match event:
        case ThresholdRemoved():
            return replace(state, removed_at=at)
        case AlertRaised():
            return replace(state, crossings=event.crossing, alert=Alert(event.alert_id, event.crossing, at))
        case AlertAcknowledged() if alert is not None:
            return replace(state, alert=replace(alert, acknowledged_at=at))
        case AlertOver() if alert is not None:
            return replace(state, alert=replace(alert, over_at=at, over_reason=event.reason))
    raise AssertionError(f"{type(event).__name__} is no event of this threshold")


def may_see(audience: Audience, watched_by: WatchedBy) -> bool:
    """Whether an audience may be told of what was seen with the eyes of another one."""
    return audience is Audience.STATISTICS or audience.value == watched_by


def _set(command: SetThreshold, at: datetime, catalogue: Catalogue) -> ThresholdSet:
    form = command.form
    if not may_see(Audience(command.seen_by), form.audience):
        raise Forbidden("not_your_audience", "You cannot watch a figure with the eyes of another audience.")
    _check_time(form)
    indicator = check_scope(catalogue, form.indicator, form.breakdown, form.value, day_of(at))
    for pointer, number in (("/limit", form.limit), ("/back", form.back)):
        check_decimals(indicator, number, pointer)
    limit, back = Decimal(form.limit), Decimal(form.back)
    if back > limit if form.side == "over" else back < limit:
        raise RuleBroken(
            "back_beyond_limit",
            "An alert cannot be over where it is raised. For over, it is not above the limit; for under, not below it.",
            pointer="/back",
        )
    _check_question(form, at, catalogue)
    return ThresholdSet(**form.model_dump())


def _check_time(form: ThresholdForm) -> None:
    if form.valid_until is not None and form.valid_from > form.valid_until:
        raise RuleBroken("from_after_to", "The first day lies after the last one.", pointer="/valid_from")


def _check_question(form: ThresholdForm, at: datetime, catalogue: Catalogue) -> None:
    """Raise where the figures would not answer: what cannot be asked cannot be watched."""
    try:
        plan_of(catalogue, question_of(form, day_of(at)), Audience(form.audience), at)
    except RuleBroken as refused:
        (finding,) = refused.findings
        name = finding.pointer.split("/")[1]
        pointer = {"every": "/period", "filters": "/value", "by": "/breakdown"}.get(name, f"/{name}")
        raise RuleBroken(refused.code, refused.message, pointer=pointer, **refused.values) from refused


def _removed(state: Threshold | None, command: RemoveThreshold) -> list[Data]:
    threshold = _seen(state, command)
    if threshold.removed_at is not None:
        raise NotNow("threshold_removed", "This threshold was removed already.", allowed=("SetThreshold",))
    opened = threshold.open_alert
    ended = [] if opened is None else [AlertOver(alert_id=opened.alert_id, reason="removed")]
    return [*ended, ThresholdRemoved()]


def _raised(state: Threshold | None, command: RaiseAlert) -> AlertRaised:
    if state is None:
        raise _no_threshold()
    if state.removed_at is not None or state.open_alert is not None or command.crossing != state.crossings + 1:
        raise NotNow("crossing_booked", "This crossing was booked already, or the threshold was removed.")
    alert_id = alert_id_of(state.threshold_id, command.crossing)
    return AlertRaised(alert_id=alert_id, crossing=command.crossing)


def _over(state: Threshold | None, command: EndAlert) -> AlertOver:
    if state is None:
        raise _no_threshold()
    opened = state.open_alert
    if opened is None or opened.crossing != command.crossing:
        raise NotNow("alert_over", "This alert is over already.")
    return AlertOver(alert_id=opened.alert_id, reason=command.reason)


def _acknowledged(state: Threshold | None, command: AcknowledgeAlert) -> AlertAcknowledged:
    if state is None or state.alert is None or not may_see(Audience(command.seen_by), state.audience):
        raise NotFound("no_such_alert", "There is no such alert.")
    opened = state.open_alert
    if opened is None or opened.alert_id != command.alert_id:
        raise NotNow("alert_over", "This alert is over already.")
    if opened.acknowledged_at is not None:
        raise NotNow("alert_acknowledged", "Somebody has acknowledged this alert already.")
    return AlertAcknowledged(alert_id=opened.alert_id)


def _seen(state: Threshold | None, command: RemoveThreshold) -> Threshold:
    if state is None or not may_see(Audience(command.seen_by), state.audience):
        raise _no_threshold()
    return state


def _no_threshold() -> NotFound:
    return NotFound("no_such_threshold", "There is no such threshold.")
