"""The behaviour of feeds; both pass: the one that reads ledgers directly, and the one from Kafka behind a relay."""

import asyncio

import pytest
from conftest import OfficeDatabases
from stage.feeding import BOOK, OTHER, Held, KafkaStage, LedgerStage, Stage, Unknown, until, until_async
from stage.tally import KNOWN
from stage.waiting import comes_to_wait

from verbund.database import make_engine
from verbund.embedded.kafka_cluster import Brokers
from verbund.feeds.batch import Batch
from verbund.feeds.reader import Reader


@pytest.fixture
def ledger_stage(office_database: OfficeDatabases) -> Stage:
    return LedgerStage(office_database("registration"), office_database("reporting"))


@pytest.fixture(params=["ledger", "kafka"])
def stage(request: pytest.FixtureRequest, office_database: OfficeDatabases) -> Stage:
    office, reader = office_database("registration"), office_database("reporting")
    if request.param == "ledger":
        return LedgerStage(office, reader)
    broker: Brokers = request.getfixturevalue("broker")
    return KafkaStage(office, reader, broker.settings)


async def test_what_is_booked_arrives_once_and_in_order(stage: Stage) -> None:
    await stage.book(5)
    async with stage.reading():
        await until(lambda: len(stage.seen()) == 5)
        for _ in range(5):
            await stage.book(3)
        await until(lambda: len(stage.seen()) == 20)
    assert stage.seen() == list(range(1, 21))


async def test_what_was_booked_while_nobody_read_arrives_later(stage: Stage) -> None:
    await stage.book(3)
    async with stage.reading():
        await until(lambda: len(stage.seen()) == 3)
    await stage.book(4)
    async with stage.reading():
        await until(lambda: len(stage.seen()) == 7)
    assert stage.seen() == list(range(1, 8))


async def test_two_readers_of_one_ledger_take_each_record_once(stage: Stage) -> None:
    async with stage.reading(), stage.reading(), stage.reading():
        for _ in range(20):
            await stage.book(7)
        await until(lambda: len(stage.seen()) >= 140)
    assert stage.seen() == list(range(1, 141))


async def test_of_two_readers_at_one_record_the_second_waits_and_finds_repeats(ledger_stage: Stage) -> None:
    stage = ledger_stage
    await stage.book(4)
    records, held = await stage.records(), Held()
    engine = make_engine(stage.reader.settings("reader"))
    one, two = Reader(engine, held, KNOWN), Reader(engine, stage.effect, KNOWN)
    await two.take(Batch(records[:1]))  # from here on there is a position to be locked
    first = asyncio.create_task(one.take(Batch(records)))
    await held.reached.wait()
    second = asyncio.create_task(two.take(Batch(records)))
    assert await comes_to_wait(second, stage.reader.superuser())
    held.go_on.set()
    assert [(taken.applied, taken.repeats) for taken in await asyncio.gather(first, second)] == [(3, 1), (0, 4)]
    assert stage.seen() == [1, 2, 3, 4]
    await engine.dispose()


async def test_a_reader_whose_connection_dies_before_its_commit_takes_the_batch_again(stage: Stage) -> None:
    await stage.book(10)
    stage.effect.breaks = ["select pg_terminate_backend(pg_backend_pid())"]
    async with stage.reading():
        await until(lambda: len(stage.seen()) == 10)
    assert stage.effect.breaks == []
    assert stage.seen() == list(range(1, 11))


async def test_a_reader_whose_connection_dies_after_its_commit_takes_nothing_twice(stage: Stage) -> None:
    await stage.book(10)
    stage.effect.breaks = ["commit", "select pg_terminate_backend(pg_backend_pid())"]
    async with stage.reading():
        await until(lambda: len(stage.seen()) == 10)
        await stage.book(1)
        await until(lambda: len(stage.seen()) == 11)
    assert stage.seen() == list(range(1, 12))


async def test_an_unknown_event_is_parked_with_its_bytes_and_the_others_go_on(stage: Stage) -> None:
    await stage.book(2)
    await stage.book(1, data=Unknown())
    await stage.book(2)
    async with stage.reading():
        await until(lambda: len(stage.seen()) == 4)
    assert stage.seen() == [1, 2, 4, 5]
    [(ledger, number, reason, detail, body)] = stage.ask("select ledger, number, reason, detail, body from feed.parked")
    assert (ledger, number, reason, detail) == (BOOK, 3, "unknown_type", Unknown.type)
    assert Unknown.type.encode() in bytes(body)


async def test_a_hole_that_stays_stops_the_ledger_until_it_is_filled_and_resumed(stage: Stage) -> None:
    await stage.book(6)
    stage.lose(4)
    async with stage.reading() as feed:
        await until(lambda: stage.stopped() == "hole")
        assert stage.seen() == [1, 2, 3]

        async def alarmed() -> bool:
            return "hole" in (await feed.trouble() or "")

        await until_async(alarmed)
        stage.find_again()
        await stage.resume()
        await until(lambda: len(stage.seen()) == 6)

        async def well() -> bool:
            return await feed.trouble() is None

        await until_async(well)
    assert stage.seen() == [1, 2, 3, 4, 5, 6]


async def test_changed_bytes_are_parked_as_foreign_and_stop_the_ledger(stage: Stage) -> None:
    await stage.book(5)
    stage.change_bytes(3)
    async with stage.reading():
        await until(lambda: stage.stopped() is not None)
    assert stage.seen() == [1, 2]
    assert stage.ask("select number, reason from feed.parked") == [(3, "hash_mismatch")]


async def test_an_office_restored_from_an_older_backup_is_noticed(stage: Stage) -> None:
    await stage.book(8)
    async with stage.reading():
        await until(lambda: len(stage.seen()) == 8)
        stage.restore(5)
        await until(lambda: stage.stopped() == "head_below_position")
        await stage.book(6)  # it books on as if nothing had happened
    assert stage.seen() == list(range(1, 9))


async def test_a_restored_office_that_booked_on_beyond_the_position_is_noticed_by_its_chain(stage: Stage) -> None:
    await stage.book(8)
    async with stage.reading():
        await until(lambda: len(stage.seen()) == 8)
    stage.restore(5)
    await stage.book(6)
    async with stage.reading():
        # From Kafka it sees what stands at its own position now, from the ledger only what stands behind it.
        await until(lambda: stage.stopped() in {"chain_broken", "other_hash"})
    assert stage.seen() == list(range(1, 9))


async def test_a_ledger_that_stops_does_not_hold_up_the_others(stage: Stage) -> None:
    stage.effect.fails_on = {3}
    await stage.book(5)
    await stage.book(5, ledger=OTHER)
    async with stage.reading():
        await until(lambda: stage.stopped() == "effect_failed")
        await until(lambda: len(stage.seen(OTHER)) == 5)
        assert stage.seen() == [1, 2]
        stage.effect.fails_on = set()
        await stage.resume()
        await until(lambda: len(stage.seen()) == 5)
    assert stage.seen() == [1, 2, 3, 4, 5]


async def test_a_ledger_whose_very_first_record_cannot_be_taken_stops(stage: Stage) -> None:
    stage.effect.fails_on = {1}
    await stage.book(2)
    async with stage.reading():
        await until(lambda: stage.stopped() == "effect_failed")
    assert stage.seen() == []


async def test_a_silent_office_can_be_told_from_a_dead_one(stage: Stage) -> None:
    await stage.book(1)
    async with stage.reading():
        await until(lambda: stage.ask("select heard_at from feed.position where heard_at is not null") != [])
    [(number, head)] = stage.ask("select number, head_number from feed.position")
    assert (number, head) == (1, 1)
