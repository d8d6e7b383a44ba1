"""Checkpoints: signed by a key outside the database, believed line by line, never made of what is not whole."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
from conftest import OfficeDatabase, OfficeDatabases
from stage.ledgers import BOOK, book_events, disable_trigger

from verbund.embedded.checkpoints import Broken, checkpoint_office, read_office
from verbund.embedded.home import Home
from verbund.events.offices import get_office
from verbund.ledger.checkpoints import Checkpoint, load_public_key, read_checkpoints, signing_key
from verbund.ledger.verify import verify_ledgers

OFFICE = get_office("registration")
AT = datetime(2026, 11, 25, 8, 15, tzinfo=UTC)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    made = Home(tmp_path / "home")
    made.prepare()
    return made


@pytest.fixture
def database(office_database: OfficeDatabases) -> OfficeDatabase:
    made = office_database("registration")
    book_events(made.settings("desk"), 5)
    return made


def sign(home: Home, database: OfficeDatabase) -> list[int]:
    return [each.number for each in checkpoint_office(home, OFFICE, database.settings("owner"))]


def test_a_head_is_signed_once_and_again_when_it_has_moved(home: Home, database: OfficeDatabase) -> None:
    assert sign(home, database) == [5]
    assert sign(home, database) == []
    book_events(database.settings("desk"), 3)
    assert sign(home, database) == [8]
    believed, others = read_office(home, OFFICE)
    assert ([each.number for each in believed], others) == ([5, 8], [])


def test_everybody_can_check_with_the_public_key(home: Home, database: OfficeDatabase) -> None:
    sign(home, database)
    key = load_public_key(home.checkpoint_public_key.read_bytes())
    believed, others = read_checkpoints(home.checkpoints_file(OFFICE), key)
    assert ([each.number for each in believed], others) == ([5], [])


def test_key_and_checkpoints_are_for_nobody_else(home: Home, database: OfficeDatabase) -> None:
    sign(home, database)
    assert home.checkpoint_key.stat().st_mode & 0o077 == 0
    assert home.folder.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"number":5', b'"number":4'),
        (b'"signature":"', b'"signature":"A'),
        (b"{", b""),
        (b"checkpoint.v1", b"other.v1"),
    ],
)
def test_a_changed_line_is_named_and_nothing_is_signed_beside_it(
    home: Home, database: OfficeDatabase, old: bytes, new: bytes
) -> None:
    sign(home, database)
    file = home.checkpoints_file(OFFICE)
    file.write_bytes(file.read_bytes().replace(old, new, 1))
    believed, others = read_office(home, OFFICE)
    assert believed == []
    assert [(each.file, each.line) for each in others] == [(file, 1)]
    book_events(database.settings("desk"), 1)
    with pytest.raises(Broken, match="line 1 is no checkpoint"):
        sign(home, database)


def test_another_key_is_not_believed(home: Home) -> None:
    key, other = signing_key("A" * 43), signing_key("E" * 43)
    home.checkpoints_file(OFFICE).parent.mkdir()
    home.checkpoints_file(OFFICE).write_bytes(Checkpoint(BOOK, 3, bytes(32), AT).line(other))
    believed, others = read_checkpoints(home.checkpoints_file(OFFICE), key.public_key())
    assert (believed, len(others)) == ([], 1)


def test_a_line_that_was_never_written_whole_is_written_over(home: Home, database: OfficeDatabase) -> None:
    sign(home, database)
    file = home.checkpoints_file(OFFICE)
    whole = file.read_bytes()
    file.write_bytes(whole + whole[:40])  # the machine fell while the second line was written
    book_events(database.settings("desk"), 1)
    assert sign(home, database) == [6]
    believed, others = read_office(home, OFFICE)
    assert ([each.number for each in believed], others) == ([5, 6], [])


def test_what_is_not_whole_is_never_signed(home: Home, database: OfficeDatabase) -> None:
    sign(home, database)
    book_events(database.settings("desk"), 5)
    with psycopg.connect(database.superuser().conninfo()) as connection:
        disable_trigger(connection)
        connection.execute("update ledger.record set body = body || ' ' where number = 8")
    with pytest.raises(Broken, match="first bad number 8, last bad number 8"):
        sign(home, database)
    believed, _ = read_office(home, OFFICE)
    assert [each.number for each in believed] == [5]


def test_a_ledger_that_ends_before_its_checkpoint_is_not_signed(home: Home, database: OfficeDatabase) -> None:
    sign(home, database)
    with psycopg.connect(database.superuser().conninfo()) as connection:
        disable_trigger(connection)
        connection.execute("delete from ledger.record where number > 3")
        connection.execute(
            "update ledger.head set number = 3, hash = (select hash from ledger.record where number = 3)"
        )
    with pytest.raises(Broken, match="was not signed"):
        sign(home, database)


def test_verifying_holds_a_ledger_against_its_checkpoints(home: Home, database: OfficeDatabase) -> None:
    sign(home, database)
    (checkpoint,) = read_office(home, OFFICE)[0]
    settings = database.superuser()
    assert [end.damage for end in verify_ledgers(settings, {BOOK: [checkpoint.mark]})] == [None]
    other = replace(checkpoint, hash=bytes(32)).mark
    (end,) = verify_ledgers(settings, {BOOK: [other]})
    assert end.damage is not None
    assert (end.damage.first, end.damage.last) == (1, 5)
    gone = list(verify_ledgers(settings, {"/05913000/registration/to/school": [checkpoint.mark]}))
    assert [end.damage is None for end in gone] == [False, True]
