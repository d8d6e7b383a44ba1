"""`GET /live`: what changed, as server-sent events, for pages and programs."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import uuid4

from fastapi import APIRouter, Depends, Header, Request
from fastapi.sse import EventSourceResponse, ServerSentEvent

from reporting.access import ACKNOWLEDGE_ALERTS
from reporting.alerts import ListedAlert
from reporting.alerts.wording import alert_words
from reporting.audiences import STEERING_ROLES, Audience, audience_of
from reporting.figures import number_of
from reporting.indicators import Catalogue
from reporting.live.hub import Hub, Moved
from reporting.wording import Phrases, freshness_in_words, tile_of, troubles_in_words
from verbund.errors import Unavailable
from verbund.service.permissions import Permission, permit, principal_of
from verbund.service.words import language_of

FOLLOW = Permission("follow_figures", roles=STEERING_ROLES, purpose="steering")

_RETRY_MILLISECONDS = 2_000
# A stream outlives the token it was opened with: an hour later whoever listens has to show a token again.
_LONGEST_SECONDS = 3_600.0

router = APIRouter(tags=["live"])


async def get_hub(request: Request) -> Hub:
    """The hub of this process; raises `Unavailable` until it has read the cube once."""
    hub = request.app.state.hub
    assert isinstance(hub, Hub)
    if hub.everything() is None:
        raise Unavailable("not_read_yet", "The figures are being read. Try again in a moment.", retry_after_seconds=2)
    return hub


@router.get(
    "/live",
    response_class=EventSourceResponse,
    dependencies=[permit(FOLLOW)],
    summary="The city's totals of today, as they change",
)
async def follow_figures(
    hub: Annotated[Hub, Depends(get_hub)],
    request: Request,
    last_event_id: Annotated[str, Header(description="Resumes after this event.")] = "",
) -> AsyncIterator[ServerSentEvent]:
    """Events `tiles` (figures that changed; at the opening all of them), `sources` (how fresh they are) and `alerts`
    (all that are open, as far as the reader is told of them).

    Ids carry generation and batch of the cube. A reader that is too slow is let go and opens another stream.
    """
    reader = _reader(request)
    with hub.streams.open() as stream:
        asyncio.get_running_loop().call_later(_LONGEST_SECONDS, stream.end)
        # Nothing is awaited between opening and these: no change falls between them and the stream.
        for told in (hub.since(*_parse(last_event_id)), hub.freshness(), hub.alerts()):
            if told is not None:
                yield _event(told, reader)
        async for told in stream:
            yield _event(told, reader)


def _parse(event_id: str) -> tuple[int, int]:
    """Generation and batch of an event id; (-1, -1), which nothing resumes from, for anything else."""
    generation, _, batch = event_id.partition(".")
    if generation.isdecimal() and batch.isdecimal() and len(event_id) < 40:
        return int(generation), int(batch)
    return -1, -1


@dataclass(frozen=True, slots=True)
class _Reader:
    """Who listens, and what of the alerts they are told."""

    audience: Audience
    may_acknowledge: bool
    catalogue: Catalogue
    phrases: Phrases

    def alert(self, alert: ListedAlert) -> dict[str, str]:
        """An alert as a page shows it, with the way to its figure and that to acknowledge it."""
        words = alert_words(alert, self.catalogue, self.phrases)
        place = f"/alerts/{alert.alert_id}/acknowledge"
        return {
            "id": alert.alert_id,
            "sentence": words.sentence,
            "state": words.state,
            "href": f"/indicators/{alert.indicator}?lang={self.phrases.language}",
            "acknowledge_at": "" if words.is_acknowledged or not self.may_acknowledge else place,
            "idempotency_key": str(uuid4()),
        }


def _reader(request: Request) -> _Reader:
    principal, catalogue = principal_of(request.scope), request.app.state.catalogue
    assert isinstance(catalogue, Catalogue)
    may_acknowledge = bool(principal.roles & ACKNOWLEDGE_ALERTS.roles)
    return _Reader(audience_of(principal.roles), may_acknowledge, catalogue, Phrases(language_of(request)))


def _event(told: Moved, reader: _Reader) -> ServerSentEvent:
    now, phrases = datetime.now(UTC), reader.phrases
    data: dict[str, Any] = {"time": phrases.formats.time(now)}
    if told.what == "tiles":
        data |= {"on": told.on.isoformat(), "generation": told.head.generation, "batch": told.head.number}
        data["tiles"] = [
            {"number": number_of(found.cells[0].values[-1]), **tile_of(found, told.on, phrases).parts()}
            for found in told.answers
        ]
    elif told.what == "alerts":
        data["alerts"] = [reader.alert(alert) for alert in told.alerts.get(reader.audience, ())]
    else:
        data["sources"] = [
            {"office": source.office, "state": source.state, "words": freshness_in_words(source, now, phrases)}
            for source in told.sources
        ]
        data["trouble"] = troubles_in_words(told.sources, phrases)
    return ServerSentEvent(
        event=told.what, id=f"{told.head.generation}.{told.head.number}", data=data, retry=_RETRY_MILLISECONDS
    )
