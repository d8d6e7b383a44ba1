"""Reporting's own HTTP door, as whoever compares with it or delivers to it: patient with a service that is busy."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from time import monotonic
from types import TracebackType
from typing import Any, Self

import httpx

from verbund.embedded.simulation import SimulationContext

Query = Mapping[str, str]

_OFFICE = "reporting"
_ROLE = "statistics"  # sees everything exactly, and delivers for whoever the figures are from
_REQUEST_SECONDS = 30.0
_PATIENCE_SECONDS = 60.0  # a service that starts or is busy may say so for so long
_PAUSE_SECONDS = 0.25


class NotAnswered(Exception):
    """Reporting gave no answer at all, or refused what it was asked: nothing follows from that about its figures."""


class Door:
    """One connection under the role of the statistics office; a context manager. Every request may be sent twice."""

    def __init__(self, context: SimulationContext) -> None:
        token = context.issue_token(_OFFICE, (_ROLE,))
        headers = {"Authorization": f"Bearer {token}", "Accept": "application/json", "Accept-Language": "en"}
        self._stop = context.stop
        self._client = httpx.Client(
            base_url=context.reporting_url, timeout=_REQUEST_SECONDS, headers=headers, trust_env=False
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()

    def get(self, path: str, query: Query) -> Any:
        """The JSON answer to a question, decimals as they stand there; raises `NotAnswered`."""
        found = self._patiently(lambda: self._client.get(path, params=dict(query)), f"{path} {dict(query)}")
        return found.json(parse_float=Decimal)

    def post_table(self, path: str, key: str, table: bytes) -> None:
        """Send a CSV table under an idempotency key; raises `NotAnswered`."""
        headers = {"Idempotency-Key": key, "Content-Type": "text/csv"}
        self._patiently(lambda: self._client.post(path, content=table, headers=headers), path)

    def _patiently(self, send: Callable[[], httpx.Response], what: str) -> httpx.Response:
        deadline = monotonic() + _PATIENCE_SECONDS
        while True:
            try:
                response = send()
                trouble = f"{response.status_code} {response.text[:300]}"
            except httpx.TransportError as error:
                response, trouble = None, type(error).__name__
            if response is not None and response.is_success:
                return response
            passing = response is None or response.status_code in (429, 502, 503, 504)
            if not passing or monotonic() > deadline or self._stop.wait(_PAUSE_SECONDS):
                raise NotAnswered(f"reporting did not answer {what}: {trouble}")
