"""What is seen of every request from outside: trace, one line in the log, metrics; and the last resort for errors."""

import asyncio
from dataclasses import dataclass
from logging import getLogger
from time import perf_counter

import structlog
from prometheus_client import Counter, Histogram
from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from verbund import metrics
from verbund.errors import Unavailable
from verbund.service.problems import answer_problem
from verbund.service.trace import continue_trace, current_trace

_log = getLogger(__name__)
_requests = structlog.get_logger("verbund.requests")

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})  # callers may invent others
_HUNG_UP = 499  # nobody was answered: the caller had gone (as nginx writes it)
_NOWHERE = "(none)"  # an address without a route: what was asked may be anything, even somebody's name


@dataclass(slots=True)
class _Counted:
    """The metrics of one route and outcome, looked up once."""

    method: str
    route: str
    status: int
    requests: Counter
    seconds: Histogram


class Watch:
    """The outermost layer of a service."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self._known: dict[tuple[str, str, int], _Counted] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        begun = perf_counter()
        trace = continue_trace(_traceparent(scope))
        token = current_trace.set(trace)
        bound = structlog.contextvars.bind_contextvars(trace_id=trace.trace_id)
        status, streams = 0, False

        async def send_and_note(message: Message) -> None:
            nonlocal status, streams
            if message["type"] == "http.response.start":
                status = message["status"]
                streams = any(value.startswith(b"text/event-stream") for _, value in message.get("headers", ()))
            await send(message)

        try:
            await self.app(scope, receive, send_and_note)
        except ClientDisconnect:
            _log.debug("a caller hung up")
        except asyncio.CancelledError:
            if status:
                raise
            # The process ends, and has waited long enough: what was asked may be booked all the same.
            _log.warning("a request was still under way when the process had to end")
            await answer_problem(_closing_down(), Request(scope))(scope, receive, send_and_note)
        except Exception as error:
            _log.exception("a request failed")
            if status:
                raise  # half an answer is out already: only breaking the connection tells the caller
            await answer_problem(error, Request(scope))(scope, receive, send_and_note)
        finally:
            counted = self._counted(scope, status or _HUNG_UP)
            counted.requests.inc()
            seconds = perf_counter() - begun
            if not streams:
                counted.seconds.observe(seconds)
            _requests.info(
                "request",
                method=counted.method,
                route=counted.route,
                status=counted.status,
                duration_ms=round(seconds * 1000, 2),
            )
            structlog.contextvars.reset_contextvars(**bound)
            current_trace.reset(token)

    def _counted(self, scope: Scope, status: int) -> _Counted:
        method = scope["method"] if scope["method"] in _METHODS else "OTHER"
        route = getattr(scope.get("route"), "path_format", _NOWHERE)
        counted = self._known.get((method, route, status))
        if counted is None:
            requests = metrics.HTTP_REQUESTS.labels(method, route, str(status))
            counted = _Counted(method, route, status, requests, metrics.HTTP_SECONDS.labels(method, route))
            self._known[method, route, status] = counted
        return counted


def _closing_down() -> Unavailable:
    return Unavailable("stopping", "The office is closing down. Try again in a moment.", retry_after_seconds=5)


def _traceparent(scope: Scope) -> str | None:
    for name, value in scope["headers"]:
        if name == b"traceparent":
            return str(value, "latin-1")
    return None
