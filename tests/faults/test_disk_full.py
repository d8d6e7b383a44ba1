"""The disk under PostgreSQL is full: whoever books is told so, nothing accepted is lost, and with room it goes on."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

import httpx
import psycopg
import pytest
from stage.checker import check, is_caught_up
from stage.clerks import Clerks, Receipt, clerks_at_work
from stage.full_disk import CAN_MOUNT, Disk, on_a_small_disk
from stage.municipality import Municipality, municipality_to_be, until

from verbund.embedded.ports import find_free_port
from verbund.embedded.postgres import Cluster

CLERKS = 3
SPARE_MEGABYTES = 128  # room for the offices' databases and some segments of PostgreSQL's log

pytestmark = pytest.mark.skipif(not CAN_MOUNT, reason="only root on Linux may mount a small disk")


@dataclass(frozen=True)
class Place:
    """A municipality whose database has a small disk of its own."""

    municipality: Municipality
    disk: Disk


@pytest.fixture(scope="module")
def place() -> Iterator[Place]:
    with municipality_to_be() as municipality:
        settings = municipality.settings
        cluster = Cluster(settings.layout.folder, find_free_port())
        cluster.start()
        cluster.stop()
        with on_a_small_disk(cluster.data, SPARE_MEGABYTES) as disk:
            municipality.start()
            municipality.close_initial_load()
            yield Place(municipality, disk)
            municipality.stop()


@pytest.fixture(scope="module")
def answered() -> list[Receipt]:
    """Of every booking so far: the tests share one municipality."""
    return []


@pytest.fixture
def checked(place: Place, seed: int, answered: list[Receipt]) -> Iterator[Clerks]:
    """Clerks at work, and afterwards, with room on the disk, everything as it has to be."""
    with clerks_at_work(place.municipality, seed, CLERKS) as clerks:
        clerks.await_bookings(50)
        try:
            yield clerks
        finally:
            place.disk.make_room()
    answered += clerks.receipts
    evidence = place.municipality.evidence()
    until(lambda: is_caught_up(evidence), "the reader has caught up")
    assert check(evidence, answered)["bookings"] == len(answered)


def look_at(municipality: Municipality, residence_id: str) -> httpx.Response:
    """Reading about somebody, which the office writes down."""
    return httpx.get(
        f"{municipality.url('registration')}/residences/{residence_id}",
        headers={"Authorization": f"Bearer {municipality.token('registration', 'clerk')}", "Accept-Language": "en"},
        trust_env=False,
        timeout=30,
    )


def is_ready(municipality: Municipality) -> bool:
    with suppress(httpx.HTTPError):
        answers = [
            httpx.get(f"{municipality.url(door)}/readyz", trust_env=False)
            for door in ("registration", "reporting", "reporting-reader")
        ]
        return all(answer.status_code == httpx.codes.OK for answer in answers)
    return False


def test_who_books_on_a_full_disk_is_told_so_and_with_room_it_goes_on(place: Place, checked: Clerks) -> None:
    municipality, disk = place.municipality, place.disk
    begin_a_segment(municipality)

    def are_told() -> bool:
        disk.fill()  # again and again: PostgreSQL throws old segments of its log away
        return checked.counted["storage_full"] > 2 * CLERKS

    until(are_told, "every clerk is told that there is no room")
    last = checked.receipts[-1]["residence_id"]
    until(lambda: look_at(municipality, last).status_code != httpx.codes.OK, "nobody can look at a residence")
    refusal = look_at(municipality, last)
    assert refusal.status_code == httpx.codes.SERVICE_UNAVAILABLE
    assert refusal.headers["content-type"] == "application/problem+json"
    assert refusal.headers["retry-after"] == "30"
    assert refusal.json()["code"] == "storage_full"
    assert "no room left" in refusal.json()["detail"]
    disk.make_room()
    checked.await_bookings(50)
    until(lambda: is_ready(municipality), "every door is ready again")
    assert look_at(municipality, last).status_code == httpx.codes.OK


def begin_a_segment(municipality: Municipality) -> None:
    """A segment of its log that is there before the disk is full: PostgreSQL falls where it needs a new one then."""
    with psycopg.connect(municipality.superuser("postgres").conninfo(), autocommit=True) as connection:
        connection.execute("select pg_switch_wal()")
        connection.execute("select pg_logical_emit_message(true, 'test', 'begun')")


def end_the_log(municipality: Municipality) -> None:
    """Have PostgreSQL begin one segment of its log after the other; it falls when it finds no room for the next one."""
    with psycopg.connect(municipality.superuser("postgres").conninfo(), autocommit=True) as connection:
        for _ in range(100):
            connection.execute("select pg_logical_emit_message(true, 'test', 'full')")
            connection.execute("select pg_switch_wal()")


def test_a_server_that_fell_because_its_disk_is_full_is_started_again_until_there_is_room(
    place: Place, checked: Clerks
) -> None:
    municipality, disk = place.municipality, place.disk
    before = municipality.log.read_text().count("Trying again in")
    disk.fill()
    with pytest.raises(psycopg.OperationalError):
        end_the_log(municipality)
    until(
        lambda: municipality.log.read_text().count("Trying again in") > before,
        "the supervisor tries to start PostgreSQL",
    )
    refusal = look_at(municipality, checked.receipts[-1]["residence_id"])
    assert refusal.status_code == httpx.codes.SERVICE_UNAVAILABLE
    assert refusal.json()["code"] == "database_unavailable"
    disk.make_room()
    checked.await_bookings(50)
    until(lambda: is_ready(municipality), "every door is ready again")
