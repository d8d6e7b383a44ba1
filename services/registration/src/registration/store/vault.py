"""The vault: names and addresses, written in the transaction that books, read only with a record of the reading."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from registration.commands import Command, CorrectRegistration, Form, MoveResidence, RegisterResidence
from registration.domain import Resident
from registration.store.rows import amend, put
from registration.store.tables import AddressRow, PersonRow, table_of
from verbund.desk.orders import Kept

_PERSON = ("family_name", "given_names", "birth_date")
_ADDRESS = ("street", "house_number", "postal_code", "city", "landlord")


async def keep_in_vault(connection: AsyncConnection, kept: Sequence[Kept[Command, Resident]]) -> None:
    """Write what the forms of a batch say of names and addresses; of two that say the same thing, the later holds."""
    persons, addresses = _Pages("resident_id"), _Pages("booking_id")
    for one in kept:
        match one.command:
            case RegisterResidence(form=form) as command:
                persons.write({"resident_id": one.state.resident_id}, form, _PERSON)
                addresses.write(_place(command), form, _ADDRESS)
            case MoveResidence(form=form) as command:
                addresses.write(_place(command), form, _ADDRESS)
            case CorrectRegistration(form=form) if form.amendment is not None:
                persons.correct({"resident_id": one.state.resident_id}, form.amendment, _PERSON)
                addresses.correct(_place_behind(one.state, form.booking_id), form.amendment, _ADDRESS)
    for pages, table in ((persons, table_of(PersonRow)), (addresses, table_of(AddressRow))):
        await put(connection, table, list(pages.written.values()))
        await amend(connection, table, list(pages.corrected.values()))


class _Pages:
    """Rows of one table: those written whole, and changes of rows that may be there already."""

    def __init__(self, key: str) -> None:
        self._key = key
        self.written: dict[str, dict[str, Any]] = {}
        self.corrected: dict[str, dict[str, Any]] = {}

    def write(self, names: Mapping[str, str], form: Form, fields: Sequence[str]) -> None:
        """A row as the form fills it; of somebody known, a form may leave out the name, and then changes nothing."""
        values = {field: getattr(form, field) for field in fields}
        if values[fields[0]] is None:
            self.correct(names, form, fields)
        else:
            self.written[names[self._key]] = {**names, **values}

    def correct(self, names: Mapping[str, str], form: Form, fields: Sequence[str]) -> None:
        """What the form says instead of what stands in the row."""
        values = {field: value for field in fields if (value := getattr(form, field)) is not None}
        if not values:
            return
        key = names[self._key]
        rows = self.written if key in self.written else self.corrected
        rows.setdefault(key, {**names}).update(values)


def _place(command: RegisterResidence | MoveResidence) -> dict[str, str]:
    return {"booking_id": command.booking_id, "residence_id": command.residence_id}


def _place_behind(resident: Resident, booking_id: str) -> dict[str, str]:
    """The booking whose address a correction is about."""
    entry = resident.find_entry(booking_id)
    if entry is None:
        raise AssertionError("a correction was decided of what was never booked")
    behind = resident.booking_behind(entry)
    return {"booking_id": behind.booking_id, "residence_id": behind.residence_id}
