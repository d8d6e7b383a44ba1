"""The checker of the fault tests sees every kind of damage, and names it; a check that cannot fail proves nothing."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
import pytest
from conftest import OfficeDatabase, OfficeDatabases, Templates
from stage.checker import Evidence, check, is_caught_up, residents_of
from stage.municipality import until
from stage.registration_office import ADDRESS, open_office

from reporting.deltas import delta_functions
from reporting.reader import CubeEffect
from verbund.database import make_engine
from verbund.events.offices import find_offices, get_office, known_events
from verbund.feeds.ledger_feed import LedgerFeed
from verbund.feeds.ledger_view import Source
from verbund.feeds.reader import Reader

SECRET = b"a secret of the reporting office"
BOOK = "/05913000/registration/book"
_copies = count(1)


@dataclass(frozen=True)
class Scene:
    """Both offices after a few bookings that were read, and what the clerk was told."""

    office: OfficeDatabase
    reporting: OfficeDatabase
    receipts: tuple[dict[str, Any], ...]

    @property
    def evidence(self) -> Evidence:
        office, reporting = self.office.superuser().conninfo(), self.reporting.superuser().conninfo()
        return Evidence(office, reporting, SECRET)


async def book(database: OfficeDatabase, folder: Path) -> tuple[dict[str, Any], ...]:
    """One of everything that a clerk can book."""
    receipts = []
    async with open_office(database, folder) as office:

        async def post(path: str, form: dict[str, Any]) -> dict[str, Any]:
            answer = await office.post(path, form)
            assert answer.status_code == 201, answer.text
            receipt: dict[str, Any] = answer.json()
            receipts.append(receipt)
            return receipt

        receipts += [await office.register(nationality=key) for key in ("154", "125", "000")]
        home, other = (f"/residences/{receipt['residence_id']}" for receipt in receipts[:2])
        moved = await post(f"{home}/moves", {**ADDRESS, "moved_on": "2018-12-01"})
        await post(f"{home}/nationality-changes", {"changed_on": "2019-01-01", "nationality": "000"})
        amendment = {"area": "06"}
        form = {"booking_id": moved["booking_id"], "reason": "typing_error", "amendment": amendment}
        await post(f"{home}/corrections", form)
        await post(f"{other}/deregistrations", {"deregistered_on": "2019-02-01", "reason": "abroad"})
    return tuple(receipts)


async def read(office: OfficeDatabase, reporting: OfficeDatabase) -> None:
    """Take the books into the cube, as the reader does."""
    engine = make_engine(reporting.settings("reader"))
    evidence = Evidence(office.superuser().conninfo(), reporting.superuser().conninfo(), SECRET)
    reader = Reader(engine, CubeEffect(SECRET, delta_functions(find_offices())), known_events())
    source = Source(office="registration", database=office.settings("feed_reporting"))
    async with LedgerFeed(source, reader, "reporting"):
        await asyncio.to_thread(until, lambda: is_caught_up(evidence), "the reader has caught up")
    await engine.dispose()


@pytest.fixture(scope="module")
def whole(templates: Templates, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """Nothing is wrong here."""
    databases = OfficeDatabases(templates)
    office, reporting = databases("registration"), databases("reporting")
    receipts = asyncio.run(book(office, tmp_path_factory.mktemp("office")))
    asyncio.run(read(office, reporting))
    yield Scene(office, reporting, receipts)
    databases.drop_all()


@pytest.fixture
def scene(whole: Scene) -> Iterator[Scene]:
    """A copy to be damaged."""

    def copied(original: OfficeDatabase) -> OfficeDatabase:
        name = f"{original.name}_copy_{next(_copies)}"
        original.cluster.ensure_database(get_office(original.office), name, template=original.name)
        return replace(original, name=name)

    copy = replace(whole, office=copied(whole.office), reporting=copied(whole.reporting))
    yield copy
    copy.office.drop()
    copy.reporting.drop()


def damage(database: OfficeDatabase, statements: str) -> None:
    """What only a superuser can do, past triggers."""
    with psycopg.connect(database.superuser().conninfo()) as connection:
        if database.office == "registration":
            connection.execute("alter table ledger.record disable trigger user")
            connection.execute("alter table ledger.head disable trigger user")
        connection.execute(statements.encode())


def test_nothing_is_said_of_what_is_whole(scene: Scene) -> None:
    counted = check(scene.evidence, scene.receipts)
    assert (counted["records"], counted["bookings"]) == (8, 7)
    assert residents_of(scene.evidence, ("125", "154")) == 0
    assert residents_of(scene.evidence, ("000",)) == 2


_CUT = "delete from ledger.record where number = 8;"
_SEAL_ALL = """
do $$
declare
    last bytea := decode(repeat('00', 32), 'hex');
    entry record;
begin
    for entry in select number, body from ledger.record order by number loop
        update ledger.record set previous = last, hash = sha256(last || body) where number = entry.number;
        last := sha256(last || entry.body);
    end loop;
    update ledger.head set hash = last, number = (select max(number) from ledger.record);
end $$;
"""
_BODY = "convert_to(replace(convert_from(body, 'UTF8'), {old}, {new}), 'UTF8')"


def _rewritten(number: int, old: str, new: str) -> str:
    """Other words in a record, with a chain that fits them."""
    body = _BODY.format(old=f"'{old}'", new=f"'{new}'")
    return f"update ledger.record set body = {body} where number = {number}; {_SEAL_ALL}"


OF_THE_OFFICE = {
    "a byte is changed": (
        "update ledger.record set body = set_byte(body, 20, get_byte(body, 20) # 1) where number = 4",
        r"the chain breaks at 4",
    ),
    "a record is removed": ("delete from ledger.record where number = 4", r"number 4 is missing"),
    "the first record is removed": ("delete from ledger.record where number = 1", r"number 1 is missing"),
    "the last record is cut off": (_CUT, r"the head says 8, there are 7"),
    "the last record is cut off and the head moved back": (_CUT + _SEAL_ALL, r"was answered 2xx and stands nowhere"),
    "two records change places": (
        "update ledger.record set number = 100 where number = 5; update ledger.record set number = 5 where number = 6;"
        "update ledger.record set number = 6 where number = 100",
        r"record 5 names another one before it",
    ),
    "a record is there twice": (
        "insert into ledger.record select ledger, 9, previous, hash, body from ledger.record where number = 8;"
        + _SEAL_ALL,
        r"record 9 holds event 0*8",
    ),
    "a booking is booked again": (
        "insert into ledger.record select ledger, 9, previous, hash, "
        + _BODY.format(old="""'"sequence":"' || lpad('8', 20, '0')""", new="""'"sequence":"' || lpad('9', 20, '0')""")
        + " from ledger.record where number = 8;"
        + _SEAL_ALL,
        r"event .* stands twice",
    ),
    "the record before is another one": (
        "update ledger.record set previous = sha256(previous) where number = 3",
        r"record 3 names another one before it",
    ),
    "the head has another hash": ("update ledger.head set hash = sha256(hash)", r"the head holds another hash"),
    "the head is gone": ("delete from ledger.head", r"there are records and no head"),
    "a record was known before the one before it": (
        "update ledger.record set body = convert_to(regexp_replace(convert_from(body, 'UTF8'), "
        """'"time":"[0-9]{4}', '"time":"2001'), 'UTF8') where number = 5;""" + _SEAL_ALL,
        r"record 5 was known before",
    ),
    "a record comes from elsewhere": (
        _rewritten(5, '"source":"/05913000', '"source":"/05334002'),
        r"record 5 comes from /05334002",
    ),
    "a fact is changed under a new chain": (
        _rewritten(5, '"nationality":"154"', '"nationality":"000"'),
        r"the position 8 holds another hash",
    ),
    "an answer is lost": ("delete from desk.answer where receipt->>'number' = '3'", r"no answer is kept for 1 booking"),
    "an answer is kept without its booking": (
        "update desk.answer set receipt = receipt || '{\"booking_id\": \"none\"}' where receipt->>'number' = '3'",
        r"kept for booking none, which was not booked",
    ),
    "a state misses a booking": (
        "update office.resident set version = version - 1 where version > 1",
        r"resident .* has version \d after \d bookings",
    ),
    "a state is gone": ("delete from office.resident where version = 1", r"has version 0 after 1 bookings"),
}


@pytest.mark.parametrize("what", OF_THE_OFFICE)
def test_damage_in_the_office_is_seen_and_named(scene: Scene, what: str) -> None:
    statements, named = OF_THE_OFFICE[what]
    damage(scene.office, statements)
    with pytest.raises(AssertionError, match=named):
        check(scene.evidence, scene.receipts)


_ONE = "ctid = (select min(ctid) from cube.delta where measure = 'residents')"
_OTHER = "00000000-0000-4000-8000-000000000000"
OF_REPORTING = {
    "a change is missing": (f"delete from cube.delta where {_ONE}", r"the cube says -?\d where the ledgers say -?\d"),
    "a change counts twice": (
        f"insert into cube.delta select * from cube.delta where {_ONE}",
        r"the cube says -?2 where the ledgers say -?1",
    ),
    "a batch counts twice": (
        f"insert into cube.delta select municipality, '{_OTHER}', measure, cell, effective_on, recorded_on, cause, n,"
        " key from cube.delta where batch = (select batch from cube.batch where number = 1);"
        "update cube.batch_head set number = number + 1;"
        f"insert into cube.batch select municipality, number, '{_OTHER}' from cube.batch_head",
        r"the cube says -?2 where the ledgers say -?1",
    ),
    "a change has another key": (
        f"update cube.delta set key = (key + 1) % 4294967296 where {_ONE}",
        r"another record key",
    ),
    "a change holds from another day on": (
        f"update cube.delta set effective_on = effective_on + 1 where {_ONE}",
        r"the cube says",
    ),
    "a change was known on another day": (
        f"update cube.delta set recorded_on = recorded_on - 1 where {_ONE}",
        r"the cube says",
    ),
    "a change has another cause": (f"update cube.delta set cause = 'late!' where {_ONE}", r"the cube says"),
    "a cell means something else": (
        """update cube.cell set dims = dims || '{"area": "11"}' where measure = 'residents'""",
        r"(the cube says|two cells are one)",
    ),
    "a change stands in a cell of another measure": (
        f"update cube.delta set measure = 'arrivals' where {_ONE}",
        r"changes of arrivals stand in a cell of residents",
    ),
    "a cell is gone": (
        f"delete from cube.cell where cell = (select cell from cube.delta where {_ONE})",
        r"changes of residents stand in a cell of None",
    ),
    "a batch number is missing": (
        "insert into cube.batch select municipality, number + 2, gen_random_uuid() from cube.batch_head",
        r"batch numbers of 05913000 have a hole",
    ),
    "the head of the cube is elsewhere": (
        "update cube.batch_head set number = number + 1",
        r"do not end at their head",
    ),
    "a batch has no number": (
        f"update cube.delta set batch = gen_random_uuid() where {_ONE}",
        r"under a batch without a number",
    ),
    "the position is behind": ("update feed.position set number = number - 1", r"the position is 7, the head 8"),
    "the position is ahead": ("update feed.position set number = number + 1", r"the position is 9, the head 8"),
    "the position is lost": ("delete from feed.position", r"the position is 0, the head 8"),
    "the position holds another hash": ("update feed.position set hash = sha256(hash)", r"holds another hash"),
    "reading stopped": ("update feed.position set stop_reason = 'hole'", r"reading stopped: hole"),
    "a position of nobody's ledger": (
        "insert into feed.position (ledger, hash) select '/nowhere', hash from feed.position",
        r"a position in /nowhere",
    ),
    "a record is parked": (
        f"insert into feed.parked (ledger, number, reason, detail, body, hash) values ('{BOOK}', 3, 'why', '', '', '')",
        r"1 records are parked",
    ),
}


@pytest.mark.parametrize("what", OF_REPORTING)
def test_damage_in_reporting_is_seen_and_named(scene: Scene, what: str) -> None:
    statements, named = OF_REPORTING[what]
    damage(scene.reporting, statements)
    with pytest.raises(AssertionError, match=named):
        check(scene.evidence, scene.receipts)


def test_an_answer_for_nothing_is_seen(whole: Scene) -> None:
    with pytest.raises(AssertionError, match="booking invented was answered 2xx and stands nowhere"):
        check(whole.evidence, [*whole.receipts, {**whole.receipts[0], "booking_id": "invented"}])


def test_an_answer_with_another_number_is_seen(whole: Scene) -> None:
    with pytest.raises(AssertionError, match="answered 2xx as number 77 and stands as 2"):
        check(whole.evidence, [{**whole.receipts[0], "number": 77}])


def test_one_booking_for_two_requests_is_seen(whole: Scene) -> None:
    with pytest.raises(AssertionError, match="answers two requests"):
        check(whole.evidence, [*whole.receipts, whole.receipts[0]])


def test_a_reader_that_is_behind_is_not_taken_for_one_that_is_there(scene: Scene) -> None:
    assert is_caught_up(scene.evidence)
    damage(scene.reporting, "update feed.position set number = number - 1")
    assert not is_caught_up(scene.evidence)
