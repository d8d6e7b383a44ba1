"""`verbund relay`: how far ledgers were sent to Kafka, and the word of a person that they go on, or are sent again."""

import time
from collections.abc import Sequence
from typing import Annotated

import typer

from verbund.cli.databases import databases
from verbund.cli.homes import home_with_ledgers, offices_with_ledgers
from verbund.cli.output import AsJson, Output, ProgressBars
from verbund.events.offices import Office
from verbund.postgres import Server
from verbund.relay.maintenance import (
    Lease,
    NoSuchRecord,
    Sent,
    find_lease,
    list_sent,
    resume_sending,
    set_back,
)
from verbund.relay.store import SILENT_SECONDS
from verbund.settings import DatabaseSettings

relay = typer.Typer(help="How far ledgers were sent to Kafka.", no_args_is_help=True)

_LOOK_SECONDS = 0.5

Found = tuple[DatabaseSettings, Lease | None, Sequence[Sent]]
"""An office's database, who sends, and how far."""


@relay.command()
def status(*, as_json: AsJson = False) -> None:
    """How far each ledger was sent, and which relay sends it; exit code 1 where one is stopped."""
    output = Output(as_json=as_json)
    with databases(home_with_ledgers(output), output) as cluster:
        found = _look(cluster, output)
    rows = [(sent, lease) for _, lease, ledgers in found for sent in ledgers]
    output.document({"ledgers": [_as_values(sent, lease) for sent, lease in rows]})
    output.table(
        "Sent to Kafka",
        ("ledger", "acknowledged", "ends at", "unsent", "state", "relay"),
        [
            (sent.ledger, sent.number, sent.head_number, sent.unsent, _state(sent), _relay(lease))
            for sent, lease in rows
        ],
    )
    if any(sent.stop_reason for sent, _ in rows):
        raise typer.Exit(1)


@relay.command()
def resume(
    ledger: Annotated[str, typer.Argument(help="Such as /05913000/registration/book.")], *, as_json: AsJson = False
) -> None:
    """Send a stopped ledger on, once its cause is mended; a cause that is still there stops it again."""
    output = Output(as_json=as_json)
    with databases(home_with_ledgers(output), output) as cluster:
        resumed = any(resume_sending(database, ledger) for database, _, _ in _look(cluster, output))
    if not resumed:
        output.fail(f"{ledger} is not stopped; `verbund relay status` shows the ledgers and their state.")
    output.say(f"{ledger} is sent on", ledger=ledger, resumed=True)


@relay.command()
def refill(
    ledger: Annotated[str | None, typer.Argument(help="Such as /05913000/registration/book.")] = None,
    *,
    every: Annotated[bool, typer.Option("--all", help="Every ledger of every office.")] = False,
    first: Annotated[int, typer.Option("--from", min=1, help="Number of the first record to be sent again.")] = 1,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: AsJson = False,
) -> None:
    """Send records again that Kafka has lost: by the relay at work, or the next one. Readers know repeats."""
    output = Output(as_json=as_json)
    if (ledger is None) is not every:
        output.fail("Name one ledger, or say --all.")
    if as_json and not yes:
        output.fail("With --json nothing is asked: say --yes.")
    with databases(home_with_ledgers(output), output) as cluster:
        chosen = [
            (database, lease, sent)
            for database, lease, ledgers in _look(cluster, output)
            for sent in ledgers
            if every or sent.ledger == ledger
        ]
        if not chosen:
            output.fail(f"There is no ledger {ledger}; `verbund relay status` shows those there are.")
        again = sum(max(sent.number - first + 1, 0) for _, _, sent in chosen)
        if not yes:
            question = f"Send {again:,} records of {len(chosen)} ledgers again, from number {first:,} on?"
            typer.confirm(question, abort=True, err=True)
        for database, _, sent in chosen:
            _refill(database, sent.ledger, first, output)
        for database, lease, sent in chosen:
            if lease is not None and lease.silent_seconds < SILENT_SECONDS:
                _follow(database, sent, first, output)


def _refill(database: DatabaseSettings, ledger: str, first: int, output: Output) -> None:
    try:
        again = set_back(database, ledger, first)
    except (NoSuchRecord, TimeoutError) as error:
        output.fail(str(error))
    output.say(f"{ledger}: {again:,} records are sent again", ledger=ledger, again=again)


def _follow(database: DatabaseSettings, before: Sent, first: int, output: Output) -> None:
    """Show how far a relay at work is, until it is where it was; ends where it is stopped, or does not move."""
    with ProgressBars(output) as bars:
        looked, last = time.monotonic(), -1
        while True:
            now = next(sent for sent in list_sent(database) if sent.ledger == before.ledger)
            bars.show(before.ledger, max(now.number - first + 1, 0), max(before.number - first + 1, 0))
            if now.number != last:
                looked, last = time.monotonic(), now.number
            if now.number >= before.number or now.stop_reason is not None:
                return
            if time.monotonic() - looked > SILENT_SECONDS:
                output.note(f"{before.ledger} does not move now; the relay goes on when it can")
                return
            time.sleep(_LOOK_SECONDS)


def _look(cluster: Server, output: Output) -> list[Found]:
    return [_found(cluster, office) for office in offices_with_ledgers(None, output) if office.sends_ledgers]


def _found(cluster: Server, office: Office) -> Found:
    database = cluster.settings(f"{office.package}_owner", office.package)
    return database, find_lease(database), list_sent(database)


def _state(sent: Sent) -> str:
    return f"stopped: {sent.stop_reason}" if sent.stop_reason else "sending" if sent.unsent else "sent"


def _relay(lease: Lease | None) -> str:
    if lease is None:
        return "never ran"
    return lease.holder if lease.silent_seconds < SILENT_SECONDS else "none runs"


def _as_values(sent: Sent, lease: Lease | None) -> dict[str, object]:
    return {
        "ledger": sent.ledger,
        "number": sent.number,
        "head_number": sent.head_number,
        "unsent": sent.unsent,
        "moved_at": sent.moved_at,
        "stop_reason": sent.stop_reason,
        "relay": lease.holder if lease is not None and lease.silent_seconds < SILENT_SECONDS else None,
    }
