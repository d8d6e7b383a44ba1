"""`verbund verify`: proof that nothing in the ledgers was changed, lost or put in."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from verbund.cli.databases import databases
from verbund.cli.homes import home_with_ledgers, offices_with_ledgers
from verbund.cli.output import AsJson, Output, ProgressBars
from verbund.embedded.checkpoints import read_office
from verbund.events.offices import Office
from verbund.ledger.checkpoints import Checkpoint, Unbelievable
from verbund.ledger.verify import Progress, verify_ledgers
from verbund.ledger.walk import Damage
from verbund.postgres import Server

CheckpointFiles = Annotated[
    list[Path] | None,
    typer.Option("--checkpoints", exists=True, dir_okay=False, help="Also a copy of checkpoints kept elsewhere."),
]
PublicKey = Annotated[
    Path | None,
    typer.Option("--public-key", exists=True, dir_okay=False, help="The key as it was deposited, not as it lies here."),
]


def verify(
    *,
    office: Annotated[str | None, typer.Option("--office", help="Only the ledgers of this office.")] = None,
    checkpoints: CheckpointFiles = None,
    public_key: PublicKey = None,
    as_json: AsJson = False,
) -> None:
    """Walk every ledger from its first record, hold it against its checkpoints, name what is bad; then exit code 1."""
    output = Output(as_json=as_json)
    offices = offices_with_ledgers(office, output)
    settings = home_with_ledgers(output)
    whole = True
    with databases(settings, output) as server, ProgressBars(output) as bars:
        for one in offices:
            try:
                known = read_office(settings.layout, one, checkpoints or (), public_key)
            except ValueError as error:
                output.fail(f"The public key cannot be used: {error}")
            whole &= _verify(one, known, server, bars, output)
    if not whole:
        raise typer.Exit(1)


def _verify(
    office: Office,
    known: tuple[Sequence[Checkpoint], Sequence[Unbelievable]],
    server: Server,
    bars: ProgressBars,
    output: Output,
) -> bool:
    """Walk the ledgers of an office and say how each walk ended; whether everything can be believed."""
    checkpoints, unbelievable = known
    marks = {ledger: [c.mark for c in checkpoints if c.ledger == ledger] for ledger in {c.ledger for c in checkpoints}}
    ends: dict[str, Progress] = {}
    for progress in verify_ledgers(server.settings(f"{office.package}_owner", office.package), marks):
        ends[progress.ledger] = progress
        bars.show(progress.ledger, progress.done, progress.total)
    for line in unbelievable:
        _say_unbelievable(line, output)
    for end in ends.values():
        if end.damage is None:
            signed = max((mark.number for mark in marks.get(end.ledger, ())), default=0)
            proof = f"signed up to {signed:,}" if signed else "not signed yet"
            output.say(
                f"{end.ledger}: {end.done:,} records, whole, {proof}",
                ledger=end.ledger,
                records=end.done,
                signed=signed,
            )
        else:
            _say_damage(end.damage, output)
    return not unbelievable and all(end.damage is None for end in ends.values())


def _say_damage(damage: Damage, output: Output) -> None:
    output.complain(
        f"{damage.ledger}: first bad number {damage.first}, last bad number {damage.last}: {damage.reason}."
        " See docs/runbooks/broken-ledger.md.",
        ledger=damage.ledger,
        first_bad_number=damage.first,
        last_bad_number=damage.last,
        places=damage.places,
        reason=damage.reason,
    )


def _say_unbelievable(line: Unbelievable, output: Output) -> None:
    output.complain(
        f"{line.file}: line {line.line} is no checkpoint that this key has signed",
        file=str(line.file),
        line=line.line,
    )
