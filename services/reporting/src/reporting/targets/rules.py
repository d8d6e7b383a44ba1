"""The book of targets at the desk: loads targets, decides by its rules, keeps them."""

import json
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from reporting.commands.targets import SetTarget, WithdrawTarget
from reporting.deltas import day_of
from reporting.indicators import Catalogue
from reporting.targets.domain import Command, Target, decide, evolve
from verbund.desk.orders import Answer, Draft, Kept, Loaded
from verbund.events.envelope import Data
from verbund.events.reporting import targets as booked

_LOAD = text("""
    select target_id::text, indicator, breakdown, value, from_on, to_on, agreed_on, aim, low, high, recorded_at,
           withdrawn_at
    from targets.target where municipality = :municipality and target_id = any(cast(:target_ids as uuid[]))
""")
_KEEP = text("""
    insert into targets.target (
        municipality, target_id, number, recorded_at, recorded_on, indicator, breakdown, value, from_on, to_on,
        agreed_on, aim, low, high, de, en)
    select :municipality, target_id, number, recorded_at, recorded_on, indicator, breakdown, value, from_on, to_on,
           agreed_on, aim, low, high, de, en
    from jsonb_to_recordset(cast(:rows as jsonb)) as kept (
        target_id uuid, number bigint, recorded_at timestamptz, recorded_on date, indicator text, breakdown text,
        value text, from_on date, to_on date, agreed_on date, aim text, low numeric, high numeric, de text, en text)
""")
_WITHDRAW = text("""
    update targets.target set withdrawn_at = kept.withdrawn_at, withdrawn_on = kept.withdrawn_on
    from jsonb_to_recordset(cast(:rows as jsonb)) as kept (target_id uuid, withdrawn_at timestamptz, withdrawn_on date)
    where target.municipality = :municipality and target.target_id = kept.target_id
""")

KeptTarget = Kept[Command, Target]


class TargetsBook:
    """What the desk of reporting has to know of targets."""

    commands: tuple[type, ...] = (SetTarget, WithdrawTarget)
    events: tuple[type[Data], ...] = booked.EVENTS

    def __init__(self, municipality: str, catalogue: Catalogue) -> None:
        self._municipality = municipality
        self._catalogue = catalogue

    async def load(self, connection: AsyncConnection, commands: Sequence[Command]) -> Loaded[Target]:
        """The targets that these commands are about."""
        keys = [command.target_id for command in commands]
        given = {"municipality": self._municipality, "target_ids": keys}
        return Loaded(keys, {row.target_id: Target(*row) for row in await connection.execute(_LOAD, given)})

    def decide(self, state: Target | None, command: Command, at: datetime) -> tuple[Draft, ...]:
        return (Draft(command.target_id, decide(state, command, self._catalogue)),)

    def evolve(self, state: Target | None, draft: Draft, at: datetime) -> Target:
        return evolve(state, draft.subject, draft.data, at)

    def etag(self, state: Target) -> str:
        return etag_of(state.withdrawn_at)

    def answer(self, kept: KeptTarget) -> Answer:
        """Where the target is found."""
        receipt = {"target_id": kept.state.target_id, "number": kept.number}
        return Answer(201, f"/targets/{kept.state.target_id}", self.etag(kept.state), receipt)

    async def keep(self, connection: AsyncConnection, kept: Sequence[KeptTarget]) -> None:
        """What was set, and then what was withdrawn: both may be ordered at once."""
        for statement, rows in (
            (_KEEP, [_row(one) for one in kept if isinstance(one.command, SetTarget)]),
            (_WITHDRAW, [_withdrawal(one) for one in kept if isinstance(one.command, WithdrawTarget)]),
        ):
            if rows:
                said = json.dumps(rows, default=str, ensure_ascii=False)
                await connection.execute(statement, {"municipality": self._municipality, "rows": said})


def etag_of(withdrawn_at: datetime | None) -> str:
    """Names the state of a target: it stands, or was withdrawn."""
    return '"1"' if withdrawn_at is None else '"2"'


def _row(kept: KeptTarget) -> dict[str, object]:
    assert isinstance(kept.command, SetTarget)
    source = kept.command.form.source
    return {
        **{name: getattr(kept.state, name) for name in Target.__slots__},
        "number": kept.number,
        "recorded_on": day_of(kept.state.recorded_at),
        "de": source.de,
        "en": source.en,
    }


def _withdrawal(kept: KeptTarget) -> dict[str, object]:
    at = kept.state.withdrawn_at
    assert at is not None
    return {"target_id": kept.state.target_id, "withdrawn_at": at, "withdrawn_on": day_of(at)}
