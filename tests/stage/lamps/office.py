"""A further office, as one that is added later: events, a delta function and YAML; nothing of it stands in reporting.

It mends street lamps. An outage is open from the day on which it was reported until it is repaired.
"""

from collections.abc import Iterator
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import Field

from reporting.deltas import Delta, DeltaFunction, Dims, Measure, RecordKey, day_of, dims_of
from verbund.disclosure import KEY_MODULUS
from verbund.events.envelope import Data, Event
from verbund.events.ledger_ids import municipality_of
from verbund.events.offices import Office, Process
from verbund.events.transitions import Facts, Transition

NAME = "lamps"


class OutageFacts(Facts):
    """One lamp that does not shine."""

    area: str
    cause: Literal["cable", "lamp"]
    since: date
    due_on: date


class OutageTransition(Transition[OutageFacts]):
    unit: Literal["outage"] = "outage"


class OutageReported(Data, office=NAME, version=1):
    """A lamp is out; `transitions` opens the outage."""

    transitions: Annotated[tuple[OutageTransition, ...], Field(min_length=1)]


class OutageRepaired(Data, office=NAME, version=1):
    """It shines again; `transitions` closes the outage, or takes a repair back."""

    transitions: Annotated[tuple[OutageTransition, ...], Field(min_length=1)]


def deltas_of(event: Event[Any], record_key: RecordKey) -> list[Delta]:
    """An outage counts in the stock from its report to its repair; the repair counts with the days it took."""
    found = []
    for transition in event.data.transitions:
        key = record_key(transition.subject) * transition.n * transition.sign % KEY_MODULUS
        for measure, dims, sign in _effects(transition):
            found.append(
                Delta(
                    municipality_of(event.source),
                    measure,
                    dims,
                    transition.effective_on,
                    day_of(event.time),
                    transition.cause,
                    sign * transition.sign * transition.n,
                    sign * key % KEY_MODULUS,
                )
            )
    return found


def _effects(transition: OutageTransition) -> Iterator[tuple[str, Dims, int]]:
    if transition.after is not None:
        yield "open_outages", dims_of(transition.after), 1
        yield "reported_outages", _coarse(transition.after), 1
    if transition.before is not None:
        yield "open_outages", dims_of(transition.before), -1
        days = (transition.effective_on - transition.before.since).days
        yield "repaired_outages", (*_coarse(transition.before), ("days", str(days))), 1


def _coarse(facts: OutageFacts) -> Dims:
    return (("area", facts.area), ("cause", facts.cause))


DELTAS = DeltaFunction(
    version=1,
    deltas_of=deltas_of,
    measures=(
        Measure("open_outages", NAME, "outage", ("area", "cause", "due_on", "since"), is_stock=True),
        Measure("reported_outages", NAME, "outage", ("area", "cause")),
        Measure("repaired_outages", NAME, "outage", ("area", "cause", "days")),
    ),
)

LAMPS = Office(
    name=NAME,
    processes=(Process(name=NAME, port=8190, app="none:none", database_role="desk"),),
    migrations=(),
    events=(OutageReported, OutageRepaired),
    deltas="stage.lamps.office:DELTAS",
    catalogue="stage.lamps",
)
