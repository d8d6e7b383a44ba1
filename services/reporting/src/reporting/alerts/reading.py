"""Thresholds and alerts as lists, single ones, the evaluator and the webhook read them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from reporting.alerts.domain import Threshold
from reporting.alerts.rows import ALERT_COLUMNS, THRESHOLD_COLUMNS, threshold_of
from reporting.audiences import Audience
from verbund.errors import NotFound
from verbund.events.reporting.alerts import OverReason, Period, Side, WatchedBy

AlertState = Literal["raised", "acknowledged", "over"]

_WATCHED = text(f"""
    select {THRESHOLD_COLUMNS}, {ALERT_COLUMNS}
    from alerts.threshold
    left join alerts.alert on alert.municipality = threshold.municipality
        and alert.threshold_id = threshold.threshold_id and alert.crossing = threshold.crossings
    where threshold.municipality = :municipality and removed_at is null
    order by threshold.number
""")  # noqa: S608 - columns of ours
_THRESHOLD = """
    threshold_id::text, audience, indicator, breakdown, value, period, side, "limit", back, valid_from, valid_until"""
_ALERTS = text(f"""
    select alert_id::text, alert.number, threshold.version, raised_at, acknowledged_at, over_at, over_reason,
           {_THRESHOLD.replace("threshold_id", "threshold.threshold_id")}
    from alerts.alert join alerts.threshold using (municipality, threshold_id)
    where municipality = :municipality and audience = any(:audiences)
      and alert.number < coalesce(:below, alert.number + 1)
      and alert_id = coalesce(cast(:alert_id as uuid), alert_id)
      and (not :only_open or over_at is null)
    order by alert.number desc limit :limit
""")  # noqa: S608 - columns of ours
_THRESHOLDS = text(f"""
    select {_THRESHOLD}, number, version, set_at, removed_at from alerts.threshold
    where municipality = :municipality and audience = any(:audiences) and number < coalesce(:below, number + 1)
      and case when cast(:threshold_id as uuid) is null then removed_at is null
          else threshold_id = cast(:threshold_id as uuid) end
    order by number desc limit :limit
""")  # noqa: S608 - columns of ours
_MOST_OPEN = 50  # more of them at once are no list that somebody works through


@dataclass(frozen=True, slots=True)
class ListedThreshold:
    """One figure that is watched."""

    threshold_id: str
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
    number: int
    """In the book of reporting."""
    version: int
    set_at: datetime
    removed_at: datetime | None


@dataclass(frozen=True, slots=True)
class ListedAlert:
    """One crossing of a threshold. It names the threshold's own numbers, and never the figure."""

    alert_id: str
    state: AlertState
    number: int
    """Of its raising, in the book of reporting."""
    version: int
    raised_at: datetime
    acknowledged_at: datetime | None
    over_at: datetime | None
    over_reason: OverReason | None
    threshold_id: str
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


async def list_watched(connection: AsyncConnection, municipality: str) -> list[Threshold]:
    """The thresholds that were not removed, each with its last alert, in order of setting."""
    return [threshold_of(row) for row in await connection.execute(_WATCHED, {"municipality": municipality})]


async def list_alerts(
    engine: AsyncEngine, municipality: str, audience: Audience, *, below: int | None, limit: int
) -> list[ListedAlert]:
    """The alerts of an audience, the last raised first."""
    async with engine.connect() as connection:
        given = {"below": below, "limit": limit, "alert_id": None, "only_open": False}
        return await _alerts(connection, municipality, audiences_told(audience), given)


async def list_open(connection: AsyncConnection, municipality: str, audience: Audience) -> list[ListedAlert]:
    """What is raised or acknowledged and not over: the alerts made for this very audience, the last raised first."""
    given = {"below": None, "limit": _MOST_OPEN, "alert_id": None, "only_open": True}
    return await _alerts(connection, municipality, audiences_told(audience), given)


async def get_alert(
    connection: AsyncConnection, municipality: str, audiences: Sequence[WatchedBy], alert_id: str
) -> ListedAlert:
    """One alert of these audiences; raises `NotFound`."""
    given = {"below": None, "limit": 1, "alert_id": alert_id, "only_open": False}
    for found in await _alerts(connection, municipality, audiences, given):
        return found
    raise NotFound("no_such_alert", "There is no such alert.")


async def list_thresholds(
    engine: AsyncEngine, municipality: str, audience: Audience, *, below: int | None, limit: int
) -> list[ListedThreshold]:
    """The thresholds of an audience that were not removed, the last set first."""
    return await _thresholds(engine, municipality, audience, {"below": below, "limit": limit, "threshold_id": None})


async def get_threshold(
    engine: AsyncEngine, municipality: str, audience: Audience, threshold_id: str
) -> ListedThreshold:
    """One threshold, also one that was removed; raises `NotFound`."""
    given = {"below": None, "limit": 1, "threshold_id": threshold_id}
    for found in await _thresholds(engine, municipality, audience, given):
        return found
    raise NotFound("no_such_threshold", "There is no such threshold.")


def audiences_told(audience: Audience) -> tuple[WatchedBy, ...]:
    """Whose alerts an audience is told of: its own; the statistics office, which sees everything, all."""
    return ("coordination", "statistics") if audience is Audience.STATISTICS else ("coordination",)


async def _alerts(
    connection: AsyncConnection, municipality: str, audiences: Sequence[WatchedBy], given: dict[str, Any]
) -> list[ListedAlert]:
    given = {**given, "municipality": municipality, "audiences": list(audiences)}
    return [_alert_of(row) for row in await connection.execute(_ALERTS, given)]


def _alert_of(row: Any) -> ListedAlert:
    alert_id, *rest = row
    state: AlertState = "raised" if row.acknowledged_at is None else "acknowledged"
    return ListedAlert(alert_id, "over" if row.over_at is not None else state, *rest)


async def _thresholds(
    engine: AsyncEngine, municipality: str, audience: Audience, given: dict[str, Any]
) -> list[ListedThreshold]:
    given = {**given, "municipality": municipality, "audiences": list(audiences_told(audience))}
    async with engine.connect() as connection:
        return [ListedThreshold(*row) for row in await connection.execute(_THRESHOLDS, given)]
