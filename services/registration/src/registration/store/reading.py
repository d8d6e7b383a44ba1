"""What clerks look up: residences in order of registration, and whom they are about, with a record of each reading."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import func, insert, literal, select, text, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlmodel import col

from registration.domain import Resident
from registration.domain.views import Status
from registration.store.rules import parse_resident
from registration.store.tables import AddressRow, PersonRow, ReadingRow, ResidenceRow, table_of
from verbund.errors import NotFound
from verbund.events.registration import AreaCode, NationalityKey, ResidenceKind

_RESIDENT_AT = text("""
    select resident.state::text as state from office.resident
    join office.residence using (resident_id) where residence_id = cast(:residence_id as uuid)
""")


@dataclass(frozen=True, slots=True)
class Reading:
    """Who reads personal data, and what for: kept with what was read."""

    reader: str
    purpose: str
    what: str


@dataclass(frozen=True, slots=True)
class ListedResidence:
    """One residence in a list."""

    residence_id: str
    number: int
    """Of its registration in the office's book: later registrations have higher ones."""
    status: Status
    residence_kind: ResidenceKind
    area: AreaCode
    nationality: NationalityKey
    since: date
    until: date | None
    doubted_on: date | None


@dataclass(frozen=True, slots=True)
class Person:
    """Who a resident is, from the vault."""

    family_name: str
    given_names: str
    birth_date: date


@dataclass(frozen=True, slots=True)
class PlacedAt:
    """Where a booking placed a resident, from the vault."""

    street: str
    house_number: str
    postal_code: str | None
    city: str | None
    landlord: str | None


async def list_residences(
    engine: AsyncEngine, *, below: int | None, limit: int, area: str | None = None, status: Status | None = None
) -> list[ListedResidence]:
    """Residences from the latest registration down, at most `limit`, with numbers below `below`."""
    fields = [col(getattr(ResidenceRow, name)) for name in ListedResidence.__slots__]
    asked = select(*fields).order_by(col(ResidenceRow.number).desc()).limit(limit)
    if below is not None:
        asked = asked.where(col(ResidenceRow.number) < below)
    if area is not None:
        asked = asked.where(col(ResidenceRow.area) == area)
    if status is not None:
        asked = asked.where(col(ResidenceRow.status) == status)
    async with engine.connect() as connection:
        return [ListedResidence(*row) for row in await connection.execute(asked)]


async def list_doubts(engine: AsyncEngine, *, after: tuple[str, int] | None, limit: int) -> list[ListedResidence]:
    """Residences in doubt, the oldest doubt first, at most `limit`; `after`: day and number of the last one seen."""
    fields = [col(getattr(ResidenceRow, name)) for name in ListedResidence.__slots__]
    day, number = func.to_char(col(ResidenceRow.doubted_on), "YYYY-MM-DD"), col(ResidenceRow.number)
    asked = select(*fields).where(col(ResidenceRow.doubted_on).is_not(None)).order_by(day, number).limit(limit)
    if after is not None:
        asked = asked.where(tuple_(day, number) > tuple_(*map(literal, after)))
    async with engine.connect() as connection:
        return [ListedResidence(*row) for row in await connection.execute(asked)]


async def get_resident_at(engine: AsyncEngine, residence_id: str) -> Resident:
    """The resident whose residence this is; raises `NotFound`."""
    async with engine.connect() as connection:
        state = (await connection.execute(_RESIDENT_AT, {"residence_id": residence_id})).scalar_one_or_none()
    if state is None:
        raise NotFound("no_such_residence", "There is no such residence.")
    return parse_resident(state)


async def read_persons(engine: AsyncEngine, residence_ids: Sequence[str], reading: Reading) -> dict[str, Person]:
    """Who lives or lived at these residences, by residence. The reading is on record before anything is shown."""
    if not residence_ids:
        return {}
    async with engine.begin() as connection:
        await _record(connection, residence_ids, reading)
        return await _persons(connection, residence_ids)


async def read_vault(
    engine: AsyncEngine, residence_id: str, reading: Reading
) -> tuple[Person | None, Mapping[str, PlacedAt]]:
    """Whose residence this is, and its addresses by the booking that placed the resident there; on record as above."""
    async with engine.begin() as connection:
        await _record(connection, [residence_id], reading)
        persons = await _persons(connection, [residence_id])
        fields = [col(getattr(AddressRow, name)) for name in ("booking_id", *PlacedAt.__slots__)]
        asked = select(*fields).where(col(AddressRow.residence_id) == residence_id)
        return persons.get(residence_id), {row[0]: PlacedAt(*row[1:]) for row in await connection.execute(asked)}


async def _persons(connection: AsyncConnection, residence_ids: Sequence[str]) -> dict[str, Person]:
    fields = [col(getattr(PersonRow, name)) for name in Person.__slots__]
    asked = (
        select(col(ResidenceRow.residence_id), *fields)
        .join(PersonRow, col(PersonRow.resident_id) == col(ResidenceRow.resident_id))
        .where(col(ResidenceRow.residence_id).in_(residence_ids))
    )
    return {row[0]: Person(*row[1:]) for row in await connection.execute(asked)}


async def _record(connection: AsyncConnection, residence_ids: Sequence[str], reading: Reading) -> None:
    await connection.execute(
        insert(table_of(ReadingRow))
        .values(reader=reading.reader, purpose=reading.purpose, what=reading.what, residence_ids=list(residence_ids))
        .inline()  # the desk's role may add to this table and not look at it
    )
