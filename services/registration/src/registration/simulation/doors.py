"""The registration office's HTTP doors as the simulation uses them: patient with an office that starts or is busy."""

import json
from collections.abc import Callable, Mapping, Sequence
from threading import Event
from time import monotonic
from types import TracebackType
from typing import Any, Self

import httpx

_PATIENCE_SECONDS = 120.0  # an office that gives no answer for so long will not give one
_REQUEST_SECONDS = 60.0
_LONGEST_PAUSE_SECONDS = 5.0
_TRY_AGAIN_CODES = frozenset({"request_under_way"})


class OfficeSilent(Exception):
    """The office gave no answer for a long time, or the simulation was stopped while waiting for one."""


class Refused(Exception):
    """The office refused a request of the simulation, which then is at fault."""

    def __init__(self, status: int, code: str, detail: str) -> None:
        super().__init__(f"{status} {code}: {detail}")
        self.status = status
        self.code = code


class Doors:
    """One connection to one office under one set of roles; a context manager. Every request may be sent twice."""

    def __init__(self, url: str, issue_token: Callable[[], str], stop: Event) -> None:
        self._client = httpx.Client(base_url=url, timeout=_REQUEST_SECONDS, trust_env=False)
        self._issue_token = issue_token
        self._stop = stop
        self._token: str | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()

    def wait_until_ready(self) -> None:
        """Returns when the office says that it is ready; raises `OfficeSilent` where it does not in time."""
        self._patiently(lambda: self._client.get("/readyz"))

    def get(self, path: str, **query: str) -> Any:
        """The JSON answer to a question; raises `Refused` or `OfficeSilent`."""
        response = self._patiently(lambda: self._client.get(path, params=query, headers=self._headers()))
        return response.json()

    def post(self, path: str, key: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """The receipt of a booked command, sent again under the same key until there is an answer."""
        headers = {"Idempotency-Key": key}
        response = self._patiently(
            lambda: self._client.post(path, json=dict(body), headers={**self._headers(), **headers})
        )
        receipt: dict[str, Any] = response.json()
        return receipt

    def post_rows(self, path: str, key: str, rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """The results of rows, one each and in order, sent again under the same key until every row has an answer."""
        content = b"".join(json.dumps(row, ensure_ascii=False).encode() + b"\n" for row in rows)
        headers = {"Idempotency-Key": key, "Content-Type": "application/x-ndjson"}

        def send() -> httpx.Response:
            return self._client.post(path, content=content, headers={**self._headers(), **headers})

        def is_final(response: httpx.Response) -> bool:
            return not any(_passes(row["status"], row.get("code", "")) for row in _lines(response))

        results = _lines(self._patiently(send, is_final))
        if len(results) != len(rows):
            raise Refused(502, "wrong_answer", f"{len(rows)} rows were sent and {len(results)} answered")
        return results

    def _headers(self) -> dict[str, str]:
        # Kept as long as it is good: idempotency keys hold for one principal.
        self._token = self._token or self._issue_token()
        return {"Authorization": f"Bearer {self._token}", "Accept-Language": "en"}

    def _patiently(
        self,
        send: Callable[[], httpx.Response],
        is_final: Callable[[httpx.Response], bool] = lambda _: True,
    ) -> httpx.Response:
        """The first answer that will not pass by itself."""
        deadline = monotonic() + _PATIENCE_SECONDS
        pause, trouble = 0.05, "no answer yet"
        while monotonic() < deadline:
            try:
                response = send()
            except httpx.TransportError as error:
                trouble = type(error).__name__
            else:
                problem = _problem(response)
                if problem is None and is_final(response):
                    return response
                if problem is not None and problem.code == "token_expired":
                    self._token = None
                elif problem is not None and not _passes(problem.status, problem.code):
                    raise problem
                trouble = str(problem or "some rows are not through yet")
                pause = max(pause, _retry_after(response))
            if self._stop.wait(pause):
                raise OfficeSilent("stopped while waiting for the office")
            pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)
        raise OfficeSilent(
            f"the office at {self._client.base_url} gave no answer for {_PATIENCE_SECONDS:.0f} s: {trouble}"
        )


def _passes(status: int, code: str) -> bool:
    """Whether a refusal passes by itself: nothing is wrong with the request."""
    return status in (429, 502, 503, 504) or code in _TRY_AGAIN_CODES


def _problem(response: httpx.Response) -> Refused | None:
    if response.is_success:
        return None
    try:
        told = response.json()
    except ValueError:
        told = {}
    if not isinstance(told, dict):
        told = {}
    return Refused(
        response.status_code, str(told.get("code", "unknown")), str(told.get("detail", response.reason_phrase))
    )


def _retry_after(response: httpx.Response) -> float:
    seconds = response.headers.get("Retry-After", "0")
    return min(float(seconds), _LONGEST_PAUSE_SECONDS) if seconds.isdigit() else 0.0


def _lines(response: httpx.Response) -> list[dict[str, Any]]:
    return [json.loads(line) for line in response.text.splitlines() if line]
