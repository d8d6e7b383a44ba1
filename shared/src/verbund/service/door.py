"""The door of a route: who asks, and whether they may, settled before a byte of the body is read."""

from dataclasses import replace
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from verbund.errors import Forbidden, Unauthenticated
from verbund.service.kit import Kit, kit_of
from verbund.service.permissions import Permission, let_in
from verbund.service.principals import ANYBODY, Principal

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


class Door:
    """Lets a request through to a route's application where its principal has the route's permission."""

    def __init__(self, app: ASGIApp, permission: Permission) -> None:
        self.app = app
        self._permission = permission

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._permission.is_for_all_alike or (self._permission.public and not _shows_who_asks(scope)):
            let_in(scope, ANYBODY)
        else:
            kit = kit_of(scope)
            principal = _authenticate(scope, kit)
            if self._permission.public:  # whoever it is may see what everybody sees
                principal = replace(principal, roles=principal.roles | ANYBODY.roles)
            self._permission.check(principal, kit.office.name)
            let_in(scope, principal)
        await self.app(scope, receive, send)


def _shows_who_asks(scope: Scope) -> bool:
    headers = Headers(scope=scope)
    return "authorization" in headers or find_cookie(headers, kit_of(scope).session_cookie) is not None


def _authenticate(scope: Scope, kit: Kit) -> Principal:
    """Whose token this request carries: in its `Authorization` header or, from a browser, in the session's cookie."""
    headers = Headers(scope=scope)
    shown = headers.getlist("authorization")
    if shown:
        scheme, _, token = shown[0].partition(" ")
        # Of two tokens somebody on the way may have looked at the other one.
        if len(shown) > 1 or scheme.lower() != "bearer" or not token:
            raise Unauthenticated("token_invalid", "The access token is not valid here. Sign in again.")
        return kit.verifier.verify(token.strip())
    session = find_cookie(headers, kit.session_cookie)
    if session is None:
        raise Unauthenticated("token_missing", "This is open after signing in only.")
    principal = kit.verifier.verify(session)
    if scope["method"] not in _SAFE and not _from_our_own_pages(scope, headers):
        # A browser sends the cookie along with whatever form a foreign page makes it post.
        raise Forbidden("foreign_page", "This has to be sent from a page of this office itself.")
    return principal


def find_cookie(headers: Headers, name: str) -> str | None:
    """The value of a cookie, or None; what is no cookie header has no cookies."""
    for header in headers.getlist("cookie"):
        for piece in header.split(";"):
            key, _, value = piece.strip().partition("=")
            if key == name and value:
                return value.strip('"')
    return None


def _from_our_own_pages(scope: Scope, headers: Headers) -> bool:
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    origin = headers.get("origin")
    if origin is None:
        return False
    try:
        parts = urlsplit(origin)
    except ValueError:
        return False
    return parts.scheme == scope["scheme"] and parts.netloc == headers.get("host")
