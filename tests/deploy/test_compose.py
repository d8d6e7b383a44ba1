"""What `docker-compose.yml` promises: nothing floats, nothing is open, everybody may do his own work and no other."""

import inspect
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any, get_type_hints

import pytest
import typer
from pydantic import BaseModel
from stage.compose_file import CHECKOUT, FILE, TOLD, Service, read_compose

from verbund.cli.main import build
from verbund.cli.places import resolve
from verbund.cli.secrets import KAFKA_ADMIN, secret_names
from verbund.embedded.home import EmbeddedSettings
from verbund.embedded.kafka_jars import VERSION as KAFKA_VERSION
from verbund.embedded.postgres import Cluster
from verbund.events.offices import Office, Process, find_offices
from verbund.kafka.topics import rights_of, topics_of
from verbund.postgres import SUPERUSER, password_name, roles_of

COMPOSE = read_compose()
SERVICES = list(COMPOSE.services.values())
PROCESSES = {process.name: (office, process) for office in find_offices() for process in office.processes_with("kafka")}
DOORS = {"registration": 8101, "reporting": 8100}
PRINCIPALS = {right.principal for right in rights_of(topics_of(find_offices()))}


def names(services: list[Service]) -> list[str]:
    return [service.name for service in services]


def announced(service: Service) -> tuple[Office, Process]:
    """The process that a service runs."""
    word, name = service.command
    assert word == "serve"
    return PROCESSES[name]


def settings_class(process: Process) -> type[BaseModel]:
    """The settings that the application of a process is made with."""
    create = resolve(process.app)
    (parameter,) = inspect.signature(create).parameters
    (found,) = [kind for kind in get_type_hints(create)[parameter].__args__ if kind is not type(None)]
    assert isinstance(found, type)
    assert issubclass(found, BaseModel)
    return found


def unknown_parts(variable: str, model: type[BaseModel]) -> str | None:
    """The part of a variable's name that is no field; None where it says something that is heard."""
    at: Any = model
    for part in variable.removeprefix("VERBUND_").lower().split("__"):
        fields = getattr(at, "model_fields", {})
        if part not in fields:
            return part
        kinds = getattr(fields[part].annotation, "__args__", (fields[part].annotation,))
        at = next((kind for kind in kinds if kind is not type(None)), None)
    return None


@pytest.mark.parametrize("service", SERVICES, ids=names(SERVICES))
class TestEveryService:
    def test_runs_an_image_of_one_version(self, service: Service) -> None:
        name, _, tag = service.said["image"].rpartition(":")
        assert name
        assert re.match(r"v?\d+\.\d+(\.\d+)?", tag), tag

    def test_can_do_little_beyond_its_work(self, service: Service) -> None:
        said = service.said
        assert said["cap_drop"] == ["ALL"]
        assert "cap_add" not in said
        assert "privileged" not in said
        assert said["security_opt"] == ["no-new-privileges:true"]
        assert said["read_only"] is True

    def test_takes_no_more_than_its_share(self, service: Service) -> None:
        said = service.said
        assert re.fullmatch(r"\d+[mg]", said["mem_limit"])
        assert said["cpus"] > 0
        assert said["pids_limit"] > 0
        assert said["logging"]["options"].keys() == {"max-size", "max-file"}

    def test_never_runs_as_root(self, service: Service) -> None:
        if service.name == "prometheus":  # its image runs as nobody, and it has no secret to read
            assert service.secrets == []
            return
        assert service.said["user"].split(":")[0] == TOLD["VERBUND_UID"]

    def test_comes_back_by_itself_or_is_a_job(self, service: Service) -> None:
        assert service.said["restart"] in ("unless-stopped", "no")
        checked = "test" in service.said.get("healthcheck", {})
        assert checked != service.is_job

    def test_is_reached_from_outside_by_its_door_alone(self, service: Service) -> None:
        for port in service.said.get("ports", ()):
            address, published, _ = port.rsplit(":", 2)
            assert address == "127.0.0.1"
            assert service.name in DOORS or service.name in ("prometheus", "grafana")
            assert int(published) == DOORS.get(service.name, int(published))

    def test_only_waits_for_what_can_come(self, service: Service) -> None:
        for name, condition in service.waits_for.items():
            is_job = COMPOSE.services[name].is_job
            assert condition == ("service_completed_successfully" if is_job else "service_healthy")

    def test_uses_only_what_is_declared(self, service: Service) -> None:
        assert set(service.secrets) <= COMPOSE.said["secrets"].keys()
        assert set(service.said["networks"]) <= COMPOSE.said["networks"].keys()
        for source, _ in service.mounts:
            if source.startswith("./deploy"):
                assert (CHECKOUT / source).is_dir(), source
            else:
                assert source.startswith("./home") or source in COMPOSE.said["volumes"], source

    def test_is_told_no_secret_but_where_it_lies(self, service: Service) -> None:
        for name, value in service.environment.items():
            if re.search(r"PASSWORD|SECRET|KEY", name):
                assert name.endswith("_FILE"), name
            if value.startswith("/run/secrets/"):
                assert value.removeprefix("/run/secrets/") in service.secrets


@pytest.mark.parametrize("service", COMPOSE.processes, ids=names(list(COMPOSE.processes)))
class TestEveryProcess:
    def test_is_one_that_an_office_announces(self, service: Service) -> None:
        office, process = announced(service)
        assert service.name == process.name
        environment = service.environment
        assert int(environment["VERBUND_PORT"]) == process.port
        assert environment["VERBUND_DATABASE__NAME"] == office.package

    def test_is_itself_to_database_and_kafka_and_has_no_other_password(self, service: Service) -> None:
        office, process = announced(service)
        environment = service.environment
        role = environment["VERBUND_DATABASE__USER"]
        assert role == f"{office.package}_{process.database_role}"
        passwords = [password_name(role)]
        if process.books_role is not None:
            books = environment["VERBUND_BOOKS__USER"]
            assert books == f"{office.package}_{process.books_role}"
            passwords.append(password_name(books))
        user = environment.get("VERBUND_KAFKA__USER")
        if user is not None:
            assert user == f"{office.name}-{process.database_role}"
            assert user in PRINCIPALS
            passwords.append(password_name(f"kafka-{user}"))
        assert [name for name in service.secrets if name.endswith(".password")] == passwords

    def test_understands_everything_that_it_is_told(
        self, service: Service, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        _, process = announced(service)
        kind = settings_class(process)
        told = {name: value for name, value in service.environment.items() if name.startswith("VERBUND_")}
        assert [name for name in told if unknown_parts(name, kind)] == []
        for name in [name for name in os.environ if name.startswith("VERBUND_")]:
            monkeypatch.delenv(name)
        for name, value in told.items():
            monkeypatch.setenv(name, value)
        settings = kind()
        assert settings.model_dump()["port"] == process.port


def test_every_process_of_every_office_runs() -> None:
    assert {service.name for service in COMPOSE.processes} == PROCESSES.keys()


OUR_COMMANDS = {service.name: service.command for service in SERVICES if service.is_ours and service.command}


@pytest.mark.parametrize("name", OUR_COMMANDS)
def test_every_command_exists(name: str, tmp_path: Path) -> None:
    for secret in COMPOSE.services[name].secrets:
        (tmp_path / secret).touch()
    words = [word.replace("/run/secrets", str(tmp_path)) for word in OUR_COMMANDS[name]]
    command: Any = typer.main.get_command(build())
    context = command.make_context("verbund", list(words))
    while hasattr(command, "list_commands"):
        assert words[0] in command.list_commands(context), f"there is no command {words[0]!r}"
        command, words = command.get_command(context, words[0]), words[1:]
        context = command.make_context(command.name, list(words), parent=context)


def test_every_secret_is_made_and_used() -> None:
    assert COMPOSE.said["secrets"].keys() == set(secret_names(find_offices()))
    assert COMPOSE.said["secrets"].keys() == {name for service in SERVICES for name in service.secrets}
    for name, said in COMPOSE.said["secrets"].items():
        assert said == {"file": f"./home/secrets/{name}"}


def test_the_migration_has_the_password_of_every_role_and_nothing_else() -> None:
    roles = [SUPERUSER, *(role for office in find_offices() for role in roles_of(office))]
    assert sorted(COMPOSE.services["migrate"].secrets) == sorted(map(password_name, roles))


def test_kafka_knows_everybody_who_has_a_right() -> None:
    users = {KAFKA_ADMIN, *PRINCIPALS}
    assert set(COMPOSE.services["kafka"].secrets) == {password_name(f"kafka-{user}") for user in users}


def test_commands_for_administrators_understand_everything_that_they_are_told() -> None:
    for name in ("migrate", "tools"):
        for variable in COMPOSE.services[name].environment:
            assert unknown_parts(variable, EmbeddedSettings) is None, variable


def test_what_runs_is_what_was_tested(cluster: Cluster) -> None:
    assert COMPOSE.services["kafka"].said["image"] == f"apache/kafka:{KAFKA_VERSION}"
    version = (cluster.data / "PG_VERSION").read_text(encoding="utf-8").strip()
    assert COMPOSE.services["postgres"].said["image"].startswith(f"postgres:{version}.")


def test_nothing_lies_about() -> None:
    for kind in ("networks", "volumes"):
        used = {
            name
            for service in SERVICES
            for name in (service.said["networks"] if kind == "networks" else [source for source, _ in service.mounts])
        }
        assert COMPOSE.said[kind].keys() <= used


def test_what_is_behind_the_doors_has_no_way_out() -> None:
    assert COMPOSE.said["networks"]["backbone"] == {"internal": True}
    for service in SERVICES:
        assert ("doors" in service.said["networks"]) == ("ports" in service.said)


@pytest.mark.parametrize("missing", TOLD)
def test_it_refuses_to_start_without_being_told(missing: str) -> None:
    with pytest.raises(LookupError, match=f"{missing}: set it in .env"):
        read_compose({name: value for name, value in TOLD.items() if name != missing})


def _compose_program() -> list[str]:
    """Docker's own reader of such files, where there is one."""
    docker = shutil.which("docker")
    if docker and subprocess.run([docker, "compose", "version"], capture_output=True, check=False).returncode == 0:
        return [docker, "compose"]
    found = shutil.which("docker-compose")
    if found is None:
        pytest.skip("neither docker compose nor docker-compose is installed (Debian: apt-get install docker-compose)")
    return [found]


def test_dockers_own_program_reads_it(tmp_path: Path) -> None:
    program = _compose_program()
    words = [*program, "--file", str(FILE), "--profile", "tools", "config"]
    clean = {name: value for name, value in os.environ.items() if not name.startswith("VERBUND_")}
    done = subprocess.run(words, env={**clean, **TOLD}, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    for name in COMPOSE.services:
        assert f"  {name}:\n" in done.stdout
    done = subprocess.run(words, env=clean, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "set it in .env" in done.stderr
