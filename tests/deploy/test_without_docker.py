"""A registration booked in the production shape arrives in the figures: every process as the compose file tells it."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import psycopg
import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaConnectionError, TopicAuthorizationFailedError
from stage.municipality import until
from stage.production import Production, production
from stage.registration_office import NEW_RESIDENT

from verbund.embedded.kafka_jars import Distribution
from verbund.embedded.postgres import Cluster
from verbund.kafka.settings import SCRAM
from verbund.settings import read_secret


@pytest.fixture(scope="module")
def city(kafka: Distribution) -> Iterator[Production]:
    with production(kafka) as running:
        yield running


def _headers(city: Production, office: str, role: str, **more: str) -> dict[str, str]:
    token = city.tools("token", "--office", office, "--role", role)
    return {"Authorization": f"Bearer {token}", **more}


def _post(city: Production, role: str, path: str, body: Any = None) -> None:
    headers = _headers(city, "registration", role, **{"Idempotency-Key": path})
    answer = httpx.post(f"{city.url('registration')}{path}", json=body, headers=headers, trust_env=False)
    assert answer.status_code == httpx.codes.CREATED, answer.text


def _population(city: Production, headers: dict[str, str]) -> object:
    answer = httpx.get(f"{city.url('reporting')}/figures/population", headers=headers, trust_env=False)
    assert answer.status_code == httpx.codes.OK, answer.text
    return answer.json()["cells"][0]["values"][0].get("number")


def _as_user(city: Production, user: str, password: str | None = None) -> dict[str, Any]:
    """How a client of Kafka comes in as this user; without a password given, with the one among the secrets."""
    return {
        "bootstrap_servers": f"127.0.0.1:{city.port_of('kafka')}",
        "security_protocol": "SASL_PLAINTEXT",
        "sasl_mechanism": SCRAM,
        "sasl_plain_username": user,
        "sasl_plain_password": password or read_secret(city.home / "secrets" / f"kafka-{user}.password"),
    }


async def _kafka_knows(city: Production, password: str) -> bool:
    """Whether the administrator comes in with this password."""
    client = AIOKafkaAdminClient(**_as_user(city, "admin", password))
    try:
        await client.start()
    except KafkaConnectionError:
        return False
    finally:
        await client.close()
    return True


def test_a_registration_arrives_in_the_figures(city: Production) -> None:
    _post(city, "initial_load", "/initial-load/closing")
    _post(city, "clerk", "/residences", NEW_RESIDENT)
    headers = _headers(city, "reporting", "statistics")
    until(lambda: _population(city, headers) == 1, "the new resident is counted")


def test_commands_work_on_what_runs(city: Production) -> None:
    assert "2 records, whole" in city.tools("verify")
    assert "signed at 2" in city.tools("checkpoint")
    (sent,) = json.loads(city.tools("relay", "status", "--json"))["ledgers"]
    assert (sent["number"], sent["unsent"], sent["stop_reason"]) == (2, 0, None)
    assert json.loads(city.tools("feeds", "parked", "--json")) == {"parked": []}
    city.tools("rebuild", "--yes")
    assert _population(city, _headers(city, "reporting", "statistics")) == 1


def test_nothing_is_written_where_a_container_is_closed(city: Production) -> None:
    assert list(city.root.iterdir()) == []


def test_a_link_of_the_command_line_signs_a_browser_in(city: Production) -> None:
    link = city.tools("open", "--office", "reporting")
    ticket = link.partition("?")[2]
    answer = httpx.get(f"{city.url('reporting')}/sign-in?{ticket}", trust_env=False)
    assert answer.status_code == httpx.codes.SEE_OTHER
    assert answer.cookies


async def test_whoever_reads_a_book_cannot_write_it(city: Production) -> None:
    async with AIOKafkaProducer(**_as_user(city, "reporting-reader")) as producer:
        with pytest.raises(TopicAuthorizationFailedError):
            await producer.send_and_wait("verbund.book.registration", b"forged")


async def test_a_changed_password_counts_in_kafka_once_it_was_told(city: Production) -> None:
    file = city.home / "secrets" / "kafka-admin.password"
    before = read_secret(file)
    assert await _kafka_knows(city, before)
    file.write_text("another one, long enough", encoding="utf-8")
    city.in_kafka("/etc/verbund/users.sh")
    assert await _kafka_knows(city, read_secret(file))
    assert not await _kafka_knows(city, before)


def test_kafka_has_kept_no_password_in_its_log(city: Production) -> None:
    said = city.log("kafka").read_text(encoding="utf-8")
    assert "serverKey" not in said
    for file in (city.home / "secrets").glob("kafka-*"):
        assert read_secret(file) not in said


def test_the_database_has_one_way_in_and_shows_nobody_elses(city: Production) -> None:
    postgres = Cluster(city.home, city.port_of("postgres"))
    with psycopg.connect(postgres.superuser().conninfo()) as connection:
        rules = "select distinct auth_method from pg_hba_file_rules where error is null order by 1"
        assert connection.execute(rules).fetchall() == [("reject",), ("scram-sha-256",)]
        for name, value in (("log_error_verbosity", "terse"), ("log_parameter_max_length_on_error", "0")):
            assert connection.execute("select current_setting(%s)", (name,)).fetchone() == (value,)
    with pytest.raises(psycopg.OperationalError, match=r"pg_hba\.conf rejects connection"):
        psycopg.connect(postgres.settings("registration_desk", "postgres").conninfo())
    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        psycopg.connect(postgres.settings("registration_desk", "reporting").conninfo())
