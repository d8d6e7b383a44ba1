"""Orders: what reaches the desk of a request, and how its answer goes back."""

import json
import re
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any

import httpx
import pytest
from fastapi import APIRouter, FastAPI, Request
from pydantic import BaseModel
from stage.service_kit import ServiceKit, ask

from verbund.desk.orders import Answer, Order
from verbund.service.orders import OrderForm, answer_response, fill_form_from_fields
from verbund.service.permissions import Permission, permit
from verbund.service.principals import Principal

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
BOOK = Permission("book", roles=frozenset({"clerk"}), purpose="test")


class RegisterThing(BaseModel):
    name: str


@dataclass
class Taken:
    """A service that keeps the orders it would give to its desk."""

    app: FastAPI
    kit: ServiceKit
    orders: list[Order[Any]]

    async def order(self, path: str = "/things/1/parts", *, key: str = "k1", **more: Any) -> Order[Any]:
        headers = {**self.kit.bearer("clerk", subject="5f1c"), "Idempotency-Key": key, **more.pop("headers", {})}
        body = more or {"json": {"name": "cup"}}
        answer = await ask(self.app, "POST", path, headers=headers, **body)
        assert answer.status_code == 201, answer.text
        return self.orders[-1]


@pytest.fixture
def taken(tmp_path: Path) -> Taken:
    kit, orders = ServiceKit(tmp_path), list[Order[Any]]()
    router = APIRouter(dependencies=[permit(BOOK)])

    @router.post("/things/{thing_id}/parts", status_code=201)
    async def register_thing(thing_id: str, command: RegisterThing, form: OrderForm) -> Any:
        orders.append(form.order(command))
        return answer_response(Answer(201, "/parts/1", '"1"', {"part_id": "1"}))

    @router.post("/others/{thing_id}/parts", status_code=201)
    async def register_other(thing_id: str, command: RegisterThing, form: OrderForm) -> Any:
        orders.append(form.order(command))
        return answer_response(Answer(201, None, None, {}, replayed=True))

    @router.post("/lines", status_code=201)
    async def load(request: Request, form: OrderForm) -> Any:
        for number, line in enumerate((await request.body()).splitlines(), start=1):
            at = datetime(2015, 1, number, tzinfo=UTC)
            orders.append(form.line(number, line).order(json.loads(line), recorded_at=at))
        return answer_response(Answer(201, None, None))

    @router.post("/pages", status_code=201)
    async def fill(request: Request, principal: Annotated[Principal, permit(BOOK)]) -> Any:
        fields = {name: str(value) for name, value in (await request.form()).items()}
        orders.append(fill_form_from_fields(request, fields).order(fields["name"]))
        return answer_response(Answer(201, None, None))

    return Taken(kit.service(router), kit, orders)


async def test_an_order_says_who_orders_what_under_which_key(taken: Taken) -> None:
    order = await taken.order(headers={"If-Match": '"3"', "traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"})
    told = asdict(order)
    assert len(told.pop("fingerprint")) == 32
    assert told.pop("command") == RegisterThing(name="cup")
    traceparent = told.pop("traceparent")
    assert traceparent.startswith(f"00-{TRACE}-")
    assert len(told.pop("idempotency_key")) == 64
    assert "00f067aa0ba902b7" not in traceparent, "the span is the service's own"
    assert told == {
        "actor": "clerk:5f1c",
        "principal": "5f1c",
        "route": "POST /things/{thing_id}/parts",
        "if_match": '"3"',
        "causation_id": None,
        "key_as_sent": "k1",
        "recorded_at": None,
        "place": None,
    }


async def test_the_same_request_has_the_same_fingerprint(taken: Taken) -> None:
    first, second = await taken.order(), await taken.order(key="k2")
    assert first.fingerprint == second.fingerprint


@pytest.mark.parametrize(
    "other",
    [
        {"json": {"name": "mug"}},
        {"content": b'{"name": "cup"}', "headers": {"Content-Type": "application/json"}},
        {"path": "/things/2/parts"},
        {"path": "/things/1/parts?silently=true"},
        {"path": "/others/1/parts"},
        {"headers": {"If-Match": '"1"'}},
        {"headers": {"If-Match": ""}},
    ],
    ids=str,
)
async def test_another_request_has_another_fingerprint(taken: Taken, other: dict[str, Any]) -> None:
    body: dict[str, Any] = {} if {"content", "json"} & set(other) else {"json": {"name": "cup"}}
    assert (await taken.order()).fingerprint != (await taken.order(**{**body, **other})).fingerprint


async def test_another_offices_secret_gives_another_fingerprint(taken: Taken) -> None:
    before = await taken.order()
    (taken.kit.folder / "hash-key").write_text("another secret")
    again = taken.kit.service()
    again.router.routes[:] = taken.app.router.routes
    taken.app = again
    assert (await taken.order()).fingerprint != before.fingerprint


@pytest.mark.parametrize("key", ["", " ", "a b", "ü", "a" * 256, "a\tb", "a\x7fb"])
async def test_a_key_that_cannot_be_told_apart_is_refused(taken: Taken, key: str) -> None:
    headers = {**taken.kit.bearer("clerk"), "Idempotency-Key": key}
    answer = await ask(taken.app, "POST", "/things/1/parts", json={"name": "cup"}, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (400, "idempotency_key_invalid")


@pytest.mark.parametrize("key", ["a", "a" * 255, "!~", "0b9f9c1e-6b5e-4d3c-9f0a-3f1c2f0f7a11"])
async def test_a_key_of_visible_letters_is_taken(taken: Taken, key: str) -> None:
    kept = (await taken.order(key=key)).idempotency_key
    assert kept == (await taken.order("/things/2/parts", key=key)).idempotency_key
    assert kept != (await taken.order(key="another")).idempotency_key


async def test_the_desk_is_told_a_keyed_hash_of_the_key(taken: Taken) -> None:
    """Callers choose keys; what is kept must not tell what they made them of, not even to who tries all names."""
    kept = (await taken.order(key="Erika-Muster-1987-05-14")).idempotency_key
    assert re.fullmatch("[0-9a-f]{64}", kept)
    assert kept != sha256(b"Erika-Muster-1987-05-14").hexdigest()
    (taken.kit.folder / "hash-key").write_text("another secret")
    again = taken.kit.service()
    again.router.routes[:] = taken.app.router.routes
    taken.app = again
    assert (await taken.order(key="Erika-Muster-1987-05-14")).idempotency_key != kept


async def test_two_keys_are_none(taken: Taken) -> None:
    headers = [*taken.kit.bearer("clerk").items(), ("Idempotency-Key", "k1"), ("Idempotency-Key", "k2")]
    transport = httpx.ASGITransport(taken.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://office.test") as client:
        answer = await client.post("/things/1/parts", json={"name": "cup"}, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (400, "idempotency_key_invalid")
    assert taken.orders == []


async def test_without_a_key_nothing_is_ordered(taken: Taken) -> None:
    answer = await ask(taken.app, "POST", "/things/1/parts", json={"name": "cup"}, headers=taken.kit.bearer("clerk"))
    assert (answer.status_code, answer.json()["code"]) == (400, "idempotency_key_missing")
    assert taken.orders == []


async def test_each_line_of_an_upload_has_a_key_and_a_fingerprint_of_its_own(taken: Taken) -> None:
    lines = {"Content-Type": "application/x-ndjson"}
    await taken.order("/lines", content=b'{"a": 1}\n{"b": 1}', headers=lines)
    await taken.order("/lines", content=b'{"a": 1}\n{"b": 2}\n{"c": 3}', headers=lines)
    first, second = taken.orders[:2], taken.orders[2:]
    assert [order.idempotency_key for order in first] == [order.idempotency_key for order in second[:2]]
    assert len({order.idempotency_key for order in second}) == 3
    assert [order.recorded_at for order in first] == [datetime(2015, 1, day, tzinfo=UTC) for day in (1, 2)]
    assert first[0].fingerprint == second[0].fingerprint
    assert first[1].fingerprint != second[1].fingerprint


async def test_the_key_of_a_form_travels_in_one_of_its_fields(taken: Taken) -> None:
    first = await taken.order("/pages", data={"name": "cup", "idempotency_key": "k7"})
    again = await taken.order("/pages", data={"idempotency_key": "k8", "name": "cup"})
    other = await taken.order("/pages", data={"name": "mug", "idempotency_key": "k7"})
    assert first.idempotency_key == other.idempotency_key != again.idempotency_key
    assert first.fingerprint == again.fingerprint != other.fingerprint


async def test_a_form_without_its_key_is_refused(taken: Taken) -> None:
    answer = await ask(taken.app, "POST", "/pages", data={"name": "cup"}, headers=taken.kit.bearer("clerk"))
    assert (answer.status_code, answer.json()["code"]) == (400, "idempotency_key_missing")


async def test_an_answer_tells_place_version_and_receipt(taken: Taken) -> None:
    headers = {**taken.kit.bearer("clerk"), "Idempotency-Key": "k1"}
    answer = await ask(taken.app, "POST", "/things/1/parts", json={"name": "cup"}, headers=headers)
    assert answer.json() == {"part_id": "1"}
    assert (answer.headers["location"], answer.headers["etag"]) == ("/parts/1", '"1"')
    assert "idempotency-replayed" not in answer.headers
    again = await ask(taken.app, "POST", "/others/1/parts", json={"name": "cup"}, headers=headers)
    assert again.headers["idempotency-replayed"] == "true"
    assert "location" not in again.headers


def test_the_description_tells_the_key(taken: Taken) -> None:
    operation = taken.app.openapi()["paths"]["/things/{thing_id}/parts"]["post"]
    told = {(parameter["name"], parameter["in"]): parameter.get("required") for parameter in operation["parameters"]}
    assert told == {("thing_id", "path"): True, ("Idempotency-Key", "header"): True, ("If-Match", "header"): None}
