import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from conftest import OfficeDatabase, OfficeDatabases
from sqlalchemy import text
from stage.tally import KNOWN, TABLES, Add, Added, Tally, order
from stage.waiting import comes_to_wait

from verbund.database import make_engine
from verbund.desk.desk import Desk, DeskLimits
from verbund.desk.orders import Answer, CloseInitialLoad
from verbund.errors import Conflict, KeyReused, NotNow, RuleBroken, Stale, Unavailable
from verbund.events.envelope import Event, decode
from verbund.ledger.verify import verify_ledgers

MUNICIPALITY = "05913000"
BOOK = "/05913000/registration/book"
TRACE = "00-" + "1" * 32 + "-" + "2" * 16 + "-01"


@pytest.fixture
def database(office_database: OfficeDatabases) -> OfficeDatabase:
    made = office_database("registration")
    with psycopg.connect(made.settings("owner").conninfo()) as connection:
        connection.execute(TABLES)
    return made


@asynccontextmanager
async def desk_at(database: OfficeDatabase, limits: DeskLimits | None = None) -> AsyncIterator[Desk[Any, Any]]:
    engine = make_engine(database.settings("desk"))
    async with Desk(Tally(), engine, MUNICIPALITY, limits) as desk:
        yield desk


@asynccontextmanager
async def open_desk(database: OfficeDatabase, limits: DeskLimits | None = None) -> AsyncIterator[Desk[Any, Any]]:
    """A desk whose initial load is closed."""
    async with desk_at(database, limits) as desk:
        await desk.carry_out(order(CloseInitialLoad()))
        yield desk


def query(database: OfficeDatabase, sql: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(database.superuser().conninfo()) as connection:
        return connection.execute(sql.encode()).fetchall()


def change(database: OfficeDatabase, sql: str) -> None:
    """As only a superuser can."""
    with psycopg.connect(database.superuser().conninfo()) as connection:
        connection.execute(sql.encode())


def events(database: OfficeDatabase, ledger: str = BOOK) -> list[Event[Any]]:
    rows = query(database, f"select body from ledger.record where ledger = '{ledger}' order by number")
    return [decode(body, KNOWN) for (body,) in rows]


def amounts(database: OfficeDatabase, ledger: str = BOOK) -> list[int]:
    return [event.data.amount for event in events(database, ledger) if isinstance(event.data, Added)]


async def test_an_order_becomes_an_event_a_state_and_an_answer(database: OfficeDatabase) -> None:
    async with open_desk(database) as desk:
        answer = await desk.carry_out(order(Add("a", 5), traceparent=TRACE))
    assert answer == Answer(201, "/sums/a", '"1"', {"total": 5})
    booked = events(database)[-1]
    assert (booked.number, booked.subject, booked.actor, booked.data) == (2, "a", "clerk:test", Added(amount=5))
    assert booked.traceparent is not None
    assert query(database, "select name, total from tally.sum") == [("a", 5)]
    assert not [progress.damage for progress in verify_ledgers(database.superuser()) if progress.damage]


async def test_orders_that_wait_are_booked_together_in_their_order(database: OfficeDatabase) -> None:
    async with open_desk(database) as desk:
        answers = await asyncio.gather(*(desk.carry_out(order(Add("a", n))) for n in range(1, 41)))
    assert [answer.receipt["total"] for answer in answers] == [n * (n + 1) // 2 for n in range(1, 41)]
    assert amounts(database) == list(range(1, 41))
    transactions = query(database, "select count(distinct xmin::text) from desk.answer")[0][0]
    assert transactions <= 4  # the close of the load, a first order or two, and all that queued behind it


async def test_a_refusal_touches_only_its_own_order(database: OfficeDatabase) -> None:
    async with open_desk(database) as desk:
        outcomes = await asyncio.gather(
            desk.carry_out(order(Add("a", 1))),
            desk.carry_out(order(Add("a", 0))),
            desk.carry_out(order(Add("closed", 1))),
            desk.carry_out(order(Add("bug", 1))),
            desk.carry_out(order(Add("b", 2))),
            return_exceptions=True,
        )
    assert [type(outcome) for outcome in outcomes] == [Answer, RuleBroken, NotNow, ZeroDivisionError, Answer]
    assert amounts(database) == [1, 2]
    assert query(database, "select count(*) from desk.answer") == [(3,)]  # refusals are not remembered


async def test_an_error_of_the_database_fails_only_the_guilty_order(database: OfficeDatabase) -> None:
    async with open_desk(database) as desk:
        outcomes = await asyncio.gather(
            desk.carry_out(order(Add("a", 1))),
            desk.carry_out(order(Add("b", 5000))),  # the table refuses totals of a thousand and more
            desk.carry_out(order(Add("c\x00", 1))),  # PostgreSQL takes no NUL
            desk.carry_out(order(Add("d", 2))),
            return_exceptions=True,
        )
    assert [isinstance(outcome, Answer) for outcome in outcomes] == [True, False, False, True]
    assert amounts(database) == [1, 2]


async def test_a_repeat_gets_the_same_answer_and_books_nothing(database: OfficeDatabase) -> None:
    async with open_desk(database) as desk:
        first = await desk.carry_out(order(Add("a", 5), idempotency_key="k"))
        await desk.carry_out(order(Add("a", 1)))
        again = await desk.carry_out(order(Add("a", 5), idempotency_key="k"))
    async with desk_at(database) as desk:
        after_restart = await desk.carry_out(order(Add("a", 5), idempotency_key="k"))
    assert (again.status, again.location, again.etag, dict(again.receipt)) == (201, "/sums/a", first.etag, {"total": 5})
    assert again.replayed
    assert after_restart == again
    assert amounts(database) == [5, 1]


async def test_a_key_used_for_another_request_is_refused(database: OfficeDatabase) -> None:
    async with open_desk(database) as desk:
        await desk.carry_out(order(Add("a", 5), idempotency_key="k"))
        with pytest.raises(KeyReused):
            await desk.carry_out(order(Add("a", 6), idempotency_key="k"))
        await desk.carry_out(order(Add("a", 7), idempotency_key="k", principal="another"))
        await desk.carry_out(order(Add("a", 8), idempotency_key="k", route="/another"))
    assert amounts(database) == [5, 7, 8]


async def test_a_key_that_an_earlier_release_kept_as_it_was_sent_is_known(database: OfficeDatabase) -> None:
    async with open_desk(database) as desk:
        first = await desk.carry_out(order(Add("a", 5), idempotency_key="as sent"))
        again = await desk.carry_out(order(Add("a", 5), idempotency_key="hashed", key_as_sent="as sent"))
        with pytest.raises(KeyReused):
            await desk.carry_out(order(Add("a", 6), idempotency_key="hashed", key_as_sent="as sent"))
        await desk.carry_out(order(Add("a", 7), idempotency_key="other", key_as_sent="another"))
    assert (again.replayed, again.receipt) == (True, first.receipt)
    assert amounts(database) == [5, 7]


async def test_of_many_posts_under_one_key_one_is_booked(database: OfficeDatabase) -> None:
    async with open_desk(database) as desk:
        outcomes = await asyncio.gather(
            *(desk.carry_out(order(Add("a", 5), idempotency_key="k")) for _ in range(100)), return_exceptions=True
        )
    assert [type(outcome) for outcome in outcomes] == [Answer] + [Conflict] * 99
    assert amounts(database) == [5]


async def test_two_desks_on_one_database_share_one_numbering(database: OfficeDatabase) -> None:
    async with open_desk(database) as one, desk_at(database) as two:
        await asyncio.gather(
            *(desk.carry_out(order(Add(f"n{n}", 1))) for n in range(50) for desk in (one, two)),
            *(desk.carry_out(order(Add("same", 1), idempotency_key="k")) for desk in (one, two)),
        )
    assert [event.number for event in events(database)] == list(range(1, 103))
    assert not [progress.damage for progress in verify_ledgers(database.superuser()) if progress.damage]


async def test_a_refused_if_match_books_nothing(database: OfficeDatabase) -> None:
    async with open_desk(database) as desk:
        first = await desk.carry_out(order(Add("a", 1)))
        await desk.carry_out(order(Add("a", 2), if_match=first.etag))
        with pytest.raises(Stale):
            await desk.carry_out(order(Add("a", 4), if_match=first.etag))
    assert amounts(database) == [1, 2]


async def test_what_is_told_to_a_receiver_stands_in_its_tray_in_the_same_transaction(database: OfficeDatabase) -> None:
    async with open_desk(database) as desk:
        await desk.carry_out(order(Add("a", 3, receiver="school"), traceparent=TRACE))
        with pytest.raises(Exception, match="check"):
            await desk.carry_out(order(Add("a", 5000, receiver="school")))
    tray = "/05913000/registration/to/school"
    assert amounts(database) == [3]
    assert amounts(database, tray) == [3]
    assert events(database, tray)[0].number == 1
    assert events(database, tray)[0].traceparent is None  # no trace crosses from one ledger into another
    assert not [progress.damage for progress in verify_ledgers(database.superuser()) if progress.damage]


async def test_a_full_queue_says_when_to_come_back(database: OfficeDatabase) -> None:
    async with open_desk(database, DeskLimits(queue=3)) as desk:
        outcomes = await asyncio.gather(
            *(desk.carry_out(order(Add("a", 1))) for _ in range(10)), return_exceptions=True
        )
    refused = [outcome for outcome in outcomes if isinstance(outcome, Unavailable)]
    assert len(refused) == 7
    assert {(refusal.code, refusal.retry_after_seconds) for refusal in refused} == {("overloaded", 2)}
    assert amounts(database) == [1, 1, 1]


async def test_an_order_not_begun_in_time_is_withdrawn_and_never_booked(database: OfficeDatabase) -> None:
    async with open_desk(database, DeskLimits(deadline_seconds=0.3)) as desk:
        with psycopg.connect(database.superuser().conninfo()) as connection:
            connection.execute("select 1 from ledger.head for update")
            first = asyncio.create_task(desk.carry_out(order(Add("first", 1))))
            await asyncio.sleep(0)
            await asyncio.sleep(0.05)
            with pytest.raises(Unavailable) as late:
                await desk.carry_out(order(Add("late", 1)))
            assert late.value.code == "deadline_passed"
        await first
    assert [event.subject for event in events(database)] == ["tally", "first"]


async def test_a_desk_that_closes_finishes_what_waits_and_takes_nothing_more(database: OfficeDatabase) -> None:
    async with open_desk(database, DeskLimits(batch=2)) as desk:
        waiting = [asyncio.create_task(desk.carry_out(order(Add("a", 1)))) for _ in range(20)]
        await asyncio.sleep(0)
    assert all(isinstance(answer, Answer) for answer in await asyncio.gather(*waiting))
    assert len(amounts(database)) == 20
    with pytest.raises(Unavailable):
        await desk.carry_out(order(Add("a", 1)))


async def test_a_caller_that_hangs_up_does_not_undo_its_order(database: OfficeDatabase) -> None:
    async with open_desk(database) as desk:
        caller = asyncio.create_task(desk.carry_out(order(Add("a", 7), idempotency_key="k")))
        await asyncio.sleep(0)
        caller.cancel()
        with pytest.raises(asyncio.CancelledError):
            await caller
        await desk.carry_out(order(Add("b", 1)))
        again = await desk.carry_out(order(Add("a", 7), idempotency_key="k"))
    assert again.replayed
    assert amounts(database) == [7, 1]


async def test_a_commit_whose_word_is_lost_is_found_out_by_the_answers(
    database: OfficeDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The transaction commits and the connection dies before the desk hears of it."""
    async with open_desk(database) as desk:
        carry_out = desk._transaction.carry_out
        lost: list[bool] = []

        async def commit_then_lose(connection: Any, orders: Any) -> Any:
            outcomes = await carry_out(connection, orders)
            if not lost:
                lost.append(True)
                await connection.execute(text("commit"))
                await connection.execute(text("select pg_terminate_backend(pg_backend_pid())"))
            return outcomes

        monkeypatch.setattr(desk._transaction, "carry_out", commit_then_lose)
        answer = await desk.carry_out(order(Add("a", 5)))
    assert lost
    assert answer.replayed
    assert amounts(database) == [5]


SLOW_COMMIT = """
create function tally.wait() returns trigger language plpgsql as $$
begin
    perform pg_advisory_xact_lock(1);
    return null;
end $$;
create constraint trigger waits after insert on tally.sum deferrable initially deferred
    for each row execute function tally.wait();
"""


async def test_a_full_disk_is_said_at_once_and_nothing_is_booked(database: OfficeDatabase) -> None:
    change(
        database,
        """
        create function tally.no_room() returns trigger language plpgsql as $$
        begin raise exception 'could not extend file' using errcode = 'disk_full'; end $$;
        create trigger no_room before insert or update on tally.sum execute function tally.no_room();
        """,
    )
    async with open_desk(database) as desk:
        outcomes = await asyncio.gather(*(desk.carry_out(order(Add("a"))) for _ in range(3)), return_exceptions=True)
        assert [outcome.code for outcome in outcomes if isinstance(outcome, Unavailable)] == ["storage_full"] * 3
        assert amounts(database) == []
        change(database, "drop trigger no_room on tally.sum")
        assert (await desk.carry_out(order(Add("a")))).status == 201


async def test_a_desk_without_orders_finds_out_that_its_database_is_well_again(database: OfficeDatabase) -> None:
    name = database.name
    limits = DeskLimits(deadline_seconds=0.2, beat_seconds=0.05)
    async with open_desk(database, limits) as desk:
        change(database, f"alter database {name} connection limit 0")
        change(database, "select pg_terminate_backend(pid) from pg_stat_activity where usename = 'registration_desk'")
        with pytest.raises(Unavailable):
            await desk.carry_out(order(Add("a")))
        assert await desk.trouble() is not None
        change(database, f"alter database {name} connection limit -1")
        async with asyncio.timeout(20):
            while await desk.trouble() is not None:  # noqa: ASYNC110 - the desk tells nobody
                await asyncio.sleep(0.01)


async def test_nobody_is_answered_before_the_commit(database: OfficeDatabase) -> None:
    """All statements are done, and the commit itself is held up in the database."""
    with psycopg.connect(database.settings("owner").conninfo()) as connection:
        connection.execute(SLOW_COMMIT)
    async with open_desk(database) as desk:
        with psycopg.connect(database.superuser().conninfo()) as connection:
            connection.execute("select pg_advisory_xact_lock(1)")
            booking = asyncio.create_task(desk.carry_out(order(Add("a", 5))))
            assert await comes_to_wait(booking, database.superuser()), "answered, and not committed"
            assert amounts(database) == []
        assert (await booking).status == 201
    assert amounts(database) == [5]


async def test_an_initial_load_brings_its_own_times_until_it_is_closed(database: OfficeDatabase) -> None:
    early, later = datetime(2007, 1, 1, tzinfo=UTC), datetime(2008, 1, 1, tzinfo=UTC)
    async with desk_at(database) as desk:
        with pytest.raises(NotNow, match="initial_load_open"):
            await desk.carry_out(order(Add("a", 1)))
        await desk.carry_out(order(Add("a", 2), recorded_at=early))
        await desk.carry_out(order(Add("a", 3), recorded_at=later))
        with pytest.raises(RuleBroken, match="recorded_at_backwards"):
            await desk.carry_out(order(Add("a", 4), recorded_at=later - timedelta(seconds=1)))
        with pytest.raises(RuleBroken, match="recorded_at_in_future"):
            await desk.carry_out(order(Add("a", 5), recorded_at=datetime.now(UTC) + timedelta(hours=1)))
        await desk.carry_out(order(CloseInitialLoad()))
        await desk.carry_out(order(Add("a", 6)))
        with pytest.raises(Conflict, match="initial_load_closed"):
            await desk.carry_out(order(Add("a", 7), recorded_at=datetime.now(UTC)))
        with pytest.raises(NotNow, match="initial_load_closed"):
            await desk.carry_out(order(CloseInitialLoad()))
    booked = events(database)
    assert amounts(database) == [2, 3, 6]
    assert [event.time for event in booked[:2]] == [early, later]
    assert booked[3].time >= booked[2].time


async def test_a_clock_set_back_does_not_turn_the_ledger_back(database: OfficeDatabase) -> None:
    ahead = datetime.now(UTC) + timedelta(hours=1)
    async with open_desk(database) as desk:
        with psycopg.connect(database.superuser().conninfo()) as connection:
            connection.execute("update ledger.head set time = %s", (ahead,))
        await desk.carry_out(order(Add("a", 1)))
    assert events(database)[-1].time == ahead
