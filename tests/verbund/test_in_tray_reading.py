"""What reading the trays lays into an in-tray, what it refuses, and who may touch what lies there."""

from collections.abc import AsyncIterator

import psycopg
import pytest
from conftest import OfficeDatabases
from pydantic import ValidationError
from sqlalchemy.ext.asyncio import AsyncEngine
from stage.school import School, found_school
from stage.tally import KNOWN, Added
from stage.trays import MUNICIPALITY, OFFICES, REGISTRATION, SCHOOL, TRAY, ask, tell

from verbund.database import make_engine
from verbund.events.envelope import decode
from verbund.feeds.batch import Batch
from verbund.feeds.in_tray import TrayEffect
from verbund.feeds.ledger_view import LedgerView, Source
from verbund.feeds.reader import Reader
from verbund.feeds.settings import ReadingSettings
from verbund.feeds.shapes import tray_feeds
from verbund.kafka.settings import KafkaSettings
from verbund.ledger.record import GENESIS, Entry, Head, Record, chain_hash, seal
from verbund.ledger.store import THE_BEGINNING


@pytest.fixture
def school(office_database: OfficeDatabases) -> School:
    return found_school(office_database)


@pytest.fixture
async def engine(school: School) -> AsyncIterator[AsyncEngine]:
    made = make_engine(school.database.settings("desk"))
    yield made
    await made.dispose()


@pytest.fixture
def reader(engine: AsyncEngine) -> Reader:
    return Reader(engine, TrayEffect("school", MUNICIPALITY), KNOWN)


def told(ledger: str, count: int) -> list[Record]:
    entries = [Entry("s", Added(amount=n), "clerk:1", THE_BEGINNING) for n in range(1, count + 1)]
    return seal(Head(ledger, 0, GENESIS, THE_BEGINNING), entries)[1]


async def test_events_lie_in_the_in_tray_as_they_stand_in_the_ledger_together_with_their_position(
    school: School, reader: Reader
) -> None:
    records = told(TRAY, 5)
    await reader.take(Batch(records[:3]))
    taken = await reader.take(Batch(records))
    assert (taken.applied, taken.repeats) == (2, 3)
    rows = school.ask("select number, event_id, type, body, state, xmin::text from tray.event order by arrival")
    assert [(number, bytes(body)) for number, _, _, body, _, _ in rows] == [(r.number, r.body) for r in records]
    assert [(row[1], row[2]) for row in rows] == [(decode(r.body, KNOWN).id, Added.type) for r in records]
    assert {row[4] for row in rows} == {"waiting"}
    assert school.ask("select number, xmin::text from feed.position") == [(5, rows[-1][5])]


@pytest.mark.parametrize(
    "ledger",
    [
        "/05913000/registration/to/youth",  # told to another office
        "/05915000/registration/to/school",  # in another municipality
        "/05913000/registration/book",
    ],
)
async def test_what_is_not_addressed_to_this_office_stops_its_ledger_and_no_other(
    school: School, reader: Reader, ledger: str
) -> None:
    await reader.take(Batch([*told(ledger, 2), *told(TRAY, 2)]))
    assert school.ask("select ledger, number from tray.event order by number") == [(TRAY, 1), (TRAY, 2)]
    assert school.ask("select ledger, stop_reason from feed.position where stop_reason is not null") == [
        (ledger, "not_addressed_here")
    ]


async def test_an_event_id_under_another_number_stops_the_ledger(school: School, reader: Reader) -> None:
    first, second = told(TRAY, 2)
    one, two = (decode(record.body, KNOWN).id for record in (first, second))
    body = second.body.replace(two.encode(), one.encode())
    forged = Record(TRAY, 2, second.previous, chain_hash(second.previous, body), body)
    await reader.take(Batch([first]))
    await reader.take(Batch([forged]))
    assert school.ask("select number from tray.event") == [(1,)]
    assert school.ask("select number, stop_reason from feed.position") == [(1, "other_place_known")]


async def test_trays_come_in_the_shape_that_the_settings_name(school: School, engine: AsyncEngine) -> None:
    from_ledgers = school.settings
    kafka = KafkaSettings(brokers=("127.0.0.1:1",))
    from_kafka = from_ledgers.model_copy(update={"feed": "kafka", "kafka": kafka})
    assert list(tray_feeds(SCHOOL, from_ledgers, engine, OFFICES)) == ["trays of registration"]
    assert list(tray_feeds(SCHOOL, from_kafka, engine, OFFICES)) == ["trays on Kafka"]
    assert list(tray_feeds(REGISTRATION, from_kafka, engine, OFFICES)) == []  # nobody tells it anything
    with pytest.raises(ValidationError, match="VERBUND_KAFKA__BROKERS"):
        ReadingSettings(**{**from_ledgers.model_dump(), "feed": "kafka"})


async def test_the_receiver_sees_its_tray_alone(school: School) -> None:
    await tell(school.registration, [1, 2])
    settings = school.registration.settings("feed_school")
    view = LedgerView(Source(office="registration", database=settings), "school")
    try:
        assert [beat.ledger for beat in await view.beats()] == [TRAY]
        assert len(await view.records(TRAY, 0, 10)) == 2
        assert await view.records("/05913000/registration/book", 0, 10) == []
    finally:
        await view.close()
    for forbidden in ("ledger.record", "ledger.head", "feed_reporting.record", "tally.sum"):
        with psycopg.connect(settings.conninfo()) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(f"select * from {forbidden}".encode())
    assert len(ask(school.registration, "select from ledger.record")) > 2


@pytest.mark.parametrize(
    "statement",
    [
        "update tray.event set body = ''",
        "update tray.event set number = 7",
        "update tray.event set event_id = 'another'",
        "delete from tray.event",
        "truncate tray.event",
    ],
)
async def test_nobody_at_work_changes_what_was_told_or_takes_it_away(
    school: School, reader: Reader, statement: str
) -> None:
    await reader.take(Batch(told(TRAY, 1)))
    settings = school.database.settings("desk")
    with psycopg.connect(settings.conninfo()) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute(statement.encode())
