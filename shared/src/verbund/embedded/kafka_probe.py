"""Asks a broker for the brokers it knows, in Kafka's own protocol: an open port alone says little."""

import socket
import ssl
import struct
from typing import BinaryIO

from verbund.embedded.ports import LOOPBACK

_METADATA, _VERSION = 3, 1
_CORRELATION = 7
_NO_NAME = -1
_ANSWER_SECONDS = 5.0
_LARGEST_ANSWER = 1 << 20


def find_brokers(port: int, tls: ssl.SSLContext | None = None) -> frozenset[int]:
    """The numbers of the brokers that take records now, as the broker on this loopback port sees it.

    Empty where nothing answers there, or something else than Kafka. A broker counts itself among them only when it
    has caught up with what the cluster agreed on.
    """
    try:
        with socket.create_connection((LOOPBACK, port), _ANSWER_SECONDS) as bare:
            if tls is None:
                return _ask(bare)
            with tls.wrap_socket(bare, server_hostname=LOOPBACK) as wrapped:
                return _ask(wrapped)
    except (OSError, EOFError, struct.error):
        return frozenset()


def _ask(connection: socket.socket) -> frozenset[int]:
    """Metadata of no topic: the answer begins with the brokers."""
    request = struct.pack(">hhihi", _METADATA, _VERSION, _CORRELATION, _NO_NAME, 0)
    connection.sendall(struct.pack(">i", len(request)) + request)
    with connection.makefile("rb") as answer:
        size, correlation = struct.unpack(">ii", _read(answer, 8))
        if correlation != _CORRELATION or not 0 < size < _LARGEST_ANSWER:
            return frozenset()
        return frozenset(_read_broker(answer) for _ in range(struct.unpack(">i", _read(answer, 4))[0]))


def _read_broker(answer: BinaryIO) -> int:
    number: int = struct.unpack(">i", _read(answer, 4))[0]
    _skip_text(answer)  # host
    _read(answer, 4)  # port
    _skip_text(answer)  # rack
    return number


def _skip_text(answer: BinaryIO) -> None:
    (length,) = struct.unpack(">h", _read(answer, 2))
    _read(answer, max(length, 0))  # -1 stands for none


def _read(answer: BinaryIO, size: int) -> bytes:
    content = answer.read(size)
    if len(content) < size:
        raise EOFError
    return content
