"""Targets as lists and single ones show them, as far as an audience may be told."""

from dataclasses import asdict, dataclass
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from reporting.audiences import Audience
from reporting.indicators import Catalogue
from reporting.targets.domain import Target, may_see
from verbund.errors import NotFound
from verbund.events.reporting.targets import Aim

_LIST = text("""
    select target_id::text, indicator, breakdown, value, from_on, to_on, agreed_on, aim, low, high, recorded_at,
           withdrawn_at, de, en, number
    from targets.target
    where municipality = :municipality and number < coalesce(:below, number + 1)
      and indicator = coalesce(:indicator, indicator)
      and case when cast(:target_id as uuid) is null then withdrawn_at is null
          else target_id = cast(:target_id as uuid) end
    order by number desc limit :limit
""")


_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class ListedTarget:
    """One target."""

    target_id: str
    indicator: str
    breakdown: str | None
    value: str | None
    from_on: date
    to_on: date
    agreed_on: date
    aim: Aim
    low: Decimal | None
    high: Decimal | None
    recorded_at: datetime
    withdrawn_at: datetime | None
    de: str
    en: str
    number: int
    """In the book of reporting."""


async def list_targets(
    engine: AsyncEngine,
    catalogue: Catalogue,
    audience: Audience,
    *,
    below: int | None,
    limit: int,
    indicator: str | None = None,
) -> list[ListedTarget]:
    """The targets that stand and may be told, newest first, at most `limit` with numbers below `below`.

    Reads on until there are enough: a short page would say that something is hidden.
    """
    told: list[ListedTarget] = []
    while len(told) < limit:
        rows = await _read(engine, catalogue, below=below, limit=_AT_ONCE, indicator=indicator, target_id=None)
        told += [row for row in rows if _may_see(row, audience, catalogue)]
        if len(rows) < _AT_ONCE:
            break
        below = rows[-1].number
    return told[:limit]


async def get_target(engine: AsyncEngine, catalogue: Catalogue, audience: Audience, target_id: str) -> ListedTarget:
    """One target, also one that was withdrawn; raises `NotFound`."""
    for row in await _read(engine, catalogue, below=None, limit=1, indicator=None, target_id=target_id):
        if _may_see(row, audience, catalogue):
            return row
    raise NotFound("no_such_target", "There is no such target.")


async def _read(engine: AsyncEngine, catalogue: Catalogue, **asked: object) -> list[ListedTarget]:
    async with engine.connect() as connection:
        rows = await connection.execute(_LIST, {"municipality": catalogue.city.municipality, **asked})
        return [ListedTarget(*row) for row in rows]


def _may_see(row: ListedTarget, audience: Audience, catalogue: Catalogue) -> bool:
    said = asdict(row)
    return may_see(Target(**{name: said[name] for name in Target.__slots__}), audience, catalogue)
