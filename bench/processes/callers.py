"""Clerks' programs in a process of their own: registrations over kept connections, as fast as they are answered or at
a fixed rate. Talks HTTP/1.1 by hand, because a comfortable client costs more of the machine than the office does.

Run by the other benchmarks; prints one JSON line.
"""

import asyncio
import json
import sys
from argparse import ArgumentParser, Namespace
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from itertools import count
from time import monotonic
from typing import NamedTuple, cast
from urllib.parse import urlsplit
from uuid import uuid4
from zoneinfo import ZoneInfo

import uvloop

_FORM = {
    "area": "05",
    "street": "Beispielweg",
    "landlord_confirmation": "present",
    "given_names": "Alex",
    "birth_date": "1987-05-14",
    "sex": "unknown",
    "nationality": "154",
    # Today, as most: what lies before an office began changes what is reported at all, and figures are asked afresh.
    "moved_in_on": datetime.now(ZoneInfo("Europe/Berlin")).date().isoformat(),
    "arrival_kind": "abroad",
    "previous_state": "154",
}
_PATIENCE_SECONDS = 60.0  # for what was sent and is not answered at the end


class Answered(NamedTuple):
    """One request, in seconds of the machine's monotonic clock, which is the same for all its processes."""

    planned: float
    done: float
    status: int
    number: int
    """In the office's book; 0 where nothing was booked."""


class Line(asyncio.Protocol):
    """One kept connection: one request at a time."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._got = b""
        self._answer: asyncio.Future[tuple[int, bytes]] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is one in all but name

    def send(self, request: bytes) -> "asyncio.Future[tuple[int, bytes]]":
        """Status and body of the answer."""
        assert self._transport is not None
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return self._answer

    def data_received(self, data: bytes) -> None:
        self._got += data
        head, found, body = self._got.partition(b"\r\n\r\n")
        if not found:
            return
        lower = head.lower()
        at = lower.index(b"content-length:") + len(b"content-length:")
        length = int(lower[at:].split(b"\r\n", 1)[0])
        if len(body) >= length and self._answer is not None:
            self._got = b""
            self._answer.set_result((int(head[9:12]), body))

    def connection_lost(self, error: Exception | None) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(error or ConnectionError("the office hung up"))


def requests(token: str, path: str = "/residences") -> Iterator[bytes]:
    """Registrations of different people, each under a key of its own."""
    run = uuid4()
    for n in count():
        body = json.dumps({**_FORM, "family_name": f"Muster{n}", "house_number": str(n % 200 + 1)}).encode()
        yield (
            f"POST {path} HTTP/1.1\r\nHost: office\r\nAuthorization: Bearer {token}\r\n"
            f"Idempotency-Key: {run}-{n}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        ).encode() + body


async def ask(line: Line, request: bytes, planned: float) -> Answered:
    """Send one request and wait for its answer."""
    status, body = await line.send(request)
    return Answered(planned, monotonic(), status, json.loads(body).get("number", 0))


async def closed_loop(lines: list[Line], todo: Iterator[bytes], seconds: float) -> list[Answered]:
    """Each connection sends its next request as soon as the one before is answered."""
    end = monotonic() + seconds
    answered: list[Answered] = []

    async def caller(line: Line) -> None:
        while (now := monotonic()) < end:
            answered.append(await ask(line, next(todo), now))

    await asyncio.gather(*map(caller, lines))
    return answered


async def open_loop(lines: list[Line], todo: Iterator[bytes], seconds: float, rate: float) -> list[Answered]:
    """Requests at their planned times, whatever became of those before; one that finds no free connection waits.

    A request's time counts from when it was planned, so that a slow office cannot slow its own measurement down.
    """
    free: asyncio.Queue[Line] = asyncio.Queue()
    for line in lines:
        free.put_nowait(line)
    answered: list[Answered] = []

    async def caller(line: Line, planned: float) -> None:
        answered.append(await ask(line, next(todo), planned))
        free.put_nowait(line)

    begin = monotonic() + 0.1
    tasks = set()
    for n in range(round(rate * seconds)):
        planned = begin + n / rate
        await asyncio.sleep(max(planned - monotonic(), 0))
        task = asyncio.create_task(caller(await free.get(), planned))
        tasks.add(task)
        task.add_done_callback(tasks.discard)
    async with asyncio.timeout(_PATIENCE_SECONDS):
        await asyncio.gather(*tasks)
    return answered


async def call(wanted: Namespace, token: str) -> None:
    """Call as wanted and print what came back."""
    place, todo, loop = urlsplit(wanted.url), requests(token), asyncio.get_running_loop()
    lines = [(await loop.create_connection(Line, place.hostname, place.port))[1] for _ in range(wanted.connections)]
    if wanted.rate:
        answered = await open_loop(lines, todo, wanted.seconds, wanted.rate)
    else:
        answered = await closed_loop(lines, todo, wanted.seconds)
    took = max(each.done for each in answered) - min(each.planned for each in answered)
    said = {
        "statuses": Counter(each.status for each in answered),
        "per_second": len(answered) / took,
        "answered": [(each.planned, each.done, each.number) for each in answered] if wanted.each else [],
    }
    sys.stdout.write(json.dumps(said) + "\n")


def arguments() -> Namespace:
    """The token comes on standard input: what stands in a command line is for everybody to see."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--connections", type=int, required=True)
    parser.add_argument("--rate", type=float, help="requests a second; without it, as fast as they are answered")
    parser.add_argument("--each", action="store_true", help="print the times and number of each request")
    return parser.parse_args()


if __name__ == "__main__":
    uvloop.run(call(arguments(), sys.stdin.read().strip()))
