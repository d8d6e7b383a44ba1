"""The owner's session: the only one that makes a second cube."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg

from verbund.feeds.rebuild import CannotRebuild
from verbund.settings import DatabaseSettings

# Rebuilds of one database exclude each other; the database lets go of it with the session ("Refund" as a number).
_BE_THE_ONLY_ONE = "select pg_try_advisory_lock(352970302052)"


@contextmanager
def alone(database: DatabaseSettings) -> Iterator[psycopg.Connection[Any]]:
    """The session in which a cube is rebuilt or compacted; raises `CannotRebuild` where there is one already."""
    try:
        with psycopg.connect(database.conninfo(), autocommit=True) as connection:
            row = connection.execute(_BE_THE_ONLY_ONE).fetchone()
            if row is None or not row[0]:
                raise CannotRebuild("Another rebuild is under way; one that was killed lets go within seconds.")
            connection.execute("set lock_timeout = '10s'")
            yield connection
    except psycopg.Error as error:
        # Its words may hold a row: the kind of error is enough for whoever looks into PostgreSQL's log.
        raise CannotRebuild(f"The database failed ({type(error).__name__}). What was built is kept.") from error
