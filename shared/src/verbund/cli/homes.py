"""Why a home folder cannot be used, in words that say what to do."""

import errno

from verbund.embedded.home import Home

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
