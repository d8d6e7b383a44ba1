"""One transaction of the desk: a batch of orders becomes records, states and answers, all or nothing."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from logging import getLogger
from typing import Generic, TypeVar

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from verbund.desk.orders import Answer, CloseInitialLoad, Draft, Kept, Order, Rules
from verbund.desk.tray_rows import take_turns
from verbund.errors import Conflict, KeyReused, NotNow, Problem, RuleBroken, Stale
from verbund.events.ledger_ids import book_of, tray_of
from verbund.ledger.record import Entry, Head, Record, seal
from verbund.ledger.store import append, lock_heads

_log = getLogger(__name__)

C = TypeVar("C")
S = TypeVar("S")
Scope = tuple[str, str, str]

# One JSON document instead of arrays: PostgreSQL takes it apart faster than the driver can quote what is in it.
_ANSWERED = text("""
    select principal, route, key, fingerprint, status, location, etag, receipt from desk.answer
    join jsonb_to_recordset(cast(:asked as jsonb)) as asked (principal text, route text, key text)
        using (principal, route, key)
""")
_KEEP_ANSWERS = text("""
    insert into desk.answer (principal, route, key, fingerprint, status, location, etag, receipt)
    select principal, route, key, decode(fingerprint, 'hex'), status, location, etag, receipt
    from jsonb_to_recordset(cast(:answers as jsonb)) as kept (
        principal text, route text, key text, fingerprint text, status smallint, location text, etag text,
        receipt jsonb)
""")
_LOAD_CLOSED = text("select closed_at from desk.initial_load where office = :office")
_CLOSE_LOAD = text("insert into desk.initial_load (office, closed_at) values (:office, :at)")

Outcome = Answer | Exception


def scope_of(order: Order[C]) -> Scope:
    """Within what an idempotency key stands for one request: its principal and route."""
    return (order.principal, order.route, order.idempotency_key)


def _scopes_of(order: Order[C]) -> Iterator[Scope]:
    """Where an answer to it may be kept."""
    yield scope_of(order)
    if order.key_as_sent is not None:
        yield (order.principal, order.route, order.key_as_sent)


@dataclass(slots=True)
class _Decided(Generic[C, S]):
    """What has been decided so far in this batch; nothing of it is booked before the commit."""

    heads: dict[str, Head]
    records: list[Record]
    kept: list[Kept[C, S]]
    answers: list[tuple[Order[C], Answer]]
    load_open: bool
    closed_at: datetime | None = None


class Transaction(Generic[C, S]):
    """Carries out batches for one office; the caller opens, commits and rolls back the connection's transaction."""

    def __init__(self, rules: Rules[C, S], municipality: str) -> None:
        self._rules = rules
        self._book = book_of(municipality, rules.office)
        self._trays = {name: tray_of(municipality, rules.office, name) for name in rules.receivers}
        self.ledgers = (self._book, *self._trays.values())

    async def carry_out(self, connection: AsyncConnection, orders: Sequence[Order[C]]) -> list[Outcome]:
        """The outcome of each order, in order: an answer, or the exception that refuses it.

        A refusal touches its own order only. What the database raises is not caught: the whole batch is void then.
        """
        heads = await lock_heads(connection, self.ledgers)
        answered = await self._answers_given(connection, orders)
        closed_at = await self.initial_load_closed_at(connection)
        decided: _Decided[C, S] = _Decided(heads, [], [], [], load_open=closed_at is None)
        commands = [order.command for order in orders if not isinstance(order.command, CloseInitialLoad)]
        loaded = await self._rules.load(connection, commands)
        turns = await take_turns(connection, [order.place for order in orders])
        keys = iter(loaded.keys)
        outcomes: list[Outcome] = []
        for order in orders:
            key = None if isinstance(order.command, CloseInitialLoad) else next(keys)
            given = next((answered[scope] for scope in _scopes_of(order) if scope in answered), None)
            try:
                if given is not None:
                    outcome: Outcome = _repeat(order, given)
                else:
                    turns.check(order.place)
                    outcome = self._carry_out(order, key, loaded.states, decided)
            except Problem as refusal:
                outcome = refusal
            except Exception as error:  # noqa: BLE001 - a fault of this order alone: it is told so, the others go on
                _log.exception("an order could not be decided", extra={"command": type(order.command).__name__})
                outcome = error
            turns.settle(order.place, outcome)
            outcomes.append(outcome)
        await self._write(connection, decided)
        await turns.write(connection)
        return outcomes

    async def initial_load_closed_at(self, connection: AsyncConnection) -> datetime | None:
        """When the initial load was closed; None while it is open."""
        rows = await connection.execute(_LOAD_CLOSED, {"office": self._rules.office})
        closed_at: datetime | None = rows.scalar_one_or_none()
        return closed_at

    def _carry_out(self, order: Order[C], key: str | None, states: dict[str, S], decided: _Decided[C, S]) -> Answer:
        at = _recorded_at(order, decided)
        command = order.command
        if isinstance(command, CloseInitialLoad) or key is None:
            drafts: tuple[Draft, ...] = (self._rules.initial_load_closed(at),)
            self._seal(order, drafts, at, decided)
            decided.load_open, decided.closed_at = False, at
            answer = Answer(201, "/initial-load", None, {"closed_at": at.isoformat()})
        else:
            state = states.get(key)
            if order.if_match is not None and state is not None and order.if_match != self._rules.etag(state):
                raise Stale("stale", "This has changed since you looked at it. Look again, then decide.")
            drafts = self._rules.decide(state, command, at)
            for draft in drafts:
                state = self._rules.evolve(state, draft, at)
            if state is None:
                raise AssertionError(f"{type(command).__name__} was decided and left no state")
            self._seal(order, drafts, at, decided)
            states[key] = state
            kept = Kept(command, state, drafts, decided.heads[self._book].number)
            decided.kept.append(kept)
            answer = self._rules.answer(kept)
        decided.answers.append((order, answer))
        return answer

    def _seal(self, order: Order[C], drafts: Sequence[Draft], at: datetime, decided: _Decided[C, S]) -> None:
        for draft in drafts:
            ledger = self._book if draft.receiver is None else self._trays[draft.receiver]
            # A tray event starts a trace of its own: no id crosses from one ledger into another.
            traceparent = order.traceparent if draft.receiver is None else None
            entry = Entry(draft.subject, draft.data, order.actor, at, traceparent, order.causation_id)
            decided.heads[ledger], records = seal(decided.heads[ledger], [entry])
            decided.records.extend(records)

    async def _answers_given(
        self, connection: AsyncConnection, orders: Sequence[Order[C]]
    ) -> dict[Scope, tuple[bytes, Answer]]:
        scopes = (scope for order in orders for scope in _scopes_of(order))
        asked = [dict(zip(("principal", "route", "key"), scope, strict=True)) for scope in scopes]
        rows = await connection.execute(_ANSWERED, {"asked": json.dumps(asked)})
        return {
            (row.principal, row.route, row.key): (
                row.fingerprint,
                Answer(row.status, row.location, row.etag, row.receipt, replayed=True),
            )
            for row in rows
        }

    async def _write(self, connection: AsyncConnection, decided: _Decided[C, S]) -> None:
        if not decided.answers:
            return
        touched = {record.ledger for record in decided.records}
        heads = [head for ledger, head in decided.heads.items() if ledger in touched]
        readers = ["reporting", *(name for name, tray in self._trays.items() if tray in touched)]
        await append(connection, decided.records, heads, readers)
        if decided.closed_at is not None:
            await connection.execute(_CLOSE_LOAD, {"office": self._rules.office, "at": decided.closed_at})
        if decided.kept:
            await self._rules.keep(connection, decided.kept)
        answers = [_as_row(order, answer) for order, answer in decided.answers]
        await connection.execute(_KEEP_ANSWERS, {"answers": json.dumps(answers)})


def _as_row(order: Order[C], answer: Answer) -> dict[str, object]:
    return {
        "principal": order.principal,
        "route": order.route,
        "key": order.idempotency_key,
        "fingerprint": order.fingerprint.hex(),
        "status": answer.status,
        "location": answer.location,
        "etag": answer.etag,
        "receipt": dict(answer.receipt),
    }


def _repeat(order: Order[C], given: tuple[bytes, Answer]) -> Answer:
    fingerprint, answer = given
    if fingerprint != order.fingerprint:
        raise KeyReused(
            "idempotency_key_reused",
            "This Idempotency-Key was already used for another request. Use a new key for a new request.",
        )
    return answer


def _recorded_at(order: Order[C], decided: _Decided[C, S]) -> datetime:
    """When the office knew it: the later of the clock and its last booking, or what an initial load says."""
    latest = max(head.time for head in decided.heads.values())
    now = datetime.now(UTC)
    if order.recorded_at is None:
        if decided.load_open and not isinstance(order.command, CloseInitialLoad):
            raise NotNow(
                "initial_load_open",
                "The initial load of this office is not closed yet. Close it, then book.",
                allowed=("CloseInitialLoad",),
            )
        if not decided.load_open and isinstance(order.command, CloseInitialLoad):
            raise NotNow("initial_load_closed", "The initial load of this office is closed already.")
        return max(now, latest)
    if not decided.load_open:
        raise Conflict("initial_load_closed", "The initial load of this office is closed already.")
    recorded_at = order.recorded_at.astimezone(UTC)
    if recorded_at < latest:
        raise RuleBroken(
            "recorded_at_backwards",
            "The office already knows something of {latest}. Load in the order of recorded_at.",
            pointer="/recorded_at",
            latest=latest.isoformat(),
        )
    if recorded_at > now:
        raise RuleBroken("recorded_at_in_future", "recorded_at lies in the future.", pointer="/recorded_at")
    return recorded_at
