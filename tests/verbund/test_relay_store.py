"""Positions and the lease on a real PostgreSQL: moved by whoever took over last, from where it believed them to be."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from typing import Any

import psycopg
import pytest
from conftest import OfficeDatabase, OfficeDatabases
from stage.ledgers import BOOK, book_events
from stage.waiting import comes_to_wait

from verbund.database import make_engine
from verbund.ledger.record import GENESIS
from verbund.relay.store import Fenced, Position, Store

OTHER = "/05913000/registration/to/school"
START = Position(0, GENESIS)
HASH = bytes(31) + b"1"

Stores = Callable[[], Store]


@pytest.fixture
def database(office_database: OfficeDatabases) -> OfficeDatabase:
    found = office_database("registration")
    book_events(found.superuser(), 3)
    return found


@pytest.fixture
async def stores(database: OfficeDatabase) -> AsyncIterator[Stores]:
    """As many relays' stores as a test wants, each with connections of its own under the relay's role."""
    async with AsyncExitStack() as opened:

        def make() -> Store:
            engine = make_engine(database.settings("relay"), size=2)
            opened.push_async_callback(engine.dispose)
            return Store(engine, "registration")

        yield make


def ask(database: OfficeDatabase, sql: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(database.superuser().conninfo()) as connection:
        return connection.execute(sql.encode()).fetchall() if sql.startswith("select") else _do(connection, sql)


def _do(connection: psycopg.Connection[Any], sql: str) -> list[tuple[Any, ...]]:
    connection.execute(sql.encode())
    return []


def position(database: OfficeDatabase) -> tuple[int, int]:
    [found] = ask(database, f"select number, epoch from relay.position where ledger = '{BOOK}'")
    return found[0], found[1]


def be_silent(database: OfficeDatabase, seconds: float) -> None:
    ask(database, f"update relay.lease set alive_at = clock_timestamp() - interval '{seconds} s'")


async def test_who_takes_over_sees_every_ledger_from_its_beginning(stores: Stores, database: OfficeDatabase) -> None:
    book_events(database.superuser(), 1, OTHER)
    store = stores()
    await store.take_over("one")
    assert store.epoch == 1
    for _ in range(2):  # the second time the positions are there
        found = await store.look()
        assert [(each.head.ledger, each.head.number, each.position.number) for each in found] == [
            (BOOK, 3, 0),
            (OTHER, 1, 0),
        ]
        assert {each.position.hash for each in found} == {GENESIS}
        assert [each.unsent for each in found] == [3, 1]
    assert position(database) == (0, 1)


async def test_a_position_moves_from_where_it_was_believed_to_be(stores: Stores, database: OfficeDatabase) -> None:
    store = stores()
    await store.take_over("one")
    await store.look()
    assert await store.move(BOOK, START, 2, HASH)
    assert position(database) == (2, 1)
    assert not await store.move(BOOK, START, 3, HASH)  # somebody was faster, or set it back
    assert not await store.move(BOOK, Position(2, GENESIS), 3, HASH)  # another record stands there
    assert position(database) == (2, 1)
    assert await store.move(BOOK, Position(2, HASH), 3, HASH)
    [standing] = await store.look()
    assert (standing.position.number, standing.position.hash, standing.unsent) == (3, HASH, 0)
    assert standing.position.moved_at is not None


async def test_who_was_overtaken_moves_and_stops_nothing(stores: Stores, database: OfficeDatabase) -> None:
    one, two = stores(), stores()
    await one.take_over("one")
    await one.look()
    assert await one.move(BOOK, START, 1, HASH)
    await two.take_over("two")
    assert (two.epoch, position(database)) == (2, (1, 2))
    assert not await one.move(BOOK, Position(1, HASH), 2, HASH)
    assert not await one.stop(BOOK, 1, "hole")
    for overtaken in (one.look(), one.stay(), one.beat(BOOK)):
        with pytest.raises(Fenced):
            await overtaken
    assert position(database) == (1, 2)
    assert await two.move(BOOK, Position(1, HASH), 2, HASH)
    await one.leave()  # nothing of its own is left to be given up
    await two.stay()


async def test_who_stands_by_succeeds_the_silent_only(stores: Stores, database: OfficeDatabase) -> None:
    one, two = stores(), stores()
    await one.take_over("one")
    assert not await two.succeed("two")
    be_silent(database, 9)
    assert not await two.succeed("two")
    await one.stay()
    be_silent(database, 11)
    assert await two.succeed("two")
    assert (two.epoch, ask(database, "select holder from relay.lease")) == (2, [("two",)])
    assert not await one.succeed("one")  # and does not take it back from who lives
    await two.leave()
    assert await one.succeed("one")


async def test_a_ledger_is_stopped_once_and_by_its_reason(stores: Stores, database: OfficeDatabase) -> None:
    store = stores()
    await store.take_over("one")
    await store.look()
    assert not await store.stop(BOOK, 1, "hole")  # its position is another one
    assert await store.stop(BOOK, 0, "hole")
    assert not await store.stop(BOOK, 0, "chain_broken")
    [standing] = await store.look()
    assert standing.position.stop_reason == "hole"


async def test_a_beat_says_where_the_ledger_ends(stores: Stores, database: OfficeDatabase) -> None:
    one, two = stores(), stores()
    await one.take_over("one")
    beat = await one.beat(BOOK)
    assert (beat.ledger, beat.number, beat.at) == (BOOK, 3, None)
    ask(database, "insert into ledger.beat values ('registration', '2018-12-31T08:30Z')")
    await two.take_over("two")
    book_events(database.superuser(), 1)
    later = await two.beat(BOOK)
    assert beat.as_of is not None
    assert later.as_of is not None
    assert (later.number, later.as_of > beat.as_of) == (4, True)
    assert later.at is not None
    assert later.at.year == 2018


async def test_a_new_position_waits_for_who_takes_over(stores: Stores, database: OfficeDatabase) -> None:
    """Otherwise it would carry an epoch that nobody has, and the new relay would believe itself overtaken."""
    one, two = stores(), stores()
    await one.take_over("one")
    async with await psycopg.AsyncConnection.connect(database.settings("relay").conninfo()) as taking_over:
        await taking_over.execute("update relay.lease set epoch = epoch + 1")
        looking = asyncio.create_task(one.look())
        assert await comes_to_wait(looking, database.superuser())
        await taking_over.commit()
        await looking
    assert ask(database, "select count(*) from relay.position") == [(0,)]
    await two.take_over("two")
    await two.look()
    assert position(database) == (0, 3)


@pytest.mark.parametrize(
    "statement",
    [
        "insert into ledger.record values ('x', 1, '', '', '')",
        "update ledger.head set number = 0",
        "update ledger.beat set at = now()",
        "delete from relay.position",
        "truncate relay.lease",
        "select * from desk.answer",
        "select * from vault.person",
    ],
)
def test_the_relay_may_do_nothing_else(database: OfficeDatabase, statement: str) -> None:
    with (
        psycopg.connect(database.settings("relay").conninfo()) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        connection.execute(statement.encode())
