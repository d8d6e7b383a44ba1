"""`verbund status`: one look at everything that runs."""

from datetime import datetime, timedelta

import psycopg
import typer

from verbund.cli.output import AsJson, Output
from verbund.cli.overview import Overview, look
from verbund.embedded import record
from verbund.embedded.home import EmbeddedSettings
from verbund.events.offices import find_offices


def status(*, as_json: AsJson = False) -> None:
    """Processes, ledger heads, positions, lag, freshness; exit code 1 where something is not well."""
    output = Output(as_json=as_json)
    home = EmbeddedSettings().layout
    running = record.find_running(home)
    if running is None:
        output.fail(f"Verbund does not run on {home.folder}. Start it with `verbund up`.", running=False)
    try:
        overview = look(running, home, find_offices())
    except psycopg.OperationalError as error:
        output.fail(f"PostgreSQL does not answer on port {running.postgres_port}: {error}", running=True)
    output.document({"running": True, "well": overview.is_well, **overview.model_dump(mode="json")})
    _draw(overview, output)
    if not overview.is_well:
        raise typer.Exit(1)


def _draw(overview: Overview, output: Output) -> None:
    if output.as_json:
        return
    output.say(f"Verbund runs on {overview.home} (process {overview.supervisor.pid})")
    output.table(
        "Processes",
        ("name", "port", "pid", "up for", "memory MB", "restarts", "ready"),
        [
            (
                process.name,
                str(process.port),
                str(process.pid) if process.pid else None,
                _span(process.uptime_seconds),
                process.memory_bytes // 1_000_000 if process.memory_bytes else None,
                process.restarts,
                process.not_ready or "yes",
            )
            for process in overview.processes
        ],
    )
    output.table(
        "Ledgers",
        ("ledger", "records", "knows until", "last beat"),
        [
            (
                ledger.ledger,
                ledger.number,
                _moment(ledger.latest_at) if ledger.number else None,
                _moment(ledger.beat_at),
            )
            for ledger in overview.ledgers
        ],
    )
    output.table(
        "Readers",
        ("reader", "ledger", "position", "lag", "knows until", "heard of", "state"),
        [
            (
                position.reader,
                position.ledger,
                position.number,
                position.lag,
                _moment(position.recorded_at),
                f"{_span(position.heard_seconds_ago)} ago" if position.heard_at else None,
                f"stopped: {position.stop_reason}" if position.stop_reason else "reading",
            )
            for position in overview.positions
        ],
    )
    for reader, parked in overview.parked.items():
        if parked:
            output.say(f"{reader}: {parked} records could not be taken and are parked")


def _moment(at: datetime | None) -> str | None:
    return at.astimezone().isoformat(sep=" ", timespec="seconds") if at else None


def _span(seconds: float | None) -> str | None:
    return str(timedelta(seconds=int(seconds))) if seconds is not None else None
