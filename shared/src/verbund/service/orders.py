"""From a request to the desk and back: who orders what, under which key, and how the answer is told.

    @router.post("/residences", status_code=201)
    async def register_residence(command: RegisterResidence, form: OrderForm, desk: ...) -> Response:
        return answer_response(await desk.carry_out(form.order(command)))

The route declares its permission as any other; the order form takes the principal whom the door has let in.
"""

import hmac
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated, TypeVar
from urllib.parse import urlencode

from fastapi import Depends, Request
from pydantic_core import to_json
from starlette.responses import Response

from verbund.desk.orders import Answer, CloseInitialLoad, Order
from verbund.errors import Problem
from verbund.service.kit import kit_of
from verbund.service.permissions import principal_of
from verbund.service.principals import Principal
from verbund.service.trace import current_trace

C = TypeVar("C")

_KEY = re.compile(r"[\x21-\x7e]{1,255}")


@dataclass(frozen=True, slots=True)
class FilledForm:
    """Everything of an order but its command."""

    principal: Principal
    route: str
    idempotency_key: str
    fingerprint: bytes
    if_match: str | None
    traceparent: str | None
    _secret: bytes

    def order(self, command: C | CloseInitialLoad, recorded_at: datetime | None = None) -> Order[C]:
        """The order for the desk. `recorded_at` (aware): in an initial load only, when the office knew it.

        The desk keeps a keyed hash of the key: callers choose keys, and some would make them of a name.
        """
        return Order(
            command=command,
            actor=self.principal.actor,
            principal=self.principal.subject,
            route=self.route,
            idempotency_key=_keyed_hash(self._secret, (b"key", self.idempotency_key.encode())).hex(),
            fingerprint=self.fingerprint,
            key_as_sent=self.idempotency_key,
            if_match=self.if_match,
            traceparent=self.traceparent,
            recorded_at=recorded_at,
        )

    def line(self, number: int, body: bytes) -> "FilledForm":
        """The form of one line of an upload: its own key (`<key>:<number>`), and a fingerprint of that line alone.

        So an upload that broke off is sent again as a whole, and what was booked of it is not booked twice.
        """
        key = f"{self.idempotency_key}:{number}"
        return replace(self, idempotency_key=key, fingerprint=_keyed_hash(self._secret, (self.route.encode(), body)))


PARAMETERS: tuple[Mapping[str, object], ...] = (
    {
        "name": "Idempotency-Key",
        "in": "header",
        "required": True,
        "description": "Chosen by the caller. The same key with the same request gets the same answer again, "
        "and nothing is booked twice.",
        "schema": {"type": "string", "pattern": r"^[\x21-\x7e]{1,255}$"},
        "example": "0b9f9c1e-6b5e-4d3c-9f0a-3f1c2f0f7a11",
    },
    {
        "name": "If-Match",
        "in": "header",
        "description": "The `ETag` of what the caller has seen: refused (412) where it has changed since.",
        "schema": {"type": "string"},
    },
)
"""What an order form reads besides the body, as OpenAPI tells it."""


async def read_form(request: Request) -> FilledForm:
    """What `OrderForm` stands for. Reads the headers itself: declaring them to FastAPI costs a fifth of a request."""
    keys = request.headers.getlist("idempotency-key")
    if not keys:
        raise Problem("idempotency_key_missing", "Send a header Idempotency-Key, new for every new request.")
    if len(keys) > 1:
        raise _no_key()  # who stands between may have looked at the other one
    return fill_form(request, keys[0], await request.body())


OrderForm = Annotated[FilledForm, Depends(read_form)]
"""For the signature of a route: `form: OrderForm`. Refuses (400) without a good `Idempotency-Key`."""


def fill_form(request: Request, idempotency_key: str, body: bytes) -> FilledForm:
    """An order form with an explicit key and body: for pages, whose key travels in a field of the form."""
    if not _KEY.fullmatch(idempotency_key):
        raise _no_key()
    scope = request.scope
    secret = kit_of(scope).fingerprint_key
    if_match = request.headers.get("if-match")
    trace = current_trace.get()
    parts = (
        request.method.encode(),
        scope["path"].encode(),
        scope["query_string"],
        if_match.encode() if if_match is not None else None,
        body,
    )
    return FilledForm(
        principal=principal_of(scope),
        route=f"{request.method} {scope['route'].path_format}",
        idempotency_key=idempotency_key,
        fingerprint=_keyed_hash(secret, parts),
        if_match=if_match,
        traceparent=trace.traceparent if trace is not None else None,
        _secret=secret,
    )


def fill_form_from_fields(request: Request, fields: Mapping[str, str]) -> FilledForm:
    """The order form of a page's form (`application/x-www-form-urlencoded`), with its field `idempotency_key`."""
    key = fields.get("idempotency_key")
    if key is None:
        raise Problem("idempotency_key_missing", "The form has lost its key. Open it anew and fill it in again.")
    rest = sorted((name, value) for name, value in fields.items() if name != "idempotency_key")
    return fill_form(request, key, urlencode(rest).encode())


def _no_key() -> Problem:
    return Problem("idempotency_key_invalid", "The Idempotency-Key has to be 1 to 255 visible ASCII characters.")


def answer_response(answer: Answer) -> Response:
    """The desk's answer as a response: `Location`, `ETag`, and `Idempotency-Replayed` where it was given before."""
    headers = {}
    if answer.location is not None:
        headers["Location"] = answer.location
    if answer.etag is not None:
        headers["ETag"] = answer.etag
    if answer.replayed:
        headers["Idempotency-Replayed"] = "true"
    return Response(to_json(answer.receipt), status_code=answer.status, headers=headers, media_type="application/json")


def _keyed_hash(secret: bytes, parts: Iterable[bytes | None]) -> bytes:
    """HMAC-SHA256 over the parts, each after its length: no two sequences of parts are the same bytes."""
    digest = hmac.new(secret, digestmod="sha256")
    for part in parts:
        digest.update(b"-" if part is None else b"%d:%b" % (len(part), part))
    return digest.digest()
