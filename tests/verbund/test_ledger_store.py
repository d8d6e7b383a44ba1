import asyncio

import psycopg
import pytest
from conftest import OfficeDatabase, OfficeDatabases
from stage.tally import Added
from stage.waiting import comes_to_wait

from verbund.database import make_engine
from verbund.ledger.record import GENESIS, Entry, seal
from verbund.ledger.store import append, lock_heads, open_ledgers
from verbund.ledger.verify import Progress, verify_ledgers

BOOK = "/05913000/registration/book"
TRAY = "/05913000/registration/to/school"


@pytest.fixture
async def database(office_database: OfficeDatabases) -> OfficeDatabase:
    """An office with twenty records in its book and twenty in a tray."""
    made = office_database("registration")
    engine = make_engine(made.settings("desk"))
    async with engine.begin() as connection:
        await open_ledgers(connection, [BOOK, TRAY])
        heads = await lock_heads(connection, [BOOK, TRAY])
        assert [(head.number, head.hash) for head in heads.values()] == [(0, GENESIS)] * 2
        for ledger, head in heads.items():
            entries = [Entry("s", Added(amount=n + 1), "clerk:1", head.time) for n in range(20)]
            moved, records = seal(head, entries)
            await append(connection, records, [moved], ["reporting"])
            assert ledger == moved.ledger
    await engine.dispose()
    return made


def faults(database: OfficeDatabase) -> list[tuple[str, int]]:
    found: list[Progress] = list(verify_ledgers(database.superuser()))
    return [(progress.damage.ledger, progress.damage.first) for progress in found if progress.damage]


async def test_a_head_stays_locked_until_its_transaction_ends(database: OfficeDatabase) -> None:
    """Whoever comes second goes on from what the first has committed: no two records ever get one number."""
    engine = make_engine(database.settings("desk"))
    async with engine.connect() as first, engine.connect() as second:
        head = (await lock_heads(first, [BOOK]))[BOOK]
        moved, records = seal(head, [Entry("s", Added(amount=1), "clerk:1", head.time)])
        await append(first, records, [moved], [])
        waiting = asyncio.create_task(lock_heads(second, [BOOK]))
        assert await comes_to_wait(waiting, database.superuser())
        await first.commit()
        assert (await waiting)[BOOK] == moved
    await engine.dispose()


CHANGES = [
    "update ledger.record set body = ''",
    "delete from ledger.record",
    "truncate ledger.record",
    "update ledger.record set body = '' where false",
    "delete from ledger.head",
]


@pytest.mark.parametrize("statement", CHANGES)
def test_the_desk_has_no_right_to_change_a_ledger(database: OfficeDatabase, statement: str) -> None:
    """Rights and triggers each hold by themselves."""
    with (
        psycopg.connect(database.settings("desk").conninfo()) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        connection.execute(statement.encode())


@pytest.mark.parametrize("role", ["desk", "owner"])
@pytest.mark.parametrize("statement", CHANGES)
def test_nobody_changes_a_ledger(database: OfficeDatabase, role: str, statement: str) -> None:
    with (
        psycopg.connect(database.settings(role).conninfo()) as connection,
        pytest.raises((psycopg.errors.InsufficientPrivilege, psycopg.errors.RestrictViolation)),
    ):
        connection.execute(statement.encode())


def test_even_a_superuser_that_replays_is_stopped_by_the_trigger(database: OfficeDatabase) -> None:
    with psycopg.connect(database.superuser().conninfo()) as connection:
        connection.execute("set session_replication_role = replica")
        with pytest.raises(psycopg.errors.RestrictViolation, match="never changed"):
            connection.execute("delete from ledger.record")


def test_reporting_sees_the_book_alone_and_nothing_else(database: OfficeDatabase) -> None:
    with psycopg.connect(database.settings("feed_reporting").conninfo(), autocommit=True) as connection:
        rows = connection.execute("select distinct ledger from feed_reporting.record").fetchall()
        assert rows == [(BOOK,)]
        assert connection.execute("select ledger from feed_reporting.head").fetchall() == [(BOOK,)]
        for table in ("ledger.record", "ledger.head", "desk.answer"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(f"select * from {table}".encode())
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("insert into feed_reporting.record select * from feed_reporting.record")


def test_a_whole_database_verifies_with_progress_for_each_ledger(database: OfficeDatabase) -> None:
    progress = list(verify_ledgers(database.superuser()))
    assert [(item.ledger, item.done, item.total, item.damage) for item in progress] == [
        (BOOK, 20, 20, None),
        (TRAY, 20, 20, None),
    ]
