"""An export proves itself to a third party, and no change in it stays hidden."""

import json
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import psycopg
import pytest
from conftest import OfficeDatabase, OfficeDatabases
from stage.exports import prove
from stage.ledgers import BOOK, book_events, disable_trigger

from verbund.embedded.checkpoints import checkpoint_office, read_office
from verbund.embedded.home import Home
from verbund.events.offices import get_office
from verbund.ledger.checkpoints import Checkpoint, latest_of, public_pem, signing_key
from verbund.ledger.export import NotWhole, export_ledger, file_name
from verbund.ledger.verify import snapshot

OFFICE = get_office("registration")
FILE = "05913000-registration-book.ledger"
CHECKPOINTS = "registration.checkpoints"


@pytest.fixture
def database(office_database: OfficeDatabases) -> OfficeDatabase:
    return office_database("registration")


@pytest.fixture
def folder(database: OfficeDatabase, tmp_path: Path) -> Path:
    """An export of twelve records with checkpoints at 8 and 12."""
    home = Home(tmp_path / "home")
    home.prepare()
    for count in (8, 4):
        book_events(database.settings("desk"), count)
        checkpoint_office(home, OFFICE, database.settings("owner"))
    folder = tmp_path / "export"
    folder.mkdir()
    with snapshot(database.settings("owner")) as connection:
        assert list(export_ledger(connection, latest(home), folder / file_name(BOOK))) == [12]
    (folder / CHECKPOINTS).write_bytes(home.checkpoints_file(OFFICE).read_bytes())
    (folder / "checkpoint.pem").write_bytes(home.checkpoint_public_key.read_bytes())
    return folder


def latest(home: Home) -> Checkpoint:
    return latest_of(read_office(home, OFFICE)[0])[BOOK]


def lines_of(folder: Path) -> list[bytes]:
    return (folder / FILE).read_bytes().splitlines()


def write(folder: Path, lines: list[bytes]) -> None:
    (folder / FILE).write_bytes(b"".join(line + b"\n" for line in lines))


def chained(bodies: list[bytes]) -> list[bytes]:
    """Lines with hashes that fit, as a forger writes them."""
    before, lines = bytes(32), []
    for body in bodies:
        before = sha256(before + body).digest()
        lines.append(before.hex().encode() + b" " + body)
    return lines


def bodies_of(folder: Path) -> list[bytes]:
    return [line.partition(b" ")[2] for line in lines_of(folder)]


def test_an_export_is_proved_by_the_script_in_the_documents(folder: Path) -> None:
    assert prove(folder) == (0, [f"{BOOK}: whole, signed up to 12"])
    assert [json.loads(body)["sequence"] for body in bodies_of(folder)] == [f"{n:020}" for n in range(1, 13)]


def change_a_byte(folder: Path) -> None:
    lines = lines_of(folder)
    lines[4] = lines[4].replace(b'"amount":5', b'"amount":6')
    write(folder, lines)


def remove_a_line(folder: Path) -> None:
    lines = lines_of(folder)
    write(folder, lines[:4] + lines[5:])


def swap_two_lines(folder: Path) -> None:
    lines = lines_of(folder)
    lines[4], lines[9] = lines[9], lines[4]
    write(folder, lines)


def repeat_a_line(folder: Path) -> None:
    lines = lines_of(folder)
    write(folder, lines[:4] + lines[3:])


def cut_the_tail(folder: Path) -> None:
    write(folder, lines_of(folder)[:11])


def cut_the_tail_and_its_checkpoint(folder: Path) -> None:
    """Nobody can find this in the export alone: it is whole up to an older moment."""
    write(folder, lines_of(folder)[:8])
    signed = (folder / CHECKPOINTS).read_bytes().splitlines(keepends=True)
    (folder / CHECKPOINTS).write_bytes(signed[0])


def write_history_anew(folder: Path) -> None:
    write(folder, chained([body.replace(b'"amount":5', b'"amount":6') for body in bodies_of(folder)]))


def remove_a_record_and_chain_anew(folder: Path) -> None:
    bodies = bodies_of(folder)
    write(folder, chained(bodies[:4] + bodies[5:]))


def take_the_file_away(folder: Path) -> None:
    (folder / FILE).unlink()


def change_a_checkpoint(folder: Path) -> None:
    file = folder / CHECKPOINTS
    file.write_bytes(file.read_bytes().replace(b'"number":8', b'"number":7'))


def sign_with_another_key(folder: Path) -> None:
    (folder / "checkpoint.pem").write_bytes(public_pem(signing_key("A" * 43).public_key()))


@pytest.mark.parametrize(
    ("tamper", "said"),
    [
        (change_a_byte, f"{BOOK}: first bad number 5: the event does not fit its hash"),
        (remove_a_line, f"{BOOK}: first bad number 5: the event does not fit its hash"),
        (swap_two_lines, f"{BOOK}: first bad number 5: the event does not fit its hash"),
        (repeat_a_line, f"{BOOK}: first bad number 5: the event does not fit its hash"),
        (cut_the_tail, f"{BOOK}: first bad number 12: records up to 12 were signed and are not here"),
        (write_history_anew, f"{BOOK}: first bad number 8: another history was signed up to here"),
        (remove_a_record_and_chain_anew, f"{BOOK}: first bad number 5: the event carries another number"),
        (take_the_file_away, f"{BOOK}: first bad number 1: the file is missing"),
        (change_a_checkpoint, f"{CHECKPOINTS}: line 1 is not signed with this key"),
        (sign_with_another_key, f"{CHECKPOINTS}: line 1 is not signed with this key"),
    ],
)
def test_the_script_names_what_was_changed(folder: Path, tamper: Callable[[Path], None], said: str) -> None:
    tamper(folder)
    code, words = prove(folder)
    assert code == 1
    assert [word for word in words if word.startswith(said)], words


def test_an_older_export_is_whole_and_says_up_to_where(folder: Path) -> None:
    cut_the_tail_and_its_checkpoint(folder)
    assert prove(folder) == (0, [f"{BOOK}: whole, signed up to 8"])


@pytest.mark.usefixtures("folder")
def test_what_cannot_be_proved_is_not_exported(database: OfficeDatabase, tmp_path: Path) -> None:
    checkpoint = latest(Home(tmp_path / "home"))
    with psycopg.connect(database.superuser().conninfo()) as connection:
        disable_trigger(connection)
        connection.execute("update ledger.record set body = body || ' ' where number = 3")
    file = tmp_path / "again.ledger"
    with snapshot(database.settings("owner")) as connection:
        with pytest.raises(NotWhole, match="first bad number 3, last bad number 3"):
            list(export_ledger(connection, checkpoint, file))
        with pytest.raises(NotWhole, match="first bad number 1, last bad number 12"):
            list(export_ledger(connection, replace(checkpoint, hash=bytes(32)), file))
    assert list(tmp_path.glob("again*")) == []
