"""The rows of an in-tray: what waits, whose turn it is, what became of it. Nothing here commits: the caller does."""

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from verbund.desk.orders import Answer, TrayPlace
from verbund.errors import Problem, Unavailable

CHANNEL = "tray"
"""Notified when there is something new to take up; carries no content."""

State = Literal["done", "refused", "failed", "ignored"]

_NOT_YET = {"initial_load_open", "request_under_way"}  # refusals that say nothing about the matter itself

_WAITING = text("""
    select ledger, arrival, number, event_id, body from tray.event where state = 'waiting' order by arrival limit :limit
""")
_BACKLOG = text("""
    select count(*) as waiting, coalesce(extract(epoch from now() - min(received_at)), 0) as oldest_seconds
    from tray.event where state = 'waiting'
""")
# Locked: what another process settles meanwhile is no longer waiting when it is this one's turn to look.
_TURNS = text("""
    select event.ledger, event.arrival from tray.event
    join unnest(cast(:ledgers as text[]), cast(:arrivals as bigint[])) as asked (ledger, arrival)
        on event.ledger = asked.ledger and event.arrival <= asked.arrival
    where event.state = 'waiting' order by event.arrival for update of event
""")
_SETTLE = text("""
    update tray.event as event set state = new.state, code = new.code, settled_at = clock_timestamp()
    from unnest(cast(:arrivals as bigint[]), cast(:states as text[]), cast(:codes as text[]))
        as new (arrival, state, code)
    where event.arrival = new.arrival and event.state = 'waiting'
""")
_RETRY = text("""
    update tray.event set state = 'waiting', code = null, settled_at = null
    where arrival = :arrival and state in ('refused', 'failed') returning arrival
""")
_CALL = text("select pg_notify(:channel, '')")


@dataclass(frozen=True, slots=True)
class WaitingRow:
    """An event that waits to be taken up."""

    place: TrayPlace
    number: int
    """In its ledger."""
    event_id: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Backlog:
    """What waits, and how long the oldest of it has."""

    waiting: int
    oldest_seconds: float


@dataclass(frozen=True, slots=True)
class Settlement:
    """What became of a row, and where it was not carried out, why (a stable code, nothing personal)."""

    place: TrayPlace
    state: State
    code: str | None = None


def settlement_of(place: TrayPlace, outcome: object) -> Settlement | None:
    """What an outcome of the desk makes of a row; None where it stays waiting."""
    if isinstance(outcome, Answer):
        return Settlement(place, "done")
    if isinstance(outcome, Problem) and not isinstance(outcome, Unavailable) and outcome.code not in _NOT_YET:
        return Settlement(place, "refused", outcome.code)
    return None


class Turns:
    """Whose turn it is in each tray during one transaction of the desk, and what became of those whose turn it was.

    A tray is carried out in its own order, whatever else happens to a batch: while a row waits, nothing behind it is
    taken up. Where an earlier one has failed, it does not wait any more.
    """

    def __init__(self, waiting: Iterable[TrayPlace]) -> None:
        self._waiting: dict[str, deque[int]] = {}
        self._settled: list[Settlement] = []
        for place in waiting:
            self._waiting.setdefault(place.ledger, deque()).append(place.arrival)

    def check(self, place: TrayPlace | None) -> None:
        """Raises `Unavailable` where it is not the turn of this row: an earlier one waits, or it is settled already."""
        if place is None:
            return
        waiting = self._waiting.get(place.ledger)
        if not waiting or waiting[0] != place.arrival:
            raise Unavailable(
                "not_its_turn", "Another matter of this in-tray comes first, or this one is settled already."
            )

    def settle(self, place: TrayPlace | None, outcome: object) -> None:
        """Note what became of a row; it is written by `write`."""
        settlement = settlement_of(place, outcome) if place is not None else None
        if settlement is None:
            return
        self._settled.append(settlement)
        waiting = self._waiting.get(settlement.place.ledger, deque())
        if settlement.place.arrival in waiting:
            waiting.remove(settlement.place.arrival)

    async def write(self, connection: AsyncConnection) -> None:
        """Mark the rows, in the transaction that carries them out."""
        await settle(connection, self._settled)


async def take_turns(connection: AsyncConnection, places: Iterable[TrayPlace | None]) -> Turns:
    """The turns of the trays that these rows are in; the rows are locked until the transaction ends."""
    last: dict[str, int] = {}
    for place in places:
        if place is not None:
            last[place.ledger] = max(place.arrival, last.get(place.ledger, 0))
    if not last:
        return Turns(())
    rows = await connection.execute(_TURNS, {"ledgers": list(last), "arrivals": list(last.values())})
    return Turns(TrayPlace(*row) for row in rows)


async def list_waiting(connection: AsyncConnection, limit: int) -> list[WaitingRow]:
    """The rows that have waited longest, in the order of their arrival; not locked."""
    rows = await connection.execute(_WAITING, {"limit": limit})
    return [WaitingRow(TrayPlace(row.ledger, row.arrival), row.number, row.event_id, row.body) for row in rows]


async def read_backlog(connection: AsyncConnection) -> Backlog:
    """How much waits."""
    row = (await connection.execute(_BACKLOG)).one()
    return Backlog(row.waiting, float(row.oldest_seconds))


async def settle(connection: AsyncConnection, settlements: Sequence[Settlement]) -> None:
    """Mark rows that still wait; others stay what they are."""
    if not settlements:
        return
    await connection.execute(
        _SETTLE,
        {
            "arrivals": [settlement.place.arrival for settlement in settlements],
            "states": [settlement.state for settlement in settlements],
            "codes": [settlement.code for settlement in settlements],
        },
    )


async def retry(connection: AsyncConnection, arrival: int) -> bool:
    """Let a refused or failed row wait once more, in front of all that came later; False where there is no such row."""
    found = await connection.execute(_RETRY, {"arrival": arrival})
    if found.first() is None:
        return False
    await connection.execute(_CALL, {"channel": CHANNEL})
    return True
