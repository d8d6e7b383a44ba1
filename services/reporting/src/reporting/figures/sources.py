"""Where the sources of figures stand: since when they report, how far they were read, when they were last heard."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from reporting.deltas import day_of
from reporting.figures.answer import Freshness, State
from reporting.image import Moment
from reporting.indicators import Catalogue, Indicator, Rhythm, Words, passed, period_around
from verbund.events.ledger_ids import book_of

SILENT_AFTER = timedelta(seconds=30)
"""Offices give a sign of life every few seconds: who is not heard of for this long is silent."""

_DAY = timedelta(days=1)
_OPENINGS = "openings"

_POSITION = text("""
    select number, recorded_at, heard_at, head_number, stop_reason,
           (select count(*) from feed.parked where parked.ledger = position.ledger and parked.settled is null) as parked
    from feed.position where ledger = :ledger
""")

_LAST_DELIVERED = text("""
    select indicator, max(to_on) as to_on, max(recorded_at) as recorded_at, max(number) as number
    from deliveries.sheet
    where municipality = :municipality and indicator = any(:indicators) and happened <> 'withdrawn'
    group by indicator
""")


@dataclass(frozen=True, slots=True)
class Begin:
    """The first days for which an office has figures; None where it has none yet."""

    stock_on: date | None
    flow_on: date | None


async def read_begin(moment: Moment, measures: Sequence[str], known_on: date | None) -> Begin:
    """Since when an office reports, as far as booked by the end of `known_on`; `measures` are all of its own.

    Its stocks begin with what it says was there when it began (`openings`), its flows on the day after. An office
    that began with nothing begins with its first fact.
    """
    openings = await moment.read_first_days([_OPENINGS] if _OPENINGS in measures else [], known_on)
    if openings:
        return Begin(openings[_OPENINGS], openings[_OPENINGS] + _DAY)
    begin = min((await moment.read_first_days(measures, known_on)).values(), default=None)
    return Begin(begin, begin)


async def read_freshness(connection: AsyncConnection, catalogue: Catalogue, office: str, at: datetime) -> Freshness:
    """How an office's book, or what it delivers, stands at the instant `at`, in the same snapshot as the figures."""
    municipality, told = catalogue.city.municipality, catalogue.frame.offices[office]
    name = Words(de=told.de, en=told.en)
    delivered = [each for each in catalogue.indicators.values() if office in each.delivered_by]
    if delivered:
        return await _freshness_of_deliveries(connection, municipality, office, name, delivered, at)
    row = (await connection.execute(_POSITION, {"ledger": book_of(municipality, office)})).first()
    if row is None:
        return Freshness(office=office, name=name, state="never")
    heard = row.heard_at is not None and row.heard_at > at - SILENT_AFTER
    state: State = _state_of_news(told.rhythm, row.recorded_at, at) if heard else "silent"
    return Freshness(
        office=office,
        name=name,
        state="stopped" if row.stop_reason is not None else state,
        heard_at=row.heard_at,
        recorded_at=row.recorded_at,
        stop_reason=row.stop_reason,
        position=row.number,
        behind=max((row.head_number or 0) - row.number, 0),
        parked=row.parked,
    )


async def _freshness_of_deliveries(
    connection: AsyncConnection,
    municipality: str,
    office: str,
    name: Words,
    indicators: Sequence[Indicator],
    at: datetime,
) -> Freshness:
    """Current while nothing is overdue of what this office has ever delivered; never, where that is nothing."""
    rows = await connection.execute(
        _LAST_DELIVERED, {"municipality": municipality, "indicators": [each.id for each in indicators]}
    )
    last = {row.indicator: row for row in rows}
    if not last:
        return Freshness(office=office, name=name, state="never")
    overdue = any(each.id in last and day_of(at) > due_on(each, last[each.id].to_on) for each in indicators)
    recorded_at = max(row.recorded_at for row in last.values())
    return Freshness(
        office=office,
        name=name,
        state="overdue" if overdue else "current",
        heard_at=recorded_at,
        recorded_at=recorded_at,
        position=max(row.number for row in last.values()),
    )


def due_on(indicator: Indicator, delivered_to: date) -> date:
    """The day by which the next numbers are expected, where those up to `delivered_to` are there."""
    assert indicator.delivered is not None, "only what is delivered is waited for"
    following = period_around(delivered_to + _DAY, indicator.every[0]).to_on
    return following + timedelta(days=indicator.delivered.due_within_days)


def _state_of_news(rhythm: Rhythm | None, recorded_at: datetime | None, at: datetime) -> State:
    """What an office that is heard has brought: nothing for a while may be as it should be, or late."""
    if rhythm is None or recorded_at is None:
        return "current" if rhythm is None else "no_news"
    expected = timedelta(hours=rhythm.within_hours)
    if at - recorded_at <= expected:
        return "current"
    return "no_news" if passed(rhythm, recorded_at, at) <= expected else "overdue"
