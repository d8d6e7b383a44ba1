"""The home folder as commands find it: with ledgers or without, and in words why it cannot be used."""

import errno
from collections.abc import Sequence

from verbund.cli.output import Output
from verbund.embedded.home import EmbeddedSettings, Home
from verbund.events.offices import Office, find_offices, get_office

_FULL = {errno.ENOSPC, errno.EDQUOT}
_CLOSED = {errno.EROFS, errno.EACCES, errno.EPERM}
_NO_FOLDER = {errno.ENOTDIR, errno.EEXIST}


def home_in_words(home: Home, error: OSError) -> str:
    """The sentence for an error of the file system; raises it again where it is about something else."""
    if error.errno in _FULL:
        return f"There is no room left on {home.folder}. Make room, or set VERBUND_HOME to a folder elsewhere."
    if error.errno in _CLOSED:
        return (
            f"{error.filename or home.folder} cannot be written to ({error.strerror}). Let the user who runs Verbund"
            " write there, or set VERBUND_HOME to a folder elsewhere."
        )
    if error.errno in _NO_FOLDER:
        return f"{error.filename or home.folder} is no folder. Set VERBUND_HOME to one, or to a place for one."
    raise error


def home_with_ledgers(output: Output) -> EmbeddedSettings:
    """The settings of a home that has data; ends the command where there is none yet."""
    settings = EmbeddedSettings()
    if settings.postgres_server is None and not settings.layout.has_data:
        output.fail(f"There are no ledgers on {settings.layout.folder} yet.")
    return settings


def offices_with_ledgers(name: str | None, output: Output) -> Sequence[Office]:
    """The office of this name, or all of them, as far as they keep ledgers; ends the command where there is none."""
    try:
        offices = find_offices() if name is None else (get_office(name),)
    except LookupError as error:
        output.fail(str(error))
    return [office for office in offices if office.keeps_ledgers]
