"""Refusals: whatever goes wrong, the caller is told in one form what to do, and nothing it must not know."""

import json
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from fastapi import APIRouter, FastAPI, Form, Header, Query
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from pydantic_core import PydanticCustomError
from stage.service_kit import ServiceKit, ask
from starlette.exceptions import HTTPException

from verbund.errors import NotFound, NotNow, RuleBroken, Unavailable
from verbund.service.pages import templates_for
from verbund.service.permissions import PUBLIC, Permission, permit
from verbund.service.problems import prefers_html
from verbund.service.validation import findings_of

CLERKS = Permission("read", roles=frozenset({"clerk"}), purpose="test")
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
TRACED = {"traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"}
BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
JSON = {"Content-Type": "application/json"}


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Lid(Strict):
    kind: Literal["lid"]
    width: Annotated[int, Field(ge=1, le=99)]


class Handle(Strict):
    kind: Literal["handle"]
    length: int


class Thing(Strict):
    name: Annotated[str, Field(min_length=2, max_length=20)]
    made_on: date
    part: Annotated[Lid | Handle, Field(discriminator="kind")] | None = None
    sizes: list[int] = []

    @field_validator("name")
    @classmethod
    def _no_shouting(cls, name: str) -> str:
        if name.isupper():
            raise ValueError("Please do not shout.")
        if name == "nameless":
            raise PydanticCustomError("name_empty", "This is no name.")
        return name


class Filled(Strict):
    name: Annotated[str, Field(min_length=2)]


def _router() -> APIRouter:
    router = APIRouter(dependencies=[permit(PUBLIC)])

    @router.post("/things/{number}")
    async def make_thing(
        number: int,
        thing: Thing,
        size: Annotated[int, Query(le=5)] = 1,
        x_colour: Annotated[Literal["red", "blue"], Header()] = "red",
    ) -> str:
        return "made"

    @router.post("/forms")
    async def fill(filled: Annotated[Filled, Form()]) -> str:
        return "filled"

    @router.get("/problems/{name}")
    async def go_wrong(name: str) -> Any:
        if name == "half":

            async def half() -> Any:
                yield "half an answer"
                raise RuntimeError("Erika Mustermann")

            return StreamingResponse(half())
        raise {
            "rule": RuleBroken("too_early", "Not before {day}.", pointer="/made_on", day=date(2018, 12, 31)),
            "not_now": NotNow("gone", "The thing is gone.", allowed=["RegisterThing"]),
            "not_found": NotFound("no_thing", "There is no thing {number}.", number=7),
            "busy": Unavailable(
                "overloaded", "Too many requests are waiting. Try again in a moment.", retry_after_seconds=2
            ),
            "bug": RuntimeError("Erika Mustermann"),
            "script": NotFound("no_thing", "There is no thing {number}.", number="<script>"),
            "teapot": HTTPException(418),
            "hole": RuleBroken("hole", "Without {nothing}."),
        }[name]

    return router


@pytest.fixture
def app(tmp_path: Path) -> FastAPI:
    return ServiceKit(tmp_path).service(_router())


async def test_a_broken_rule_points_at_its_field(app: FastAPI) -> None:
    answer = await ask(app, "GET", "/problems/rule", headers=TRACED)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["content-language"] == "en"
    assert answer.json() == {
        "type": "urn:verbund:problem:too_early",
        "title": "Something is missing or not right",
        "status": 422,
        "detail": "Not before 31.12.2018.",
        "code": "too_early",
        "errors": [{"pointer": "/made_on", "code": "too_early", "detail": "Not before 31.12.2018."}],
        "instance": f"urn:verbund:trace:{TRACE}",
    }


async def test_a_conflict_with_the_state_names_what_is_allowed(app: FastAPI) -> None:
    answer = await ask(app, "GET", "/problems/not_now")
    assert (answer.status_code, answer.json()["allowed"]) == (409, ["RegisterThing"])


async def test_who_is_to_try_again_is_told_when(app: FastAPI) -> None:
    answer = await ask(app, "GET", "/problems/busy", headers={"Accept-Language": "de"})
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")


async def test_words_are_german_unless_english_is_asked_for(app: FastAPI) -> None:
    for language, detail in {
        "": "Es warten zu viele Anfragen. Versuchen Sie es gleich noch einmal.",
        "fr": "Es warten zu viele Anfragen. Versuchen Sie es gleich noch einmal.",
        "de-AT;q=0.8, en;q=0.9": "Too many requests are waiting. Try again in a moment.",
        "en-GB": "Too many requests are waiting. Try again in a moment.",
    }.items():
        answer = await _ask_in(app, language, "GET", "/problems/busy")
        assert answer["detail"] == detail, language


async def test_an_error_of_ours_tells_its_trace_and_nothing_else(app: FastAPI) -> None:
    answer = await ask(app, "GET", "/problems/bug", headers=TRACED)
    assert answer.status_code == 500
    assert answer.json()["code"] == "internal"
    assert answer.json()["instance"] == f"urn:verbund:trace:{TRACE}"
    assert "Mustermann" not in answer.text
    assert answer.headers["content-security-policy"]


async def test_an_answer_that_breaks_off_breaks_the_connection(app: FastAPI) -> None:
    with pytest.raises(RuntimeError):
        await ask(app, "GET", "/problems/half")


async def test_a_sentence_with_a_hole_is_still_an_answer(app: FastAPI) -> None:
    assert (await ask(app, "GET", "/problems/hole")).json()["detail"] == "Without {nothing}."


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nowhere", 404, "not_found"),
        ("DELETE", "/problems/bug", 405, "method_not_allowed"),
        ("GET", "/problems/teapot", 400, "bad_request"),
        ("POST", "/things/seven", 404, "not_found"),
        ("GET", "/problems/bug/", 404, "not_found"),
    ],
)
async def test_an_address_that_does_not_fit_is_told_so(
    app: FastAPI, method: str, path: str, status: int, code: str
) -> None:
    body = {"json": {"name": "cup", "made_on": "2018-12-31"}} if method == "POST" else {}
    answer = await ask(app, method, path, **body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


async def test_a_wrong_method_is_told_the_right_ones(app: FastAPI) -> None:
    answer = await ask(app, "DELETE", "/problems/bug")
    assert (answer.headers["allow"], answer.json()["detail"]) == ("GET", "This address takes only: GET.")


GOOD = {"name": "cup", "made_on": "2018-12-31"}
WRONG: dict[str, tuple[object, str, str]] = {
    "a field that is missing": ({"name": "cup"}, "/made_on", "missing"),
    "a field that nobody knows": ({**GOOD, "a/b~c": 1}, "/a~1b~0c", "unknown_field"),
    "a word that is too short": ({**GOOD, "name": "c"}, "/name", "too_short"),
    "a word that is too long": ({**GOOD, "name": "c" * 21}, "/name", "too_long"),
    "a number for a word": ({**GOOD, "name": 7}, "/name", "text_needed"),
    "half a letter": ('{"name": "\\ud800", "made_on": "2018-12-31"}', "/name", "text_needed"),
    "a day that is none": ({**GOOD, "made_on": "2018-13-31"}, "/made_on", "date_needed"),
    "a word among numbers": ({**GOOD, "sizes": [1, "two"]}, "/sizes/1", "number_needed"),
    "a list that is none": ({**GOOD, "sizes": 1}, "/sizes", "list_needed"),
    "a kind that is not offered": ({**GOOD, "part": {"kind": "foot"}}, "/part", "not_offered"),
    "a part that is wrong within": ({**GOOD, "part": {"kind": "lid", "width": 100}}, "/part/width", "too_large"),
    "a part that lacks something": ({**GOOD, "part": {"kind": "handle"}}, "/part/length", "missing"),
    "a list for an object": ([], "", "object_needed"),
    "nothing": (None, "", "object_needed"),
    "words of the office's own": ({**GOOD, "name": "CUP"}, "/name", "invalid"),
    "a code of the office's own": ({**GOOD, "name": "nameless"}, "/name", "name_empty"),
}


@pytest.mark.parametrize("name", WRONG)
async def test_each_wrong_field_is_named(app: FastAPI, name: str) -> None:
    body, pointer, code = WRONG[name]
    content = body if isinstance(body, str) else json.dumps(body)
    answer = await ask(app, "POST", "/things/1", content=content, headers=JSON)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")
    errors = answer.json()["errors"]
    assert [(error["pointer"], error["code"]) for error in errors] == [(pointer, code)]
    german = await _ask_in(app, "de", "POST", "/things/1", content=content, headers=JSON)
    own_words = name.endswith("of the office's own")
    assert (german["errors"][0]["detail"] == errors[0]["detail"]) is own_words


async def test_values_stand_in_the_sentence_and_nothing_that_was_typed(app: FastAPI) -> None:
    answer = await ask(app, "POST", "/things/1", json={**GOOD, "name": "Mustermann" * 3})
    assert answer.json()["errors"][0]["detail"] == "At most 20 characters are taken."
    assert "Mustermann" not in answer.text


async def test_parameters_are_named_with_their_place(app: FastAPI) -> None:
    answer = await ask(app, "POST", "/things/1?size=9", json=GOOD, headers={"X-Colour": "green"})
    assert sorted((error["in"], error["parameter"], error["code"]) for error in answer.json()["errors"]) == [
        ("header", "x-colour", "not_offered"),
        ("query", "size", "too_large"),
    ]


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"",
        b"{'name': 1}",
        b'{"name": "\xff"}',
        b'{"name": ' + b"9" * 5_000 + b"}",
        b"[" * 30_000,
        b'{"a":' * 12_000,
    ],
)
async def test_what_is_no_json_is_a_bad_request_and_no_crash(app: FastAPI, body: bytes) -> None:
    answer = await ask(app, "POST", "/things/1", content=body, headers=JSON)
    expected = (422, "invalid") if body == b"" else (400, "json_malformed")
    assert (answer.status_code, answer.json()["code"]) == expected


async def test_json_that_is_deep_but_well_formed_is_no_crash(app: FastAPI) -> None:
    depth = 900
    content = '{"name":' + "[" * depth + "]" * depth + "}"
    assert (await ask(app, "POST", "/things/1", content=content, headers=JSON)).status_code == 422


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "application/xml", ""])
async def test_another_kind_of_content_than_json_is_refused(app: FastAPI, kind: str) -> None:
    answer = await ask(app, "POST", "/things/1", content=json.dumps(GOOD), headers={"Content-Type": kind})
    assert (answer.status_code, answer.json()["code"]) == (415, "content_type_wrong")
    assert "application/json" in answer.json()["detail"]


async def test_another_kind_of_content_than_a_form_is_refused(app: FastAPI) -> None:
    answer = await ask(app, "POST", "/forms", json={"name": "cup"})
    assert (answer.status_code, answer.json()["code"]) == (415, "content_type_wrong")
    wrong = await ask(app, "POST", "/forms", data={"name": "c"})
    assert [error["pointer"] for error in wrong.json()["errors"]] == ["/name"]
    assert (await ask(app, "POST", "/forms", data={"name": "cup"})).status_code == 200


def test_a_model_that_is_validated_by_itself_has_findings_too() -> None:
    typed = {"name": "cup", "part": {"kind": "lid", "width": 0}}
    with pytest.raises(ValidationError) as caught:
        Thing.model_validate(typed)
    assert {(finding.pointer, finding.code) for finding in findings_of(caught.value, typed)} == {
        ("/made_on", "missing"),
        ("/part/width", "too_small"),
    }


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        (BROWSER["Accept"], "page"),
        ("text/html", "page"),
        ("*/*", "problem"),
        ("", "problem"),
        ("application/json", "problem"),
        ("application/json, text/html", "problem"),
        ("application/json;q=0.5, text/html", "page"),
        ("text/html;q=0.1, application/problem+json", "problem"),
        ("text/html;q=nonsense", "problem"),
        ("text/html;q=0", "problem"),
    ],
)
def test_pages_are_for_those_who_like_them_best(accept: str, kind: str) -> None:
    assert prefers_html(accept) is (kind == "page")


async def test_people_get_a_page_that_tells_them_how_to_get_in(tmp_path: Path) -> None:
    router = APIRouter()

    @router.get("/things", dependencies=[permit(CLERKS)])
    async def list_things() -> str:
        return "things"

    app = ServiceKit(tmp_path).service(router)
    answer = await ask(app, "GET", "/things", headers=BROWSER)
    assert (answer.status_code, answer.headers["content-type"]) == (401, "text/html; charset=utf-8")
    assert answer.headers["www-authenticate"] == "Bearer"
    assert "verbund demo" in answer.text
    german = await ask(app, "GET", "/things?lang=de", headers=BROWSER)
    assert "Bitte melden Sie sich an" in german.text


@pytest.mark.parametrize("look", [{}, {"pages": templates_for("verbund.service")}], ids=["plain", "office"])
async def test_values_in_a_sentence_never_become_part_of_a_page(tmp_path: Path, look: dict[str, Any]) -> None:
    answer = await ask(ServiceKit(tmp_path).service(_router(), **look), "GET", "/problems/script", headers=BROWSER)
    assert "&lt;script&gt;" in answer.text
    assert "<script>" not in answer.text


@pytest.mark.parametrize("path", ["/nowhere", "/problems/bug", "/problems/rule"])
async def test_refusals_wear_the_look_of_the_office(tmp_path: Path, path: str) -> None:
    app = ServiceKit(tmp_path).service(_router(), pages=templates_for("verbund.service"))
    answer = await ask(app, "GET", path, headers={**BROWSER, **TRACED})
    assert "/assets/style-" in answer.text
    assert answer.headers["content-language"] == "en"
    assert (TRACE in answer.text) is (path == "/problems/bug")


async def _ask_in(app: FastAPI, language: str, method: str, path: str, **more: Any) -> Any:
    headers = {**more.pop("headers", {}), "Accept-Language": language}
    return (await ask(app, method, path, headers=headers, **more)).json()
