"""A broker that lets in only whom it knows, and lets them do only what they were given a right to."""

import socket
import ssl
import stat
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import pytest
from kafka import KafkaAdminClient
from kafka.admin import ACL, ACLOperation, ACLPermissionType, ResourcePattern, ResourceType
from kafka.errors import KafkaError
from stage.brokers import guarded_brokers
from stage.kafka_records import client_options, keep, make_topic, read_kept

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


def allow(guarded: Guarded, user: str, topic: str, *operations: ACLOperation) -> None:
    pattern = ResourcePattern(ResourceType.TOPIC, topic)
    rights = [ACL(f"User:{user}", "*", each, ACLPermissionType.ALLOW, pattern) for each in operations]
    with closing(KafkaAdminClient(**client_options(guarded.as_user(ADMIN)))) as admin:
        admin.create_acls(rights)


def sign_in(options: dict[str, Any]) -> None:
    with closing(KafkaAdminClient(**options, bootstrap_timeout_ms=3000)) as admin:
        admin.list_topics()


@pytest.mark.parametrize("user", [ADMIN, "writer", "reader"])
def test_who_knows_the_password_comes_in_and_nobody_else(guarded: Guarded, user: str) -> None:
    sign_in(client_options(guarded.as_user(user)))
    with pytest.raises(KafkaError):
        sign_in(client_options(guarded.as_user(user), password="wrong"))


def test_a_name_that_nobody_bears_does_not_come_in(guarded: Guarded) -> None:
    ensure_secret(guarded.guard.password_file("nobody"))
    with pytest.raises(KafkaError):
        sign_in(client_options(guarded.as_user("nobody")))


def test_nothing_is_allowed_without_a_right(guarded: Guarded) -> None:
    make_topic(guarded.as_user(ADMIN), "guarded")
    with pytest.raises(KafkaError, match="AuthorizationFailed"):
        keep(guarded.as_user("writer"), "guarded", [b"1"])
    allow(guarded, "writer", "guarded", ACLOperation.WRITE)
    keep(guarded.as_user("writer"), "guarded", [b"1"])
    with pytest.raises(KafkaError, match="AuthorizationFailed"):
        read_kept(guarded.as_user("reader"), "guarded")
    allow(guarded, "reader", "guarded", ACLOperation.READ)
    assert read_kept(guarded.as_user("reader"), "guarded") == [b"1"]
    with pytest.raises(KafkaError, match="AuthorizationFailed"):
        keep(guarded.as_user("reader"), "guarded", [b"2"])
    with pytest.raises(KafkaError, match="AuthorizationFailed"):
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
    sign_in(client_options(guarded.as_user("writer")))
