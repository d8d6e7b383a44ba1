"""Signing in by a link: it works once, soon, and no foreign page can use the session it gives."""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from time import time
from typing import Annotated

import httpx
import pytest
from fastapi import APIRouter, FastAPI
from stage.service_kit import OFFICE, ServiceKit, ask

from verbund.service.permissions import Permission, permit
from verbund.service.principals import Principal
from verbund.service.tickets import LIFETIME, take_ticket, write_ticket

READ = Permission("read", roles=frozenset({"clerk"}), purpose="test")
COOKIE = f"verbund_session_{OFFICE.name}"
SAME_ORIGIN = {"Sec-Fetch-Site": "same-origin"}


@pytest.fixture
def kit(tmp_path: Path) -> ServiceKit:
    return ServiceKit(tmp_path)


@pytest.fixture
def app(kit: ServiceKit) -> FastAPI:
    router = APIRouter()

    @router.get("/things")
    async def read_things(principal: Annotated[Principal, permit(READ)]) -> str:
        return principal.subject

    @router.post("/things")
    async def make_thing(principal: Annotated[Principal, permit(READ)]) -> str:
        return principal.subject

    return kit.service(router)


def _ticket(kit: ServiceKit, token: str | None = None) -> str:
    assert kit.settings.tickets is not None
    return write_ticket(kit.settings.tickets, token or kit.token("clerk", subject="5f1c"))


def _client(app: FastAPI) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://office.test")


async def test_the_link_signs_in_and_leads_to_the_first_page(kit: ServiceKit, app: FastAPI) -> None:
    async with _client(app) as browser:
        answer = await browser.get(f"/sign-in?ticket={_ticket(kit)}")
        assert (answer.status_code, answer.headers["location"]) == (303, "/")
        cookie = answer.headers["set-cookie"].lower()
        assert cookie.startswith(f"{COOKIE}=")
        assert "httponly" in cookie
        assert "samesite=lax" in cookie
        assert "path=/" in cookie
        assert "secure" not in cookie, "plain HTTP on this machine"
        assert (await browser.get("/things")).json() == "5f1c"


async def test_over_https_the_session_never_travels_in_the_clear(kit: ServiceKit, app: FastAPI) -> None:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="https://office.test") as browser:
        answer = await browser.get(f"/sign-in?ticket={_ticket(kit)}")
        assert "secure" in answer.headers["set-cookie"].lower()


async def test_the_session_ends_with_its_token(kit: ServiceKit, app: FastAPI) -> None:
    ticket = _ticket(kit, kit.token("clerk", lifetime=timedelta(minutes=5)))
    answer = await ask(app, "GET", f"/sign-in?ticket={ticket}")
    seconds = int(answer.headers["set-cookie"].lower().partition("max-age=")[2].partition(";")[0])
    assert 295 <= seconds <= 330


async def test_the_link_works_once(kit: ServiceKit, app: FastAPI) -> None:
    ticket = _ticket(kit)
    assert (await ask(app, "GET", f"/sign-in?ticket={ticket}")).status_code == 303
    again = await ask(app, "GET", f"/sign-in?ticket={ticket}")
    assert (again.status_code, again.json()["code"]) == (401, "ticket_invalid")


async def test_a_used_link_still_leads_in_where_its_browser_has_the_session(kit: ServiceKit, app: FastAPI) -> None:
    ticket = _ticket(kit)
    async with _client(app) as browser:
        for _ in range(2):
            assert (await browser.get(f"/sign-in?ticket={ticket}")).status_code == 303


async def test_a_browser_that_fetches_ahead_does_not_use_the_link_up(kit: ServiceKit, app: FastAPI) -> None:
    ticket = _ticket(kit)
    ahead = await ask(app, "GET", f"/sign-in?ticket={ticket}", headers={"Sec-Purpose": "prefetch;prerender"})
    assert ahead.status_code == 503
    assert (await ask(app, "GET", f"/sign-in?ticket={ticket}")).status_code == 303


async def test_an_old_link_is_refused(kit: ServiceKit, app: FastAPI) -> None:
    ticket = _ticket(kit)
    _age(kit, LIFETIME.total_seconds() + 1)
    assert (await ask(app, "GET", f"/sign-in?ticket={ticket}")).status_code == 401


async def test_a_link_of_nine_minutes_is_not_old(kit: ServiceKit, app: FastAPI) -> None:
    ticket = _ticket(kit)
    _age(kit, 9 * 60)
    assert (await ask(app, "GET", f"/sign-in?ticket={ticket}")).status_code == 303


@pytest.mark.parametrize("code", ["", "x", "../issuer.key", "..%2fissuer.key", "a" * 5_000, "%ff", "taken-1"])
async def test_a_code_that_nobody_wrote_opens_nothing(kit: ServiceKit, app: FastAPI, code: str) -> None:
    _ticket(kit)
    answer = await ask(app, "GET", f"/sign-in?ticket={code}")
    assert (answer.status_code, answer.json()["code"]) == (401, "ticket_invalid")
    assert (kit.folder / "issuer.key").exists()


async def test_a_ticket_for_another_office_signs_nobody_in(kit: ServiceKit, app: FastAPI) -> None:
    answer = await ask(app, "GET", f"/sign-in?ticket={_ticket(kit, kit.token('clerk', office='reporting'))}")
    assert answer.status_code == 401
    assert "set-cookie" not in answer.headers


async def test_without_a_folder_of_tickets_there_is_no_sign_in_by_link(kit: ServiceKit, app: FastAPI) -> None:
    settings = kit.settings.model_copy(update={"tickets": None})
    object.__setattr__(app.state.kit, "settings", settings)
    assert (await ask(app, "GET", "/sign-in?ticket=x")).status_code == 401


async def test_who_signs_out_is_out(kit: ServiceKit, app: FastAPI) -> None:
    async with _client(app) as browser:
        await browser.get(f"/sign-in?ticket={_ticket(kit)}")
        assert (await browser.get("/sign-out?lang=de")).text.count("Abgemeldet") == 2
        assert (await browser.get("/things")).status_code == 401


def _session(kit: ServiceKit) -> dict[str, str]:
    return {"Cookie": f"other=1; {COOKIE}={kit.token('clerk')}; another=2"}


@pytest.mark.parametrize(
    "headers",
    [
        SAME_ORIGIN,
        {"Origin": "http://office.test"},
        {"Origin": "http://evil.test", **SAME_ORIGIN},  # the browser itself says it; an Origin may be a proxy's
    ],
    ids=str,
)
async def test_the_offices_own_pages_may_post(kit: ServiceKit, app: FastAPI, headers: dict[str, str]) -> None:
    assert (await ask(app, "POST", "/things", headers={**_session(kit), **headers})).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Sec-Fetch-Site": "cross-site", "Origin": "http://office.test"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
        {"Origin": "http://evil.test"},
        {"Origin": "http://office.test.evil.test"},
        {"Origin": "http://office.test:81"},
        {"Origin": "https://office.test"},
        {"Origin": "null"},
        {"Origin": "http://[office.test"},
        {"Referer": "http://office.test/"},
    ],
    ids=str,
)
async def test_foreign_pages_may_not_post_with_the_session(
    kit: ServiceKit, app: FastAPI, headers: dict[str, str]
) -> None:
    answer = await ask(app, "POST", "/things", headers={**_session(kit), **headers})
    assert (answer.status_code, answer.json()["code"]) == (403, "foreign_page")


async def test_foreign_pages_may_lead_here(kit: ServiceKit, app: FastAPI) -> None:
    headers = {**_session(kit), "Sec-Fetch-Site": "cross-site"}
    assert (await ask(app, "GET", "/things", headers=headers)).status_code == 200


async def test_a_token_in_the_header_needs_no_page(kit: ServiceKit, app: FastAPI) -> None:
    headers = {**kit.bearer("clerk"), "Sec-Fetch-Site": "cross-site"}
    assert (await ask(app, "POST", "/things", headers=headers)).status_code == 200


async def test_a_bad_token_in_the_header_is_not_mended_by_a_session(kit: ServiceKit, app: FastAPI) -> None:
    headers = {**_session(kit), **SAME_ORIGIN, "Authorization": "Bearer nonsense"}
    assert (await ask(app, "GET", "/things", headers=headers)).status_code == 401


async def test_another_offices_cookie_is_not_looked_at(kit: ServiceKit, app: FastAPI) -> None:
    cookie = {"Cookie": f"verbund_session_reporting={kit.token('clerk')}"}
    assert (await ask(app, "GET", "/things", headers=cookie)).json()["code"] == "token_missing"


def test_the_folder_of_tickets_knows_no_code(kit: ServiceKit) -> None:
    code, folder = _ticket(kit), kit.settings.tickets
    assert folder is not None
    names = [file.name for file in folder.iterdir()]
    assert len(names) == 1
    assert code not in names[0]
    assert folder.stat().st_mode & 0o777 == 0o700
    assert next(folder.iterdir()).stat().st_mode & 0o777 == 0o600


def test_of_many_who_bring_the_same_code_one_gets_the_token(tmp_path: Path) -> None:
    for _ in range(20):
        code = write_ticket(tmp_path, "token")
        with ThreadPoolExecutor(8) as people:
            got: Sequence[str | None] = list(people.map(lambda _, code=code: take_ticket(tmp_path, code), range(8)))
        assert sorted(got, key=str) == [None] * 7 + ["token"]
    assert list(tmp_path.iterdir()) == []


def test_a_new_ticket_sweeps_the_old_ones_out(kit: ServiceKit) -> None:
    _ticket(kit)
    _age(kit, LIFETIME.total_seconds() + 1)
    _ticket(kit)
    assert kit.settings.tickets is not None
    assert len(list(kit.settings.tickets.iterdir())) == 1


def _age(kit: ServiceKit, seconds: float) -> None:
    """Make every ticket that much older."""
    assert kit.settings.tickets is not None
    then = time() - seconds
    for file in kit.settings.tickets.iterdir():
        os.utime(file, (then, then))
