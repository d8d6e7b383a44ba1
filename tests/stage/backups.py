"""Backups of one office's database and their restoration, with PostgreSQL's own programs as the runbook says."""

import os
import subprocess
from pathlib import Path

from verbund.embedded.postgres_folder import programs
from verbund.settings import DatabaseSettings, read_secret


def back_up(superuser: DatabaseSettings, file: Path) -> None:
    """Dump one database, while its office goes on working."""
    _run(superuser, "pg_dump", "--format=custom", "--create", f"--file={file}", superuser.name)


def restore(superuser: DatabaseSettings, file: Path) -> None:
    """Put the database back to what the dump holds; whoever is connected is thrown out."""
    _run(superuser, "dropdb", "--force", superuser.name)
    _run(superuser, "pg_restore", "--create", "--exit-on-error", "--dbname=postgres", str(file))


def _run(superuser: DatabaseSettings, program: str, *words: str) -> None:
    place = ["--host", superuser.host, "--port", str(superuser.port), "--username", superuser.user]
    environment = {**os.environ, "PGPASSWORD": read_secret(superuser.password_file)}
    done = subprocess.run(
        [str(programs() / program), *place, *words],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, f"{program}: {done.stderr}"
