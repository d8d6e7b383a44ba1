"""Where two transactions meet: whether one waits for the other is told by the database, never by time."""

import asyncio
from time import monotonic
from typing import Any

import psycopg

from verbund.settings import DatabaseSettings

_DEADLINE_SECONDS = 10.0
_WAITING = b"""
    select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'
"""


async def comes_to_wait(task: asyncio.Task[Any], superuser: DatabaseSettings) -> bool:
    """Whether the task comes to wait for a lock in this database; False where it ends without having waited."""
    deadline = monotonic() + _DEADLINE_SECONDS
    async with await psycopg.AsyncConnection.connect(superuser.conninfo(), autocommit=True) as connection:
        while not task.done():
            assert monotonic() < deadline, "it neither waited nor ended"
            waiting = await (await connection.execute(_WAITING)).fetchone()
            if waiting and waiting[0]:
                return not task.done()  # it may have ended while the database was asked
            await asyncio.sleep(0.01)
    return False
