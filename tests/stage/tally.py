"""A tiny office for tests of the engine: it keeps sums by name. Its rules live in the database of any real office."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from verbund.desk.orders import Answer, Draft, Kept, Loaded, Order
from verbund.errors import NotNow, RuleBroken
from verbund.events.envelope import Data

_keys = count(1)


def tables_for(role: str) -> str:
    """The tally's tables, open to this role."""
    return f"""
create schema tally;
create table tally.sum (name text primary key, total bigint not null check (total < 1000), version bigint not null);
grant usage on schema tally to {role};
grant select, insert, update on tally.sum to {role};
"""


TABLES = tables_for("registration_desk")


class Added(Data, office="registration", version=1):
    """Something was added to a sum."""

    amount: int


class LoadClosed(Data, office="registration", version=1):
    """The tally's initial load is closed."""


KNOWN: dict[str, type[Data]] = {Added.type: Added, LoadClosed.type: LoadClosed}


@dataclass(frozen=True)
class Add:
    """Add an amount to the sum of this name; also told to the receiver, if one is named."""

    name: str
    amount: int = 1
    receiver: str | None = None


@dataclass(frozen=True)
class Sum:
    name: str
    total: int
    version: int


class Tally:
    """The rules of the tally: amounts are positive, a sum named "closed" takes nothing more."""

    office = "registration"
    receivers: tuple[str, ...] = ("school", "youth")
    added: type[Any] = Added
    closed: type[Data] = LoadClosed

    async def load(self, connection: AsyncConnection, commands: Sequence[Add]) -> Loaded[Sum]:
        names = [command.name for command in commands]
        rows = await connection.execute(
            text("select name, total, version from tally.sum where name = any(:names)"), {"names": names}
        )
        return Loaded(names, {row.name: Sum(row.name, row.total, row.version) for row in rows})

    def decide(self, state: Sum | None, command: Add, at: datetime) -> tuple[Draft, ...]:
        if command.amount <= 0:
            raise RuleBroken("amount_not_positive", "The amount has to be positive.", pointer="/amount")
        if command.name == "closed":
            raise NotNow("sum_closed", "This sum is closed.", allowed=("Reopen",))
        if command.name == "bug":
            raise ZeroDivisionError("a bug in decide")
        event = self.added(amount=command.amount)
        drafts = (Draft(command.name, event),)
        return drafts if command.receiver is None else (*drafts, Draft("other", event, command.receiver))

    def evolve(self, state: Sum | None, draft: Draft, at: datetime) -> Sum:
        before = state or Sum(draft.subject, 0, 0)
        if draft.receiver is not None:
            return before
        return Sum(before.name, before.total + draft.data.amount, before.version + 1)  # type: ignore[attr-defined]

    def etag(self, state: Sum) -> str:
        return f'"{state.version}"'

    def answer(self, kept: Kept[Add, Sum]) -> Answer:
        return Answer(201, f"/sums/{kept.state.name}", self.etag(kept.state), {"total": kept.state.total})

    async def keep(self, connection: AsyncConnection, kept: Sequence[Kept[Add, Sum]]) -> None:
        last = {item.state.name: item.state for item in kept}
        for state in last.values():
            await connection.execute(
                text(
                    "insert into tally.sum values (:name, :total, :version)"
                    " on conflict (name) do update set total = excluded.total, version = excluded.version"
                ),
                {"name": state.name, "total": state.total, "version": state.version},
            )

    def initial_load_closed(self, at: datetime) -> Draft:
        return Draft("tally", self.closed())


def order(command: Any, **fields: Any) -> Order[Any]:
    """An order of a clerk under a key of its own."""
    given = {
        "actor": "clerk:test",
        "principal": "test",
        "route": "/sums",
        "idempotency_key": f"key-{next(_keys)}",
        "fingerprint": repr(command).encode(),
    }
    return Order(command=command, **{**given, **fields})
