"""Refusals in the one form of RFC 9457: a stable code, and a sentence in the caller's language that says what to do."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from http import HTTPStatus
from typing import Any

from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Match

from verbund.database import is_passing, unavailable
from verbund.errors import Finding, NotFound, NotNow, Problem, TooLarge, Unauthenticated
from verbund.service.kit import kit_of
from verbund.service.trace import current_trace
from verbund.service.validation import findings_of, is_about_the_path, parameter_of
from verbund.service.words import Words, language_of, message_id, words_for

__all__ = ["PROBLEM_TYPE", "Internal", "answer_problem", "findings_of", "problem_of"]


PROBLEM_TYPE = "application/problem+json"
_JSON_KINDS = ("application/json", "+json")
_FORM_KINDS = ("application/x-www-form-urlencoded", "multipart/form-data")

_TITLES = {
    400: message_id("This request cannot be understood"),
    401: message_id("Please sign in"),
    403: message_id("This is not open to you"),
    404: message_id("Not found"),
    405: message_id("This address does not take such requests"),
    409: message_id("This does not fit what is booked"),
    412: message_id("What you saw has changed since"),
    413: message_id("Too large"),
    415: message_id("This form of content is not taken"),
    422: message_id("Something is missing or not right"),
    503: message_id("Not available right now"),
}
_OTHER_TITLE = message_id("This did not work")


class Internal(Problem):
    """An error of ours: its details stand in the log under the trace id, and nowhere else."""

    status = HTTPStatus.INTERNAL_SERVER_ERROR


class NotAllowed(Problem):
    """The address is right, the method is not."""

    status = HTTPStatus.METHOD_NOT_ALLOWED


class WrongContent(Problem):
    """The body is of another kind than the route takes."""

    status = HTTPStatus.UNSUPPORTED_MEDIA_TYPE


class Invalid(Problem):
    """Fields of the request are missing or not right; the findings say which."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY


def internal_error() -> Internal:
    return Internal("internal", "Something went wrong here. Give the trace id to the people who run this service.")


def problem_of(error: Exception, request: Request) -> Problem:
    """Any exception as a problem; what nobody expected is `Internal`."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, RequestValidationError):
        return _problem_of_validation(error, request)
    if isinstance(error, HTTPException):
        return _problem_of_http(error, request)
    return unavailable(error) if is_passing(error) else internal_error()


def _problem_of_validation(error: RequestValidationError, request: Request) -> Problem:
    errors = error.errors()
    if any(item["type"] == "json_invalid" for item in errors):
        return _malformed()
    if is_about_the_path(errors):
        return _nothing_here()
    if any(tuple(item["loc"]) == ("body",) for item in errors) or _takes_a_form(request):
        wrong = _wrong_content(request)
        if wrong is not None:
            return wrong
    return Invalid("invalid", "Some fields are missing or not right.", findings=findings_of(error))


def _problem_of_http(error: HTTPException, request: Request) -> Problem:
    # FastAPI wraps whatever goes wrong while it reads the body: a limit of ours, nesting without end, bytes that are
    # no UTF-8, digits without end.
    if isinstance(error.__cause__, Problem):
        return error.__cause__
    if isinstance(error.__cause__, RecursionError | ValueError):
        return _malformed()
    if error.status_code == HTTPStatus.NOT_FOUND:
        return _nothing_here()
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        return NotAllowed(
            "method_not_allowed", "This address takes only: {methods}.", methods=", ".join(_methods_here(request))
        )
    if error.status_code == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        return TooLarge("too_large", "The request is too large.")
    if error.status_code < HTTPStatus.INTERNAL_SERVER_ERROR:
        return Problem("bad_request", "This request cannot be understood.")
    return internal_error()


def _methods_here(request: Request) -> list[str]:
    """What this address takes (RFC 9110, 10.2.1): the router itself names the methods of the first route alone."""
    routes = [route for route in request.app.routes if route.matches(request.scope)[0] is not Match.NONE]
    return sorted({method for route in routes for method in route.methods})


def _malformed() -> Problem:
    return Problem("json_malformed", "The body is not well-formed JSON (RFC 8259).")


def _nothing_here() -> NotFound:
    return NotFound("not_found", "There is nothing at this address.")


def _body_field(request: Request) -> Any:
    return getattr(request.scope.get("route"), "body_field", None)


def _takes_a_form(request: Request) -> bool:
    field = _body_field(request)
    return field is not None and type(field.field_info).__name__ in ("Form", "File")


def _wrong_content(request: Request) -> Problem | None:
    """Says which kind of content the route takes, where another one came."""
    if _body_field(request) is None or request.headers.get("content-length", "") == "0":
        return None
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if not kind and "content-length" not in request.headers and "transfer-encoding" not in request.headers:
        return None
    taken = _FORM_KINDS if _takes_a_form(request) else _JSON_KINDS
    if kind.endswith(taken):
        return None
    return WrongContent("content_type_wrong", "Send the body as {content_type}.", content_type=taken[0])


def answer_problem(error: Exception, request: Request) -> Response:
    """The answer to a request that went wrong: a page for people, `application/problem+json` for programs."""
    problem = problem_of(error, request)
    words = words_for(language_of(request))
    shown = _Shown.of(problem, words)
    if prefers_html(request.headers.get("accept", "")):
        answer = _page(request, problem, shown, words)
    else:
        answer = Response(
            json.dumps(shown.document(), ensure_ascii=False).encode(), problem.status, media_type=PROBLEM_TYPE
        )
    answer.headers["Content-Language"] = words.language
    answer.headers.update(_headers_of(problem))
    return answer


@dataclass(frozen=True, slots=True)
class _Shown:
    """A problem in one language."""

    problem: Problem
    title: str
    detail: str
    errors: Sequence[Mapping[str, object]]

    @classmethod
    def of(cls, problem: Problem, words: Words) -> "_Shown":
        return cls(
            problem,
            words.gettext(_TITLES.get(problem.status, _OTHER_TITLE)),
            words.say(problem.message, problem.values),
            tuple(_shown_findings(problem.findings, words)),
        )

    def document(self) -> dict[str, object]:
        document: dict[str, object] = {
            "type": f"urn:verbund:problem:{self.problem.code}",
            "title": self.title,
            "status": int(self.problem.status),
            "detail": self.detail,
            "code": self.problem.code,
            "errors": self.errors,
        }
        if isinstance(self.problem, NotNow):
            document["allowed"] = self.problem.allowed
        trace = current_trace.get()
        if trace is not None:
            document["instance"] = f"urn:verbund:trace:{trace.trace_id}"
        return document


def _shown_findings(findings: Sequence[Finding], words: Words) -> Iterator[Mapping[str, object]]:
    for finding in findings:
        place = parameter_of(finding) or {"pointer": finding.pointer}
        detail = words.say(finding.message, finding.values)
        if "line" in finding.values:  # of a file that was sent: people look there
            detail = words.say(message_id("Line {line}: {detail}"), {"line": finding.values["line"], "detail": detail})
        yield {**place, "code": finding.code, "detail": detail}


def _headers_of(problem: Problem) -> dict[str, str]:
    headers = {}
    if problem.retry_after_seconds is not None:
        headers["Retry-After"] = str(problem.retry_after_seconds)
    if isinstance(problem, Unauthenticated):
        # RFC 6750, 3: a request that shows no token is told no error.
        headers["WWW-Authenticate"] = "Bearer" if problem.code == "token_missing" else 'Bearer error="invalid_token"'
    if isinstance(problem, NotAllowed):
        headers["Allow"] = str(problem.values["methods"])
    return headers


def prefers_html(accept: str) -> bool:
    """Whether an Accept header likes a page better than JSON (RFC 9110, 12.5.1); `*/*` is no wish for pages."""
    if "text/html" not in accept:
        return False
    liking: dict[str, float] = {}
    for part in accept.split(",")[:30]:
        kind, *parameters = (piece.strip() for piece in part.split(";"))
        weight = next((piece[2:] for piece in parameters if piece.startswith("q=")), "1")
        try:
            liking[kind.lower()] = float(weight)
        except ValueError:
            liking[kind.lower()] = 0.0
    return liking.get("text/html", 0.0) > max(liking.get(PROBLEM_TYPE, 0.0), liking.get("application/json", 0.0))


_SIGN_IN = message_id(
    "Open the link that the command “verbund demo” prints, or ask the people who run this service for one."
)


def _page(request: Request, problem: Problem, shown: _Shown, words: Words) -> Response:
    """The refusal as a page: the office's own look where it has one."""
    sentences = [str(item["detail"]) for item in shown.errors if item["detail"] != shown.detail]
    if isinstance(problem, Unauthenticated):
        sentences.append(words.gettext(_SIGN_IN))
    if isinstance(problem, Internal):
        trace = current_trace.get()
        sentences.append(words.say(message_id("Trace id: {trace_id}"), {"trace_id": trace.trace_id if trace else "-"}))
    pages = kit_of(request.scope).pages
    if pages is not None:
        return pages.show(
            request,
            "problem.html",
            status=problem.status,
            title=shown.title,
            detail=shown.detail,
            findings=sentences,
            code=problem.code,
        )
    return HTMLResponse(plain_page(words.language, shown.title, [shown.detail, *sentences]), status_code=problem.status)


def plain_page(language: str, title: str, sentences: Sequence[str]) -> str:
    """A page without any dress, for a process that has no pages of its own."""
    paragraphs = "".join(f"<p>{escape(sentence)}</p>" for sentence in sentences)
    return (
        f'<!doctype html><html lang="{language}"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"></head>'
        f"<body><main><h1>{escape(title)}</h1>{paragraphs}</main></body></html>"
    )
