"""Lists by cursor: one page, and in a `Link` header the address of the next (RFC 8288).

A cursor is where the last page ended, in the order of the list. It is no secret and proves nothing: every page is
asked under the caller's own permission, and a cursor of another shape is refused.
"""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Generic, TypeVar

from fastapi import Depends, Query, Request
from starlette.datastructures import URL

from verbund.errors import Problem

T = TypeVar("T")
CursorPart = str | int
LARGEST = 200
_USUAL = 50


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page of a list, and where the next begins (None: this was the last)."""

    items: Sequence[T]
    next_cursor: str | None

    def link(self, request: Request) -> dict[str, str]:
        """The `Link` header to the next page, if there is one."""
        if self.next_cursor is None:
            return {}
        address: URL = request.url.include_query_params(cursor=self.next_cursor)
        return {"Link": f'<{address.path}?{address.query}>; rel="next"'}


@dataclass(frozen=True, slots=True)
class Asked:
    """Which page is asked for."""

    after: tuple[CursorPart, ...] | None
    """Where the page before ended; None for the first."""
    size: int

    def expect(self, *kinds: type) -> tuple[CursorPart, ...] | None:
        """`after`, where its parts are of these kinds (str, int); raises `cursor_invalid` (400) where they are not."""
        if self.after is not None and tuple(type(part) for part in self.after) != kinds:
            raise _invalid()
        return self.after

    def page(self, rows: Sequence[T], end: tuple[CursorPart, ...] | None) -> Page[T]:
        """The page of `rows`, of which one more than `size` was read; `end`: the place of the last one on this page."""
        more = len(rows) > self.size and end is not None
        return Page(rows[: self.size], write_cursor(end) if more and end is not None else None)


def write_cursor(parts: tuple[CursorPart, ...]) -> str:
    """A place in a list as an opaque word for addresses."""
    return urlsafe_b64encode(json.dumps(parts, separators=(",", ":")).encode()).rstrip(b"=").decode()


def read_cursor(cursor: str) -> tuple[CursorPart, ...]:
    """The place that a cursor names; raises `cursor_invalid` (400) for anything that `write_cursor` did not write."""
    try:
        parts = json.loads(urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4)))
    except (ValueError, RecursionError) as error:
        raise _invalid() from error
    if not isinstance(parts, list) or not all(type(part) in (str, int) for part in parts):
        raise _invalid()
    place = tuple(parts)
    if write_cursor(place) != cursor:  # one place, one cursor: no spaces, no second spelling
        raise _invalid()
    return place


async def _read(
    cursor: Annotated[str | None, Query(description="From the `Link` header of the page before.")] = None,
    limit: Annotated[int, Query(ge=1, le=LARGEST, description="Entries on one page.")] = _USUAL,
) -> Asked:
    return Asked(None if cursor is None else read_cursor(cursor), limit)


AskedPage = Annotated[Asked, Depends(_read)]
"""For the signature of a route: `asked: AskedPage`."""


def _invalid() -> Problem:
    return Problem("cursor_invalid", "This cursor was not made by this list. Start from its first page.")
