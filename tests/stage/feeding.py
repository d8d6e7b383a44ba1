"""An office with a ledger and a reader of it, with either feed between them, and what can happen on the way."""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from time import monotonic
from typing import Any, Protocol

import psycopg
from conftest import OfficeDatabase
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection
from stage.tally import KNOWN, Added
from stage.wiretap import make_topic, send

from verbund.database import make_engine
from verbund.events.envelope import Data, Event
from verbund.events.offices import get_office
from verbund.feeds.kafka.feed import KafkaFeed
from verbund.feeds.ledger_feed import LedgerFeed
from verbund.feeds.ledger_view import Source
from verbund.feeds.positions import resume_ledger
from verbund.feeds.reader import Reader
from verbund.kafka.messages import message_of
from verbund.kafka.settings import KafkaSettings
from verbund.kafka.topics import topic_of
from verbund.ledger.record import Entry, Record, seal
from verbund.ledger.store import append, beat, lock_heads, open_ledgers, read
from verbund.relay.relay import Relay

BOOK = "/05913000/registration/book"
OTHER = "/05915000/registration/book"  # of another municipality
DEADLINE_SECONDS = 30.0

TABLES = """
create schema stage;
create table stage.seen (id bigint generated always as identity, ledger text, number bigint, amount bigint);
grant usage on schema stage to reporting_reader;
grant select, insert on stage.seen to reporting_reader;
"""


class Unknown(Data, office="registration", version=9):
    """An event of a version that this reader does not know."""


@dataclass
class Seen:
    """The effect: one row for every event, so that nothing can hide in a sum."""

    fails_on: set[int] = field(default_factory=set)
    breaks: list[str] = field(default_factory=list)

    async def apply(self, connection: AsyncConnection, events: Sequence[Event[Any]]) -> None:
        for event in events:
            if event.number in self.fails_on and event.source == BOOK:
                raise ZeroDivisionError("a bug in the effect")
            await connection.execute(
                text("insert into stage.seen (ledger, number, amount) values (:ledger, :number, :amount)"),
                {"ledger": event.source, "number": event.number, "amount": event.data.amount},
            )

    async def finish(self, connection: AsyncConnection) -> None:
        if self.breaks:
            await connection.execute(text(self.breaks.pop()))


@dataclass
class Held(Seen):
    """As `Seen`, and holds its transaction open in front of the new positions: only their locks are there yet."""

    reached: asyncio.Event = field(default_factory=asyncio.Event)
    go_on: asyncio.Event = field(default_factory=asyncio.Event)

    async def apply(self, connection: AsyncConnection, events: Sequence[Event[Any]]) -> None:
        await super().apply(connection, events)
        self.reached.set()
        await self.go_on.wait()


class Feed(Protocol):
    """What brings records to a reader."""

    async def trouble(self) -> str | None: ...


class Stage:
    """An office with a ledger, and a reader of it; each feed has a stage of its own."""

    def __init__(self, office: OfficeDatabase, reader: OfficeDatabase) -> None:
        self.office = office
        self.reader = reader
        self.effect = Seen()
        with psycopg.connect(reader.settings("owner").conninfo()) as connection:
            connection.execute(TABLES)

    async def book(self, count: int, ledger: str = BOOK, data: Data | None = None) -> None:
        engine = make_engine(self.office.settings("desk"))
        async with engine.begin() as connection:
            await open_ledgers(connection, [ledger])
            head = (await lock_heads(connection, [ledger]))[ledger]
            booked = [data or Added(amount=head.number + n + 1) for n in range(count)]
            entries = [Entry("s", each, "clerk:1", head.time) for each in booked]
            moved, records = seal(head, entries)
            await append(connection, records, [moved], ["reporting"])
            await beat(connection, "registration")
        await engine.dispose()

    async def records(self) -> list[Record]:
        engine = make_engine(self.office.settings("desk"))
        async with engine.connect() as connection:
            found = await read(connection, BOOK, 0, 1000)
        await engine.dispose()
        return found

    def tamper(self, *statements: str) -> None:
        """Change the office's ledger as only a superuser can."""
        with psycopg.connect(self.office.superuser().conninfo()) as connection:
            connection.execute("alter table ledger.record disable trigger never_changed")
            for statement in statements:
                connection.execute(statement.encode())
            connection.execute("alter table ledger.record enable always trigger never_changed")

    def reading(self) -> AbstractAsyncContextManager[Feed]:
        """A reader at work."""
        raise NotImplementedError

    def lose(self, number: int) -> None:
        """Take a record away before anybody has read it."""
        raise NotImplementedError

    def find_again(self) -> None:
        """Bring it back."""
        raise NotImplementedError

    def change_bytes(self, number: int) -> None:
        """Change a record before anybody has read it."""
        raise NotImplementedError

    def restore(self, number: int) -> None:
        """Put the office's database back to when its ledger ended there."""
        self.tamper(
            f"delete from ledger.record where number > {number}",
            f"update ledger.head set number = {number}, hash = record.hash from ledger.record"
            f" where record.number = {number}",
            f"update relay.position set number = {number}, hash = head.hash from ledger.head"
            f" where position.number > {number} and head.ledger = position.ledger",
        )

    def ask(self, sql: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.reader.superuser().conninfo()) as connection:
            return connection.execute(sql.encode()).fetchall()

    def seen(self, ledger: str = BOOK) -> list[int]:
        return [n for (n,) in self.ask(f"select number from stage.seen where ledger = '{ledger}' order by id")]

    def stopped(self, ledger: str = BOOK) -> str | None:
        rows = self.ask(f"select stop_reason from feed.position where ledger = '{ledger}'")
        return rows[0][0] if rows else None

    async def resume(self, ledger: str = BOOK) -> None:
        engine = make_engine(self.reader.settings("reader"))
        async with engine.begin() as connection:
            assert await resume_ledger(connection, ledger)
        await engine.dispose()


class LedgerStage(Stage):
    """The reader sees the office's database."""

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Feed]:
        engine = make_engine(self.reader.settings("reader"))
        source = Source(office="registration", database=self.office.settings("feed_reporting"))
        try:
            async with LedgerFeed(source, Reader(engine, self.effect, KNOWN), "reporting") as feed:
                yield feed
        finally:
            await engine.dispose()

    def lose(self, number: int) -> None:
        self.tamper(
            f"create table public.kept as select * from ledger.record where number = {number}",
            f"delete from ledger.record where number = {number}",
        )

    def find_again(self) -> None:
        self.tamper("insert into ledger.record select * from public.kept")

    def change_bytes(self, number: int) -> None:
        self.tamper(f"update ledger.record set body = body || decode('20', 'hex') where number = {number}")


class KafkaStage(Stage):
    """The reader sees a topic, which a relay fills; what is lost or changed is lost or changed on that way."""

    _groups = count(1)

    def __init__(self, office: OfficeDatabase, reader: OfficeDatabase, kafka: KafkaSettings) -> None:
        super().__init__(office, reader)
        self.kafka = kafka
        self.group = f"reader-{next(self._groups)}-{os.getpid()}"
        self.gave_up = False
        self._relays = 0
        self.make_topics()

    def make_topics(self) -> None:
        """Fresh ones."""
        make_topic(self.kafka.brokers, topic_of(BOOK))

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Feed]:
        engine = make_engine(self.reader.settings("reader"))
        feed = KafkaFeed(
            self.kafka,
            self.group,
            [topic_of(BOOK)],
            Reader(engine, self.effect, KNOWN),
            patience_seconds=1.0,
            give_up=self._give_up,
        )
        try:
            async with self._relaying(), feed:
                yield feed
            assert not self.gave_up
        finally:
            await engine.dispose()

    @asynccontextmanager
    async def _relaying(self) -> AsyncIterator[None]:
        """One relay, however many read."""
        self._relays += 1
        try:
            if self._relays > 1:
                yield
                return
            async with Relay(get_office("registration"), self.office.settings("relay"), self.kafka):
                yield
        finally:
            self._relays -= 1

    def _give_up(self) -> None:
        self.gave_up = True

    def lose(self, number: int) -> None:
        self._send(lambda record: None if record.number == number else record)

    def find_again(self) -> None:
        self.tamper("update relay.position set number = 0, hash = decode(repeat('00', 32), 'hex')")

    def change_bytes(self, number: int) -> None:
        self._send(lambda record: record._replace(body=record.body + b" ") if record.number == number else record)

    def _send(self, changed: Callable[[Record], Record | None]) -> None:
        """What stands in the ledger, with a change, as if a relay had sent it."""
        with psycopg.connect(self.office.superuser().conninfo()) as connection:
            query = "select ledger, number, previous, hash, body from ledger.record order by number"
            records = [Record(*row) for row in connection.execute(query)]
            connection.execute(
                "insert into relay.position (ledger, number, hash, epoch)"
                " select ledger, number, hash, 0 from ledger.head"
            )
        send(self.kafka.brokers, [message_of(record) for record in map(changed, records) if record is not None])


async def until(condition: Callable[[], bool], seconds: float = DEADLINE_SECONDS) -> None:
    """Wait until it is true."""
    deadline = monotonic() + seconds
    while not condition():
        assert monotonic() < deadline, "it did not become true in time"
        await asyncio.sleep(0.02)


async def until_async(condition: Callable[[], Awaitable[bool]]) -> None:
    """The same of what has to be asked."""
    deadline = monotonic() + DEADLINE_SECONDS
    while not await condition():
        assert monotonic() < deadline, "it did not become true in time"
        await asyncio.sleep(0.02)
