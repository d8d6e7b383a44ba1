"""`verbund catalogue`: looks a catalogue through, publishes definitions, takes in areas and their maps."""

import typer

from reporting.catalogue_commands.checking import check, publish
from reporting.catalogue_commands.taking_in import areas, geometry, tiles

catalogue = typer.Typer(
    help="Indicators and areas: look them through, publish definitions, take in areas and maps.", no_args_is_help=True
)
for _command in (check, publish, areas, geometry, tiles):
    catalogue.command(_command.__name__)(_command)

__all__ = ["catalogue"]
