"""The tables of the office: as its code says they are, and who gets at them."""

from pathlib import Path
from typing import Any

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from conftest import OfficeDatabase, OfficeDatabases
from sqlalchemy import String, create_engine
from sqlmodel.sql.sqltypes import AutoString
from stage.doors import doors_that_open_wrongly
from stage.service_kit import ISSUER, ServiceKit

from registration.app import create
from registration.settings import RegistrationSettings
from registration.store.tables import OfficeTable
from verbund.service.permissions import walk
from verbund.settings import IssuerSettings


@pytest.fixture
def database(office_database: OfficeDatabases) -> OfficeDatabase:
    return office_database("registration")


def test_the_migrations_make_the_tables_that_the_code_expects(database: OfficeDatabase) -> None:
    engine = create_engine(database.superuser().url())
    try:
        with engine.connect() as connection:
            ours = {
                "include_schemas": True,
                "include_name": lambda name, kind, _: kind != "schema" or name in OURS,
                "compare_type": texts_are_alike,
            }
            context = MigrationContext.configure(connection, opts=ours)
            differences = compare_metadata(context, OfficeTable.metadata)
    finally:
        engine.dispose()
    # Indexes serve the speed of questions; they stand in the migrations alone.
    assert [one for one in differences if not (isinstance(one, tuple) and str(one[0]).endswith("_index"))] == []


OURS = frozenset({"office", "vault"})


def texts_are_alike(_context: Any, _inspected: Any, _column: Any, made: Any, expected: Any) -> Any:
    """PostgreSQL keeps `text` and `varchar` alike; everything else is compared as usual (None)."""
    return False if isinstance(made, String) and isinstance(expected, AutoString) else None


def test_who_reads_the_ledger_gets_at_no_resident_and_no_vault(database: OfficeDatabase) -> None:
    with psycopg.connect(database.settings("feed_reporting").conninfo(), autocommit=True) as connection:
        for table in ("office.resident", "office.residence", "vault.person", "vault.address", "vault.reading"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(f"select * from {table}".encode())


async def test_no_door_opens_to_a_wrong_token(database: OfficeDatabase, tmp_path: Path) -> None:
    kit, stranger = (ServiceKit(folder(tmp_path / name)) for name in ("ours", "strangers"))
    app = create(
        RegistrationSettings(
            port=8101,
            database=database.settings("desk"),
            tokens=IssuerSettings(issuer=ISSUER, jwks_file=kit.jwks_file),
            hash_key_file=tmp_path / "ours" / "hash-key",
        )
    )
    assert {permission.name for _, permission in walk(app.routes)} == {
        "public",
        "book_residences",
        "read_residences",
        "load_residences",
    }
    assert await doors_that_open_wrongly(app, kit, stranger) == []


def folder(path: Path) -> Path:
    path.mkdir()
    return path
