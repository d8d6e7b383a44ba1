"""One bad request of a table, and what is asked of its answer, whatever was wrong."""

import json
import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import httpx
from stage.registration_office import NEW_RESIDENT
from stage.served_offices import ServedOffice

CANARY = "Zaunkönig-Vögelein"
"""Somebody's name, in every row: no answer may repeat it."""
PROBLEM = "application/problem+json"
_TRACE = re.compile(r"urn:verbund:trace:[0-9a-f]{32}")


@dataclass(frozen=True)
class Sent:
    """A request; `{name}` in its path stands for a place of the office."""

    method: str
    path: str
    roles: tuple[str, ...] = ("clerk",)
    headers: dict[str, Any] = field(default_factory=dict)
    body: dict[str, Any] = field(default_factory=dict)

    def to(self, office: ServedOffice) -> httpx.Response:
        body = json.loads(office.placed(json.dumps(self.body))) if "content" not in self.body else self.body
        return office.ask(self.method, self.path, *self.roles, headers=self.headers, **body)


def registration(**changes: Any) -> dict[str, Any]:
    """A form of a registration with one thing changed; `...` leaves a field out."""
    form = {**NEW_RESIDENT, "family_name": CANARY, "street": CANARY, "landlord": CANARY, **changes}
    return {name: value for name, value in form.items() if value is not ...}


def post(path: str, form: Any, *roles: str, **headers: Any) -> Sent:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Sent("POST", path, roles or ("clerk",), named, {"json": form})


def register(_: str = "", **changes: Any) -> Sent:
    return post("/residences", registration(**changes))


def raw(content: bytes, content_type: str | None = "application/json", path: str = "/residences") -> Sent:
    headers = {} if content_type is None else {"Content-Type": content_type}
    return Sent("POST", path, headers=headers, body={"content": content})


def get(path: str, *roles: str, **headers: Any) -> Sent:
    return Sent("GET", path, roles or ("clerk",), {name.replace("_", "-"): value for name, value in headers.items()})


def findings(problem: dict[str, Any]) -> str:
    """The findings of a problem as the tables write them: `code@/pointer` or `code@query:name`."""
    return " ".join(
        f"{found['code']}@{found['pointer'] if 'pointer' in found else '{in}:{parameter}'.format(**found)}"
        for found in problem["errors"]
    )


def check_problem(answer: httpx.Response, status: int, code: str, at: str) -> None:
    """The answer is this refusal, says so in full, and repeats nothing that was typed."""
    told: dict[str, Any] = (
        answer.json() if answer.headers.get("content-type") == PROBLEM else {"code": answer.text, "errors": []}
    )
    found = (answer.status_code, told["code"], findings(told))
    assert found == (status, code, at), f"{found}, not {(status, code, at)}: {answer.text[:300]}"
    assert answer.headers["content-type"] == PROBLEM
    assert told["status"] == status
    assert told["type"] == f"urn:verbund:problem:{code}"
    assert told["title"]
    assert told["detail"]
    assert _TRACE.fullmatch(told["instance"])
    assert answer.headers["cache-control"] == "no-store"
    assert_untold(answer)


def assert_untold(answer: httpx.Response) -> None:
    """Nothing that was typed comes back, in whatever spelling."""
    everything = answer.text + "".join(f"{name}: {value}\n" for name, value in answer.headers.items())
    for spelling in (CANARY, CANARY.encode().hex(), quote(CANARY), json.dumps(CANARY)[1:-1]):
        assert spelling not in everything
