"""Doors for whoever looks after the reader: records that could not be understood, and what is decided about them.

They stand at the reader's process: it alone may write what a replayed record changes.
"""

from collections.abc import Mapping
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Literal, cast

from fastapi import APIRouter, Body, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine

from verbund.errors import KeyReused, NotFound, NotNow
from verbund.events.offices import known_events
from verbund.feeds.parked import (
    Decision,
    NotReplayed,
    ParkedRecord,
    discard,
    find_parked,
    find_repeated,
    list_parked,
    read_attributes,
    read_payload,
    replay,
)
from verbund.feeds.reader import Effect
from verbund.service.orders import FilledForm, OrderForm
from verbund.service.paging import AskedPage
from verbund.service.permissions import Permission, permit
from verbund.service.principals import Principal
from verbund.service.words import message_id

LOOK = Permission(
    "look_at_parked_records", roles=frozenset({"operator", "statistics", "privacy_officer"}), purpose="maintenance"
)
READ = Permission("read_parked_records", roles=frozenset({"operator"}), purpose="maintenance")
DECIDE = Permission("decide_on_parked_records", roles=frozenset({"operator"}), purpose="maintenance")

router = APIRouter(tags=["parked records"])

ParkedId = Annotated[int, Path(ge=1, le=2**63 - 1)]
Looker = Annotated[Principal, permit(LOOK)]
Decider = Annotated[Principal, permit(DECIDE)]

_NOT_REPLAYED: Mapping[str, str] = {
    "no_place": message_id("It has no place in a ledger: nothing says that an office booked it. It is never taken."),
    "still_undecodable": message_id("This release does not understand it either. It stays parked."),
    "other_version": message_id("What is counted was counted by other rules. Rebuild it: that counts this record too."),
}
_STAYS = message_id("What it changes cannot be taken in as things are. It stays parked.")
_REFUSALS: dict[int | str, dict[str, object]] = {409: {"description": "Decided otherwise already, or it stays parked"}}


class ParkedShown(BaseModel):
    """A parked record without what it says."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    ledger: str = Field(description="Or the topic, where nobody can say of which ledger it is.")
    number: int | None
    reason: str
    detail: str
    hash: str
    size: int = Field(description="Bytes that are kept; none once it is decided on.")
    parked_at: datetime
    settled: Literal["replayed", "discarded"] | None
    settled_at: datetime | None
    settled_by: str | None
    settled_why: str | None


class ParkedRead(ParkedShown):
    """With what it says of itself besides its data."""

    attributes: Mapping[str, str]


class Discarding(BaseModel):
    """Why nobody needs it any more."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"why": "A test of the other office."}})

    why: str = Field(min_length=1, max_length=500, pattern=r"\S")


@router.get("/parked-records", summary="Records that could not be understood, in the order in which they came")
async def read_parked_records(
    request: Request,
    response: Response,
    _: Looker,
    asked: AskedPage,
    ledger: Annotated[str | None, Query(max_length=200)] = None,
    reason: Annotated[str | None, Query(max_length=100)] = None,
    settled: Annotated[bool, Query(description="Also those that are decided on.")] = False,
) -> list[ParkedShown]:
    """Figures miss them until somebody decides."""
    after = asked.expect(int)
    async with _engine(request).connect() as connection:
        rows = await list_parked(
            connection,
            ledger=ledger,
            reason=reason,
            with_settled=settled,
            after=_place(after),
            limit=asked.size + 1,
        )
    page = asked.page(rows, (rows[asked.size - 1].id,) if len(rows) > asked.size else None)
    response.headers.update(page.link(request))
    return [ParkedShown.model_validate(row) for row in page.items]


@router.get("/parked-records/{parked_id}", summary="One parked record")
async def read_parked_record(request: Request, response: Response, _: Looker, parked_id: ParkedId) -> ParkedRead:
    """Where it came from, why it was parked, what it says of itself; nothing of its data."""
    async with _engine(request).connect() as connection:
        found = await find_parked(connection, parked_id)
        if found is None:
            raise _nothing()
        attributes = await read_attributes(connection, parked_id)
    response.headers["ETag"] = _etag(found)
    return ParkedRead(**ParkedShown.model_validate(found).model_dump(), attributes=attributes)


@router.get(
    "/parked-records/{parked_id}/payload",
    summary="The bytes of a parked record",
    response_class=Response,
    responses={200: {"content": {"application/octet-stream": {}}}},
)
async def read_parked_payload(
    request: Request, principal: Annotated[Principal, permit(READ)], parked_id: ParkedId
) -> Response:
    """As they came, whatever they are; that somebody looked is recorded."""
    async with _engine(request).connect() as connection:
        found = await find_parked(connection, parked_id)
        if found is None:
            raise _nothing()
        body = await read_payload(connection, found, _name(principal))
    return Response(body, media_type="application/octet-stream")


@router.post(
    "/parked-records/{parked_id}/replays",
    status_code=HTTPStatus.CREATED,
    summary="Take a parked record once more",
    response_model=ParkedShown,
    responses=_REFUSALS,
)
async def replay_parked_record(request: Request, principal: Decider, form: OrderForm, parked_id: ParkedId) -> Response:
    """As this release understands it; it takes effect once, however often this is asked."""
    decision = _decision(form, principal)
    repeated = await _repeated(request, decision, parked_id)
    if repeated is not None:
        return repeated
    effect = cast(Effect, request.app.state.effect)
    try:
        found = await replay(_engine(request), effect, known_events(), parked_id, decision)
    except LookupError:
        raise _nothing() from None
    except NotReplayed as refused:
        code = refused.code if refused.code in _NOT_REPLAYED else "effect_refused"
        raise NotNow(code, _NOT_REPLAYED.get(code, _STAYS)) from None
    except IntegrityError as error:
        raise _reused() from error
    return _answer(found, "replayed", decision)


@router.post(
    "/parked-records/{parked_id}/discards",
    status_code=HTTPStatus.CREATED,
    summary="Remove what a parked record says",
    response_model=ParkedShown,
    responses=_REFUSALS,
)
async def discard_parked_record(
    request: Request, principal: Decider, form: OrderForm, parked_id: ParkedId, given: Annotated[Discarding, Body()]
) -> Response:
    """For good; that it was there, and who discarded it when and why, stays."""
    decision = _decision(form, principal)
    repeated = await _repeated(request, decision, parked_id)
    if repeated is not None:
        return repeated
    try:
        found = await discard(_engine(request), parked_id, given.why.strip(), decision)
    except LookupError:
        raise _nothing() from None
    except IntegrityError as error:
        raise _reused() from error
    return _answer(found, "discarded", decision)


async def _repeated(request: Request, decision: Decision, parked_id: int) -> Response | None:
    """The answer that this very request got before; raises `KeyReused` where its key was another request's."""
    async with _engine(request).connect() as connection:
        known = await find_repeated(connection, decision)
        if known is None:
            return None
        found = await find_parked(connection, known[0])
    if known != (parked_id, True) or found is None:
        raise _reused()
    return _settled(found, {"Idempotency-Replayed": "true"})


def _answer(found: ParkedRecord, wanted: str, decision: Decision) -> Response:
    if found.settled != wanted or found.settled_key != decision.key:
        raise NotNow("settled_already", "It was decided on already. Look at it to see by whom, and how.")
    return _settled(found, {})


def _settled(found: ParkedRecord, headers: Mapping[str, str]) -> Response:
    shown = ParkedShown.model_validate(found)
    places = {"Location": f"/parked-records/{found.id}", "ETag": _etag(found)}
    return Response(
        shown.model_dump_json(),
        status_code=HTTPStatus.CREATED,
        headers={**places, **headers},
        media_type="application/json",
    )


def _decision(form: FilledForm, principal: Principal) -> Decision:
    order = form.order(None)
    return Decision(_name(principal), f"{order.route} {order.idempotency_key}", order.fingerprint)


def _name(principal: Principal) -> str:
    return f"operator:{principal.subject}"


def _etag(found: ParkedRecord) -> str:
    return f'"{found.reason}-{found.settled or "parked"}"'


def _engine(request: Request) -> AsyncEngine:
    return cast(AsyncEngine, request.app.state.engine)


def _place(after: tuple[str | int, ...] | None) -> int:
    return min(int(after[0]), 2**63 - 1) if after else 0


def _nothing() -> NotFound:
    return NotFound("not_found", "There is nothing at this address.")


def _reused() -> KeyReused:
    return KeyReused(
        "idempotency_key_reused",
        "This Idempotency-Key was already used for another request. Use a new key for a new request.",
    )
