"""A broker that lets in only whom it knows, and lets them do only what they were given a right to."""

import socket
import ssl
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from stage.brokers import guarded_brokers
from stage.kafka_records import Refused, allow, keep, list_topics, make_topic, read_kept

from verbund.embedded.kafka_cluster import Brokers
from verbund.embedded.kafka_guard import ADMIN, Guard
from verbund.embedded.kafka_jars import Distribution
from verbund.embedded.kafka_probe import find_brokers
from verbund.embedded.secret_files import ensure_secret
from verbund.kafka.settings import KafkaSettings

STRANGE = 'a "strange", [one]=;\\'


@dataclass(frozen=True, slots=True)
class Guarded:
    brokers: Brokers
    guard: Guard

    def as_user(self, user: str) -> KafkaSettings:
        return self.guard.settings(self.brokers.bootstrap, user)


@pytest.fixture(scope="module")
def guarded(kafka: Distribution) -> Iterator[Guarded]:
    users = {"writer": STRANGE, "reader": "another one"}
    with guarded_brokers(kafka, users) as (brokers, guard):
        yield Guarded(brokers, guard)


@pytest.mark.parametrize("user", [ADMIN, "writer", "reader"])
def test_who_knows_the_password_comes_in_and_nobody_else(guarded: Guarded, user: str, tmp_path: Path) -> None:
    list_topics(guarded.as_user(user))
    wrong = tmp_path / "password"
    wrong.write_text("wrong", encoding="utf-8")
    with pytest.raises(Refused):
        list_topics(guarded.as_user(user).model_copy(update={"password_file": wrong}), seconds=3)


def test_a_name_that_nobody_bears_does_not_come_in(guarded: Guarded) -> None:
    ensure_secret(guarded.guard.password_file("nobody"))
    with pytest.raises(Refused):
        list_topics(guarded.as_user("nobody"), seconds=3)


def test_nothing_is_allowed_without_a_right(guarded: Guarded) -> None:
    make_topic(guarded.as_user(ADMIN), "guarded")
    with pytest.raises(Refused, match="AuthorizationFailed"):
        keep(guarded.as_user("writer"), "guarded", "1")
    allow(guarded.as_user(ADMIN), "writer", "guarded", "write")
    keep(guarded.as_user("writer"), "guarded", "1")
    with pytest.raises(Refused, match="AuthorizationFailed"):
        read_kept(guarded.as_user("reader"), "guarded")
    allow(guarded.as_user(ADMIN), "reader", "guarded", "read")
    assert read_kept(guarded.as_user("reader"), "guarded") == ["1"]
    with pytest.raises(Refused, match="AuthorizationFailed"):
        keep(guarded.as_user("reader"), "guarded", "2")
    with pytest.raises(Refused, match="AuthorizationFailed"):
        read_kept(guarded.as_user("writer"), "guarded")


def test_an_authority_of_somebody_else_is_not_believed(guarded: Guarded) -> None:
    strict = ssl.create_default_context()
    port = guarded.brokers.brokers[0].place.port
    with (
        socket.create_connection(("127.0.0.1", port)) as bare,
        pytest.raises(ssl.SSLCertVerificationError),
        strict.wrap_socket(bare, server_hostname="127.0.0.1"),
    ):
        pass


def test_no_door_opens_to_who_shows_nothing(guarded: Guarded) -> None:
    place = guarded.brokers.brokers[0].place
    nameless = ssl.create_default_context(cafile=str(guarded.guard.ca_file))
    for port in (place.port, place.controller_port, place.internal_port):
        assert find_brokers(port) == frozenset()
        assert find_brokers(port, nameless) == frozenset()
    assert find_brokers(place.internal_port, guarded.guard.security.tls) == {1}


def test_secrets_are_for_nobody_else_and_stand_in_no_log(guarded: Guarded) -> None:
    folder = guarded.guard.folder
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    log = guarded.brokers.brokers[0].log.read_text(encoding="utf-8")
    for file in folder.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert file.read_text(encoding="utf-8") not in log


def test_users_and_certificates_are_kept_for_the_next_start(guarded: Guarded) -> None:
    before = guarded.guard.ca_file.read_bytes(), guarded.guard.password_file(ADMIN).read_bytes()
    again = Guard(guarded.guard.folder, {"writer": STRANGE})
    assert (again.ca_file.read_bytes(), again.password_file(ADMIN).read_bytes()) == before
    guarded.brokers.stop()
    guarded.brokers.start()
    list_topics(guarded.as_user("writer"))
