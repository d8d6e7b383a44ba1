"""Printed figures beside what reporting answers: the last part of `verbund demo --check`."""

import time
from collections.abc import Sequence

from verbund.cli.output import Output
from verbund.cli.overview import ledgers_of, positions_of
from verbund.cli.places import resolve
from verbund.embedded.postgres import Cluster
from verbund.embedded.simulation import Check, Comparison, SimulationContext
from verbund.events.offices import Office

_PATIENCE_SECONDS = 300.0
_POLL_SECONDS = 0.1


class ReadersBehind(Exception):
    """Readers did not take everything that was booked in time."""


def await_readers(offices: Sequence[Office], cluster: Cluster, context: SimulationContext) -> None:
    """Wait until readers have taken all that is in the ledgers now; returns early when `context.stop` is set.

    Raises `ReadersBehind` where no reader moved for five minutes.
    """
    booked = [state for office in offices if office.readers for state in ledgers_of(office, cluster)]
    # Books only: reporting reads every one but its own, while a tray waits for its receiver.
    heads = {state.ledger: state.number for state in booked if state.ledger.endswith("/book")}
    total = sum(heads.values())
    best, deadline = -1, time.monotonic() + _PATIENCE_SECONDS
    while not context.stop.is_set():
        positions = [state for office in offices for state in positions_of(office, cluster, booked)]
        taken = sum(min(state.number, heads.get(state.ledger, 0)) for state in positions)
        context.progress("Reporting takes in what was booked", taken, total)
        if taken >= total:
            return
        if taken > best:
            best, deadline = taken, time.monotonic() + _PATIENCE_SECONDS
        elif time.monotonic() > deadline:
            raise ReadersBehind(f"Reporting has taken {taken:,} of {total:,} records and does not move.")
        context.stop.wait(_POLL_SECONDS)


def compare(offices: Sequence[Office], context: SimulationContext) -> list[Comparison]:
    """Every comparison that offices announce."""
    checks: list[Check] = [resolve(office.check) for office in offices if office.check]
    return [comparison for check in checks for comparison in check(context)]


def show(comparisons: Sequence[Comparison], output: Output) -> bool:
    """Print them all; True where every figure is as printed (and there was one)."""
    different = [comparison for comparison in comparisons if not comparison.is_equal]
    words = [one for one in comparisons if isinstance(one.printed, str)]
    _show("Printed figures and what reporting answers", [one for one in comparisons if one not in words], output)
    if words:
        _show("What does not fit in print, and what reporting says of it", words, output)
    output.document(
        {
            "equal": bool(comparisons) and not different,
            "figures": [
                {"name": one.name, "printed": one.printed, "answered": one.answered, "equal": one.is_equal}
                for one in comparisons
            ],
        }
    )
    if different:
        output.complain(f"{len(different)} of {len(comparisons)} figures differ")
    else:
        output.say(f"{len(comparisons)} figures, all as printed")
    return bool(comparisons) and not different


def _show(title: str, comparisons: Sequence[Comparison], output: Output) -> None:
    output.table(
        title,
        ("figure", "printed", "answered", ""),
        [(one.name, one.printed, one.answered, "equal" if one.is_equal else "DIFFERENT") for one in comparisons],
    )
