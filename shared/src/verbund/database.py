"""The one way to a PostgreSQL database: engines, the migrations of an office's schemas, and errors that pass.

Alembic is imported where a schema is migrated and nowhere else: services at work do without its ten megabytes.
"""

from importlib.resources import as_file, files
from logging import getLogger
from typing import Any

from sqlalchemy import Connection, create_engine, text
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from verbund.errors import Unavailable
from verbund.events.offices import Office
from verbund.settings import DatabaseSettings

_log = getLogger(__name__)

# Migrations of one database exclude each other, from whichever process they are started ("Verbund" as a number).
_MIGRATION_LOCK = 0x56657262756E64
# SQLSTATE classes of a database that will be well again: nothing is wrong with what was asked (PostgreSQL, appendix A).
_PASSING = ("08", "40", "53", "57", "58", "55P03")
_DISK_FULL = "53100"


def make_engine(settings: DatabaseSettings, *, size: int = 5, options: str = "") -> AsyncEngine:
    """A pool of connections. `options`: PostgreSQL run-time settings such as `-c lock_timeout=3s`."""
    return create_async_engine(
        settings.url(),
        pool_size=size,
        max_overflow=0,
        pool_pre_ping=True,
        connect_args={"options": f"-c timezone=UTC -c jit=off {options}", "connect_timeout": 5},
    )


def is_passing(error: Exception) -> bool:
    """Whether the database may well do the same in a moment."""
    if isinstance(error, DBAPIError):
        state = _state_of(error)
        if state is None:  # never reached the server: a lost connection, or a value it could not even send
            return error.connection_invalidated or isinstance(error, OperationalError)
        return error.connection_invalidated or state.startswith(_PASSING)
    return isinstance(error, PoolTimeout)


def is_out_of_room(error: Exception) -> bool:
    """Whether the disk of the database is full: that passes only when somebody makes room."""
    return isinstance(error, DBAPIError) and _state_of(error) == _DISK_FULL


def unavailable(error: Exception) -> Unavailable:
    """What a caller is told of an error that passes; whether something was booked is not said."""
    if is_out_of_room(error):
        return Unavailable(
            "storage_full",
            "There is no room left to write anything down. Tell the people who run this service, and try again later.",
            retry_after_seconds=30,
        )
    return Unavailable(
        "database_unavailable", "The database does not answer. Try again in a moment.", retry_after_seconds=5
    )


def _state_of(error: DBAPIError) -> str | None:
    state: str | None = getattr(error.orig, "sqlstate", None)
    return state


def migrate(settings: DatabaseSettings, office: Office) -> None:
    """Bring the schemas of an office's database to this release; run as the owner role, repeatable."""
    engine = create_engine(settings.url())
    try:
        with engine.connect() as connection:
            connection.execute(text("select pg_advisory_lock(:key)"), {"key": _MIGRATION_LOCK})
            connection.commit()
            for package, version_table in office.migrations:
                _upgrade(connection, office, package, version_table)
    finally:
        engine.dispose()


def _upgrade(connection: Connection, office: Office, package: str, version_table: str) -> None:
    from alembic import command
    from alembic.config import Config

    with as_file(files(package)) as folder:
        config = Config()
        config.set_main_option("script_location", str(folder).replace("%", "%%"))
        config.set_main_option("path_separator", "os")
        config.attributes.update(connection=connection, office=office, version_table=version_table)
        command.upgrade(config, "head")
        _log.debug("migrated %s in the database of %s", package, office.name)


def run_migrations() -> None:
    """What each migrations package's `env.py` calls."""
    from alembic import context

    attributes: dict[str, Any] = context.config.attributes
    connection: Connection = attributes["connection"]
    context.configure(connection=connection, version_table=attributes["version_table"])
    with context.begin_transaction():
        context.run_migrations()
    connection.commit()


def migrated_office() -> Office:
    """For migration scripts: the office whose database is being migrated (role names start with its package name)."""
    from alembic import context

    office: Office = context.config.attributes["office"]
    return office
