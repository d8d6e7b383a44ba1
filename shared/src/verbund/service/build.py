"""Builds the FastAPI application of one process of an office: fifteen lines in its `app.py`, the rest is here."""

from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from copy import copy

from fastapi import APIRouter, FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response

from verbund.errors import Problem
from verbund.events.offices import Office, Process
from verbund.logs import configure_logs
from verbund.service.door import Door
from verbund.service.headers import SecurityHeaders
from verbund.service.health import Probe, health_router, release_of
from verbund.service.kit import Kit
from verbund.service.limits import BodyLimit
from verbund.service.pages import Pages, assets_router
from verbund.service.permissions import PUBLIC, permit, walk
from verbund.service.problems import answer_problem
from verbund.service.reference import Service, reference_router
from verbund.service.sessions import sessions_router
from verbund.service.strict_json import strictly
from verbund.service.tokens import TokenVerifier
from verbund.service.watch import Watch
from verbund.service.words import load_words
from verbund.settings import ServiceSettings

__all__ = ["Probe", "build_service"]


def build_service(
    office: Office,
    process: Process,
    settings: ServiceSettings,
    *,
    routers: Sequence[APIRouter],
    parts: Sequence[AbstractAsyncContextManager[object]] = (),
    probes: Sequence[Probe] = (),
    state: Mapping[str, object] | None = None,
    pages: Pages | None = None,
    upload_limits: Mapping[str, int] | None = None,
) -> FastAPI:
    """The application of a process.

    `parts` are entered in this order when it starts and left in reverse when it stops; `probes` are what `/readyz`
    asks; `state` becomes `app.state`; `pages` brings the office's look to refusals and its assets to `/assets`;
    `upload_limits` (path prefix -> bytes) lets some paths take more than the usual 64 kB.

    Raises `LookupError` where a route declares no permission, or where two routes have the same address: such a
    service does not start.
    """
    configure_logs(settings.log_level, process.name)
    for package in ("verbund", "verbund.service.pages", office.package):
        load_words(package)
    verifier = TokenVerifier(settings.tokens, office.name, settings.municipality)
    kit = Kit(office, process, settings, verifier, pages, upload_limits or {})
    own = [
        health_router(office, process, [*probes, Probe("issuer's keys", verifier.trouble)]),
        reference_router(),
        sessions_router(),
        *([assets_router(pages, permit(PUBLIC))] if pages is not None else []),
    ]
    service = Service(
        title=f"Verbund: {office.name}",
        version=release_of(office),
        routes=list(_behind_doors([*routers, *own])),
        lifespan=_lifespan(parts),
        middleware=[
            Middleware(SecurityHeaders),
            Middleware(Watch),
            Middleware(BodyLimit, upload_limits=kit.upload_limits),
        ],
        exception_handlers=dict.fromkeys((Problem, HTTPException, RequestValidationError), _answer),
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    for name, value in (state or {}).items():
        setattr(service.state, name, value)
    service.state.kit = kit
    return service


def _behind_doors(routers: Sequence[APIRouter]) -> Iterator[APIRoute]:
    """Every route behind its own door. Copies: a router may belong to more than one application (in tests it does)."""
    taken: set[tuple[str, str]] = set()
    for router in routers:
        for route, permission in walk(router.routes):
            addresses = {(method, route.path_format) for method in route.methods or ()}
            if addresses & taken:
                raise LookupError(f"two routes have the same address: {sorted(addresses & taken)}")
            taken |= addresses
            guarded = copy(route)
            guarded.app = Door(strictly(route), permission)
            yield guarded


def _lifespan(
    parts: Sequence[AbstractAsyncContextManager[object]],
) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as entered:
            for part in parts:
                await entered.enter_async_context(part)
            yield

    return lifespan


async def _answer(request: Request, error: Exception) -> Response:
    return answer_problem(error, request)
