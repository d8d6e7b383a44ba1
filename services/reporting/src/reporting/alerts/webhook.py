"""The webhook: posts every change of an alert to one address, signed, at least once, in order for each alert.

It stands in nobody's way: what cannot be posted waits in its row, and is tried again, less and less often. A receiver
knows by `webhook-id` what it has seen already.
"""

import asyncio
import hashlib
import random
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from logging import getLogger
from time import time
from types import TracebackType
from typing import Any

import httpx
from pydantic_core import to_json
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from reporting.alerts.postings import LEASE, Posting, Postings
from reporting.alerts.signing import signed_headers
from reporting.alerts.wording import sentence_of
from reporting.indicators import Catalogue
from reporting.wording import Phrases
from verbund.events.envelope import instant
from verbund.events.reporting.alerts import WatchedBy
from verbund.metrics import WEBHOOK_OLDEST, WEBHOOK_POSTS, WEBHOOK_WAITING

_log = getLogger(__name__)

_ROUND_SECONDS = 2.0
_PATIENCE_SECONDS = 10.0  # well below the lease: nobody else tries while this one still waits
_FIRST_WAIT, _LONGEST_WAIT = timedelta(seconds=2), timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Receiver:
    """Where changes are posted, signed with which key, and of whose alerts."""

    url: str
    key: bytes
    audiences: tuple[WatchedBy, ...]

    @property
    def digest(self) -> str:
        """Stands for the address in the database: it may hold a secret of its own."""
        return hashlib.sha256(self.url.encode()).hexdigest()


class Webhook:
    """Posts what is due, and looks every few seconds for more. Of several processes each posts what it takes first."""

    def __init__(
        self,
        engine: AsyncEngine,
        catalogue: Catalogue,
        receiver: Receiver,
        *,
        first_wait: timedelta = _FIRST_WAIT,
        lease: timedelta = LEASE,
    ) -> None:
        """`engine`: under the role that may book."""
        municipality = catalogue.city.municipality
        self._postings = Postings(engine, municipality, receiver.digest, receiver.audiences, lease)
        self._catalogue = catalogue
        self._receiver = receiver
        self._first_wait = first_wait
        # No proxies of the environment and no redirects: what is posted goes where the settings say, or nowhere.
        self._client = httpx.AsyncClient(timeout=_PATIENCE_SECONDS, trust_env=False, follow_redirects=False)
        self._task: asyncio.Task[None] | None = None
        self._trouble: str | None = None

    async def __aenter__(self) -> "Webhook":
        self._task = asyncio.create_task(self._go_on(), name="webhook")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        await self._client.aclose()

    async def probe(self) -> str | None:
        """None while postings are looked for. A receiver that is away is no trouble of this office: metrics tell it."""
        if self._task is not None and self._task.done():
            return "nobody posts any more"
        return self._trouble

    async def round(self) -> None:
        """Post everything that is due once."""
        await self._postings.enrol()
        await self._postings.enlist()
        while (posting := await self._postings.claim()) is not None:
            if await self._is_accepted(posting):
                await self._postings.settle(posting)
            else:
                await self._postings.postpone(posting, self._wait(posting.tries))
        count, seconds = await self._postings.waiting()
        WEBHOOK_WAITING.set(count)
        WEBHOOK_OLDEST.set(seconds)

    async def _is_accepted(self, posting: Posting) -> bool:
        body = self.body_of(posting)
        name = f"{self._catalogue.city.municipality}-{posting.number}"
        headers = signed_headers(self._receiver.key, name, int(time()), body)
        try:
            answer = await self._client.post(self._receiver.url, content=body, headers=headers)
        except httpx.HTTPError as error:
            WEBHOOK_POSTS.labels("unreachable").inc()
            _log.warning("the receiver of alerts cannot be reached", extra={"error": type(error).__name__})
            return False
        WEBHOOK_POSTS.labels("accepted" if answer.is_success else "refused").inc()
        if not answer.is_success:
            _log.warning("the receiver of alerts refuses them", extra={"status": answer.status_code})
        return answer.is_success

    def body_of(self, posting: Posting) -> bytes:
        """What is posted: the alert with its threshold, in words of both languages. No figure."""
        alert = posting.alert
        sentences = {
            language: sentence_of(alert, posting.what, posting.at, self._catalogue, Phrases(language))
            for language in ("de", "en")
        }
        data: dict[str, Any] = {
            name: getattr(alert, name)
            for name in ("alert_id", "threshold_id", "audience", "indicator", "breakdown", "value", "period", "side")
        }
        data |= {"limit": str(alert.limit), "back": str(alert.back), "state": posting.what, "sentence": sentences}
        if posting.what == "over":
            data["over_reason"] = alert.over_reason
        return to_json({"type": f"alert.{posting.what}", "timestamp": instant(posting.at), "data": data})

    def _wait(self, tries: int) -> timedelta:
        """Twice as long each time, and never all at once."""
        doubled: timedelta = self._first_wait * 2 ** min(tries - 1, 20)
        return min(doubled, _LONGEST_WAIT) * random.uniform(0.5, 1.0)

    async def _go_on(self) -> None:
        while True:
            try:
                await self.round()
                self._trouble = None
            except (SQLAlchemyError, OSError) as error:
                self._trouble = f"postings cannot be looked for: {type(error).__name__}"
                _log.warning("postings cannot be looked for: %s", type(error).__name__)
            await asyncio.sleep(_ROUND_SECONDS)
