"""A reader's own view of the ledgers of another office: where they end, and what stands in them."""

from pydantic import BaseModel, ConfigDict
from sqlalchemy import text

from verbund.database import make_engine
from verbund.ledger.record import GENESIS, Beat, Record
from verbund.ledger.store import channel_for
from verbund.settings import DatabaseSettings


class Source(BaseModel):
    """An office whose ledgers are read, and the role that may read them."""

    model_config = ConfigDict(frozen=True)

    office: str
    database: DatabaseSettings


class LedgerView:
    """What one reader may see of one source, and nothing else; close it after use."""

    def __init__(self, source: Source, reader_name: str) -> None:
        self.source = source
        self.channel = channel_for(reader_name)
        """Where the office calls when it has booked; the view stands in the schema of the same name."""
        self._engine = make_engine(source.database, size=2)

    async def close(self) -> None:
        await self._engine.dispose()

    async def beats(self) -> list[Beat]:
        """Where each ledger ends now."""
        query = text(f"select ledger, number, hash, beat_at from {self.channel}.head order by ledger")  # noqa: S608
        async with self._engine.connect() as connection:
            return [Beat(*row) for row in await connection.execute(query)]

    async def beat(self, ledger: str) -> Beat:
        """Where one ledger ends now; one that is gone ends as if it had been restored to nothing."""
        for beat in await self.beats():
            if beat.ledger == ledger:
                return beat
        return Beat(ledger, 0, GENESIS, None)

    async def records(self, ledger: str, after: int, limit: int) -> list[Record]:
        """Up to `limit` records of a ledger behind number `after`, in order."""
        query = text(
            f"select ledger, number, previous, hash, body from {self.channel}.record"  # noqa: S608
            " where ledger = :ledger and number > :after order by number limit :limit"
        )
        async with self._engine.connect() as connection:
            rows = await connection.execute(query, {"ledger": ledger, "after": after, "limit": limit})
            return [Record(*row) for row in rows]
