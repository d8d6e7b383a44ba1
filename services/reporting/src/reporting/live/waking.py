"""Says when the cube may have moved: PostgreSQL calls (NOTIFY), and a slow poll finds what no call told."""

import asyncio
import random
from logging import getLogger

import psycopg

from verbund.settings import DatabaseSettings

_log = getLogger(__name__)

CHANNEL = "cube"
_POLL_SECONDS = 2.0  # how late a change is where the call for it went unheard
_FIRST_WAIT_SECONDS, _LONGEST_WAIT_SECONDS = 0.2, 10.0


class Waker:
    """Listens on a connection of its own and comes back by itself when the database was away."""

    def __init__(self, database: DatabaseSettings, municipality: str, *, poll_seconds: float = _POLL_SECONDS) -> None:
        self._database = database
        self._municipality = municipality
        self._poll_seconds = poll_seconds
        self._called = asyncio.Event()

    async def wait(self) -> None:
        """Return at the next call, at once where one came meanwhile, at the latest after the time of a poll."""
        try:
            async with asyncio.timeout(self._poll_seconds):
                await self._called.wait()
        except TimeoutError:
            pass
        self._called.clear()

    def call(self) -> None:
        """Wake whoever waits."""
        self._called.set()

    async def listen(self) -> None:
        """Listen until cancelled."""
        wait_seconds = _FIRST_WAIT_SECONDS
        while True:
            try:
                async with await self._connect() as connection:
                    await connection.execute(f"listen {CHANNEL}")
                    self.call()  # what moved while nobody listened
                    wait_seconds = _FIRST_WAIT_SECONDS
                    async for call in connection.notifies():
                        if call.payload in ("", self._municipality):
                            self.call()
            except psycopg.Error as error:
                _log.warning("not listening to the cube: %s", type(error).__name__)
            await asyncio.sleep(wait_seconds * random.uniform(0.5, 1.0))
            wait_seconds = min(wait_seconds * 2, _LONGEST_WAIT_SECONDS)

    async def _connect(self) -> psycopg.AsyncConnection[tuple[object, ...]]:
        # Keepalives: a database machine that vanishes without a word is noticed within half a minute.
        return await psycopg.AsyncConnection.connect(
            self._database.conninfo(),
            autocommit=True,
            keepalives_idle=10,
            keepalives_interval=5,
            keepalives_count=3,
            application_name="reporting-live",
        )
