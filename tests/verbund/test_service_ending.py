"""A process that has to end while a request is under way: whoever waits is told so, and not that something broke."""

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from typing import Any

import httpx
import pytest
from fastapi import APIRouter
from stage.served_offices import listening
from stage.service_kit import ServiceKit
from starlette.responses import StreamingResponse

from verbund.errors import Unavailable
from verbund.service.permissions import PUBLIC, permit


class Slow:
    """Routes that do not come to an end by themselves."""

    def __init__(self) -> None:
        self.reached = Event()
        self.router = APIRouter(dependencies=[permit(PUBLIC)])
        self.router.add_api_route("/bookings", self.book, methods=["POST"])
        self.router.add_api_route("/stream", self.stream)

    async def book(self) -> str:
        self.reached.set()
        return await _never()

    async def stream(self) -> StreamingResponse:
        return StreamingResponse(self._pieces())

    async def _pieces(self) -> AsyncIterator[bytes]:
        yield b"first"
        self.reached.set()
        yield (await _never()).encode()


async def _never() -> str:
    never: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    return await never


def _ended_while_asked(folder: Path, method: str, path: str) -> httpx.Response:
    """The answer to a request that was under way when the process was told to end."""
    slow = Slow()
    with ThreadPoolExecutor(1) as pool:
        with listening(ServiceKit(folder).service(slow.router)) as url:
            asked: Any = pool.submit(httpx.request, method, url + path, timeout=30, trust_env=False)
            assert slow.reached.wait(30)
        answer: httpx.Response = asked.result()
    return answer


def test_whoever_still_waits_when_a_process_ends_is_told_to_come_again(tmp_path: Path) -> None:
    answer = _ended_while_asked(tmp_path, "POST", "/bookings")
    assert answer.status_code == Unavailable.status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["retry-after"] == "5"
    assert answer.json()["code"] == "stopping"


def test_half_an_answer_is_broken_off_so_that_nobody_takes_it_for_whole(tmp_path: Path) -> None:
    with pytest.raises(httpx.RemoteProtocolError):
        _ended_while_asked(tmp_path, "GET", "/stream")
