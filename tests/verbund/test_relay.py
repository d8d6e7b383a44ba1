"""The relay on a real PostgreSQL and a real Kafka: complete, in order, and it says what keeps it."""

import asyncio
from hashlib import sha256
from time import monotonic

import psutil
import pytest
from conftest import OfficeDatabases
from stage.ledgers import BOOK
from stage.relaying import DEADLINE_SECONDS, TRAY, Stage, assert_complete
from stage.wiretap import alter_topic, make_topic, remove_topic

from verbund.embedded.kafka_cluster import Brokers
from verbund.embedded.ports import find_free_port
from verbund.kafka.settings import KafkaSettings
from verbund.kafka.topics import LARGEST_EVENT, LARGEST_MESSAGE, topic_of
from verbund.ledger.record import Beat, Record
from verbund.relay import line

OTHER_CITY = "/05915000/registration/book"  # the same topic
MUCH = 12_000  # more than two chunks


@pytest.fixture
def stage(office_database: OfficeDatabases, broker: Brokers) -> Stage:
    return Stage(office_database("registration"), broker.settings)


async def test_what_is_booked_is_sent_in_order_with_its_place_in_the_chain(stage: Stage) -> None:
    stage.book(5)
    async with stage.relaying() as relay:
        await stage.until_sent(5)
        for _ in range(4):
            stage.book(3)
        await stage.until_sent(17)
        assert await relay.trouble() is None
    sent = stage.tap()
    assert_complete(sent, 17)
    assert sent.numbers == list(range(1, 18))  # and none twice, where nothing failed
    assert {headers["ce_type"] for headers in sent.headers} == {b"de.verbund.registration.added.v1"}
    assert {headers["ce_source"] for headers in sent.headers} == {BOOK.encode()}


async def test_a_backlog_is_sent_in_chunks_and_every_ledger_goes_its_own_way(stage: Stage) -> None:
    stage.book(MUCH)
    stage.book(70, TRAY)
    stage.book(50, OTHER_CITY)
    async with stage.relaying():
        for ledger, number in ((TRAY, 70), (OTHER_CITY, 50), (BOOK, MUCH)):
            await stage.until_sent(number, ledger)
    for ledger, number in ((TRAY, 70), (OTHER_CITY, 50), (BOOK, MUCH)):
        sent = stage.tap(ledger)
        assert_complete(sent, number)
        assert len(sent.numbers) == number


async def test_who_comes_later_goes_on_where_the_position_is(stage: Stage) -> None:
    stage.book(4)
    async with stage.relaying():
        await stage.until_sent(4)
    assert stage.ask("select office from relay.lease where alive_at < now() - interval '1 year'") != []  # given up
    stage.book(3)
    async with stage.relaying():
        await stage.until_sent(7)
    assert stage.tap().numbers == list(range(1, 8))
    assert stage.epoch() == 2


async def test_a_beat_comes_first_and_is_never_behind_what_was_sent_before_it(stage: Stage) -> None:
    stage.book(3)
    async with stage.relaying():
        await stage.until_sent(3)
        stage.ask("insert into ledger.beat values ('registration', now())")
        for _ in range(30):
            stage.book(20)
            await asyncio.sleep(0.1)
        await stage.until_sent(3 + 30 * 20)
        seen = len(stage.tap().beats)
        await stage.until(lambda: len(stage.tap().beats) > seen, "a silent office is heard of")
    sent = stage.tap()
    assert isinstance(sent.in_order[0], Beat)
    highest, latest = 0, None
    for said in sent.in_order:
        if isinstance(said, Record):
            highest = max(highest, said.number)
            continue
        assert said.number >= highest
        assert said.as_of is not None
        assert latest is None or said.as_of > latest
        latest = said.as_of
    last = sent.beats[-1]
    assert (last.number, last.hash) == (603, sent.records[-1].hash)
    assert last.at is not None


async def test_a_missing_topic_is_named_and_used_when_it_is_there(stage: Stage) -> None:
    remove_topic(stage.kafka.brokers, topic_of(TRAY))
    stage.book(2, TRAY)
    stage.book(2)
    async with stage.relaying() as relay:
        said = await stage.until_troubled(relay, "no topic")
        assert topic_of(TRAY) in said
        assert "verbund kafka topics --create" in said
        await stage.until_sent(2)  # the other one goes on
        assert (stage.position(TRAY), stage.stopped(TRAY)) == (0, None)
        make_topic(stage.kafka.brokers, topic_of(TRAY))
        await stage.until_sent(2, TRAY)
        await stage.until_trouble_is_gone(relay)
    assert_complete(stage.tap(TRAY), 2)


async def test_a_kafka_that_is_not_there_is_said_and_nothing_moves(stage: Stage) -> None:
    stage.book(2)
    nobody = KafkaSettings(brokers=(f"127.0.0.1:{find_free_port()}",))
    async with stage.relaying(nobody) as relay:
        assert topic_of(BOOK) in await stage.until_troubled(relay, "cannot be reached")
        assert stage.position() == 0
    assert stage.tap().in_order == []


async def test_nothing_moves_while_kafka_does_not_answer(stage: Stage, broker: Brokers) -> None:
    process = psutil.Process(broker.brokers[0].pid)
    stage.book(3)
    async with stage.relaying():
        await stage.until_sent(3)
        process.suspend()
        try:
            stage.book(5)
            for _ in range(30):
                assert stage.position() == 3
                await asyncio.sleep(0.05)
        finally:
            process.resume()
        await stage.until_sent(8)
    assert stage.tap().numbers == list(range(1, 9))


async def test_a_sender_that_stalls_while_kafka_is_well_is_replaced(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, seconds in (("_BEAT_SECONDS", 0.2), ("_ASK_SECONDS", 0.1), ("_GIVE_UP_SECONDS", 1.0)):
        monkeypatch.setattr(line, name, seconds)
    stage.book(3)
    async with stage.relaying() as relay:
        await stage.until_sent(3)
        sender = relay._wires[topic_of(BOOK)]._sender
        assert sender is not None
        place = sender._place(BOOK.encode())
        sender._producer._accumulator.muted.add(place)  # its network thread sends nothing to it any more
        stage.book(4)
        await stage.until_sent(7)
        await stage.until_trouble_is_gone(relay)
    assert stage.tap().numbers == list(range(1, 8))


async def test_a_refused_record_stops_its_ledger_alone_until_a_person_resumes_it(stage: Stage) -> None:
    stage.book(7)
    stage.swell(BOOK, 5, 20_000)
    alter_topic(stage.kafka.brokers, topic_of(BOOK), max_message_bytes=10_000)
    stage.book(3, OTHER_CITY)  # on the same topic, by the same sender
    stage.book(3, TRAY)
    async with stage.relaying() as relay:
        await stage.until(lambda: stage.stopped() is not None, "it is stopped")
        assert (stage.position(), stage.stopped()) == (4, "refused: MessageSizeTooLargeError")
        assert BOOK in await stage.until_troubled(relay, "refused")
        for ledger in (OTHER_CITY, TRAY):
            await stage.until_sent(3, ledger)
        stage.book(2, OTHER_CITY)
        await stage.until_sent(5, OTHER_CITY)
        assert stage.tap().first_seen == [1, 2, 3, 4]
        alter_topic(stage.kafka.brokers, topic_of(BOOK), max_message_bytes=LARGEST_MESSAGE)
        stage.ask("update relay.position set stop_reason = null, stopped_at = null")
        await stage.until_sent(7)
        await stage.until_trouble_is_gone(relay)
    assert_complete(stage.tap(), 7)
    assert_complete(stage.tap(OTHER_CITY), 5)


async def test_a_record_that_no_reader_takes_is_refused_before_it_is_sent(stage: Stage) -> None:
    stage.book(3)
    stage.swell(BOOK, 2, LARGEST_EVENT)
    async with stage.relaying():
        await stage.until(lambda: stage.stopped() is not None or stage.position() == 3, "it is stopped")
    assert (stage.position(), stage.tap().numbers) == (1, [1])
    assert stage.stopped() == "refused: MessageSizeTooLargeError"


@pytest.mark.parametrize(
    ("reason", "statements", "sent"),
    [
        ("hole", ["delete from ledger.record where number = 4"], 3),
        (
            "chain_broken",
            ["update ledger.record set previous = decode(repeat('ab', 32), 'hex') where number = 4"],
            3,
        ),
        ("hash_mismatch", ["update ledger.record set body = body || '\\x20' where number = 4"], 3),
    ],
)
async def test_a_ledger_that_does_not_go_on_is_stopped_in_front_of_it(
    stage: Stage, reason: str, statements: list[str], sent: int
) -> None:
    stage.book(6)
    stage.tamper(*statements)
    stage.book(2, TRAY)
    async with stage.relaying() as relay:
        await stage.until(lambda: stage.stopped() == reason, f"stopped: {reason}")
        await stage.until_troubled(relay, reason)
        await stage.until_sent(2, TRAY)
    assert (stage.position(), stage.tap().numbers) == (sent, list(range(1, sent + 1)))


@pytest.mark.parametrize(("kept", "reason"), [(5, "head_below_position"), (8, "other_hash")])
async def test_a_ledger_that_became_another_one_is_not_sent_on(stage: Stage, kept: int, reason: str) -> None:
    stage.book(8)
    async with stage.relaying():
        await stage.until_sent(8)
        stage.tamper(
            "update ledger.record set hash = sha256(hash) where number = 8",
            f"delete from ledger.record where number > {kept}",
            f"update ledger.head set number = {kept}, hash = r.hash from ledger.record r where r.number = {kept}",
        )
        await stage.until(lambda: stage.stopped() == reason, f"stopped: {reason}")
        # Readers hear of it too: what the office says of itself is never held back.
        await stage.until(lambda: stage.tap().beats[-1].number == kept, "a beat says where it ends")
    assert stage.tap().numbers == list(range(1, 9))


async def test_a_position_that_is_set_back_is_sent_from_again(stage: Stage) -> None:
    stage.book(9)
    async with stage.relaying():
        await stage.until_sent(9)
        stage.set_back(BOOK, 3)
        await stage.until_sent(9)
        stage.book(1)
        await stage.until_sent(10)
    assert stage.tap().numbers == [*range(1, 10), *range(4, 11)]
    assert stage.epoch() == 1


async def test_a_position_is_set_back_while_much_is_on_its_way(stage: Stage) -> None:
    stage.book(MUCH)
    async with stage.relaying():
        await stage.until(lambda: (stage.position() or 0) > 0, "it began")
        stage.set_back(BOOK, 0)
        await stage.until_sent(MUCH)
    assert_complete(stage.tap(), MUCH)


async def test_chunks_are_acknowledged_in_order(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whenever somebody looks, everything up to the position is there; every move goes ahead."""
    monkeypatch.setattr(line, "LARGEST_CHUNK", 50)
    stage.book(4_000)
    stage.write_moves_down()
    async with stage.relaying():
        position, deadline = 0, monotonic() + DEADLINE_SECONDS
        while position < 4_000:
            assert monotonic() < deadline, f"it stays at {position}"
            position = await asyncio.to_thread(lambda: stage.position() or 0)
            assert (await asyncio.to_thread(stage.tap)).first_seen[:position] == list(range(1, position + 1))
            moves = await asyncio.to_thread(stage.moves)
            assert moves == sorted(moves)
    assert len(stage.moves()) >= 4_000 / 50
    assert_complete(stage.tap(), 4_000)


async def test_what_the_relay_measures(stage: Stage) -> None:
    stage.book(3)
    async with stage.relaying():
        await stage.until_sent(3)
        await stage.until(lambda: stage.measured("verbund_relay_position_number") == 3.0)
        assert stage.measured("verbund_relay_unsent_records") == 0.0
    assert stage.measured("verbund_relay_sends_total", ledger=None, outcome="acknowledged") >= 3.0


def test_swollen_records_are_sealed(stage: Stage) -> None:
    stage.book(3)
    stage.swell(BOOK, 2, 5_000)
    rows = stage.ask("select previous, hash, body from ledger.record order by number")
    assert all(sha256(previous + body).digest() == own for previous, own, body in rows)
    assert [row[0] for row in rows[1:]] == [row[1] for row in rows[:2]]
