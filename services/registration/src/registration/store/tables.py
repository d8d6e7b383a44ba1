"""The tables of the registration office; their migrations stand in `registration.migrations`."""

from datetime import date, datetime
from typing import Any, ClassVar

from sqlalchemy import ARRAY, BigInteger, Column, Identity, MetaData, Table, text
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP, UUID
from sqlmodel import Field, SQLModel

_ID = UUID(as_uuid=False)


class OfficeTable(SQLModel):
    """Base with a catalogue of its own: SQLModel's is one for all packages of a process."""

    metadata: ClassVar[MetaData] = MetaData()


class ResidentRow(OfficeTable, table=True):
    """What the desk decides on: all bookings about a resident."""

    __tablename__ = "resident"
    __table_args__ = {"schema": "office"}

    resident_id: str = Field(sa_type=_ID, primary_key=True)
    version: int
    state: Any = Field(sa_type=JSONB, nullable=False)


class ResidenceRow(OfficeTable, table=True):
    """One residence as it stands, for lists, and to find its resident."""

    __tablename__ = "residence"
    __table_args__ = {"schema": "office"}

    residence_id: str = Field(sa_type=_ID, primary_key=True)
    resident_id: str = Field(sa_type=_ID, index=True)
    number: int = Field(sa_type=BigInteger)
    """Of its registration in the office's book."""
    status: str
    residence_kind: str
    area: str
    nationality: str
    since: date
    until: date | None = None
    doubted_on: date | None = None
    """Of the doubt that is open."""


class PersonRow(OfficeTable, table=True):
    """Who a resident is. Nothing of this ever leaves the office."""

    __tablename__ = "person"
    __table_args__ = {"schema": "vault"}

    resident_id: str = Field(sa_type=_ID, primary_key=True)
    family_name: str
    given_names: str
    birth_date: date


class AddressRow(OfficeTable, table=True):
    """Where a booking (a registration or a move) placed a resident."""

    __tablename__ = "address"
    __table_args__ = {"schema": "vault"}

    booking_id: str = Field(sa_type=_ID, primary_key=True)
    residence_id: str = Field(sa_type=_ID, index=True)
    street: str
    house_number: str
    postal_code: str | None = None
    city: str | None = None
    landlord: str | None = None


class ReadingRow(OfficeTable, table=True):
    """Somebody has read personal data: who, when, what for, and whose."""

    __tablename__ = "reading"
    __table_args__ = {"schema": "vault"}

    number: int | None = Field(default=None, sa_column=Column(BigInteger, Identity(always=True), primary_key=True))
    read_at: datetime | None = Field(
        default=None, sa_column=Column(TIMESTAMP(timezone=True), nullable=False, server_default=text("now()"))
    )
    reader: str
    purpose: str
    what: str
    residence_ids: list[str] = Field(sa_type=ARRAY(_ID), nullable=False)


def table_of(row: type[OfficeTable]) -> Table:
    """The table behind a class of rows, for statements over many rows."""
    table: Table = row.__table__  # type: ignore[attr-defined]
    return table
