"""Open streams: each has a short queue of its own, so that a slow reader costs nobody else anything."""

import asyncio
import signal
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from functools import partial
from types import FrameType, TracebackType
from typing import Any, Generic, TypeVar

from verbund.metrics import LIVE_VIEWS

MessageT = TypeVar("MessageT")

# Some seconds of changes at the fastest pace. Who is further behind is better served by a fresh start.
_ROOM = 160


class Stream(Generic[MessageT]):
    """What one reader is still to be told. It ends when the reader is too slow, or when the service stops."""

    def __init__(self, room: int = _ROOM) -> None:
        self._messages: asyncio.Queue[MessageT | None] = asyncio.Queue(room)
        self.ended = False

    def put(self, message: MessageT) -> None:
        """Add a message; a full stream is ended instead, and its reader opens another one."""
        if self.ended:
            return
        if self._messages.qsize() >= self._messages.maxsize - 1:  # the last place is for the end itself
            self.end()
        else:
            self._messages.put_nowait(message)

    def end(self) -> None:
        """Let the reader go after the message it is at."""
        if not self.ended:
            self.ended = True
            while not self._messages.empty():
                self._messages.get_nowait()
            self._messages.put_nowait(None)

    async def __aiter__(self) -> AsyncIterator[MessageT]:
        while (message := await self._messages.get()) is not None:
            yield message


class Streams(Generic[MessageT]):
    """All open streams of a process. `end_all` is final: what is opened after it ends at once."""

    def __init__(self) -> None:
        self._open: set[Stream[MessageT]] = set()
        self._closing = False

    @contextmanager
    def open(self) -> Iterator[Stream[MessageT]]:
        """A new stream, there as long as its reader is."""
        stream: Stream[MessageT] = Stream()
        self._open.add(stream)
        LIVE_VIEWS.inc()
        if self._closing:
            stream.end()
        try:
            yield stream
        finally:
            self._open.discard(stream)
            LIVE_VIEWS.dec()

    def __len__(self) -> int:
        return len(self._open)

    def send(self, message: MessageT) -> None:
        """Add a message to every stream."""
        for stream in tuple(self._open):
            stream.put(message)

    def end_all(self) -> None:
        """End every stream, now and from now on."""
        self._closing = True
        for stream in tuple(self._open):
            stream.end()


class OnStopSignal:
    """Calls `act` as soon as the process is asked to stop (SIGTERM, SIGINT).

    A server waits for open answers before it leaves its application's parts. Live streams would never end by
    themselves: they are ended at the signal, before that wait.
    """

    def __init__(self, act: Callable[[], None]) -> None:
        self._act = act
        self._before: dict[signal.Signals, Any] = {}

    async def __aenter__(self) -> "OnStopSignal":
        if threading.current_thread() is threading.main_thread():
            loop = asyncio.get_running_loop()
            for number in (signal.SIGTERM, signal.SIGINT):
                before = signal.getsignal(number)
                if callable(before):  # nobody who stops anything: nothing to be ahead of
                    self._before[number] = before
                    signal.signal(number, partial(self._pass_on, loop, before))
        return self

    def _pass_on(self, loop: asyncio.AbstractEventLoop, before: Any, number: int, frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(self._act)
        before(number, frame)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for number, before in self._before.items():
            signal.signal(number, before)
        self._act()
