"""Lists by cursor: every entry once, in order, and cursors that nobody made are refused."""

from base64 import urlsafe_b64encode
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from fastapi import APIRouter, FastAPI, Request, Response
from hypothesis import given
from hypothesis import strategies as st
from stage.service_kit import ServiceKit, ask

from verbund.errors import Problem
from verbund.service.paging import AskedPage, read_cursor, write_cursor
from verbund.service.permissions import PUBLIC, permit

NAMES = [("Ahorn", 1), ("Birke", 1), ("Birke", 2), ("Eiche", 4), ("Ulme", 5)]


@pytest.fixture
def app(tmp_path: Path) -> FastAPI:
    router = APIRouter(dependencies=[permit(PUBLIC)])

    @router.get("/trees")
    async def list_trees(asked: AskedPage, request: Request, response: Response) -> list[tuple[str, int]]:
        after = asked.expect(str, int)
        rows = [name for name in NAMES if after is None or name > after][: asked.size + 1]
        page = asked.page(rows, tuple(rows[: asked.size][-1]) if rows else None)
        response.headers.update(page.link(request))
        return list(page.items)

    return ServiceKit(tmp_path).service(router)


@pytest.mark.parametrize("size", [1, 2, 4, 5, 6])
async def test_following_the_links_reads_everything_once(app: FastAPI, size: int) -> None:
    path, read, pages = f"/trees?limit={size}&lang=en", [], 0
    while path:
        answer = await ask(app, "GET", path)
        assert answer.status_code == 200
        read += [tuple(row) for row in answer.json()]
        pages += 1
        link = answer.links.get("next", {})
        assert link == {} or ("lang=en" in link["url"] and f"limit={size}" in link["url"])
        path = link.get("url", "")
    assert read == NAMES
    assert pages == -(-len(NAMES) // size)


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "x",
        "ü",
        "bm8",
        write_cursor(("Ahorn",)),
        write_cursor((1, "Ahorn")),
        write_cursor(("Ahorn", 1)) + "=",
        write_cursor(("Ahorn", 1))[:-1],
        "A" * 2_000,
        urlsafe_b64encode(b'["Ahorn", 1]').decode(),
        urlsafe_b64encode(b'["Ahorn",true]').decode(),
        urlsafe_b64encode(b'{"a":1}').decode(),
        urlsafe_b64encode(b'["Ahorn",1.0]').decode(),
        urlsafe_b64encode(b'[["Ahorn"],1]').decode(),
        urlsafe_b64encode(b"[" * 700).decode(),
        urlsafe_b64encode(b"\xff\xfe").decode(),
    ],
)
async def test_a_cursor_that_this_list_did_not_make_is_refused(app: FastAPI, cursor: str) -> None:
    answer = await ask(app, "GET", "/trees", params={"cursor": cursor})
    assert (answer.status_code, answer.json()["code"]) == (400, "cursor_invalid")


@pytest.mark.parametrize("limit", ["0", "201", "many"])
async def test_a_page_has_between_one_and_two_hundred_entries(app: FastAPI, limit: str) -> None:
    answer = await ask(app, "GET", f"/trees?limit={limit}")
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["parameter"] == "limit"


@given(st.lists(st.text(max_size=20) | st.integers(-(2**62), 2**62), max_size=4).map(tuple))
def test_a_cursor_comes_back_as_it_was(place: tuple[Any, ...]) -> None:
    assert read_cursor(write_cursor(place)) == place


@given(st.text(max_size=200))
def test_whatever_comes_as_a_cursor_is_a_place_or_refused(cursor: str) -> None:
    with suppress(Problem):
        assert write_cursor(read_cursor(cursor)) == cursor
