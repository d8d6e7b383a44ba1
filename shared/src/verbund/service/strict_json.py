"""Bodies of requests as JSON, read strictly: what two readers could understand in two ways is refused."""

import json
from typing import Any, NoReturn

from fastapi.routing import APIRoute, request_response
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp

from verbund.errors import Problem


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise Problem("field_twice", "A field stands in this body twice. Say it once.")
    return found


def _no_number(_: str) -> NoReturn:
    raise ValueError("NaN and Infinity are no JSON")


_DECODER = json.JSONDecoder(object_pairs_hook=_once, parse_constant=_no_number)


def read_json(body: bytes) -> Any:
    """The value in `body`: UTF-8 without a byte order mark (RFC 8259, 8.1), no field twice, no NaN.

    Raises `Problem` (`field_twice`) or `ValueError` where it is no JSON at all.
    """
    return _DECODER.decode(body.decode("utf-8"))


class _StrictRequest(Request):
    """A request whose body is read by `read_json`; the standard library guesses encodings and takes the last of two."""

    async def json(self) -> Any:
        if not hasattr(self, "_json"):
            self._json = read_json(await self.body())
        return self._json


def strictly(route: APIRoute) -> ASGIApp:
    """The application of a route, with bodies read so."""
    handle = route.get_route_handler()

    async def handle_strictly(request: Request) -> Response:
        return await handle(_StrictRequest(request.scope, request.receive))

    return request_response(handle_strictly)
