"""Looking up: residences from the latest registration down, and one residence with all that was booked about it."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel

from registration.access import READ, Registry, reading
from registration.commands import Pseudonym
from registration.domain.bookings import Booking, Correction, life_of
from registration.domain.views import Residence, Status, get_residence, time_line
from registration.store.reading import (
    ListedResidence,
    Person,
    PlacedAt,
    get_resident_at,
    list_residences,
    read_vault,
)
from registration.store.rules import etag_of
from verbund.events.registration import AreaCode, Sex
from verbund.service.paging import AskedPage
from verbund.service.permissions import permit
from verbund.service.principals import Principal

router = APIRouter(tags=["residences"])

Reader = Annotated[Principal, permit(READ)]


class BookingShown(BaseModel):
    """One booking, as it was booked and as it holds."""

    booked: Booking | Correction
    holds: Booking | None
    """With its true values; null where it was cancelled, and for corrections."""
    address: PlacedAt | None
    """Where a registration or a move placed the resident."""


class ResidenceShown(BaseModel):
    """One residence, whose it is, and what was booked about it, in order of booking."""

    residence: Residence
    resident_id: str
    birth_year: int
    sex: Sex
    person: Person | None
    """Null where the vault no longer knows."""
    bookings: list[BookingShown]


@router.get("/residences", summary="List residences, the latest registration first")
async def read_residences(
    request: Request,
    response: Response,
    _: Reader,
    registry: Registry,
    asked: AskedPage,
    area: Annotated[AreaCode | None, Query(description="Code of a statistischer Bezirk, or `unplaced`")] = None,
    status: Annotated[Status | None, Query()] = None,
) -> list[ListedResidence]:
    """Without names: whoever needs them opens the residence, and that is recorded."""
    after = asked.expect(int)
    below = int(after[0]) if after else None
    rows = await list_residences(registry, below=below, limit=asked.size + 1, area=area, status=status)
    page = asked.page(rows, (rows[asked.size - 1].number,) if len(rows) > asked.size else None)
    response.headers.update(page.link(request))
    return list(page.items)


@router.get("/residences/{residence_id}", summary="One residence with its history")
async def read_residence(
    residence_id: Pseudonym, response: Response, principal: Reader, registry: Registry
) -> ResidenceShown:
    """With name and addresses from the vault: who read them, when and what for is recorded."""
    resident = await get_resident_at(registry, residence_id)
    person, addresses = await read_vault(registry, residence_id, reading(principal, READ, "residence"))
    life = life_of(resident)
    response.headers["ETag"] = etag_of(resident)
    return ResidenceShown(
        residence=get_residence(resident, residence_id),
        resident_id=resident.resident_id,
        birth_year=life.birth_year,
        sex=life.sex,
        person=person,
        bookings=[
            BookingShown(booked=line.booked, holds=line.holds, address=addresses.get(line.booked.booking_id))
            for line in time_line(resident, residence_id)
        ],
    )
