"""What becomes of fetched messages: taken, told apart, read again where a number is missing. On a real database."""

import random
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

import psycopg
import pytest
from conftest import OfficeDatabase, OfficeDatabases
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from stage.tally import KNOWN, Added

from verbund.database import make_engine
from verbund.events.envelope import Event
from verbund.feeds.kafka.intake import Intake, Seeks
from verbund.feeds.positions import resume_ledger
from verbund.feeds.reader import Reader
from verbund.kafka.messages import Message, beat_message, message_of
from verbund.ledger.record import GENESIS, Beat, Entry, Head, Record, seal

BOOK, OTHER = "/05913000/registration/book", "/05915000/registration/book"
TOPIC = "verbund.book.registration"
PLACE, NEXT = (TOPIC, 0), (TOPIC, 1)
IDS = {TOPIC: UUID(int=1)}
AT = datetime(2018, 12, 31, tzinfo=UTC)


@dataclass
class Fetched:
    """A message as aiokafka gives it."""

    offset: int
    key: bytes
    value: bytes
    headers: Sequence[Sequence[object]]


@dataclass
class Seen:
    """The effect: which numbers of which ledgers took effect, in order."""

    numbers: list[tuple[str, int]]

    async def apply(self, connection: AsyncConnection, events: Sequence[Event[Added]]) -> None:
        self.numbers += [(event.source, event.number) for event in events]

    async def finish(self, connection: AsyncConnection) -> None:
        pass


def records(count: int, ledger: str = BOOK) -> list[Record]:
    _, sealed = seal(
        Head(ledger, 0, GENESIS, AT), [Entry("s", Added(amount=n + 1), "clerk:1", AT) for n in range(count)]
    )
    return sealed


TEN = records(10)


def beat(number: int, seconds: int, ledger: str = BOOK) -> Message:
    return beat_message(Beat(ledger, number, TEN[number - 1].hash, AT, AT + timedelta(seconds=seconds)))


class Log:
    """A partition, and an intake that is given parts of it as if they were fetched."""

    def __init__(self, engine: AsyncEngine, database: OfficeDatabase) -> None:
        self.engine = engine
        self.database = database
        self.seen = Seen([])
        self.messages: list[Message] = []
        self.start()

    def start(self, patience_seconds: float = 0.0) -> None:
        """As a process that was just started."""
        self.intake = Intake(Reader(self.engine, self.seen, KNOWN), patience_seconds)

    def add(self, *what: Record | Message) -> None:
        self.messages += [each if isinstance(each, Message) else message_of(each) for each in what]

    async def fetch(self, first: int, last: int | None = None) -> Seeks:
        """Give the intake the messages from one offset to before another one."""
        return await self.intake.take(
            {
                PLACE: [
                    Fetched(offset, message.key, message.value, message.headers)
                    for offset, message in enumerate(self.messages)
                    if first <= offset < (last if last is not None else len(self.messages))
                ]
            }
        )

    @property
    def numbers(self) -> list[int]:
        return [number for ledger, number in self.seen.numbers if ledger == BOOK]

    def ask(self, query: str) -> list[tuple[object, ...]]:
        with psycopg.connect(self.database.superuser().conninfo()) as connection:
            return connection.execute(query.encode()).fetchall()

    def stopped(self) -> object:
        return self.ask(f"select stop_reason from feed.position where ledger = '{BOOK}'")[0][0]

    def trouble(self) -> str | None:
        return self.intake.trouble

    def hint(self) -> object:
        found = self.ask("select next_offset from feed.hint")
        return found[0][0] if found else None


@pytest.fixture
async def log(office_database: OfficeDatabases) -> AsyncIterator[Log]:
    database = office_database("reporting")
    engine = make_engine(database.settings("reader"))
    log = Log(engine, database)
    await log.intake.assign([PLACE], IDS)
    yield log
    await engine.dispose()


async def test_what_comes_in_order_is_taken_and_the_place_is_kept(log: Log) -> None:
    log.add(*TEN)
    assert await log.fetch(0, 4) == {}
    assert await log.fetch(4) == {}
    assert log.numbers == [*range(1, 11)]
    assert log.hint() == 10
    log.start()
    assert await log.intake.assign([PLACE, NEXT], IDS) == {PLACE: 10, NEXT: None}


async def test_a_topic_made_anew_is_read_from_its_beginning(log: Log) -> None:
    log.add(*TEN)
    await log.fetch(0)
    log.start()
    assert await log.intake.assign([PLACE], {TOPIC: UUID(int=2)}) == {PLACE: None}
    assert await log.intake.assign([PLACE], {}) == {PLACE: None}  # nobody says which one it is
    await log.intake.assign([PLACE], IDS)
    await log.fetch(9)
    assert await log.intake.look_around(IDS) == {}
    assert await log.intake.look_around({TOPIC: UUID(int=3)}) == {PLACE: None}
    assert await log.intake.look_around({TOPIC: UUID(int=3)}) == {}


async def test_everything_twice_counts_once(log: Log) -> None:
    log.add(*TEN, *TEN[2:7], *TEN)
    await log.fetch(0, 8)
    await log.fetch(6)
    assert log.numbers == [*range(1, 11)]


async def test_a_dropped_batch_is_read_again_from_the_hint(log: Log) -> None:
    log.add(*TEN)
    await log.fetch(0, 3)
    assert await log.fetch(6, 8) == {PLACE: 3}  # 3 to 5 were fetched and dropped
    assert log.hint() == 3
    assert await log.fetch(3) == {}
    assert log.numbers == [*range(1, 11)]
    log.add(beat(10, 1))
    await log.fetch(10)
    assert log.hint() == 11


async def test_a_message_that_was_overtaken_is_taken_where_it_comes(log: Log) -> None:
    log.add(*TEN[:3], *TEN[5:8], *TEN[3:])  # a batch of the sender failed, the next one did not, and all came again
    assert await log.fetch(0, 6) == {PLACE: None}
    assert await log.fetch(0, 8) == {PLACE: None}
    assert await log.fetch(0) == {}
    assert log.numbers == [*range(1, 11)]


async def test_a_message_that_was_overtaken_within_a_batch_costs_nothing(log: Log) -> None:
    log.add(*TEN[:3], *TEN[5:8], *TEN[3:])
    assert await log.fetch(0) == {}
    assert log.numbers == [*range(1, 11)]


async def test_a_hole_is_read_again_from_everywhere_before_its_ledger_stops(log: Log) -> None:
    log.add(*TEN[:3])
    await log.fetch(0)
    log.add(*TEN[4:6])
    assert await log.fetch(3) == {PLACE: 3}  # from the hint
    assert await log.fetch(3, 4) == {}  # not yet where it was seen
    assert await log.fetch(4) == {PLACE: None}  # from the beginning
    assert await log.fetch(0) == {}  # nowhere
    assert log.stopped() is None
    assert await log.intake.look_around(IDS) == {}
    assert log.stopped() == "hole"
    assert log.numbers == [1, 2, 3]


async def test_a_database_that_was_put_back_is_read_again_from_in_front_of_the_hint(log: Log) -> None:
    log.add(*TEN[:9])
    await log.fetch(0)
    assert log.hint() == 9
    restored = f"update feed.position set number = 3, hash = decode('{TEN[2].hash.hex()}', 'hex') returning number"
    assert log.ask(restored) == [(3,)]
    log.add(TEN[9])
    assert await log.fetch(9) == {PLACE: 9}
    assert await log.fetch(9) == {PLACE: None}
    assert await log.fetch(0) == {}
    assert log.numbers == [*range(1, 10), *range(4, 11)]  # what the database had lost, once more


async def test_a_hole_that_is_filled_in_time_stops_nothing(log: Log) -> None:
    log.start(patience_seconds=60.0)
    await log.intake.assign([PLACE], IDS)
    log.add(*TEN[:3], *TEN[4:6])
    for _ in range(3):
        await log.fetch(0)
    log.add(*TEN[3:])
    assert await log.fetch(5) == {}
    await log.intake.look_around(IDS)
    assert (log.numbers, log.stopped()) == ([*range(1, 11)], None)


async def test_a_ledger_with_a_hole_does_not_hold_up_the_others(log: Log) -> None:
    others = records(5, OTHER)
    log.add(TEN[0], others[0], TEN[2], *others[1:])
    for _ in range(3):
        await log.fetch(0)
    await log.intake.look_around(IDS)
    assert log.stopped() == "hole"
    assert [number for ledger, number in log.seen.numbers if ledger == OTHER] == [1, 2, 3, 4, 5]


async def test_whatever_is_sent_twice_overtaken_or_dropped_is_taken_once_and_in_order(log: Log, seed: int) -> None:
    """A sender that repeats from somewhere before its last success, a reader that is assigned anew at any moment."""
    chance = random.Random(seed)
    many = {ledger: records(60, ledger) for ledger in (BOOK, OTHER)}
    for ledger in chance.choices([BOOK, OTHER], k=40):
        sent = sum(message.key == ledger.encode() for message in log.messages)
        at = chance.randint(0, min(sent, 59))
        lost = chance.randint(0, 3)
        log.add(*many[ledger][at + lost : at + chance.randint(lost, 12)])
    log.add(*many[BOOK], *many[OTHER])
    at = 0
    log.start(patience_seconds=60.0)
    await log.intake.assign([PLACE], IDS)
    for _ in range(10_000):
        if at >= len(log.messages):
            break
        last = at + chance.randint(1, 30)
        # What it has fetched when that happens is dropped.
        is_dropped = chance.random() < 0.1
        seeks = await (log.intake.assign([PLACE], IDS) if is_dropped else log.fetch(at, last))
        at = seeks[PLACE] or 0 if seeks else last
    for ledger in many:
        assert [number for name, number in log.seen.numbers if name == ledger] == [*range(1, 61)]
    assert log.ask("select ledger from feed.position where stop_reason is not null") == []


async def test_a_ledger_that_goes_on_and_does_not_come_is_noticed(log: Log) -> None:
    log.add(*TEN[:3], beat(3, 1))
    await log.fetch(0)
    assert log.trouble() is None
    log.add(beat(8, 2))
    await log.fetch(4)
    assert log.trouble() == f"{BOOK}: nothing came behind 3, and there is more"
    log.add(*TEN[3:8], beat(8, 3))
    await log.fetch(5)
    assert log.trouble() is None


async def test_a_resumed_ledger_is_read_from_the_beginning(log: Log) -> None:
    log.add(*TEN[:3], *TEN[4:])
    for _ in range(3):
        await log.fetch(0)
    await log.intake.look_around(IDS)
    log.messages[3:3] = [message_of(TEN[3])]  # refilled
    async with log.engine.begin() as connection:
        assert await resume_ledger(connection, BOOK)
    assert await log.intake.look_around(IDS) == {PLACE: None}
    await log.fetch(0)
    assert log.numbers == [*range(1, 11)]
    assert await log.intake.look_around(IDS) == {}


async def test_a_beat_behind_or_before_the_position_is_right(log: Log) -> None:
    log.add(TEN[0], beat(1, 1), *TEN[1:5], beat(8, 2), *TEN[5:])
    await log.fetch(0, 3)
    await log.fetch(3, 7)
    assert log.ask("select number, head_number from feed.position") == [(5, 8)]
    await log.fetch(7)
    assert log.stopped() is None


async def test_a_beat_below_the_position_stops_the_ledger(log: Log) -> None:
    log.add(*TEN, beat(10, 1), beat(6, 2))
    await log.fetch(0, 11)
    assert log.stopped() is None
    await log.fetch(11)
    assert log.stopped() == "head_below_position"


async def test_another_hash_at_the_position_stops_the_ledger(log: Log) -> None:
    log.add(*TEN, beat_message(Beat(BOOK, 10, b"x" * 32, AT, AT)))
    await log.fetch(0, 10)
    await log.fetch(10)
    assert log.stopped() == "other_hash"


async def test_beats_of_long_ago_stop_nothing(log: Log) -> None:
    log.add(*TEN[:6], beat(6, 1), *TEN[6:], beat(10, 2))
    await log.fetch(0)
    await log.fetch(6, 7)  # read again
    await log.fetch(0)
    assert log.stopped() is None


async def test_what_is_none_of_ours_is_parked_and_moves_nothing(log: Log) -> None:
    message = message_of(TEN[1])
    log.add(TEN[0], message._replace(value=b"{"), message._replace(key=b"somebody"), *TEN[1:])
    await log.fetch(0)
    await log.fetch(0)
    assert log.numbers == [*range(1, 11)]
    assert log.ask("select ledger, number, reason, detail from feed.parked order by id") == [
        (TOPIC, None, "not_json", "partition 0, offset 1"),
        (TOPIC, None, "wrong_key", "partition 0, offset 2: no ledger"),
    ]
