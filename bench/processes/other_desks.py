"""What the desk is measured against: the registration office with another desk behind the very same doors.

Run: `python bench/processes/other_desks.py orm|nothing`, in the environment of the registration office.
"""

import asyncio
import os
import sys
from datetime import UTC, datetime
from typing import Any, ClassVar, Self

from fastapi import FastAPI
from pydantic import TypeAdapter
from sqlalchemy import BigInteger, LargeBinary, MetaData
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlmodel import Field, SQLModel, select
from sqlmodel.ext.asyncio.session import AsyncSession

from registration.api import routers
from registration.commands import Command, RegisterResidence
from registration.domain import Resident, lists_of
from registration.domain.views import Residence, residences_of
from registration.office import OFFICE
from registration.settings import RegistrationSettings
from registration.store.rules import RegistrationRules
from registration.store.tables import AddressRow, PersonRow, ResidenceRow, ResidentRow
from verbund.database import make_engine
from verbund.desk.desk import Desk
from verbund.desk.orders import Answer, Kept, Order
from verbund.events.ledger_ids import book_of
from verbund.ledger.record import GENESIS, Entry, Head, Record, seal
from verbund.ledger.store import open_ledgers
from verbund.service.build import build_service
from verbund.service.serving import listen

_CONNECTIONS = 8  # as many as the office has
_RESIDENT = TypeAdapter(Resident)


class EngineTable(SQLModel):
    """The tables of the engine, as somebody would write them who keeps an office with an ORM."""

    metadata: ClassVar[MetaData] = MetaData()


class HeadRow(EngineTable, table=True):
    """The end of the book."""

    __tablename__ = "head"
    __table_args__ = {"schema": "ledger"}

    ledger: str = Field(primary_key=True)
    number: int = Field(sa_type=BigInteger)
    hash: bytes
    time: datetime = Field(sa_type=TIMESTAMP(timezone=True))


class RecordRow(EngineTable, table=True):
    """One record of the book."""

    __tablename__ = "record"
    __table_args__ = {"schema": "ledger"}

    ledger: str = Field(primary_key=True)
    number: int = Field(sa_type=BigInteger, primary_key=True)
    previous: bytes = Field(sa_type=LargeBinary)
    hash: bytes = Field(sa_type=LargeBinary)
    body: bytes = Field(sa_type=LargeBinary)


class AnswerRow(EngineTable, table=True):
    """What a caller was told."""

    __tablename__ = "answer"
    __table_args__ = {"schema": "desk"}

    principal: str = Field(primary_key=True)
    route: str = Field(primary_key=True)
    key: str = Field(primary_key=True)
    fingerprint: bytes
    status: int
    location: str | None
    etag: str | None
    receipt: Any = Field(sa_type=JSONB)


class _OtherDesk(Desk[Command, Resident]):
    """Stands where the routes look for a desk, and does its work in another way. Registrations alone."""

    def __init__(self, rules: RegistrationRules, engine: AsyncEngine, municipality: str) -> None:
        super().__init__(rules, engine, municipality)
        self.rules, self.engine, self.book = rules, engine, book_of(municipality, OFFICE.name)

    def decide(self, order: Order[Command], head: Head) -> tuple[Head, Record, Kept[Command, Resident], Answer]:
        """What the office's rules make of an order behind this head; nothing of it is kept anywhere."""
        command, at = order.command, max(datetime.now(UTC), head.time)
        assert isinstance(command, RegisterResidence)
        (draft,) = self.rules.decide(None, command, at)
        state = self.rules.evolve(None, draft, at)
        new, (record,) = seal(head, [Entry(draft.subject, draft.data, order.actor, at, order.traceparent)])
        kept: Kept[Command, Resident] = Kept(command, state, (draft,), new.number)
        return new, record, kept, self.rules.answer(kept)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.engine.dispose()


class OrmDesk(_OtherDesk):
    """One transaction for each request, by SQLModel's ORM: the office's rules, tables and durability."""

    async def __aenter__(self) -> Self:
        self._connections = asyncio.Semaphore(_CONNECTIONS)
        async with self.engine.begin() as connection:
            await open_ledgers(connection, [self.book])
        return self

    async def carry_out(self, order: Order[Command]) -> Answer:
        """The head is locked as late as can be."""
        # Who finds no free connection waits here as long as it takes: the pool would give up after half a minute.
        async with self._connections, AsyncSession(self.engine, expire_on_commit=False) as session:
            given = await session.get(AnswerRow, (order.principal, order.route, order.idempotency_key))
            if given is not None:
                return Answer(given.status, given.location, given.etag, given.receipt, replayed=True)
            row = (await session.exec(select(HeadRow).where(HeadRow.ledger == self.book).with_for_update())).one()
            head, record, kept, answer = self.decide(order, Head(row.ledger, row.number, row.hash, row.time))
            row.number, row.hash, row.time = head.number, head.hash, head.time
            session.add_all([RecordRow(**record._asdict()), *_rows(kept), _answer_row(order, answer)])
            await session.commit()
        return answer


class NoDatabase(_OtherDesk):
    """Decides by the office's rules, numbers and chains the event, and answers at once: nothing is kept."""

    _head: Head | None = None

    async def carry_out(self, order: Order[Command]) -> Answer:
        """At once."""
        self._head, _, _, answer = self.decide(order, self._head or Head(self.book, 0, GENESIS, datetime.now(UTC)))
        return answer


def _answer_row(order: Order[Command], answer: Answer) -> AnswerRow:
    return AnswerRow(
        principal=order.principal,
        route=order.route,
        key=order.idempotency_key,
        fingerprint=order.fingerprint,
        status=answer.status,
        location=answer.location,
        etag=answer.etag,
        receipt=dict(answer.receipt),
    )


def _rows(kept: Kept[Command, Resident]) -> list[SQLModel]:
    state, command = kept.state, kept.command
    assert isinstance(command, RegisterResidence)
    form = command.form
    assert form.family_name is not None
    assert form.given_names is not None
    assert form.birth_date is not None
    (residence,) = residences_of(state)
    values = {name: getattr(residence, name) for name in Residence.__slots__}
    return [
        ResidentRow(
            resident_id=state.resident_id, version=state.version, state=_RESIDENT.dump_python(state, mode="json")
        ),
        ResidenceRow(**values, resident_id=state.resident_id, number=kept.number),
        PersonRow(
            resident_id=state.resident_id,
            family_name=form.family_name,
            given_names=form.given_names,
            birth_date=form.birth_date,
        ),
        AddressRow(
            booking_id=command.booking_id,
            residence_id=command.residence_id,
            street=form.street,
            house_number=form.house_number,
            postal_code=form.postal_code,
            city=form.city,
            landlord=form.landlord,
        ),
    ]


def create_orm() -> FastAPI:
    return _office_with(OrmDesk)


def create_nothing() -> FastAPI:
    return _office_with(NoDatabase)


def _office_with(kind: type[_OtherDesk]) -> FastAPI:
    settings = RegistrationSettings()
    # Their head lock is waited for as long as it takes: on a busy machine the office's five seconds are not enough.
    engine = make_engine(
        settings.database, size=_CONNECTIONS, options="-c lock_timeout=60s -c idle_in_transaction_session_timeout=60s"
    )
    desk = kind(RegistrationRules(lists_of(settings.municipality)), engine, settings.municipality)
    state = {"desk": desk, "engine": engine}
    return build_service(OFFICE, OFFICE.door, settings, routers=routers, parts=[desk], state=state)


if __name__ == "__main__":
    listen(f"other_desks:create_{sys.argv[1]}", "127.0.0.1", int(os.environ["VERBUND_PORT"]))
