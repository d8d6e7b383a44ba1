"""Traces: a good `traceparent` is carried on, anything else begins a trace of its own."""

import re

import pytest

from verbund.service.trace import continue_trace

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


def test_a_good_traceparent_is_carried_on_with_a_span_of_our_own() -> None:
    trace = continue_trace(f"00-{TRACE}-{SPAN}-01")
    assert trace.trace_id == TRACE
    assert trace.span_id != SPAN
    assert re.fullmatch(rf"00-{TRACE}-[0-9a-f]{{16}}-00", trace.traceparent)


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "nonsense",
        f"00-{TRACE}-{SPAN}",
        f"00-{TRACE.upper()}-{SPAN}-01",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"ff-{TRACE}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}-01-more",
        f"00-{TRACE}-{SPAN}-01\n",
        f"00-Mustermann{TRACE[10:]}-{SPAN}-01",
    ],
)
def test_anything_else_begins_a_new_trace(header: str | None) -> None:
    first, second = continue_trace(header), continue_trace(header)
    assert re.fullmatch(r"[0-9a-f]{32}", first.trace_id)
    assert len({first.trace_id, second.trace_id, TRACE}) == 3
