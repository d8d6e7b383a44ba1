"""One process of an office, as the supervisor starts it: `python -m verbund.service.serving NAME`.

`verbund serve NAME` does the same; without the other commands of the program it takes less of the machine.
"""

import sys
from collections.abc import Mapping
from functools import partial
from importlib import import_module
from typing import Any

import uvicorn
from pydantic_settings import BaseSettings, SettingsConfigDict
from starlette.types import ASGIApp

from verbund.events.offices import find_offices
from verbund.service.memory import settle

SERVED: Mapping[str, Any] = {
    "loop": "uvloop",
    "http": "httptools",
    "ws": "none",
    "lifespan": "on",
    "access_log": False,
    "log_config": None,
    "server_header": False,
    "proxy_headers": False,
}
"""What uvicorn is told about every process of an office, wherever it listens."""
GRACE_SECONDS = 8
"""For what is under way when a service ends: open pages hold their stream for hours. The supervisor waits longer."""


class _Door(BaseSettings):
    """Where the process listens; everything else is for the office's own settings."""

    model_config = SettingsConfigDict(env_prefix="VERBUND_")

    host: str = "127.0.0.1"
    port: int | None = None


def run(name: str) -> None:
    """Run the process of this name until a signal ends it; its settings come from VERBUND_ environment variables.

    Raises `LookupError`, with the names that there are, where no office has such a process.
    """
    processes = {process.name: process for office in find_offices() for process in office.processes}
    if name not in processes:
        raise LookupError(f"There is no process {name!r}. There are: {', '.join(processes)}")
    door = _Door()
    listen(processes[name].app, door.host, door.port or processes[name].port)


def listen(place: str, host: str, port: int) -> None:
    """Run the ASGI application that the function at `place` (`module:name`) makes, until a signal ends it."""
    uvicorn.run(
        partial(_made, place),
        factory=True,
        host=host,
        port=port,
        timeout_graceful_shutdown=GRACE_SECONDS,
        **SERVED,
    )


def _made(place: str) -> ASGIApp:
    module, _, name = place.partition(":")
    app: ASGIApp = getattr(import_module(module), name)()
    settle()
    return app


if __name__ == "__main__":
    run(sys.argv[1])
