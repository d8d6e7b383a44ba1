"""Logs: one JSON object per line, whoever writes it, and never what a person typed."""

import asyncio
import json
import logging
import warnings
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest
import structlog
from conftest import OfficeDatabases
from fastapi import APIRouter
from pydantic import BaseModel
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from stage.service_kit import ServiceKit, ask

from verbund.database import make_engine
from verbund.errors import NotFound
from verbund.logs import configure_logs
from verbund.service.permissions import PUBLIC, Permission, permit
from verbund.service.trace import current_trace

NAME = "Mustermann"
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
log = logging.getLogger("verbund.test")


class Person(BaseModel):
    name: int


class Somebody:
    def __repr__(self) -> str:
        return NAME


@pytest.fixture(autouse=True)
def configured() -> Iterator[None]:
    """Logs as in a process; afterwards as they were."""
    root = logging.getLogger()
    handlers, level, before = root.handlers[:], root.level, structlog.get_config()
    configure_logs("INFO", "registration")
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.configure(**before)


def _lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """What was written since the last look; fails where a line is no JSON object."""
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def _line(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    (line,) = _lines(capsys)
    return line


def test_a_line_says_what_where_and_when(capsys: pytest.CaptureFixture[str]) -> None:
    log.warning("a record was parked", extra={"ledger": "/05913000/registration/book", "number": 7})
    line = _line(capsys)
    assert abs((datetime.now(UTC) - datetime.fromisoformat(line.pop("at"))).total_seconds()) < 5
    assert line == {
        "event": "a record was parked",
        "level": "warning",
        "logger": "verbund.test",
        "process": "registration",
        "ledger": "/05913000/registration/book",
        "number": 7,
    }


@pytest.mark.parametrize("name", ["uvicorn", "uvicorn.error", "alembic.runtime.migration", "some.library"])
def test_others_speak_the_same_way(capsys: pytest.CaptureFixture[str], name: str) -> None:
    logging.getLogger(name).info("Started server process [%d]", 7, extra={"color_message": "coloured"})
    line = _line(capsys)
    assert (line["event"], line["logger"]) == ("Started server process [7]", name)
    assert "color_message" not in line


def test_what_a_line_break_would_forge_stays_in_its_line(capsys: pytest.CaptureFixture[str]) -> None:
    log.info('a\n{"event": "forged"}')
    assert _line(capsys)["event"] == 'a\n{"event": "forged"}'


def test_configuring_twice_writes_every_line_once(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs("INFO", "reporting")
    log.info("hello")
    assert _line(capsys)["process"] == "reporting"


def test_a_level_holds(capsys: pytest.CaptureFixture[str]) -> None:
    log.debug("not told")
    structlog.get_logger().debug("not told either")
    assert _lines(capsys) == []
    configure_logs("debug", "registration")
    log.debug("told")
    assert _line(capsys)["level"] == "debug"


def test_a_level_that_does_not_exist_is_an_error() -> None:
    with pytest.raises(KeyError):
        configure_logs("CHATTY", "registration")


@pytest.mark.parametrize("name", ["uvicorn.access", "httpx", "sqlalchemy.engine", "asyncio", "multipart"])
def test_libraries_that_tell_what_was_sent_are_quiet(capsys: pytest.CaptureFixture[str], name: str) -> None:
    logging.getLogger(name).info("GET /persons?name=%s", NAME)
    assert _lines(capsys) == []


def test_values_of_known_kinds_are_written_and_others_only_named(capsys: pytest.CaptureFixture[str]) -> None:
    class Kind(Enum):
        MAIN = "main"

    values = {
        "on": date(2018, 12, 31),
        "share": Decimal("6.2"),
        "id": UUID(int=1),
        "file": Path("a/b"),
        "kind": Kind.MAIN,
        "roles": frozenset({"b", "a"}),
        "person": Somebody(),
    }
    log.info("values", extra=values)
    line = _line(capsys)
    assert {name: line[name] for name in values} == {
        "on": "2018-12-31",
        "share": "6.2",
        "id": str(UUID(int=1)),
        "file": "a/b",
        "kind": "main",
        "roles": ["a", "b"],
        "person": "<Somebody>",
    }


def _log(error: Exception, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    try:
        raise error
    except Exception:
        log.exception("it failed")
    return _line(capsys)


@pytest.mark.parametrize("error", [ValueError(NAME), KeyError(NAME), LookupError(NAME), Exception(NAME)])
def test_exceptions_that_may_quote_somebody_do_not(error: Exception, capsys: pytest.CaptureFixture[str]) -> None:
    line = _log(error, capsys)
    assert NAME not in json.dumps(line)
    assert line["exception"][0]["type"] == type(error).__name__
    assert line["exception"][0]["frames"][-1].startswith("tests/verbund/test_logs.py:")
    assert line["exception"][0]["frames"][-1].endswith(" _log")


@pytest.mark.parametrize("error", [OSError("no route to host"), RuntimeError("loop closed"), NotFound("gone", "x")])
def test_exceptions_that_speak_of_machines_do(error: Exception, capsys: pytest.CaptureFixture[str]) -> None:
    assert _log(error, capsys)["exception"][0]["message"] == str(error)


def test_a_validation_error_tells_fields_and_no_input(capsys: pytest.CaptureFixture[str]) -> None:
    try:
        Person.model_validate({"name": NAME})
    except ValueError as error:
        line = _log(error, capsys)
    assert NAME not in json.dumps(line)
    assert line["exception"][0]["errors"] == ["name: int_parsing"]


async def test_a_database_error_tells_its_code_and_no_row(
    office_database: OfficeDatabases, capsys: pytest.CaptureFixture[str]
) -> None:
    engine = make_engine(office_database("registration").superuser())
    create = "create table person (id int primary key, name text check (length(name) < 5))"
    async with engine.connect() as connection:
        await connection.execute(text(create))
        with pytest.raises(DBAPIError) as caught:
            await connection.execute(text("insert into person values (1, :name)"), {"name": NAME})
    await engine.dispose()
    assert NAME in str(caught.value), "the planted name is in what must not be told"
    capsys.readouterr()
    line = _log(caught.value, capsys)
    assert NAME not in json.dumps(line)
    last, first = line["exception"][0], line["exception"][-1]
    assert last["sqlstate"] == first["sqlstate"] == "23514"
    assert last["table_name"] == "person"
    assert last["constraint_name"] == "person_name_check"


def test_a_database_that_is_away_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(psycopg.OperationalError) as caught:
        psycopg.connect("host=127.0.0.1 port=1 connect_timeout=1")
    assert "refused" in _log(caught.value, capsys)["exception"][0]["message"]


def test_what_led_to_an_exception_is_told_too(capsys: pytest.CaptureFixture[str]) -> None:
    try:
        try:
            raise ValueError(NAME)
        except ValueError as error:
            raise RuntimeError("it was wrong") from error
    except RuntimeError as error:
        line = _log(ExceptionGroup("two", [error, OSError("disk full")]), capsys)
    parts = line["exception"][0]["parts"]
    assert [[told["type"] for told in chain] for chain in parts] == [["RuntimeError", "ValueError"], ["OSError"]]
    assert NAME not in json.dumps(line)


async def test_a_task_that_nobody_awaits_quotes_nobody(capsys: pytest.CaptureFixture[str]) -> None:
    asyncio.get_running_loop().call_exception_handler(
        {"message": "Task exception was never retrieved", "future": NAME, "exception": ValueError(NAME)}
    )
    line = _line(capsys)
    assert line["event"] == "Task exception was never retrieved"
    assert NAME not in json.dumps(line)


READ = Permission("read", roles=frozenset({"clerk"}), purpose="test")


def _router() -> APIRouter:
    router = APIRouter()

    @router.get("/persons/{name}", dependencies=[permit(READ)])
    async def read_person(name: str) -> str:
        if name == "bug":
            raise ValueError(NAME)
        log.info("a person was read")
        return name

    @router.post("/persons", dependencies=[permit(PUBLIC)])
    async def add_person(person: Person) -> str:
        return "added"

    return router


async def test_a_request_is_one_line_without_anything_personal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kit = ServiceKit(tmp_path)
    app, token = kit.service(_router()), kit.token("clerk", subject="5f1c")
    headers = {"Authorization": f"Bearer {token}", "traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        await ask(app, "GET", f"/persons/{NAME}?born={NAME}", headers=headers)
    own, request = _lines(capsys)
    assert own["trace_id"] == request["trace_id"] == TRACE
    assert request.pop("duration_ms") >= 0
    del request["at"]
    assert request == {
        "event": "request",
        "level": "info",
        "method": "GET",
        "route": "/persons/{name}",
        "status": 200,
        "trace_id": TRACE,
        "process": "registration",
    }


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", f"/{NAME}", 404),
        ("GET", f"/persons/{NAME}", 401),
        ("POST", f"/persons?x={NAME}", 422),
        (NAME, "/persons", 405),
    ],
)
async def test_requests_that_fail_tell_nothing_personal_either(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], method: str, path: str, status: int
) -> None:
    answer = await ask(ServiceKit(tmp_path).service(_router()), method, path, json={"name": NAME})
    assert answer.status_code == status
    written = capsys.readouterr().out
    assert f'"status":{status}' in written
    assert NAME.lower() not in written.lower()


async def test_an_error_of_ours_is_told_once_with_its_trace(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kit = ServiceKit(tmp_path)
    answer = await ask(kit.service(_router()), "GET", "/persons/bug", headers=kit.bearer("clerk"))
    failed, request = _lines(capsys)
    assert (failed["event"], failed["exception"][0]["type"]) == ("a request failed", "ValueError")
    assert (request["status"], request["trace_id"]) == (500, failed["trace_id"])
    assert answer.json()["instance"] == f"urn:verbund:trace:{failed['trace_id']}"
    assert NAME not in json.dumps(failed)


async def test_a_trace_does_not_outlive_its_request(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    await ask(ServiceKit(tmp_path).service(_router()), "GET", "/livez")
    assert current_trace.get() is None
    capsys.readouterr()
    log.info("afterwards")
    assert "trace_id" not in _line(capsys)
