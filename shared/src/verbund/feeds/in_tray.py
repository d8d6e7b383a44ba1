"""What reading the trays does: an event addressed to this office is laid into its in-tray, for its desk to take up."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from verbund.desk.tray_rows import CHANNEL
from verbund.events.envelope import Event, encode
from verbund.events.ledger_ids import office_of, tray_of
from verbund.feeds.reader import EffectRefused
from verbund.ledger.record import GENESIS

# In the order given: the arrivals of one ledger are in the order of its numbers, since its position is locked.
_STORE = text("""
    insert into tray.event (ledger, number, event_id, type, body)
    select ledger, number, event_id, type, body
    from unnest(cast(:ledgers as text[]), cast(:numbers as bigint[]), cast(:event_ids as text[]),
                cast(:types as text[]), cast(:bodies as bytea[]))
        with ordinality as new (ledger, number, event_id, type, body, place)
    order by place
    on conflict do nothing
""")
_KNOWN = text("""
    select count(*) from tray.event
    join unnest(cast(:ledgers as text[]), cast(:numbers as bigint[]), cast(:event_ids as text[]))
        as told (ledger, number, event_id) using (ledger, number, event_id)
""")
_CALL = text("select pg_notify(:channel, '')")
_ANEW = text("""
    update feed.position set number = 0, hash = :genesis, recorded_at = null, stop_reason = null, stopped_at = null
    where ledger = :ledger and stop_reason is not null returning ledger
""")


class NotAddressedHere(EffectRefused):
    """A ledger that is no tray for this office in this municipality."""

    reason = "not_addressed_here"


class OtherPlaceKnown(EffectRefused):
    """An event stood under another number when it came first: no ledger of ours says that of itself."""

    reason = "other_place_known"


class TrayEffect:
    """Lays events into the in-tray, in the reader's transaction and so together with the positions.

    What is there already stays as it is, also where the positions were lost and everything comes again.
    """

    def __init__(self, office: str, municipality: str) -> None:
        self._office = office
        self._municipality = municipality

    async def apply(self, connection: AsyncConnection, events: Sequence[Event[Any]]) -> None:
        """Raises `NotAddressedHere` and `OtherPlaceKnown`."""
        for event in events:
            if event.source != tray_of(self._municipality, office_of(event.source), self._office):
                raise NotAddressedHere(event.source)
        told = {
            "ledgers": [event.source for event in events],
            "numbers": [event.number for event in events],
            "event_ids": [event.id for event in events],
        }
        content = {"types": [event.type for event in events], "bodies": [encode(event) for event in events]}
        stored = await connection.execute(_STORE, told | content)
        if stored.rowcount < len(events) and (await connection.execute(_KNOWN, told)).scalar_one() < len(events):
            raise OtherPlaceKnown(", ".join(sorted({event.source for event in events})))

    async def finish(self, connection: AsyncConnection) -> None:
        """Call the in-tray, wherever it runs, once this commits."""
        await connection.execute(_CALL, {"channel": CHANNEL})


async def read_anew(connection: AsyncConnection, ledger: str) -> bool:
    """Read a stopped tray from its first record, as its sender has it now; False where it was not stopped.

    For a sender that was restored and booked on: what came before stays as it is and is known again by its ids, what is
    told now under the same numbers is laid in behind it.
    """
    return (await connection.execute(_ANEW, {"ledger": ledger, "genesis": GENESIS})).first() is not None
