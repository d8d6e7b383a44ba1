"""A disk of its own for PostgreSQL's data, small enough to be filled: a tmpfs, which only root may mount."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

CAN_MOUNT = sys.platform == "linux" and os.geteuid() == 0
_BALLAST = "ballast"
_BLOCK = 1 << 16


class Disk:
    """A mounted tmpfs with somebody's data on it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def fill(self) -> None:
        """Leave no room at all."""
        descriptor = os.open(self._folder / _BALLAST, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        try:
            for size in (_BLOCK, 4096, 512):
                with suppress(OSError):
                    while True:
                        os.write(descriptor, bytes(size))
        finally:
            os.close(descriptor)

    def make_room(self) -> None:
        (self._folder / _BALLAST).unlink(missing_ok=True)


@contextmanager
def on_a_small_disk(folder: Path, spare_megabytes: int) -> Iterator[Disk]:
    """Move a folder onto a disk of its own with so much room to spare; nobody may be using it now, nor afterwards."""
    aside = folder.with_name(f"{folder.name}.aside")
    folder.rename(aside)
    folder.mkdir()
    size = sum(file.stat().st_blocks * 512 for file in aside.rglob("*")) + (spare_megabytes << 20)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "verbund-test", str(folder)], check=True)
    try:
        subprocess.run(["cp", "-a", f"{aside}/.", str(folder)], check=True)
        shutil.rmtree(aside)
        yield Disk(folder)
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)
