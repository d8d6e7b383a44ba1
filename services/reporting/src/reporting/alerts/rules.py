"""The book of thresholds and alerts at the desk: loads thresholds, decides by its rules, keeps what became of them."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from reporting.alerts.domain import Alert, Command, Threshold, decide, evolve
from reporting.alerts.rows import ALERT_COLUMNS, THRESHOLD_COLUMNS, threshold_of
from reporting.commands.alerts import AcknowledgeAlert, EndAlert, RaiseAlert, RemoveThreshold, SetThreshold
from reporting.indicators import Catalogue
from verbund.desk.orders import Answer, Draft, Kept, Loaded
from verbund.events.envelope import Data
from verbund.events.reporting import alerts as booked

_OWNERS = text("""
    select alert_id::text, threshold_id::text from alerts.alert
    where municipality = :municipality and alert_id = any(cast(:alert_ids as uuid[]))
""")
_LOAD = text(f"""
    select {THRESHOLD_COLUMNS}, {ALERT_COLUMNS}
    from alerts.threshold
    left join alerts.alert on alert.municipality = threshold.municipality
        and alert.threshold_id = threshold.threshold_id and alert.crossing = threshold.crossings
    where threshold.municipality = :municipality and threshold.threshold_id = any(cast(:threshold_ids as uuid[]))
""")  # noqa: S608 - columns of ours
_KEEP_THRESHOLDS = text("""
    insert into alerts.threshold
    select :municipality, threshold_id, version, number, set_at, removed_at, audience, indicator, breakdown, value,
           period, side, "limit", back, valid_from, valid_until, crossings
    from jsonb_to_recordset(cast(:rows as jsonb)) as kept (
        threshold_id uuid, version integer, number bigint, set_at timestamptz, removed_at timestamptz, audience text,
        indicator text, breakdown text, value text, period text, side text, "limit" numeric, back numeric,
        valid_from date, valid_until date, crossings integer)
    on conflict (municipality, threshold_id) do update
    set version = excluded.version, removed_at = excluded.removed_at, crossings = excluded.crossings
""")
_KEEP_ALERTS = text("""
    insert into alerts.alert
    select :municipality, alert_id, threshold_id, crossing, number, raised_at, acknowledged_at, over_at, over_reason
    from jsonb_to_recordset(cast(:rows as jsonb)) as kept (
        alert_id uuid, threshold_id uuid, crossing integer, number bigint, raised_at timestamptz,
        acknowledged_at timestamptz, over_at timestamptz, over_reason text)
    on conflict (municipality, alert_id) do update
    set acknowledged_at = excluded.acknowledged_at, over_at = excluded.over_at, over_reason = excluded.over_reason
""")
_KEEP_CHANGES = text("""
    insert into alerts.change
    select :municipality, number, alert_id, what, at
    from jsonb_to_recordset(cast(:rows as jsonb)) as kept (number bigint, alert_id uuid, what text, at timestamptz)
""")
# Open pages hear of it at once; the live views look at alerts whenever they are called.
_CALL = text("select pg_notify('cube', :municipality)")

KeptThreshold = Kept[Command, Threshold]
_WORDS: Mapping[type, str] = {
    booked.AlertRaised: "raised",
    booked.AlertAcknowledged: "acknowledged",
    booked.AlertOver: "over",
}


class AlertsBook:
    """What the desk of reporting has to know of thresholds and alerts."""

    commands: tuple[type, ...] = (SetThreshold, RemoveThreshold, RaiseAlert, EndAlert, AcknowledgeAlert)
    events: tuple[type[Data], ...] = booked.EVENTS

    def __init__(self, municipality: str, catalogue: Catalogue) -> None:
        self._municipality = municipality
        self._catalogue = catalogue

    async def load(self, connection: AsyncConnection, commands: Sequence[Command]) -> Loaded[Threshold]:
        """The thresholds that these commands are about, each with its last alert."""
        acknowledged = [command.alert_id for command in commands if isinstance(command, AcknowledgeAlert)]
        owners = await self._owners(connection, acknowledged)
        keys = [
            owners.get(command.alert_id, command.alert_id)
            if isinstance(command, AcknowledgeAlert)
            else command.threshold_id
            for command in commands
        ]
        rows = await connection.execute(_LOAD, {"municipality": self._municipality, "threshold_ids": keys})
        return Loaded(keys, {(found := threshold_of(row)).threshold_id: found for row in rows})

    async def _owners(self, connection: AsyncConnection, alert_ids: Sequence[str]) -> dict[str, str]:
        if not alert_ids:
            return {}
        given = {"municipality": self._municipality, "alert_ids": alert_ids}
        return {row.alert_id: row.threshold_id for row in await connection.execute(_OWNERS, given)}

    def decide(self, state: Threshold | None, command: Command, at: datetime) -> tuple[Draft, ...]:
        """Every event is about the threshold."""
        drafted = decide(state, command, at, self._catalogue)
        if isinstance(command, SetThreshold):
            return tuple(Draft(command.threshold_id, data) for data in drafted)
        assert state is not None, "only setting a threshold begins with none"
        return tuple(Draft(state.threshold_id, data) for data in drafted)

    def evolve(self, state: Threshold | None, draft: Draft, at: datetime) -> Threshold:
        return evolve(state, draft.subject, draft.data, at)

    def etag(self, state: Threshold) -> str:
        return etag_of(state.version)

    def answer(self, kept: KeptThreshold) -> Answer:
        """Where the alert is found, for what is about one; else where the threshold is."""
        threshold, alert = kept.state, kept.state.alert
        receipt: dict[str, object] = {"threshold_id": threshold.threshold_id, "number": kept.number}
        location = f"/thresholds/{threshold.threshold_id}"
        if alert is not None and isinstance(kept.command, RaiseAlert | EndAlert | AcknowledgeAlert):
            receipt, location = {"alert_id": alert.alert_id, **receipt}, f"/alerts/{alert.alert_id}"
        return Answer(201, location, self.etag(threshold), receipt)

    async def keep(self, connection: AsyncConnection, kept: Sequence[KeptThreshold]) -> None:
        """Thresholds and alerts as they are after this batch, and each change of an alert as a row of its own."""
        began = {one.state.threshold_id: one.number for one in kept if isinstance(one.command, SetThreshold)}
        raised = {one.state.alert.alert_id: one.number for one in kept if _raises(one) and one.state.alert is not None}
        thresholds = {one.state.threshold_id: one.state for one in kept}
        alerts = {alert.alert_id: (one.state, alert) for one in kept if (alert := one.state.alert) is not None}
        for statement, rows in (
            (_KEEP_THRESHOLDS, [_threshold_row(each, began) for each in thresholds.values()]),
            (_KEEP_ALERTS, [_alert_row(state, alert, raised) for state, alert in alerts.values()]),
            (_KEEP_CHANGES, [row for one in kept for row in _change_rows(one)]),
        ):
            if rows:
                given = {"municipality": self._municipality, "rows": json.dumps(rows, default=str)}
                await connection.execute(statement, given)
        await connection.execute(_CALL, {"municipality": self._municipality})


def etag_of(version: int) -> str:
    """Names one state of a threshold and its last alert."""
    return f'"{version}"'


def _threshold_row(threshold: Threshold, began: Mapping[str, int]) -> dict[str, object]:
    values = {name: getattr(threshold, name) for name in Threshold.__slots__ if name != "alert"}
    return values | {"number": began.get(threshold.threshold_id, 0)}  # said once, when it is set


def _alert_row(threshold: Threshold, alert: Alert, raised: Mapping[str, int]) -> dict[str, object]:
    values = {name: getattr(alert, name) for name in Alert.__slots__}
    return values | {"threshold_id": threshold.threshold_id, "number": raised.get(alert.alert_id, 0)}  # the same


def _raises(kept: KeptThreshold) -> bool:
    return isinstance(kept.command, RaiseAlert)


def _change_rows(kept: KeptThreshold) -> list[dict[str, object]]:
    """One at most: a command changes an alert once."""
    alert = kept.state.alert
    if alert is None:
        return []
    at = {"raised": alert.raised_at, "acknowledged": alert.acknowledged_at, "over": alert.over_at}
    return [
        {"number": kept.number, "alert_id": alert.alert_id, "what": what, "at": at[what]}
        for draft in kept.drafts
        if (what := _WORDS.get(type(draft.data))) is not None
    ]
