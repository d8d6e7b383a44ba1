"""The registration office at its desk: loads residents, decides by the office's rules, keeps states and vault."""

from collections.abc import Sequence
from datetime import datetime

from pydantic import TypeAdapter
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from registration.commands import Command, RegisterResidence
from registration.domain import Lists, Resident, decide, evolve
from registration.domain.trials import day_of
from registration.domain.views import Residence, residences_of
from registration.store.rows import put
from registration.store.tables import ResidenceRow, ResidentRow, table_of
from registration.store.vault import keep_in_vault
from verbund.desk.orders import Answer, Draft, Kept, Loaded
from verbund.events.registration import OFFICE, InitialLoadClosed

_RESIDENT = TypeAdapter(Resident)

_OWNERS = text("""
    select residence_id::text, resident_id::text from office.residence
    where residence_id = any(cast(:residence_ids as uuid[]))
""")
_RESIDENTS = text("""
    select resident_id::text, state::text from office.resident
    where resident_id = any(cast(:resident_ids as uuid[]))
""")

KeptCommand = Kept[Command, Resident]


class RegistrationRules:
    """What the registration office gives its desk."""

    office = OFFICE
    receivers: tuple[str, ...] = ()

    def __init__(self, lists: Lists) -> None:
        self._lists = lists

    async def load(self, connection: AsyncConnection, commands: Sequence[Command]) -> Loaded[Resident]:
        """The residents that these commands are about; a residence may begin in the same batch that moves it."""
        asked = {command.residence_id for command in commands if _names_a_residence(command)}
        owners = await self._owners(connection, asked)
        keys: list[str] = []
        for command in commands:
            if isinstance(command, RegisterResidence):
                keys.append(owners.setdefault(command.residence_id, command.resident_id))
            else:
                keys.append(owners.get(command.residence_id, command.residence_id))
        # Who registers for the first time under a new number is in no table, and most do.
        known = {key for command, key in zip(commands, keys, strict=True) if _may_be_known(command)}
        return Loaded(keys, await self._residents(connection, known))

    async def _owners(self, connection: AsyncConnection, residence_ids: set[str]) -> dict[str, str]:
        if not residence_ids:
            return {}
        rows = await connection.execute(_OWNERS, {"residence_ids": list(residence_ids)})
        return {row.residence_id: row.resident_id for row in rows}

    async def _residents(self, connection: AsyncConnection, resident_ids: set[str]) -> dict[str, Resident]:
        if not resident_ids:
            return {}
        rows = await connection.execute(_RESIDENTS, {"resident_ids": list(resident_ids)})
        return {row.resident_id: parse_resident(row.state) for row in rows}

    def decide(self, state: Resident | None, command: Command, at: datetime) -> tuple[Draft, ...]:
        """One event about one resident, or a refusal."""
        subject, data = decide(state, command, at, self._lists)
        return (Draft(subject, data),)

    def evolve(self, state: Resident | None, draft: Draft, at: datetime) -> Resident:
        """The resident after the event."""
        return evolve(state, draft.subject, draft.data)

    def etag(self, state: Resident) -> str:
        return etag_of(state)

    def answer(self, kept: KeptCommand) -> Answer:
        """Where the residence is found, and under which numbers it was booked."""
        command = kept.command
        return Answer(
            status=201,
            location=f"/residences/{command.residence_id}",
            etag=etag_of(kept.state),
            receipt={
                "residence_id": command.residence_id,
                "resident_id": kept.state.resident_id,
                "booking_id": command.booking_id,
                "number": kept.number,
            },
        )

    async def keep(self, connection: AsyncConnection, kept: Sequence[KeptCommand]) -> None:
        """The residents as they are after this batch, their residences, and what belongs into the vault."""
        residents = {one.state.resident_id: one.state for one in kept}
        began = {one.command.residence_id: one.number for one in kept if isinstance(one.command, RegisterResidence)}
        await put(connection, table_of(ResidentRow), [_resident_row(resident) for resident in residents.values()])
        await put(
            connection,
            table_of(ResidenceRow),
            [
                _residence_row(residence, resident, began.get(residence.residence_id, 0))
                for resident in residents.values()
                for residence in residences_of(resident)
            ],
            unchanged=("number",),  # said once, when the residence begins
        )
        await keep_in_vault(connection, kept)

    def initial_load_closed(self, at: datetime) -> Draft:
        """The event that ends the initial load; it is about the office itself."""
        return Draft(OFFICE, InitialLoadClosed(closed_on=day_of(at)))


def etag_of(resident: Resident) -> str:
    """Names this very state of a resident: nothing may be booked about them on an older view."""
    return f'"{resident.version}"'


def _resident_row(resident: Resident) -> dict[str, object]:
    return {
        "resident_id": resident.resident_id,
        "version": resident.version,
        "state": _RESIDENT.dump_json(resident).decode(),
    }


def _residence_row(residence: Residence, resident: Resident, number: int) -> dict[str, object]:
    values: dict[str, object] = {name: getattr(residence, name) for name in Residence.__slots__}
    return values | {"resident_id": resident.resident_id, "number": number}


def parse_resident(state: str) -> Resident:
    """A resident from the stored JSON."""
    return _RESIDENT.validate_json(state)


def _names_a_residence(command: Command) -> bool:
    return not isinstance(command, RegisterResidence) or command.phase == "initial_load"


def _may_be_known(command: Command) -> bool:
    return (
        not isinstance(command, RegisterResidence)
        or command.form.resident_id is not None
        or command.phase == "initial_load"
    )
