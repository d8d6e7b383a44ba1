"""`verbund edition`: proof that what was frozen is what was shown."""

from typing import Annotated

import psycopg
import typer

from reporting.editions.verification import Verified, verify
from reporting.office import OFFICE
from verbund.cli.databases import databases
from verbund.cli.homes import home_with_ledgers
from verbund.cli.output import AsJson, Output

edition = typer.Typer(help="Editions: prove that they are what was shown.", no_args_is_help=True)


@edition.callback()
def _several() -> None:
    """Keeps the word of the only command."""


@edition.command("verify")
def verify_editions(
    edition_id: Annotated[str | None, typer.Argument(help="Only this edition.")] = None, *, as_json: AsJson = False
) -> None:
    """Make all hashes anew and hold them against the book, name what is wrong; then exit code 1.

    Whether the book itself is whole is proved by `verbund verify`.
    """
    output = Output(as_json=as_json)
    settings = home_with_ledgers(output)
    with databases(settings, output) as server:
        database = server.settings(f"{OFFICE.package}_owner", OFFICE.package)
        with psycopg.connect(database.conninfo()) as connection:
            found = list(verify(connection, edition_id))
    if edition_id is not None and not found:
        output.fail(f"There is no edition {edition_id}, and none in the book.")
    for each in found:
        _say(each, output)
    if any(each.wrong for each in found):
        raise typer.Exit(1)
    output.say(f"{len(found)} editions, nothing wrong.", editions=len(found))


def _say(found: Verified, output: Output) -> None:
    for sentence in found.wrong:
        output.complain(
            f"{found.municipality}: edition {found.edition_id}: {sentence}.",
            municipality=found.municipality,
            edition_id=found.edition_id,
            wrong=sentence,
        )
    if not found.wrong:
        output.say(
            f"{found.municipality}: edition {found.edition_id}: {found.files} files, whole",
            municipality=found.municipality,
            edition_id=found.edition_id,
            files=found.files,
        )
