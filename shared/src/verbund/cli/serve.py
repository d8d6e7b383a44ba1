"""`verbund serve`: one process of an office in the foreground."""

from typing import Annotated

import typer

from verbund.cli.output import AsJson, Output
from verbund.service import serving


def serve(
    name: Annotated[str, typer.Argument(help="Name of the process, such as registration or reporting-reader.")],
    *,
    as_json: AsJson = False,
) -> None:
    """Run one process of an office in the foreground; its settings come from VERBUND_ environment variables."""
    try:
        serving.run(name)
    except LookupError as error:
        Output(as_json=as_json).fail(str(error))
