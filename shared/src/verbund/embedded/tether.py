"""Run as a script: become another program that ends when the process that started it ends, however that ends.

Called as `python -I -S tether.py PARENT SIGNAL UID GID PROGRAM ARGUMENT...`: needs the standard library alone. UID and
GID `-1` mean to stay who one is. Where the kernel knows no PR_SET_PDEATHSIG (only Linux does) the program runs
untethered, and the next start finds it by its recorded process id.
"""

import ctypes
import os
import sys

_PR_SET_PDEATHSIG = 1  # linux/prctl.h


def tether(parent: int, signal: int) -> None:
    """Have the kernel send `signal` to this process when its parent ends; exits where the parent is gone already."""
    if sys.platform != "linux":
        return
    # Fails only where the kernel forbids it; then the recorded process id has to do.
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal, 0, 0, 0)
    if os.getppid() != parent:
        sys.exit("the process that wanted this one is gone")


def main(arguments: list[str]) -> None:
    parent, signal, uid, gid = (int(word) for word in arguments[:4])
    if uid >= 0:
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
    # After the change of user, which clears the setting.
    tether(parent, signal)
    os.execv(arguments[4], arguments[4:])  # noqa: S606 - the very purpose


if __name__ == "__main__":
    main(sys.argv[1:])
