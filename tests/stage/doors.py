"""Knocks on every door of a service with tokens that must not open it."""

import re
from collections.abc import AsyncIterator

from fastapi import FastAPI
from stage.service_kit import ServiceKit, ask

from verbund.service.kit import Kit
from verbund.service.permissions import Permission, walk
from verbund.service.principals import ROLES

SOMETHING = "00000000-0000-4000-8000-000000000000"


async def doors_that_open_wrongly(app: FastAPI, kit: ServiceKit, stranger: ServiceKit) -> list[str]:
    """What each route of `app` lets in though it must not; empty where every door is right.

    `stranger`: another issuer, whose tokens look alike and are signed with another key.
    """
    wrong = []
    for route, permission in walk(app.routes):
        path = re.sub(r"\{[^}]*\}", SOMETHING, route.path)
        for method in sorted(route.methods or ()):
            async for who, expected, status in _answers(app, kit, stranger, permission, method, path):
                if status != expected:
                    wrong.append(f"{method} {route.path}: {who} got {status}, not {expected}")
    return wrong


async def _answers(
    app: FastAPI, kit: ServiceKit, stranger: ServiceKit, permission: Permission, method: str, path: str
) -> AsyncIterator[tuple[str, int, int]]:
    if permission.public:
        return
    service: Kit = app.state.kit
    office = service.office.name
    roles = sorted(permission.roles)
    tokens = {
        "nobody": None,
        "words": "let me in",
        "another issuer's token": stranger.token(*roles, office=office),
        "another office's token": kit.token(*roles, office=f"not-{office}"),
        "another municipality's token": kit.token(*roles, office=office, municipality="05334002"),
    }
    for who, token in tokens.items():
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        yield who, 401, (await ask(app, method, path, headers=headers)).status_code
    for role in sorted(ROLES - permission.roles):
        token = kit.token(role, office=office)
        answer = await ask(app, method, path, headers={"Authorization": f"Bearer {token}"})
        yield f"role {role}", 403, answer.status_code
