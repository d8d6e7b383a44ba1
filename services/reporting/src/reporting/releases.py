"""Releases: when the public sees a figure of another period. Rows as ticks are, written when a period is over."""

from collections.abc import Collection
from datetime import date, datetime, timedelta

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from reporting.deltas import day_of
from reporting.indicators import Every, Indicator, period_around
from reporting.ticks import Head, LastTicks
from verbund.events.ledger_ids import book_of

_HEARD = text("""
    select heard_at from feed.position
    where ledger = :ledger and stop_reason is null and number >= coalesce(head_number, 0)
""")


async def release_is_due(
    connection: AsyncConnection,
    head: Head,
    indicator: Indicator,
    released: LastTicks | None,
    ticks: LastTicks | None,
    at: datetime,
) -> bool:
    """Whether a period is over since the last release, and the source has said all that it had booked before midnight.

    `ticks`: the last ones of the coordination group. Before the first release a midnight has to have passed since one
    of those: while a stock is being loaded, nothing is released.
    """
    rule, today = indicator.audiences.public, day_of(at)
    since = ticks if released is None else released
    if rule is None or since is None or not await _has_said_all(connection, head, indicator, at):
        return False
    day = day_of(since.of_margins.ticked_at)
    return day < today if released is None else next_release_on(day, rule.every) <= today


def next_release_on(released_on: date, every: Collection[Every]) -> date:
    """The first day on which the next release can come: the one after a period that was not over at the last one."""
    return min(period_around(released_on, each).to_on for each in every) + timedelta(days=1)


async def _has_said_all(connection: AsyncConnection, head: Head, indicator: Indicator, at: datetime) -> bool:
    """Whether the source was heard of today, and everything of it up to then was read."""
    ledger = book_of(head.municipality, indicator.source_office)
    heard_at: datetime | None = (await connection.execute(_HEARD, {"ledger": ledger})).scalar()
    return heard_at is not None and day_of(heard_at) >= day_of(at)
