"""What machines ask of a process: does it live, is it ready, which release is it, what does it measure."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from logging import getLogger

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from verbund.events.offices import Office, Process
from verbund.service.permissions import PUBLIC, permit

_log = getLogger(__name__)

_PATIENCE_SECONDS = 3.0  # a probe that hangs is an answer too; orchestrators give up after a few seconds


@dataclass(frozen=True, slots=True)
class Probe:
    """One thing that a process needs in order to be of use; `check` answers None, or in a few words what is wrong."""

    name: str
    check: Callable[[], Awaitable[str | None]]


def health_router(office: Office, process: Process, probes: Sequence[Probe]) -> APIRouter:
    """`/livez`, `/readyz`, `/version`, `/metrics`."""
    router = APIRouter(tags=["health"], dependencies=[permit(PUBLIC)])
    release = {"office": office.name, "process": process.name, "version": release_of(office)}

    @router.get("/livez", summary="Does the process live?")
    async def live() -> dict[str, str]:
        return {"state": "alive"}

    @router.get(
        "/readyz", summary="Is everything there that the process needs?", responses={503: {"description": "Not yet"}}
    )
    async def ready() -> JSONResponse:
        troubles = await asyncio.gather(*(_ask(probe) for probe in probes))
        states = {probe.name: trouble or "ok" for probe, trouble in zip(probes, troubles, strict=True)}
        fine = not any(troubles)
        return JSONResponse({"state": "ready" if fine else "not ready", "probes": states}, 200 if fine else 503)

    @router.get("/version", summary="Which release is this?")
    async def read_version() -> dict[str, str]:
        return release

    @router.get("/metrics", summary="Metrics in the text format of Prometheus", response_class=Response)
    async def read_metrics() -> Response:
        return Response(generate_latest(), headers={"Content-Type": CONTENT_TYPE_LATEST})

    return router


def release_of(office: Office) -> str:
    """The version of the office's distribution, or of the platform's where the office has none of its own."""
    for distribution in (f"verbund-{office.name}", "verbund"):
        try:
            return version(distribution)
        except PackageNotFoundError:
            continue
    return "unknown"


async def _ask(probe: Probe) -> str | None:
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            return await probe.check()
    except TimeoutError:
        return "no answer"
    except Exception as error:  # noqa: BLE001 - whatever it is, it is what keeps the process from being ready
        _log.exception("a probe failed", extra={"probe": probe.name})
        return f"failed: {type(error).__name__}"
