"""Trace ids (W3C Trace Context) within one service: taken over from the caller or made here, never a person's."""

import re
from contextvars import ContextVar
from dataclasses import dataclass
from secrets import token_hex

_TRACEPARENT = re.compile(r"00-(?P<trace>[0-9a-f]{32})-(?P<span>[0-9a-f]{16})-(?P<flags>[0-9a-f]{2})")
_NOTHING = frozenset({"0" * 32, "0" * 16})  # forbidden by the standard, 3.2.2


@dataclass(frozen=True, slots=True)
class Trace:
    """One request's place in a trace: the trace it belongs to, and its own span."""

    trace_id: str
    span_id: str

    @property
    def traceparent(self) -> str:
        return f"00-{self.trace_id}-{self.span_id}-00"


current_trace: ContextVar[Trace | None] = ContextVar("current_trace", default=None)


def continue_trace(header: str | None) -> Trace:
    """The caller's trace with a new span where `header` is a good `traceparent`, else a new trace."""
    found = _TRACEPARENT.fullmatch(header) if header else None
    if found is not None and not {found["trace"], found["span"]} & _NOTHING:
        return Trace(found["trace"], token_hex(8))
    return Trace(token_hex(16), token_hex(8))
