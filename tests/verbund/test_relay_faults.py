"""What is done to a relay, its database and its Kafka: repeats may come of it, and never a loss or another order."""

import asyncio
import os
import random
import signal
from pathlib import Path

import psycopg
import pytest
from conftest import OfficeDatabases
from stage.brokers import running_brokers
from stage.ledgers import BOOK
from stage.relay_processes import relay_process
from stage.relaying import Stage, assert_complete
from stage.wiretap import make_topic

from verbund.embedded.kafka_cluster import Brokers
from verbund.embedded.kafka_jars import Distribution
from verbund.kafka.topics import topic_of

MUCH = 12_000  # more than two chunks
KILLS = int(os.environ.get("VERBUND_RELAY_KILLS", "3"))
SEED = int(os.environ.get("VERBUND_SEED", random.randrange(2**32)))


@pytest.fixture
def stage(office_database: OfficeDatabases, broker: Brokers) -> Stage:
    return Stage(office_database("registration"), broker.settings, [BOOK])


async def test_a_relay_killed_between_send_and_position_sends_again_and_loses_nothing(
    stage: Stage, tmp_path: Path
) -> None:
    stage.book(3)
    with relay_process(stage, tmp_path / "relay") as relay:
        await stage.until_sent(3)
        with psycopg.connect(stage.database.superuser().conninfo()) as connection:
            connection.execute("select 1 from relay.position for update")  # it cannot move now
            stage.book(40)
            await stage.until(lambda: stage.tap().numbers[-1:] == [43], "everything is on Kafka")
            relay.kill()
        assert stage.position() == 3
        stage.book(1)
        relay.start()
        await stage.until_sent(44)
    assert_complete(stage.tap(), 44)
    assert stage.tap().numbers.count(4) == 2


async def test_a_relay_killed_again_and_again_under_a_backlog_loses_nothing(stage: Stage, tmp_path: Path) -> None:
    print(f"seed {SEED}, {KILLS} kills")  # noqa: T201 - repeats this search
    chance = random.Random(SEED)
    booked = 0
    with relay_process(stage, tmp_path / "relay") as relay:
        for _ in range(KILLS):
            stage.book(MUCH // 3)
            booked += MUCH // 3
            goal = chance.randrange(booked - MUCH // 3, booked)
            await stage.until(lambda goal=goal: (stage.position() or 0) >= goal, "it is on its way")  # type: ignore[misc]
            relay.kill()
            relay.start()
        await stage.until_sent(booked)
        relay.stop()
    assert_complete(stage.tap(), booked)


async def test_of_two_relays_the_later_one_sends_and_the_other_stands_by(stage: Stage) -> None:
    stage.book(5)
    async with stage.relaying() as one:
        await stage.until_sent(5)
        async with stage.relaying() as two:
            await stage.until(lambda: stage.epoch() == 2, "the second one took over")
            for _ in range(40):
                stage.book(10)
                await asyncio.sleep(0.1)
            await stage.until_sent(405)
            assert stage.epoch() == 2  # they do not take it from each other again and again
            assert (await one.trouble(), await two.trouble()) == (None, None)
        await stage.until(lambda: stage.epoch() == 3, "who stood by succeeds")
        stage.book(5)
        await stage.until_sent(410)
    assert_complete(stage.tap(), 410)


async def test_a_relay_that_slept_beyond_its_lease_moves_nothing_when_it_wakes(stage: Stage, tmp_path: Path) -> None:
    with relay_process(stage, tmp_path / "one") as one, relay_process(stage, tmp_path / "two") as two:
        await stage.until(lambda: one.is_ready() and two.is_ready(), "both are ready")
        [(holder,)] = stage.ask("select holder from relay.lease")
        sleeper, other = (one, two) if holder.endswith(f":{one.pid}") else (two, one)
        stage.book(MUCH)
        await stage.until(lambda: (stage.position() or 0) > 0, "it is sending")
        sleeper.send_signal(signal.SIGSTOP)
        asleep_at = stage.position()
        assert asleep_at is not None
        assert asleep_at < MUCH
        await stage.until_sent(MUCH)
        assert stage.epoch() == 3
        sleeper.send_signal(signal.SIGCONT)
        await stage.until(lambda: sleeper.metric("verbund_relay_fenced_total") >= 1, "it found out")
        stage.book(10)
        await stage.until_sent(MUCH + 10)
        await stage.until(sleeper.is_ready, "it stands by")
        assert stage.epoch() == 3
        other.kill()
        stage.book(1)
        await stage.until_sent(MUCH + 11)
        assert stage.epoch() == 4
    assert_complete(stage.tap(), MUCH + 11)


async def test_a_kafka_killed_and_started_again_gets_everything(
    office_database: OfficeDatabases, kafka: Distribution
) -> None:
    with running_brokers(kafka) as brokers:
        stage = Stage(office_database("registration"), brokers.settings, [BOOK])
        stage.book(MUCH)
        async with stage.relaying() as relay:
            await stage.until(lambda: (stage.position() or 0) > 0, "it is sending")
            brokers.brokers[0].kill()
            stage.book(7)  # the office goes on
            await stage.until_troubled(relay, "cannot be reached")
            stood = stage.position()
            assert stood is not None
            assert stood < MUCH + 7
            brokers.brokers[0].start()
            await stage.until_sent(MUCH + 7)
            await stage.until_trouble_is_gone(relay)
        assert_complete(stage.tap(), MUCH + 7)


async def test_a_topic_that_was_lost_is_made_anew_and_filled_from_the_ledger(stage: Stage) -> None:
    stage.book(50)
    async with stage.relaying() as relay:
        await stage.until_sent(50)
        make_topic(stage.kafka.brokers, topic_of(BOOK))
        stage.set_back(BOOK, 0)
        stage.book(5)
        await stage.until(lambda: stage.position() == 55 and len(stage.tap().numbers) >= 55, "all is there again")
        await stage.until_trouble_is_gone(relay)
    assert_complete(stage.tap(), 55)


async def test_a_database_that_ends_its_connections_is_asked_again(stage: Stage) -> None:
    async with stage.relaying() as relay:
        for _ in range(8):
            stage.book(500)
            stage.ask("select pg_terminate_backend(pid) from pg_stat_activity where usename = 'registration_relay'")
            await asyncio.sleep(0.2)
        await stage.until_sent(4_000)
        await stage.until_trouble_is_gone(relay)
    assert_complete(stage.tap(), 4_000)


async def test_a_relay_that_is_left_finishes_what_is_on_its_way(stage: Stage) -> None:
    stage.book(MUCH)
    async with stage.relaying():
        await stage.until(lambda: (stage.position() or 0) > 0, "it is sending")
    left_at = stage.position()
    assert stage.tap().numbers == list(range(1, (left_at or 0) + 1))
    async with stage.relaying():
        await stage.until_sent(MUCH)
    assert stage.tap().numbers == list(range(1, MUCH + 1))  # and so nothing came twice
