"""What a request may bring: no body over the limit, judged before it is parsed, no NUL, no parameter twice."""

from collections.abc import Mapping
from urllib.parse import parse_qsl

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from verbund.errors import Problem, TooLarge
from verbund.service.problems import Invalid, answer_problem
from verbund.service.validation import parameter_finding
from verbund.service.words import message_id

USUAL_BYTES = 64 * 1024
_ESCAPED_NUL = b"\\u0000"  # in JSON; PostgreSQL stores no NUL in text, and no name has one
_ENCODED_NUL = b"%00"  # in a form, a path or a query


class BodyLimit:
    """Refuses too large bodies, by their announced length or while they come in, and NUL characters."""

    def __init__(self, app: ASGIApp, upload_limits: Mapping[str, int]) -> None:
        self.app = app
        self._uploads = tuple(sorted(upload_limits.items(), key=lambda item: -len(item[0])))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        try:
            if "\0" in scope["path"] or _ENCODED_NUL in scope["query_string"]:
                raise _nul()
            _check_query(scope["query_string"])
            if scope["method"] in ("GET", "HEAD"):
                limited: Receive = receive
            else:
                limited = self._limited(scope, receive)
        except Problem as problem:
            await answer_problem(problem, Request(scope))(scope, receive, send)
            return
        await self.app(scope, limited, send)

    def _limited(self, scope: Scope, receive: Receive) -> Receive:
        headers = Headers(scope=scope)
        most = next((size for prefix, size in self._uploads if scope["path"].startswith(prefix)), USUAL_BYTES)
        announced = headers.get("content-length", "0")
        if not announced.isdecimal() or int(announced) > most:
            raise _too_large(most)
        nul = _nul_in(headers.get("content-type", ""))
        taken, tail = 0, b""

        async def receive_within_limit() -> Message:
            nonlocal taken, tail
            message = await receive()
            body = message.get("body", b"")
            taken += len(body)
            if taken > most:
                raise _too_large(most)
            if nul and body:
                seam = tail + body  # a NUL may be cut in two by the way it is sent
                if nul in seam or b"\0" in body:
                    raise _nul()
                tail = seam[-len(nul) :]
            return message

        return receive_within_limit


def _check_query(query: bytes) -> None:
    """Refuse a parameter that is there twice: whoever reads the first and whoever reads the last see two questions."""
    if b"&" not in query:
        return
    seen: set[str] = set()
    for name, _ in parse_qsl(query.decode("latin-1"), keep_blank_values=True):
        if name in seen:
            finding = parameter_finding("query", name, "given_twice", message_id("Say this once."))
            raise Invalid("given_twice", "A parameter stands in this address twice. Say it once.", findings=(finding,))
        seen.add(name)


def _nul_in(content_type: str) -> bytes | None:
    """How a NUL character is spelled in this kind of content; None where NULs may be meant (files)."""
    if "x-www-form-urlencoded" in content_type:
        return _ENCODED_NUL
    return None if "multipart" in content_type else _ESCAPED_NUL


def _too_large(most: int) -> TooLarge:
    return TooLarge("too_large", "At most {kilobytes} kB are taken here.", kilobytes=most // 1024)


def _nul() -> Problem:
    return Problem("nul_character", "There are NUL characters in this request. Leave them out.")
