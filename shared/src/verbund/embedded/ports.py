"""Loopback ports: is one free, and who holds it if not."""

import socket

import psutil

LOOPBACK = "127.0.0.1"


class PortTaken(Exception):
    """A port that the embedded default needs is held by another process; the message says what to do."""

    def __init__(self, port: int, purpose: str, remedy: str) -> None:
        super().__init__(f"Port {port} ({purpose}) is taken by {holder_of(port)}. {remedy}")
        self.port = port


def is_free(port: int) -> bool:
    """Whether a server could listen on the loopback port now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # As servers do it: a port in TIME_WAIT after a restart is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def find_free_port() -> int:
    """A loopback port that is free at this moment."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
    return port


def holder_of(port: int) -> str:
    """In words: the process that listens on the port, as far as this user may see it."""
    try:
        connections = psutil.net_connections(kind="tcp")
    except psutil.AccessDenied:  # macOS shows other processes' sockets to root only
        connections = []
    for connection in connections:
        local = connection.laddr
        if connection.status == psutil.CONN_LISTEN and local and local.port == port and connection.pid:
            try:
                name = psutil.Process(connection.pid).name()
            except psutil.Error:
                continue
            return f"process {connection.pid} ({name})"
    return "a process that this user may not see"
