"""Parked records, and what a person decides about them: taken once more, or discarded. A maintenance of its own.

A position has moved past a parked record already, so taking it once more applies its effect and moves nothing. Whoever
decides locks the position of its ledger first, as a reader does, and then the record: so nothing takes effect twice.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from logging import getLogger
from typing import Any, Literal

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from verbund.events.envelope import Data, Undecodable, attributes_of
from verbund.feeds.positions import lock_positions
from verbund.feeds.reader import Effect, EffectRefused
from verbund.feeds.slices import understand

_log = getLogger(__name__)

FOREIGN = "hash_mismatch"
"""Bytes under this reason are not the office's record, whatever number they carry."""

_COLUMNS = """
    id, ledger, number, reason, detail, encode(hash, 'hex') as hash, octet_length(body) as size, parked_at,
    settled, settled_at, settled_by, settled_why, settled_key
"""
_LIST = text(f"""
    select {_COLUMNS} from feed.parked
    where (cast(:ledger as text) is null or ledger = :ledger) and (cast(:reason as text) is null or reason = :reason)
    and (:with_settled or settled is null) and id > :after
    order by id limit :limit
""")  # noqa: S608
_FIND = text(f"select {_COLUMNS} from feed.parked where id = :id")  # noqa: S608
_BODY = text("select body from feed.parked where id = :id")
_LEDGER = text("select ledger from feed.parked where id = :id")
_LOCK = text(f"select {_COLUMNS}, body from feed.parked where id = :id for update")  # noqa: S608
_SETTLE = text("""
    update feed.parked
    set settled = :how, settled_at = now(), settled_by = :by, settled_why = :why, body = '',
        settled_key = :key, settled_fingerprint = :fingerprint
    where id = :id
""")
# Where the same thing is parked under that reason already, this one keeps its own.
_STILL = text("""
    update feed.parked as parked set reason = :reason, detail = :detail
    where id = :id and not exists (
        select from feed.parked as other
        where other.ledger = parked.ledger and other.number = parked.number and other.reason = :reason
        and other.hash = parked.hash and other.id <> parked.id
    )
""")
_REPEATED = text("""
    select id, settled_fingerprint = :fingerprint as is_the_same from feed.parked
    where settled_by = :by and settled_key = :key
""")


@dataclass(frozen=True, slots=True)
class ParkedRecord:
    """A parked record without what it says."""

    id: int
    ledger: str
    """Or the topic, where nobody can say of which ledger it is."""
    number: int | None
    reason: str
    detail: str
    hash: str
    """Hexadecimal."""
    size: int
    """Bytes that are kept; none of a settled one."""
    parked_at: datetime
    settled: Literal["replayed", "discarded"] | None
    settled_at: datetime | None
    settled_by: str | None
    settled_why: str | None
    settled_key: str | None
    """Of the request that settled it, where one did."""


@dataclass(frozen=True, slots=True)
class Decision:
    """Who decides, and under which key of which request, where it came as one."""

    by: str
    key: str | None = None
    fingerprint: bytes | None = None


class NotReplayed(Exception):
    """The record stays parked; `code` is stable."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


async def list_parked(
    connection: AsyncConnection,
    *,
    ledger: str | None = None,
    reason: str | None = None,
    with_settled: bool = False,
    after: int = 0,
    limit: int = 1_000,
) -> list[ParkedRecord]:
    """Parked records in the order in which they were parked, behind the one named by `after`."""
    given = {"ledger": ledger, "reason": reason, "with_settled": with_settled, "after": after, "limit": limit}
    return [ParkedRecord(*row) for row in await connection.execute(_LIST, given)]


async def find_parked(connection: AsyncConnection, parked_id: int) -> ParkedRecord | None:
    """One parked record, settled or not."""
    row = (await connection.execute(_FIND, {"id": parked_id})).first()
    return None if row is None else ParkedRecord(*row)


async def read_attributes(connection: AsyncConnection, parked_id: int) -> Mapping[str, str]:
    """What the record says of itself: type, source, time and the like, as far as it is readable; no data, nobody."""
    body: bytes | None = (await connection.execute(_BODY, {"id": parked_id})).scalar()
    return attributes_of(body or b"")


async def read_payload(connection: AsyncConnection, parked: ParkedRecord, by: str) -> bytes:
    """The bytes of a parked record; that somebody looks is written into the log."""
    _log.warning("a parked record is read", extra={"parked": parked.id, "ledger": parked.ledger, "by": by})
    body: bytes = (await connection.execute(_BODY, {"id": parked.id})).scalar_one()
    return body


async def find_repeated(connection: AsyncConnection, decision: Decision) -> tuple[int, bool] | None:
    """The record that was settled under this key, and whether by the same request; None where none was."""
    given = {"by": decision.by, "key": decision.key, "fingerprint": decision.fingerprint}
    row = (await connection.execute(_REPEATED, given)).first()
    return None if row is None else (row.id, bool(row.is_the_same))


async def discard(engine: AsyncEngine, parked_id: int, why: str, decision: Decision) -> ParkedRecord:
    """Remove the bytes for good, and keep who did and why; one that is settled stays as it is.

    Raises `LookupError` where there is none.
    """
    async with engine.begin() as connection:
        row = await _locked(connection, parked_id)
        if row.settled is None:
            await _settle(connection, parked_id, "discarded", why, decision)
        return await _get(connection, parked_id)


async def replay(
    engine: AsyncEngine, effect: Effect, known: Mapping[str, type[Data]], parked_id: int, decision: Decision
) -> ParkedRecord:
    """Take a record once more with the models of this release: its effect and its end in one transaction.

    One that was replayed already stays as it is. Raises `LookupError` where there is none, and `NotReplayed` where it
    stays parked: then under the reason of today.
    """
    refusal: NotReplayed | None = None
    async with engine.begin() as connection:
        row = await _locked(connection, parked_id)
        if row.settled is None:
            refusal = await _take(connection, effect, known, row)
            if refusal is None:
                await _settle(connection, parked_id, "replayed", None, decision)
        settled = await _get(connection, parked_id)
    if refusal is not None:
        raise refusal
    return settled


async def _take(
    connection: AsyncConnection, effect: Effect, known: Mapping[str, type[Data]], row: Any
) -> NotReplayed | None:
    """Apply the effect; or why it is not, with the reason of today written down."""
    if row.number is None or row.reason == FOREIGN:
        return NotReplayed("no_place", "It has no place in a ledger, so nothing says that an office booked it.")
    try:
        event = understand(row.ledger, row.number, row.body, known)
    except Undecodable as error:
        await connection.execute(_STILL, {"id": row.id, "reason": error.reason, "detail": error.detail})
        return NotReplayed("still_undecodable", f"It still cannot be understood ({error.reason}).")
    try:
        async with connection.begin_nested():
            await effect.apply(connection, [event])
            await effect.finish(connection)
    except EffectRefused as error:
        return NotReplayed(error.reason, str(error))
    except SQLAlchemyError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever it is, the record stays parked
        _log.exception("the effect of a parked record failed", extra={"parked": row.id})
        return NotReplayed("effect_failed", f"Its effect failed ({type(error).__name__}): the log says more.")
    return None


async def _locked(connection: AsyncConnection, parked_id: int) -> Any:
    """The record, with the position of its ledger locked first: in the order of readers and rebuilds."""
    ledger = (await connection.execute(_LEDGER, {"id": parked_id})).scalar()
    if ledger is not None:
        await lock_positions(connection, [ledger])
    row = (await connection.execute(_LOCK, {"id": parked_id})).first()
    if row is None:
        raise LookupError(f"there is no parked record {parked_id}")
    return row


async def _settle(connection: AsyncConnection, parked_id: int, how: str, why: str | None, decision: Decision) -> None:
    given = {"by": decision.by, "key": decision.key, "fingerprint": decision.fingerprint}
    await connection.execute(_SETTLE, {"id": parked_id, "how": how, "why": why, **given})
    _log.warning("a parked record was settled", extra={"parked": parked_id, "how": how, "by": decision.by})


async def _get(connection: AsyncConnection, parked_id: int) -> ParkedRecord:
    found = await find_parked(connection, parked_id)
    assert found is not None
    return found


def settled_in_words(parked: ParkedRecord) -> str:
    """What became of it, for a list."""
    return "parked" if parked.settled is None else f"{parked.settled} by {parked.settled_by}"
