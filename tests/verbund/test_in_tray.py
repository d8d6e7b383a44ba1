"""What one office tells another is carried out there once and in order, whoever dies whenever. On real databases."""

import asyncio
from typing import Any

import pytest
from conftest import OfficeDatabases
from sqlalchemy import text
from stage.school import DEADLINE_SECONDS, School, found_school, until
from stage.tally import KNOWN, Add, Added, order
from stage.trays import TRAY, add_what_was_added, ask, restore, tell

from verbund.database import make_engine
from verbund.desk.desk import DeskLimits
from verbund.desk.orders import Answer, CloseInitialLoad, Order, TrayPlace
from verbund.desk.tray_rows import Settlement, retry, settle
from verbund.errors import NotNow, Unavailable
from verbund.events.envelope import Event, decode


@pytest.fixture
def school(office_database: OfficeDatabases) -> School:
    return found_school(office_database)


async def test_what_is_told_is_carried_out_once_in_order_and_marked_in_the_same_transaction(school: School) -> None:
    await school.open()
    await tell(school.registration, range(1, 21))
    async with school.work() as (_, in_tray):
        await school.until_settled(20)
        await tell(school.registration, range(21, 31))
        await school.until_settled(30)
        assert await in_tray.trouble() is None
    assert school.counted() == list(range(1, 31))
    assert school.rows() == [(number, "done", None) for number in range(1, 31)]
    # The answer is kept with the booking, under the event's id; the row was written by the very same transaction.
    together = """
        select count(*) from tray.event as row join desk.answer as kept
        on kept.principal = row.ledger and kept.route = 'in-tray' and kept.key = row.event_id and kept.xmin = row.xmin
    """
    assert school.ask(together) == [(30,)]


async def test_nothing_of_the_senders_trace_crosses_and_the_sender_is_named(school: School) -> None:
    await school.open()
    await tell(school.registration, [5])
    async with school.work():
        await school.until_settled(1)
    booked = school.events()[-1]
    assert (booked.actor, booked.traceparent, booked.causationid) == ("office:registration", None, None)
    [(told,)] = ask(school.registration, f"select body from ledger.record where ledger = '{TRAY}'")
    assert decode(told, KNOWN).id not in repr(booked)


REFUSED, IGNORED, NO_WORDS, BUG, TOO_MUCH = 3, 5, 7, 9, 11


def difficult(event: Event[Added]) -> Add | None:
    """Asks for things that go wrong, by the amount."""
    match event.data.amount:
        case n if n == REFUSED:
            return Add("closed")
        case n if n == IGNORED:
            return None
        case n if n == NO_WORDS:
            raise KeyError("a bug in the mapping")
        case n if n == BUG:
            return Add("bug")
        case n if n == TOO_MUCH:
            return Add("much", 5000)  # the table refuses totals of a thousand and more
    return add_what_was_added(event)


async def test_what_cannot_be_carried_out_is_marked_and_the_others_go_on(school: School) -> None:
    await school.open()
    await tell(school.registration, range(1, 14))
    async with school.work(difficult) as (_, in_tray):
        await school.until_settled(13)
        assert await in_tray.trouble() is None
    assert [row for row in school.rows() if row[1] != "done"] == [
        (REFUSED, "refused", "sum_closed"),
        (IGNORED, "ignored", None),
        (NO_WORDS, "failed", "KeyError"),
        (BUG, "failed", "ZeroDivisionError"),
        (TOO_MUCH, "failed", "IntegrityError"),
    ]
    assert school.counted() == [1, 2, 4, 6, 8, 10, 12, 13]


async def test_what_was_refused_or_failed_is_tried_again_on_request_in_front_of_what_came_later(school: School) -> None:
    await school.open()
    await tell(school.registration, range(1, 14))
    async with school.work(difficult):
        await school.until_settled(13)
    await tell(school.registration, [14, 15])
    engine = make_engine(school.database.settings("desk"))
    async with engine.begin() as connection:
        again = [await retry(connection, arrival) for arrival in (BUG, REFUSED, 1, IGNORED, 99)]
    await engine.dispose()
    assert again == [True, True, False, False, False]
    async with school.work():
        await until(lambda: len(school.counted()) == 12)
    assert school.counted()[-4:] == [REFUSED, BUG, 14, 15]


async def test_everything_waits_while_the_initial_load_is_open_and_that_is_no_trouble(school: School) -> None:
    await laid_in(school, range(1, 4))
    async with school.work() as (desk, in_tray):
        async with asyncio.timeout(DEADLINE_SECONDS):
            while await in_tray.trouble() is not None:  # noqa: ASYNC110 - it tells nobody that it has looked
                await asyncio.sleep(0.02)
        assert {state for _, state, _ in school.rows()} == {"waiting"}
        await desk.carry_out(order(CloseInitialLoad()))
        await school.until_settled(3)
    assert school.counted() == [1, 2, 3]


async def test_a_database_that_goes_away_loses_and_repeats_nothing(school: School) -> None:
    await school.open()
    name = school.database.name
    async with school.work() as (_, in_tray):
        await tell(school.registration, range(1, 6))
        await school.until_settled(5)
        school.change(f"alter database {name} connection limit 0")
        school.change("select pg_terminate_backend(pid) from pg_stat_activity where usename = 'school_desk'")
        async with asyncio.timeout(DEADLINE_SECONDS):
            while await in_tray.trouble() is None:  # noqa: ASYNC110 - it tells nobody
                await asyncio.sleep(0.02)
        await tell(school.registration, range(6, 11))
        school.change(f"alter database {name} connection limit -1")
        await school.until_settled(10)
        async with asyncio.timeout(DEADLINE_SECONDS):
            while await in_tray.trouble() is not None:  # noqa: ASYNC110 - at the end of its round
                await asyncio.sleep(0.02)
    assert school.counted() == list(range(1, 11))


async def test_a_commit_whose_word_is_lost_is_carried_out_once(school: School, monkeypatch: pytest.MonkeyPatch) -> None:
    await school.open()
    await tell(school.registration, range(1, 6))
    lost: list[bool] = []
    async with school.work(limits=DeskLimits(beat_seconds=60)) as (desk, _):
        carry_out = desk._transaction.carry_out

        async def commit_then_lose(connection: Any, orders: Any) -> Any:
            outcomes = await carry_out(connection, orders)
            if not lost:
                lost.append(True)
                await connection.execute(text("commit"))
                await connection.execute(text("select pg_terminate_backend(pg_backend_pid())"))
            return outcomes

        monkeypatch.setattr(desk._transaction, "carry_out", commit_then_lose)
        await until(lambda: bool(lost))
        await school.until_settled(5)
        await tell(school.registration, [6])
        await school.until_settled(6)
    assert school.counted() == list(range(1, 7))


async def test_two_processes_of_one_office_share_the_work_and_keep_the_order(school: School) -> None:
    await school.open()
    await tell(school.registration, range(1, 101))
    async with school.work(), school.work(), school.work():
        await tell(school.registration, range(101, 301))
        await school.until_settled(300)
    assert school.counted() == list(range(1, 301))
    assert school.ask("select count(*), max(version) from tally.sum") == [(300, 1)]


async def laid_in(school: School, amounts: range) -> list[tuple[str, int, str]]:
    """What is told lies in the in-tray, and nobody has taken it up; returns ledger, arrival and event id."""
    await tell(school.registration, amounts)
    async with school.work():  # its initial load is open
        await until(lambda: len(school.rows()) == len(amounts))
    return school.ask("select ledger, arrival, event_id from tray.event order by arrival")


def taking_up(row: tuple[str, int, str], command: Add) -> Order[Add]:
    """An order that takes a row up, as an in-tray makes it."""
    ledger, arrival, event_id = row
    place = TrayPlace(ledger, arrival)
    return order(command, principal=ledger, route="in-tray", idempotency_key=event_id, place=place)


async def test_nothing_is_taken_up_before_what_came_earlier_in_its_tray(school: School) -> None:
    orders = [taking_up(row, Add(f"n{row[1]}", row[1])) for row in await laid_in(school, range(1, 5))]
    await school.open()
    async with school.desk() as desk:
        with pytest.raises(Unavailable) as early:
            await desk.carry_out(orders[1])
        assert early.value.code == "not_its_turn"
        together = (desk.carry_out(orders[at]) for at in (0, 2, 1))
        outcomes = await asyncio.gather(*together, return_exceptions=True)
        assert [type(outcome) for outcome in outcomes] == [Answer, Unavailable, Answer]
        await asyncio.gather(*(desk.carry_out(orders[at]) for at in (2, 3)))
    assert school.counted() == [1, 2, 3, 4]


async def test_a_refusal_stands_also_for_a_process_that_looked_before_it(school: School) -> None:
    [row] = await laid_in(school, range(1, 2))
    await school.open()
    async with school.desk() as one, school.desk() as two:
        with pytest.raises(NotNow):
            await one.carry_out(taking_up(row, Add("closed")))
        with pytest.raises(Unavailable):
            await two.carry_out(taking_up(row, Add("open")))
    assert (school.rows(), school.counted()) == ([(1, "refused", "sum_closed")], [])


async def test_what_another_process_settles_meanwhile_is_not_settled_twice(school: School) -> None:
    """One process carries a row out while another one believes that it has failed."""
    await laid_in(school, range(1, 2))
    await school.open()
    engine = make_engine(school.database.settings("desk"))

    async def give_up() -> None:
        async with engine.begin() as connection:
            await settle(connection, [Settlement(TrayPlace(TRAY, 1), "failed", "a_bug")])

    with school.held_up("immediate") as let_go:
        async with school.work():
            await school.until_waiting_for("advisory")
            giving_up = asyncio.create_task(give_up())
            await until(lambda: giving_up.done() or bool(school.waits_for("transactionid")))
            assert not giving_up.done()
            let_go()
            await giving_up
            await school.until_settled(1)
    await engine.dispose()
    assert (school.rows(), school.counted()) == ([(1, "done", None)], [1])


async def test_a_feed_that_comes_again_from_its_beginning_repeats_nothing(school: School) -> None:
    await school.open()
    await tell(school.registration, range(1, 8))
    async with school.work(difficult):
        await school.until_settled(7)
    before = school.rows()
    school.change("delete from feed.position")
    await tell(school.registration, [20])
    async with school.work(difficult):
        await school.until_settled(8)
    assert school.rows() == [*before, (8, "done", None)]
    assert school.counted() == [1, 2, 4, 6, 20]


async def test_an_in_tray_that_was_lost_and_filled_again_carries_nothing_out_twice(school: School) -> None:
    await school.open()
    await tell(school.registration, range(1, 8))
    async with school.work():
        await school.until_settled(7)
    school.change("delete from feed.position; delete from tray.event")
    async with school.work():
        await school.until_settled(7)
    assert school.rows() == [(number, "done", None) for number in range(1, 8)]
    assert school.counted() == list(range(1, 8))


async def test_an_office_that_was_restored_and_books_on_is_noticed_and_heard_again_on_request(school: School) -> None:
    await school.open()
    await tell(school.registration, range(1, 11))
    async with school.work():
        await school.until_settled(10)
        restore(school.registration, 6)
        await tell(school.registration, [21, 22])
        await until(lambda: school.ask("select stop_reason from feed.position") != [(None,)])
        assert len(school.rows()) == 10
        assert await school.hear_again()
        assert not await school.hear_again()
        await school.until_settled(12)
        assert school.ask("select number, stop_reason from feed.position") == [(8, None)]
    assert school.counted() == [*range(1, 11), 21, 22]
    assert [number for number, _, _ in school.rows()] == [*range(1, 11), 7, 8]
