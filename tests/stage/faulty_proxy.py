"""A line to an office that fails on purpose: it refuses, or cuts the connection around an answer of the real office."""

import json
import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from enum import Enum, auto
from http.client import HTTPConnection, HTTPResponse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from time import monotonic

_ANSWER_SECONDS = 60.0
_OF_ONE_CONNECTION = frozenset({"connection", "keep-alive", "transfer-encoding", "content-length"})  # RFC 9110, 7.6.1


class Trouble(Enum):
    """What happens to one POST; requests that only ask always come through."""

    NONE = auto()
    BUSY = auto()
    """503; the office never hears of it."""
    BUSY_FOR_A_SECOND = auto()
    """The same, with `Retry-After: 1`."""
    CUT = auto()
    """The office has answered, and nothing of it arrives."""
    CUT_HALFWAY = auto()
    """The office has answered, and half of it arrives."""
    CUT_UNDER_WAY = auto()
    """The line is cut while the office is still at it, which does not notice."""


@dataclass(frozen=True, slots=True)
class Passage:
    """A POST that came by."""

    path: str
    key: str
    """Its Idempotency-Key."""
    at: float
    """When it came, in seconds of `time.monotonic`."""
    trouble: Trouble
    answer: bytes
    """What the office said, whether or not it was passed on."""


@dataclass
class FaultyProxy:
    """An HTTP proxy on a loopback port, in front of another one."""

    upstream: int
    troubles: Iterator[Trouble] = field(default_factory=lambda: iter(()))
    """For each POST in turn; none where they have run out."""
    passages: list[Passage] = field(default_factory=list)
    """In the order in which they were answered."""
    url: str = ""

    @property
    def keys(self) -> list[str]:
        """The idempotency keys that came by, in order."""
        return [passage.key for passage in self.passages]


@contextmanager
def faulty_proxy(upstream: int) -> Iterator[FaultyProxy]:
    """A proxy in front of the loopback port `upstream`, and nothing wrong with it yet."""
    proxy = FaultyProxy(upstream)
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Door", (_Door,), {"proxy": proxy}))
    proxy.url = f"http://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Door(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 1 << 16  # head and body in one packet
    proxy: FaultyProxy

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing."""

    def do_GET(self) -> None:
        with self._forwarded(b"") as office:
            answer = office.getresponse()
            self._pass_on(answer, answer.read())

    def do_POST(self) -> None:
        at, trouble = monotonic(), next(self.proxy.troubles, Trouble.NONE)
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if trouble in (Trouble.BUSY, Trouble.BUSY_FOR_A_SECOND):
            self._note(at, trouble, b"")
            self._refuse(trouble)
            return
        with self._forwarded(body) as office:
            self.close_connection = trouble is not Trouble.NONE
            if trouble is Trouble.CUT_UNDER_WAY:
                self.connection.shutdown(socket.SHUT_RDWR)
            answer = office.getresponse()
            said = answer.read()
            # Before it is passed on: whoever has the answer finds it noted.
            self._note(at, trouble, said)
            if trouble is Trouble.NONE:
                self._pass_on(answer, said)
            elif trouble is Trouble.CUT_HALFWAY:
                self._pass_on(answer, said, arriving=len(said) // 2)

    def _note(self, at: float, trouble: Trouble, said: bytes) -> None:
        self.proxy.passages.append(Passage(self.path, self.headers["Idempotency-Key"], at, trouble, said))

    @contextmanager
    def _forwarded(self, body: bytes) -> Iterator[HTTPConnection]:
        """The connection to the office, which has this request and has not been asked for its answer yet."""
        connection = HTTPConnection("127.0.0.1", self.proxy.upstream, timeout=_ANSWER_SECONDS)
        with closing(connection):
            connection.request(self.command, self.path, body, dict(self.headers))
            yield connection

    def _pass_on(self, answer: HTTPResponse, said: bytes, arriving: int | None = None) -> None:
        """The office's answer, or the first `arriving` bytes of it."""
        self.send_response_only(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in _OF_ONE_CONNECTION:
                self.send_header(name, value)
        self._finish(said, arriving)

    def _refuse(self, trouble: Trouble) -> None:
        self.send_response_only(503)
        if trouble is Trouble.BUSY_FOR_A_SECOND:
            self.send_header("Retry-After", "1")
        self._finish(json.dumps({"code": "overloaded", "detail": "Try again."}).encode())

    def _finish(self, content: bytes, arriving: int | None = None) -> None:
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content[:arriving])
