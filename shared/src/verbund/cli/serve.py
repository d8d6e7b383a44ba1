"""`verbund serve`: one process of an office, as the supervisor starts it."""

from functools import partial
from importlib import import_module
from typing import Annotated

import typer
import uvicorn
from pydantic_settings import BaseSettings, SettingsConfigDict
from starlette.types import ASGIApp

from verbund.cli.output import AsJson, Output
from verbund.events.offices import Process, find_offices
from verbund.service.memory import settle

_GRACE_SECONDS = 8  # open pages hold their stream for hours; the supervisor waits a little longer than this


class _Door(BaseSettings):
    """Where the process listens; everything else is for the office's own settings."""

    model_config = SettingsConfigDict(env_prefix="VERBUND_")

    host: str = "127.0.0.1"
    port: int | None = None


def serve(
    name: Annotated[str, typer.Argument(help="Name of the process, such as registration or reporting-reader.")],
    *,
    as_json: AsJson = False,
) -> None:
    """Run one process of an office in the foreground; its settings come from VERBUND_ environment variables."""
    door = _Door()
    process = _find_process(name, Output(as_json=as_json))
    uvicorn.run(
        partial(_made, process.app),
        factory=True,
        host=door.host,
        port=door.port or process.port,
        loop="uvloop",
        http="httptools",
        ws="none",
        lifespan="on",
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )


def _made(place: str) -> ASGIApp:
    module, _, name = place.partition(":")
    app: ASGIApp = getattr(import_module(module), name)()
    settle()
    return app


def _find_process(name: str, output: Output) -> Process:
    processes = {process.name: process for office in find_offices() for process in office.processes}
    if name not in processes:
        output.fail(f"There is no process {name!r}. There are: {', '.join(processes)}")
    return processes[name]
