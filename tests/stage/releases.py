"""Databases as former releases left them, with what these had booked; see `tests/migrations/README.md`."""

import os
import subprocess
from itertools import count
from pathlib import Path

import psycopg
from conftest import OfficeDatabase
from psycopg import sql

from verbund.embedded.postgres import Cluster
from verbund.embedded.postgres_folder import programs
from verbund.events.offices import Office

FOLDER = Path(__file__).parent.parent / "migrations"
_numbers = count(1)


def restore(cluster: Cluster, office: Office, release: str) -> OfficeDatabase:
    """A database of its own with all that stood in the office's at that release; whoever asks for it drops it."""
    cluster.ensure_roles(office)
    database = OfficeDatabase(cluster, office.name, f"{office.package}_of_{release}_{next(_numbers)}")
    cluster.ensure_database(office, database.name)
    with psycopg.connect(database.superuser().conninfo()) as connection:
        connection.execute((FOLDER / release / f"{office.name}.sql").read_bytes())
        kept_answers = connection.execute("select to_regclass('desk.answer') is not null").fetchone()
        if kept_answers == (True,):  # updated soon after: answers of a month ago are forgotten
            connection.execute("update desk.answer set answered_at = now()")
    return database


def rows_of(database: OfficeDatabase) -> dict[str, int]:
    """How many rows stand in each table."""
    with psycopg.connect(database.superuser().conninfo()) as connection:
        tables = connection.execute(
            "select schemaname, tablename from pg_tables where schemaname not in ('pg_catalog', 'information_schema')"
        ).fetchall()
        counted = sql.SQL("select count(*) from {}")
        found = {names: connection.execute(counted.format(sql.Identifier(*names))).fetchone() for names in tables}
    return {".".join(names): row[0] for names, row in found.items() if row is not None}


def schema_of(database: OfficeDatabase) -> str:
    """Tables, views, functions, triggers, owners and rights, as PostgreSQL writes them down."""
    where = database.superuser()
    assert where.password_file is not None
    address = ["--host", where.host, "--port", str(where.port), "--username", where.user, where.name]
    dumped = subprocess.run(
        [programs() / "pg_dump", "--schema-only", "--restrict-key", "none", *address],
        env={**os.environ, "PGPASSWORD": where.password_file.read_text(encoding="utf-8").strip()},
        capture_output=True,
        text=True,
        check=True,
    )
    return dumped.stdout
