"""The command `verbund`: what it can do, and where each part stands."""

import typer

from verbund.cli import (
    checkpoint,
    compact,
    demo,
    export,
    feeds,
    kafka,
    migrate,
    rebuild,
    relay,
    secrets,
    serve,
    simulate,
    status,
    tokens,
    tray,
    up,
    verify,
)
from verbund.cli.places import resolve
from verbund.events.offices import find_offices

_HELP = "Verbund: the offices of a city do their own work and see one live situation together."


def build() -> typer.Typer:
    """The whole command line, with the groups of commands that announced offices bring."""
    app = typer.Typer(help=_HELP, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
    app.command("up")(up.up)
    app.command("demo")(demo.demo)
    app.command("status")(status.status)
    app.command("open")(tokens.open_page)
    app.command("token")(tokens.token)
    app.command("simulate")(simulate.simulate)
    app.command("verify")(verify.verify)
    app.command("checkpoint")(checkpoint.checkpoint)
    app.command("export")(export.export)
    app.command("rebuild")(rebuild.rebuild)
    app.command("compact")(compact.compact)
    app.command("migrate")(migrate.migrate)
    app.command("secrets")(secrets.secrets)
    app.add_typer(feeds.feeds, name="feeds")
    app.add_typer(kafka.kafka, name="kafka")
    app.add_typer(relay.relay, name="relay")
    app.add_typer(tray.tray, name="tray")
    app.command("serve", hidden=True)(serve.serve)
    for office in find_offices():
        for word, place in office.commands:
            app.add_typer(resolve(place), name=word)
    return app


def main() -> None:
    """Entry point of the console script."""
    build()()


if __name__ == "__main__":
    main()
