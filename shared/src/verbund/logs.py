"""Logs: one JSON object per line on standard output, whoever wrote it; a trace id, and never anything personal.

The platform's own code, uvicorn and other libraries log through the standard library; the line per request goes to
structlog directly, because it is written thousands of times a second. Messages of exceptions are left out where they
may quote what a person typed: a validation error quotes its input, a database error the row.
"""

import json
import logging
import sys
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from enum import Enum
from pathlib import Path
from traceback import walk_tb
from types import TracebackType
from typing import Any
from uuid import UUID

import structlog
from structlog.stdlib import ProcessorFormatter
from structlog.typing import EventDict, Processor, WrappedLogger

# Libraries that would tell addresses with query strings, statements and their values at a lower level.
_QUIET = (
    *("aiokafka", "alembic.runtime.plugins", "asyncio", "faust", "httpcore", "httpx", "mode", "multipart", "psycopg"),
    *("sqlalchemy", "urllib3"),
)
# Says each vain attempt as an error, several times a second; whoever uses it says once what is wrong.
_NOISY = ("kafka",)
_UVICORN = ("uvicorn", "uvicorn.error", "uvicorn.access")
_PRINTABLE = (date, Decimal, Path, UUID)
# Exceptions whose messages speak of programs and machines, not of what somebody sent.
_SPEAKING = (ArithmeticError, AssertionError, AttributeError, ImportError, OSError, RuntimeError, TypeError)
_FRAMES = 30  # the innermost; more of them tell nothing new


def configure_logs(level: str, process: str) -> None:
    """Send every log of this process to standard output as JSON lines; repeatable, the last call counts.

    `level`: a name of the standard library (`INFO`). `process`: which process of which office this is.
    """
    number = logging.getLevelNamesMapping()[level.upper()]
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
        _Naming(process),
        _tell_exceptions,
    ]
    structlog.configure(
        processors=[*shared, _render],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=_Lines,
        cache_logger_on_first_use=False,
    )
    handler = _Handler()
    handler.setFormatter(
        ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, structlog.stdlib.ExtraAdder(), *shared, _first_line],
            processors=[ProcessorFormatter.remove_processors_meta, _render],
        )
    )
    root = logging.getLogger()
    for earlier in [known for known in root.handlers if isinstance(known, _Handler)]:
        root.removeHandler(earlier)
    root.addHandler(handler)
    root.setLevel(number)
    for name in _UVICORN:
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
    logging.getLogger("uvicorn.access").disabled = True  # it writes paths and queries; our own line does not
    for name in _QUIET:
        logging.getLogger(name).setLevel(max(number, logging.WARNING))
    for name in _NOISY:
        logging.getLogger(name).setLevel(logging.CRITICAL)


class _Handler(logging.Handler):
    """Writes to whatever standard output is now: tests exchange it."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            _write(self.format(record))
        except Exception:  # noqa: BLE001 - as the standard library does: a log that fails stops nothing
            self.handleError(record)


class _Lines:
    """What structlog writes its finished lines to."""

    def __init__(self, *_: object) -> None:
        pass

    def msg(self, line: str) -> None:
        _write(line)

    debug = info = warning = error = critical = exception = log = msg


class _Naming:
    """Says in every line which process wrote it."""

    def __init__(self, process: str) -> None:
        self._process = process

    def __call__(self, logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
        event["process"] = self._process
        return event


def _write(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _render(logger: WrappedLogger, method: str, event: EventDict) -> str:
    event.pop("color_message", None)  # uvicorn's copy of the message, with colours
    event.pop("message", None)  # what another formatter made of the same record
    return _encode(event)


def _printable(value: object) -> object:
    """Values of known kinds as text; of anything else only its type, for its `repr` may show what it holds."""
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, set | frozenset):
        return sorted(str(part) for part in value)
    return str(value) if isinstance(value, _PRINTABLE) else f"<{type(value).__name__}>"


_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=_printable).encode


def _first_line(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    """asyncio adds the `repr` of tasks and their exceptions to its messages, line by line."""
    if event.get("logger") == "asyncio":
        event["event"] = str(event["event"]).partition("\n")[0]
    return event


def _tell_exceptions(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    info = event.pop("exc_info", None)
    error = info[1] if isinstance(info, tuple) else info if isinstance(info, BaseException) else None
    if info is True:
        error = sys.exc_info()[1]
    if error is not None:
        event["exception"] = list(_chain(error))
    return event


def _chain(error: BaseException) -> Iterator[dict[str, Any]]:
    """An exception and what led to it, the last one first."""
    seen: set[int] = set()
    following: BaseException | None = error
    while following is not None and id(following) not in seen:
        seen.add(id(following))
        yield {"type": _name(following), **_message_of(following), "frames": _frames(following.__traceback__)}
        following = following.__cause__ or (None if following.__suppress_context__ else following.__context__)


def _name(error: BaseException) -> str:
    kind = type(error)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def _message_of(error: BaseException) -> dict[str, Any]:
    """What may be told of an exception: its message where it cannot quote anybody, else only codes and names."""
    if isinstance(error, BaseExceptionGroup):
        return {"parts": [list(_chain(part)) for part in error.exceptions]}
    original = getattr(error, "orig", None) or error  # SQLAlchemy's errors print the values of their statement
    diagnosis = getattr(original, "diag", None)
    if diagnosis is not None:
        if getattr(original, "sqlstate", None) is None:
            return {"message": str(original)}  # never reached a table: cannot connect, connection lost
        names = ("sqlstate", "schema_name", "table_name", "column_name", "constraint_name")
        return {name: value for name in names if (value := getattr(diagnosis, name, None)) is not None}
    listed = getattr(error, "errors", None)
    if callable(listed) and hasattr(error, "error_count"):  # pydantic: where and what kind, never the input
        return {"errors": [f"{_dotted(item['loc'])}: {item['type']}" for item in error.errors(include_input=False)]}  # type: ignore[attr-defined]
    if isinstance(error, _SPEAKING) or type(error).__module__.startswith("verbund."):
        return {"message": str(error)}
    return {}


def _dotted(place: tuple[object, ...]) -> str:
    return ".".join(str(part) for part in place)


def _frames(trace: TracebackType | None) -> list[str]:
    frames = [
        f"{'/'.join(Path(frame.f_code.co_filename).parts[-3:])}:{line} {frame.f_code.co_name}"
        for frame, line in walk_tb(trace)
    ]
    return frames[-_FRAMES:]
