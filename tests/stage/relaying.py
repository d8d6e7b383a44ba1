"""An office with ledgers, a relay of it, and a real Kafka."""

import asyncio
import gc
import warnings
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from time import monotonic
from typing import Any

import psycopg
from conftest import OfficeDatabase
from prometheus_client import REGISTRY
from stage.ledgers import BOOK, book_events
from stage.wiretap import Tapped, make_topic, tap

from verbund.events.offices import get_office
from verbund.kafka.settings import KafkaSettings
from verbund.kafka.topics import topic_of
from verbund.ledger.record import GENESIS, chain_hash
from verbund.relay.relay import Relay

TRAY = "/05913000/registration/to/school"
DEADLINE_SECONDS = 60.0


class Stage:
    """Each test has fresh topics."""

    def __init__(self, database: OfficeDatabase, kafka: KafkaSettings, ledgers: Sequence[str] = (BOOK, TRAY)) -> None:
        self.database = database
        self.kafka = kafka
        for topic in sorted({topic_of(ledger) for ledger in ledgers}):
            make_topic(kafka.brokers, topic)

    def book(self, count: int, ledger: str = BOOK) -> None:
        """Events in a ledger, and the call that wakes its readers."""
        book_events(self.database.superuser(), count, ledger)
        self.ask("select pg_notify('feed_reporting', '')")

    @asynccontextmanager
    async def relaying(self, kafka: KafkaSettings | None = None) -> AsyncIterator[Relay]:
        with warnings.catch_warnings():
            # kafka-python leaves the socket of a connection that was refused to the garbage collector.
            warnings.filterwarnings("ignore", "unclosed <(ssl|socket)", ResourceWarning)
            async with Relay(get_office("registration"), self.database.settings("relay"), kafka or self.kafka) as relay:
                yield relay
            gc.collect()

    def tap(self, ledger: str = BOOK, as_: KafkaSettings | None = None) -> Tapped:
        return tap(as_ or self.kafka, topic_of(ledger), ledger)

    def ask(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.database.superuser().conninfo()) as connection:
            found = connection.execute(sql.encode(), values or None)
            return found.fetchall() if found.description else []

    def tamper(self, *statements: str) -> None:
        """Change the office's ledger as only a superuser can."""
        with psycopg.connect(self.database.superuser().conninfo()) as connection:
            connection.execute("alter table ledger.record disable trigger never_changed")
            for statement in statements:
                connection.execute(statement.encode())
            connection.execute("alter table ledger.record enable always trigger never_changed")

    def swell(self, ledger: str, number: int, size: int) -> None:
        """Make a record so many bytes long, and seal it and all behind it anew."""
        rows = self.ask("select number, previous, body from ledger.record where ledger = %s order by number", ledger)
        previous = bytes(rows[0][1])
        with psycopg.connect(self.database.superuser().conninfo()) as connection:
            connection.execute("alter table ledger.record disable trigger never_changed")
            for at, _, body in rows:
                swollen = bytes(body).replace(b'"actor":"clerk:1', b'"actor":"clerk:1' + (at == number) * size * b"x")
                own = chain_hash(previous, swollen)
                connection.execute(
                    "update ledger.record set previous = %s, hash = %s, body = %s where ledger = %s and number = %s",
                    (previous, own, swollen, ledger, at),
                )
                previous = own
            connection.execute("update ledger.head set hash = %s where ledger = %s", (previous, ledger))
            connection.execute("alter table ledger.record enable always trigger never_changed")

    def set_back(self, ledger: str, number: int) -> None:
        """As a person does who wants everything behind this number sent again."""
        rows = self.ask("select hash from ledger.record where ledger = %s and number = %s", ledger, number)
        own = bytes(rows[0][0]) if rows else GENESIS
        self.ask("update relay.position set number = %s, hash = %s where ledger = %s", number, own, ledger)

    def write_moves_down(self) -> None:
        """From now on PostgreSQL keeps every number at which the book's position stood."""
        self.ask("create table public.move (id bigint generated always as identity, number bigint)")
        self.ask(
            "create function public.keep_move() returns trigger language plpgsql security definer as $$ begin"
            " insert into public.move (number) values (new.number); return new; end $$"
        )
        self.ask(
            "create trigger keep_move after update of number on relay.position for each row"
            f" when (new.ledger = '{BOOK}') execute function public.keep_move()"
        )

    def moves(self) -> list[int]:
        return [number for (number,) in self.ask("select number from public.move order by id")]

    def measured(self, name: str, **labels: str | None) -> float:
        """A metric of this process, of the book where no other labels are given."""
        chosen = {"ledger": BOOK, **labels}
        found = REGISTRY.get_sample_value(name, {key: value for key, value in chosen.items() if value is not None})
        return found if found is not None else -1.0

    def position(self, ledger: str = BOOK) -> int | None:
        rows = self.ask("select number from relay.position where ledger = %s", ledger)
        return rows[0][0] if rows else None

    def stopped(self, ledger: str = BOOK) -> str | None:
        rows = self.ask("select stop_reason from relay.position where ledger = %s", ledger)
        return rows[0][0] if rows else None

    def epoch(self) -> int:
        rows = self.ask("select epoch from relay.lease")
        return int(rows[0][0]) if rows else 0

    async def until(self, condition: Callable[[], bool], what: str = "it became true") -> None:
        deadline = monotonic() + DEADLINE_SECONDS
        while not await asyncio.to_thread(condition):
            assert monotonic() < deadline, f"not in time: {what}"
            await asyncio.sleep(0.03)

    async def until_sent(self, number: int, ledger: str = BOOK) -> None:
        """Until the position of a ledger is there."""
        await self.until(lambda: self.position(ledger) == number, f"{ledger} was sent up to {number}")

    async def until_troubled(self, relay: Relay, word: str) -> str:
        """Until the relay says so of itself."""
        deadline = monotonic() + DEADLINE_SECONDS
        while word not in (said := await relay.trouble() or ""):
            assert monotonic() < deadline, f"nothing of {word!r}, but {said!r}"
            await asyncio.sleep(0.03)
        return said

    async def until_trouble_is_gone(self, relay: Relay) -> None:
        deadline = monotonic() + DEADLINE_SECONDS
        while (said := await relay.trouble()) is not None:
            assert monotonic() < deadline, f"it still says {said!r}"
            await asyncio.sleep(0.03)


def assert_complete(tapped: Tapped, number: int) -> None:
    """Whatever came twice: all are there, and none came before the one in front of it."""
    assert tapped.first_seen == list(range(1, number + 1))
    assert len(tapped.places) == 1
    by_number = {record.number: record for record in tapped.records}
    assert all(by_number[record.number] == record for record in tapped.records)
    assert all(by_number[n].previous == by_number[n - 1].hash for n in range(2, number + 1))
