"""The description of a service: `/openapi.json` and `/asyncapi.json` for programs, `/docs` for people; no scripts."""

import json
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from fastapi import APIRouter, FastAPI, Request
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.responses import HTMLResponse, Response

from verbund.events.offices import Office, find_offices
from verbund.kafka.asyncapi import asyncapi_of
from verbund.service.kit import kit_of
from verbund.service.orders import PARAMETERS, read_form
from verbund.service.permissions import PUBLIC, permission_of, permit
from verbund.service.problems import PROBLEM_TYPE

_PROBLEM_SCHEMA = {
    "type": "object",
    "description": "RFC 9457. `code` and `type` are stable; `title` and `detail` follow Accept-Language.",
    "required": ["type", "title", "status", "detail", "code", "errors"],
    "properties": {
        "type": {"type": "string", "examples": ["urn:verbund:problem:invalid"]},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "code": {"type": "string", "examples": ["invalid"]},
        "instance": {"type": "string", "description": "The trace id, under which the log tells more."},
        "allowed": {
            "type": "array",
            "items": {"type": "string"},
            "description": "Commands that the state does allow (409).",
        },
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["code", "detail"],
                "properties": {
                    "pointer": {"type": "string", "description": "JSON pointer (RFC 6901) into the body."},
                    "parameter": {"type": "string", "description": "Name of a parameter, instead of a pointer."},
                    "in": {"enum": ["query", "header", "cookie"]},
                    "code": {"type": "string"},
                    "detail": {"type": "string"},
                },
            },
        },
    },
}
# By status; a route that knows better says so itself (`responses=`).
_REFUSALS = {
    "400": "Cannot be understood, or could be understood in two ways",
    "401": "No access token, or one that is not valid here",
    "403": "The token does not include this",
    "404": "There is nothing at this address",
    "409": "Does not fit what is booked or under way",
    "412": "Changed since the caller looked (`If-Match`)",
    "413": "The body is too large",
    "415": "The body is of another kind than this route takes",
    "422": "Something is missing or not right; `errors` says what",
    "5XX": "An error here, or (503) not available right now: try again with the same request",
}
# For programs and, where `Accept` likes that better, for people.
_PROBLEM_CONTENT = {
    PROBLEM_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}},
    "text/html": {"schema": {"type": "string"}},
}
_ANSWER_HEADERS = {
    "Location": {"description": "Where to look at it.", "schema": {"type": "string"}},
    "ETag": {"description": "For `If-Match` of the next order.", "schema": {"type": "string"}},
    "Idempotency-Replayed": {
        "description": "There where this answer was given before, and nothing was booked now.",
        "schema": {"const": "true"},
    },
}
_BEARER = {"type": "http", "scheme": "bearer", "bearerFormat": "at+jwt", "description": "Access token (RFC 9068)."}
_METHODS = ("get", "post", "put", "patch", "delete")


class Service(FastAPI):
    """A FastAPI application whose description also tells permissions and problems."""

    def openapi(self) -> dict[str, Any]:
        if self.openapi_schema is None:
            document = get_openapi(title=self.title, version=self.version, routes=self.routes)
            components = document.setdefault("components", {})
            schemas = components.setdefault("schemas", {})
            schemas["Problem"] = _PROBLEM_SCHEMA
            for unused in ("HTTPValidationError", "ValidationError"):
                schemas.pop(unused, None)
            components["securitySchemes"] = {"bearer": _BEARER}
            for route in self.routes:
                if isinstance(route, APIRoute) and route.include_in_schema:
                    _complete(document, route)
            self.openapi_schema = document
        return self.openapi_schema


def _complete(document: dict[str, Any], route: APIRoute) -> None:
    """Add to the operations of a route who may use it, and how it refuses."""
    permission = permission_of(route)
    for method in route.methods or ():
        operation = document["paths"][route.path_format][method.lower()]
        told = {
            status: answer
            for status, answer in operation["responses"].items()
            if "HTTPValidationError" not in str(answer)  # FastAPI's own, which nobody gets to see here
        }
        refusals = {status: {"description": _REFUSALS[status]} for status in _refusals_of(route, method, operation)}
        operation["responses"] = {
            status: {**answer, "content": _PROBLEM_CONTENT} if status in refusals or status.startswith("4") else answer
            for status, answer in sorted({**refusals, **told}.items())
        }
        operation["x-permission"] = {
            "name": permission.name,
            "roles": sorted(permission.roles),
            "purpose": permission.purpose,
        }
        if _takes_orders(route):
            operation.setdefault("parameters", []).extend(PARAMETERS)
            operation["responses"].get("201", {})["headers"] = _ANSWER_HEADERS
        operation["security"] = (
            [] if permission.is_for_all_alike else [{}, {"bearer": []}] if permission.public else [{"bearer": []}]
        )


def _takes_orders(route: APIRoute) -> bool:
    return any(part.call is read_form for part in route.dependant.dependencies)


def _refusals_of(route: APIRoute, method: str, operation: Mapping[str, Any]) -> Iterator[str]:
    """The statuses with which the kit may refuse what is sent to this route."""
    places = {parameter["in"] for parameter in operation.get("parameters", ())}
    yield "400"
    if not permission_of(route).is_for_all_alike:
        yield from ("401", "403")
    if "path" in places:
        yield "404"
    if method not in ("GET", "HEAD"):
        yield "413"
    if "requestBody" in operation:
        yield "415"
    if "requestBody" in operation or places & {"query", "header", "cookie"}:
        yield "422"
    if _takes_orders(route):
        yield from ("409", "412", "422")
    yield "5XX"


def reference_router() -> APIRouter:
    """`/openapi.json` (routes), `/asyncapi.json` (events), `/docs` and its style sheet."""
    router = APIRouter(include_in_schema=False, dependencies=[permit(PUBLIC)])
    router.add_api_route("/openapi.json", _read_document, methods=["GET"])
    router.add_api_route("/asyncapi.json", _read_events, methods=["GET"])
    router.add_api_route("/docs", _read_page, methods=["GET"])
    router.add_api_route("/docs.css", _read_style, methods=["GET"])
    return router


async def _read_document(request: Request) -> Response:
    return _spelled(request.app.openapi())


async def _read_events(request: Request) -> Response:
    return _spelled(_events_of(kit_of(request.scope).office, request.app.version))


@cache
def _events_of(office: Office, version: str) -> Mapping[str, Any]:
    """Making the schemas takes some hundredths of a second, and everybody may ask for them."""
    return asyncapi_of(office, find_offices(), version)


def _spelled(document: Mapping[str, Any]) -> Response:
    return Response(json.dumps(document, ensure_ascii=False, indent=1).encode(), media_type="application/json")


async def _read_page(request: Request) -> Response:
    environment = Environment(
        loader=PackageLoader("verbund.service"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    document = request.app.openapi()
    page = environment.get_template("reference.html").render(
        info=document["info"],
        operations=list(_operations(document)),
        schemas=dict(sorted(document["components"]["schemas"].items())),
        pretty=lambda value: json.dumps(value, ensure_ascii=False, indent=2),
    )
    return HTMLResponse(page)


async def _read_style() -> Response:
    return Response(files("verbund.service").joinpath("templates", "reference.css").read_bytes(), media_type="text/css")


def _operations(document: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for path, item in document["paths"].items():
        for method in _METHODS:
            if method in item:
                yield {"path": path, "method": method.upper(), **item[method]}
