"""Signing in and out with a browser. The session is the access token itself, in a cookie that no script can read.

A ticket is taken by the very GET of its link: it works without scripts and without a further click. What speaks
against it, a browser that fetches links ahead, is met twice: such fetches are turned away, and a link that was used
already still leads in where its browser got the session.
"""

from http import HTTPStatus
from time import time

from fastapi import APIRouter, Request
from starlette.datastructures import Headers
from starlette.responses import HTMLResponse, RedirectResponse, Response

from verbund.errors import Problem, Unauthenticated, Unavailable
from verbund.service.door import find_cookie
from verbund.service.kit import Kit, kit_of
from verbund.service.permissions import PUBLIC, permit
from verbund.service.problems import plain_page
from verbund.service.tickets import take_ticket
from verbund.service.words import language_of, message_id, words_for

_HOME = "/"


def sessions_router() -> APIRouter:
    """`/sign-in` and `/sign-out`."""
    router = APIRouter(include_in_schema=False, dependencies=[permit(PUBLIC)])
    router.add_api_route("/sign-in", sign_in, methods=["GET"])
    router.add_api_route("/sign-out", sign_out, methods=["GET"])
    return router


async def sign_in(request: Request, ticket: str = "") -> Response:
    """Exchange a one-time ticket for a session and go to the first page."""
    kit = kit_of(request.scope)
    if "prefetch" in request.headers.get("sec-purpose", ""):
        raise Unavailable("not_ahead", "This link is not opened ahead of time.", retry_after_seconds=1)
    token = take_ticket(kit.settings.tickets, ticket) if kit.settings.tickets is not None and ticket else None
    if token is None:
        if _has_session(kit, request.headers):
            return RedirectResponse(_HOME, HTTPStatus.SEE_OTHER)
        raise Unauthenticated("ticket_invalid", "This link has been used already, or it is older than ten minutes.")
    answer = RedirectResponse(_HOME, HTTPStatus.SEE_OTHER)
    answer.set_cookie(
        kit.session_cookie,
        token,
        max_age=max(int(kit.verifier.examine(token).expires - time()), 0),
        path="/",
        secure=request.url.scheme == "https",
        httponly=True,
        samesite="lax",
    )
    return answer


async def sign_out(request: Request) -> Response:
    """Forget the session in this browser. The token itself ends by its own time."""
    words = words_for(language_of(request))
    title, sentence = message_id("Signed out"), message_id("You are signed out in this browser.")
    answer = HTMLResponse(plain_page(words.language, words.gettext(title), [words.gettext(sentence)]))
    answer.delete_cookie(kit_of(request.scope).session_cookie, path="/", httponly=True, samesite="lax")
    return answer


def _has_session(kit: Kit, headers: Headers) -> bool:
    session = find_cookie(headers, kit.session_cookie)
    try:
        return session is not None and kit.verifier.verify(session) is not None
    except Problem:
        return False
