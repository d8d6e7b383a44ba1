"""What can go wrong at an office's door, each with a stable code and words that say what to do.

The words are English message ids with {placeholders}; the service kit translates them (German first) and turns
every one of these into an RFC 9457 problem. Values for the placeholders are never personal data: problems are logged.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, ClassVar


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing wrong with one field of the request; `pointer` is a JSON pointer (RFC 6901) into the body."""

    pointer: str
    code: str
    message: str
    values: Mapping[str, object] = field(default_factory=dict)


class Problem(Exception):
    """A refusal with a stable `code`, an HTTP status, and a sentence that says what to do."""

    status: ClassVar[HTTPStatus] = HTTPStatus.BAD_REQUEST

    def __init__(
        self,
        code: str,
        message: str,
        *,
        findings: Sequence[Finding] = (),
        retry_after_seconds: int | None = None,
        **values: Any,
    ) -> None:
        super().__init__(code)
        self.code = code
        self.message = message
        self.findings = tuple(findings)
        self.retry_after_seconds = retry_after_seconds
        self.values = values


class Unauthenticated(Problem):
    """The request carries no valid access token."""

    status = HTTPStatus.UNAUTHORIZED


class Forbidden(Problem):
    """The principal is known and may not do this."""

    status = HTTPStatus.FORBIDDEN


class NotFound(Problem):
    """There is no such thing, or not for this principal."""

    status = HTTPStatus.NOT_FOUND


class Stale(Problem):
    """The caller decided on a view that is no longer true (`If-Match` does not fit)."""

    status = HTTPStatus.PRECONDITION_FAILED


class TooLarge(Problem):
    """The body is larger than the door takes."""

    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE


class RuleBroken(Problem):
    """A rule of the office refuses the command; the finding points at the field that breaks it."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY

    def __init__(self, code: str, message: str, *, pointer: str = "", **values: Any) -> None:
        super().__init__(code, message, findings=(Finding(pointer, code, message, values),), **values)


class RowsRefused(Problem):
    """Several fields or rows break rules at once; the findings say which. Nothing of the request is booked."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY


class Conflict(Problem):
    """The request does not fit something under way or already answered under the same key."""

    status = HTTPStatus.CONFLICT


class NotNow(RuleBroken):
    """The state of the thing does not allow the command now; `allowed` names the commands that it does allow."""

    status = HTTPStatus.CONFLICT

    def __init__(self, code: str, message: str, *, allowed: Sequence[str] = (), **values: Any) -> None:
        super().__init__(code, message, **values)
        self.allowed = tuple(allowed)


class KeyReused(Problem):
    """An idempotency key came back with another request."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY


class Unavailable(Problem):
    """The office cannot take or finish this now; nothing is lost by trying again with the same key."""

    status = HTTPStatus.SERVICE_UNAVAILABLE
