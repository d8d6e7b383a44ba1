"""Asks reporting over HTTP for every printed figure, under the role that sees everything exactly."""

from collections.abc import Sequence
from time import monotonic
from typing import Any

import httpx

from reporting.printed.asking import Printed, Query, printed_figures
from verbund.embedded.simulation import Comparison, SimulationContext

_OFFICE = "reporting"
_ROLE = "statistics"
_REQUEST_SECONDS = 30.0
_PATIENCE_SECONDS = 60.0  # a service that starts or is busy may say so for so long
_PAUSE_SECONDS = 0.25


class NotAnswered(Exception):
    """Reporting gave no answer at all, or refused a question: the comparison says nothing about its figures."""


def check(context: SimulationContext) -> Sequence[Comparison]:
    """Every printed figure beside what reporting answers now; raises `NotAnswered`."""
    token = context.issue_token(_OFFICE, (_ROLE,))
    headers = {"Authorization": f"Bearer {token}", "Accept": "application/json", "Accept-Language": "en"}
    figures = printed_figures()
    comparisons = []
    with httpx.Client(
        base_url=context.reporting_url, timeout=_REQUEST_SECONDS, headers=headers, trust_env=False
    ) as client:
        for done, figure in enumerate(figures):
            context.progress("Comparing with the printed figures", done, len(figures))
            comparisons.append(Comparison(figure.name, figure.persons, _answered(client, figure, context)))
        context.progress("Comparing with the printed figures", len(figures), len(figures))
    return comparisons


def _answered(client: httpx.Client, figure: Printed, context: SimulationContext) -> int | None:
    """The sum of the answers; None where one of them is no number."""
    numbers = [total_of(_ask(client, indicator, query, context)) for indicator, query in figure.questions]
    known = [number for number in numbers if number is not None]
    return sum(known) if len(known) == len(numbers) else None


def _ask(client: httpx.Client, indicator: str, query: Query, context: SimulationContext) -> dict[str, Any]:
    deadline = monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            response = client.get(f"/figures/{indicator}", params=dict(query))
            trouble = f"{response.status_code} {response.text[:300]}"
        except httpx.TransportError as error:
            response, trouble = None, type(error).__name__
        if response is not None and response.is_success:
            answer: dict[str, Any] = response.json()
            return answer
        passing = response is None or response.status_code in (429, 502, 503, 504)
        if not passing or monotonic() > deadline or context.stop.wait(_PAUSE_SECONDS):
            raise NotAnswered(f"reporting did not answer {indicator} {dict(query)}: {trouble}")


def total_of(answer: dict[str, Any]) -> int | None:
    """The one number of an answer without breakdown: 0 for zero, None where it is protected or not reported.

    Raises `NotAnswered` for an answer with more than one row or column: that would be another question's.
    """
    values = [value for cell in answer["cells"] for value in cell["values"]]
    if len(values) != 1:
        raise NotAnswered(f"reporting answered {len(values)} values where one was asked")
    (value,) = values
    if value["kind"] == "zero":
        return 0
    return int(value["number"]) if value["kind"] == "number" else None
