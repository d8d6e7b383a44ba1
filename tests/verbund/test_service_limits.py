"""What a request may bring: too much is refused before it is parsed, and NUL characters nowhere get in."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated, Any

import pytest
from fastapi import APIRouter, FastAPI, File, Form, Request, UploadFile
from pydantic import BaseModel
from stage.service_kit import ServiceKit, ask

from verbund.service.permissions import PUBLIC, permit

KB = 1024
JSON = {"Content-Type": "application/json"}


class Thing(BaseModel):
    name: str


@pytest.fixture
def app(tmp_path: Path) -> FastAPI:
    router = APIRouter(dependencies=[permit(PUBLIC)])

    @router.post("/things")
    async def make_thing(thing: Thing) -> int:
        return len(thing.name)

    @router.post("/forms")
    async def fill(name: Annotated[str, Form()]) -> int:
        return len(name)

    @router.post("/files")
    async def keep(file: Annotated[UploadFile, File()]) -> int:
        return len(await file.read())

    @router.post("/uploads")
    async def upload(request: Request) -> int:
        return sum([len(chunk) async for chunk in request.stream()])

    @router.post("/uploads/small")
    async def upload_small(request: Request) -> int:
        return sum([len(chunk) async for chunk in request.stream()])

    @router.get("/names/{name}")
    async def read_name(name: str) -> int:
        return len(name)

    return ServiceKit(tmp_path).service(router, upload_limits={"/uploads": 256 * KB, "/uploads/small": 1 * KB})


async def _in_pieces(content: bytes, size: int) -> AsyncIterator[bytes]:
    for start in range(0, len(content), size):
        yield content[start : start + size]


def _thing(size: int) -> bytes:
    """A body of exactly this many bytes."""
    return json.dumps({"name": "x" * (size - len('{"name": ""}'))}).encode()


async def test_a_body_up_to_the_limit_is_taken(app: FastAPI) -> None:
    assert (await ask(app, "POST", "/things", content=_thing(64 * KB), headers=JSON)).status_code == 200


async def test_a_body_over_the_limit_is_refused_by_its_announced_length(app: FastAPI) -> None:
    answer = await ask(app, "POST", "/things", content=_thing(64 * KB + 1), headers=JSON)
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
    assert answer.json()["detail"] == "At most 64 kB are taken here."


async def test_a_body_that_does_not_announce_its_length_is_counted(app: FastAPI) -> None:
    taken = 0

    async def pieces() -> AsyncIterator[bytes]:
        nonlocal taken
        async for piece in _in_pieces(_thing(1024 * KB), 8 * KB):
            taken += len(piece)
            yield piece

    answer = await ask(app, "POST", "/things", content=pieces(), headers=JSON)
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
    assert taken < 100 * KB


async def test_a_body_that_announces_too_much_is_not_even_read(app: FastAPI) -> None:
    read = []

    async def pieces() -> AsyncIterator[bytes]:
        read.append(True)
        yield b"{}"

    headers = {**JSON, "Content-Length": str(64 * KB + 1)}
    assert (await ask(app, "POST", "/things", content=pieces(), headers=headers)).status_code == 413
    assert read == []


@pytest.mark.parametrize("length", ["-1", "1e9", "abc", "", "²"])
async def test_a_length_that_is_no_number_is_refused(app: FastAPI, length: str) -> None:
    headers = [(b"content-length", length.encode()), (b"content-type", b"application/json")]
    answer = await _raw(app, "POST", "/things", headers, b"{}")
    assert answer == 413


@pytest.mark.parametrize(
    ("path", "size", "status"),
    [
        ("/uploads", 256 * KB, 200),
        ("/uploads", 256 * KB + 1, 413),
        ("/uploads/small", 1 * KB, 200),
        ("/uploads/small", 1 * KB + 1, 413),
        ("/things", 64 * KB + 1, 413),
    ],
)
async def test_uploads_have_limits_of_their_own(app: FastAPI, path: str, size: int, status: int) -> None:
    for content in (b" " * size, _in_pieces(b" " * size, 1000)):
        answer = await ask(app, "POST", path, content=content, headers={"Content-Type": "application/x-ndjson"})
        assert answer.status_code == status


@pytest.mark.parametrize("size", [1, 2, 3, 5, 100])
async def test_a_nul_in_json_is_found_however_it_is_cut(app: FastAPI, size: int) -> None:
    content = json.dumps({"name": "Muster\0mann"}).encode()
    answer = await ask(app, "POST", "/things", content=_in_pieces(content, size), headers=JSON)
    assert (answer.status_code, answer.json()["code"]) == (400, "nul_character")


async def test_a_nul_in_a_stream_that_the_route_reads_itself_is_found(app: FastAPI) -> None:
    content = b'{"name": "a"}\n{"name": "\\u0000"}\n'
    answer = await ask(app, "POST", "/uploads", content=content, headers={"Content-Type": "application/x-ndjson"})
    assert (answer.status_code, answer.json()["code"]) == (400, "nul_character")


async def test_a_caller_who_hangs_up_is_no_error_of_ours(app: FastAPI, caplog: pytest.LogCaptureFixture) -> None:
    assert await _raw(app, "POST", "/uploads", [], None) is None
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


async def test_a_nul_in_a_form_is_found(app: FastAPI) -> None:
    answer = await ask(app, "POST", "/forms", data={"name": "Muster\0mann"})
    assert (answer.status_code, answer.json()["code"]) == (400, "nul_character")
    assert (await ask(app, "POST", "/forms", data={"name": "100 %00"})).status_code == 200


@pytest.mark.parametrize("path", ["/names/a%00b", "/names/ab?x=%00", "/names/ab?x=%00y"])
async def test_a_nul_in_an_address_is_found(app: FastAPI, path: str) -> None:
    answer = await ask(app, "GET", path)
    assert (answer.status_code, answer.json()["code"]) == (400, "nul_character")
    assert answer.headers["content-security-policy"]


async def test_text_that_only_looks_like_a_nul_is_taken(app: FastAPI) -> None:
    for name in ("%00", "u0000", "\\u0001"):
        assert (await ask(app, "POST", "/things", json={"name": name})).status_code == 200


async def test_files_may_hold_nuls(app: FastAPI) -> None:
    answer = await ask(app, "POST", "/files", files={"file": ("a.bin", b"\0\1\\u0000")})
    assert (answer.status_code, answer.json()) == (200, 8)


async def _raw(
    app: FastAPI, method: str, path: str, headers: list[tuple[bytes, bytes]], body: bytes | None
) -> int | None:
    """A request as no well-behaved client sends it; the status of its answer. `body` None: it hangs up instead."""
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        if body is None:
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": headers,
        "client": ("127.0.0.1", 1),
        "server": ("office.test", 80),
    }
    await app(scope, receive, send)
    return sent[0]["status"] if sent else None
