"""`verbund rebuild`: what reporting made of the ledgers, made anew beside what stands, and put in its place."""

from collections.abc import Sequence
from dataclasses import asdict, replace
from enum import StrEnum
from typing import Annotated

import typer
from pydantic_settings import BaseSettings, SettingsConfigDict

from verbund.cli.databases import databases
from verbund.cli.homes import home_with_ledgers
from verbund.cli.output import AsJson, Output, ProgressBars
from verbund.cli.overview import ledgers_of, positions_of
from verbund.cli.places import resolve
from verbund.embedded import record
from verbund.embedded.environment import feed_settings, sources_of
from verbund.embedded.home import EmbeddedSettings
from verbund.events.offices import Office, find_offices, get_office
from verbund.feeds.ledger_view import Source
from verbund.feeds.rebuild import Begin, CannotRebuild, Differences, RebuildContext, Rebuilding, SumsDiffer
from verbund.kafka.settings import KafkaSettings
from verbund.postgres import Server, prepare_databases


class Origin(StrEnum):
    """Where ledgers can be read from."""

    LEDGERS = "ledgers"
    KAFKA = "kafka"


class _ReaderOnKafka(BaseSettings):
    """What the reader's process is told of Kafka."""

    model_config = SettingsConfigDict(env_prefix="VERBUND_", env_nested_delimiter="__", frozen=True, extra="ignore")

    kafka: KafkaSettings | None = None


def rebuild(
    office: Annotated[str, typer.Argument(help="The office whose cube is rebuilt.")] = "reporting",
    *,
    source: Annotated[
        Origin, typer.Option("--from", help="Where the ledgers are read: at their offices, or on Kafka.")
    ] = Origin.LEDGERS,
    brokers: Annotated[
        list[str] | None,
        typer.Option(help="host:port, may be repeated, for --from kafka; default: the Kafka of `verbund up --kafka`."),
    ] = None,
    accept: Annotated[
        bool, typer.Option("--accept", help="Change over although sums differ from what stands.")
    ] = False,
    restart: Annotated[
        bool, typer.Option("--restart", help="Begin anew, not where an earlier rebuild came to.")
    ] = False,
    abandon: Annotated[bool, typer.Option("--abandon", help="Only remove what an earlier rebuild left.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: AsJson = False,
) -> None:
    """Build a second cube from the ledgers beside the one that stands, compare both, and put it in its place.

    Offices, readers and pages may go on meanwhile. Interrupted at any point, what stands is unchanged, and the next
    rebuild goes on from there. Where sums differ, it says so and changes nothing without --accept: after an office was
    restored from an older backup, and for a release that counts by other rules.
    """
    output = Output(as_json=as_json)
    settings = home_with_ledgers(output)
    if as_json and not yes:
        output.fail("With --json nothing is asked: say --yes.")
    rebuilt = _rebuildable(office, output)
    with databases(settings, output) as server:
        if settings.postgres_server is None and record.find_running(settings.layout) is None:
            prepare_databases(server, find_offices(), output.note)
        if abandon:
            _abandon(rebuilt, server, output)
            return
        _show(rebuilt, server, output)
        if not yes:
            typer.confirm("Build it anew beside what stands, and put it in its place?", abort=True, err=True)
        with ProgressBars(output) as bars:
            context = _context(rebuilt, settings, server, bars)
            kafka = _kafka(settings, brokers) if source is Origin.KAFKA else None
            begin: Begin = "anew" if restart else "where it was"
            _rebuild(rebuilt, replace(context, accept=accept, begin=begin, kafka=kafka), output)


def _rebuildable(name: str, output: Output) -> Office:
    try:
        office = get_office(name)
    except LookupError as error:
        output.fail(str(error))
    if office.rebuild is None:
        output.fail(f"{name} makes nothing of the ledgers of others that could be rebuilt.")
    return office


def _show(office: Office, server: Server, output: Output) -> None:
    ledgers = [state for one in find_offices() for state in ledgers_of(one, server)]
    heads = {state.ledger: state.number for state in ledgers}
    output.table(
        f"Read by {office.name}",
        ("ledger", "read up to", "ends at", "state"),
        [
            (state.ledger, state.number, heads.get(state.ledger), state.stop_reason or "reading")
            for state in positions_of(office, server, ledgers)
        ],
    )


def _abandon(office: Office, server: Server, output: Output) -> None:
    try:
        was_there = _rebuilding(office).abandon(server.settings(f"{office.package}_owner", office.package))
    except CannotRebuild as error:
        output.fail(str(error))
    what = "What an earlier rebuild left is removed." if was_there else "No rebuild was under way."
    output.say(what, abandoned=was_there)


def _rebuild(office: Office, context: RebuildContext, output: Output) -> None:
    try:
        outcome = _rebuilding(office).run(context)
    except SumsDiffer as error:
        _show_differences(error.differences, output)
        output.fail(
            f"{error} Nothing was changed. Where that is right, `verbund rebuild --accept` changes over;"
            " what was built is kept until then, or until --abandon.",
            differences=[asdict(each) for each in error.differences.sums],
            places=[asdict(each) for each in error.differences.places],
        )
    except CannotRebuild as error:
        output.fail(f"{error} Nothing was changed.")
    if outcome.accepted:
        _show_differences(outcome.accepted, output)
    for one in outcome.ledgers:
        output.say(
            f"{one.ledger}: {one.number:,} records folded; it had been read up to {one.before:,}",
            ledger=one.ledger,
            records=one.number,
            before=one.before,
            accepted=[asdict(each) for each in outcome.accepted.sums],
        )


def _show_differences(differences: Differences, output: Output) -> None:
    output.table(
        "Where sums differ",
        ("municipality", "office", "measure", "places", "stood", "rebuilt"),
        [
            (each.municipality, each.office, each.measure, each.places, each.before, each.after)
            for each in differences.sums
        ],
    )
    output.table(
        "The first places (a cell is named by its number: its facts may be one person's)",
        ("measure", "effective on", "recorded on", "cause", "cell", "stood", "rebuilt"),
        [
            (each.measure, each.effective_on, each.recorded_on, each.cause, str(each.cell), each.before, each.after)
            for each in differences.places
        ],
    )


def _rebuilding(office: Office) -> Rebuilding:
    assert office.rebuild is not None
    found: Rebuilding = resolve(office.rebuild)
    return found


def _kafka(settings: EmbeddedSettings, brokers: Sequence[str] | None) -> KafkaSettings:
    """As the reader's process is told (VERBUND_KAFKA__...), where that stands here; else the embedded one."""
    if brokers:
        return KafkaSettings(brokers=tuple(brokers))
    told = _ReaderOnKafka().kafka
    return KafkaSettings(brokers=(settings.kafka_broker,)) if told is None else told


def _context(office: Office, settings: EmbeddedSettings, server: Server, bars: ProgressBars) -> RebuildContext:
    return RebuildContext(
        reader=office.name,
        database=server.settings(f"{office.package}_owner", office.package),
        sources=[
            Source(office=source.name, database=feed_settings(office, source, server))
            for source in sources_of(office, find_offices())
        ],
        hash_key_file=settings.layout.hash_key_file(office),
        progress=bars.show,
    )
