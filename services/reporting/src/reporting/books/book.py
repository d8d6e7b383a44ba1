"""What each of reporting's books has to know: its commands, its events, and what becomes of them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol, TypeVar

from sqlalchemy.ext.asyncio import AsyncConnection

from verbund.desk.orders import Answer, Draft, Kept, Loaded
from verbund.events.envelope import Data

C = TypeVar("C")
S = TypeVar("S")


class Book(Protocol[C, S]):
    """The rules of one matter (deliveries, notes, editions ...), as a desk wants them (`verbund.desk.orders.Rules`)."""

    commands: tuple[type, ...]
    events: tuple[type[Data], ...]

    async def load(self, connection: AsyncConnection, commands: Sequence[C]) -> Loaded[S]: ...

    def decide(self, state: S | None, command: C, at: datetime) -> tuple[Draft, ...]: ...

    def evolve(self, state: S | None, draft: Draft, at: datetime) -> S: ...

    def etag(self, state: S) -> str: ...

    def answer(self, kept: Kept[C, S]) -> Answer: ...

    async def keep(self, connection: AsyncConnection, kept: Sequence[Kept[C, S]]) -> None: ...
