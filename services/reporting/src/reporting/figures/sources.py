"""Where the sources of figures stand: since when they report, how far they were read, when they were last heard."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from reporting.figures.answer import Freshness, State
from reporting.image import Moment
from reporting.indicators import OfficeWords, Rhythm, Words, passed
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


async def read_freshness(
    connection: AsyncConnection, municipality: str, office: str, told: OfficeWords, at: datetime
) -> Freshness:
    """How an office's book stands at the instant `at`, in the same snapshot as the figures."""
    name = Words(de=told.de, en=told.en)
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


def _state_of_news(rhythm: Rhythm | None, recorded_at: datetime | None, at: datetime) -> State:
    """What an office that is heard has brought: nothing for a while may be as it should be, or late."""
    if rhythm is None or recorded_at is None:
        return "current" if rhythm is None else "no_news"
    expected = timedelta(hours=rhythm.within_hours)
    if at - recorded_at <= expected:
        return "current"
    return "no_news" if passed(rhythm, recorded_at, at) <= expected else "overdue"
