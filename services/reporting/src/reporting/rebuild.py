"""`verbund rebuild` for the cube: emptied, and folded anew from the books, as a new generation."""

import asyncio
from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncEngine

from reporting.cube import CUBE_TABLES, empty
from reporting.deltas import delta_functions
from reporting.reader import CubeEffect
from verbund.database import make_engine
from verbund.events.offices import find_offices, known_events
from verbund.feeds.rebuild import RebuildContext, Rebuilt
from verbund.feeds.rebuild import rebuild as rebuild_all
from verbund.settings import read_secret


def rebuild(context: RebuildContext) -> Sequence[Rebuilt]:
    """All or nothing; raises `CannotRebuild`."""
    return asyncio.run(_rebuild(context))


async def _rebuild(context: RebuildContext) -> Sequence[Rebuilt]:
    effect = CubeEffect(read_secret(context.hash_key_file).encode(), delta_functions(find_offices()))
    engine = make_engine(context.database, size=1)
    try:
        rebuilt = await rebuild_all(engine, context, effect, known_events(), empty)
        await _tidy(engine)
    finally:
        await engine.dispose()
    return rebuilt


async def _tidy(engine: AsyncEngine) -> None:
    """Take what was removed out of the way of questions; without this they are slow until PostgreSQL gets to it."""
    async with engine.connect() as connection:
        await connection.execution_options(isolation_level="AUTOCOMMIT")
        await connection.exec_driver_sql(f"vacuum (analyze) {', '.join(CUBE_TABLES)}")
