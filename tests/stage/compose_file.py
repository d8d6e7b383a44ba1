"""`docker-compose.yml` as a test reads it: merged, with its variables filled in, service by service."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

CHECKOUT = Path(__file__).resolve().parents[2]
FILE = CHECKOUT / "docker-compose.yml"
OURS = "verbund:"
"""How the name of our own image begins."""

TOLD = {"VERBUND_UID": "1000", "VERBUND_GID": "1000", "VERBUND_MUNICIPALITY": "05913000"}
"""What an administrator has to say in `.env`, and nothing else."""

_VARIABLE = re.compile(r"\$\{(\w+)(?::([-?])([^}]*))?\}")


@dataclass(frozen=True, slots=True)
class Service:
    """One service, as it stands there."""

    name: str
    said: Mapping[str, Any]

    @property
    def is_ours(self) -> bool:
        return str(self.said["image"]).startswith(OURS)

    @property
    def is_job(self) -> bool:
        """Whether it does something and ends."""
        return bool(self.said["restart"] == "no")

    @property
    def command(self) -> list[str]:
        return list(self.said.get("command", ()))

    @property
    def environment(self) -> dict[str, str]:
        return dict(self.said.get("environment", {}))

    @property
    def secrets(self) -> list[str]:
        return list(self.said.get("secrets", ()))

    @property
    def waits_for(self) -> Mapping[str, str]:
        """The condition for each service that has to be there before."""
        return {name: how["condition"] for name, how in self.said.get("depends_on", {}).items()}

    @property
    def mounts(self) -> Iterator[tuple[str, str]]:
        """Source (a path or the name of a volume) and target of each mount."""
        for volume in self.said.get("volumes", ()):
            if isinstance(volume, str):
                source, target = volume.split(":")[:2]
                yield source, target
            else:
                yield volume["source"], volume["target"]


@dataclass(frozen=True, slots=True)
class ComposeFile:
    """The whole file."""

    said: Mapping[str, Any]
    services: Mapping[str, Service]

    @property
    def processes(self) -> Sequence[Service]:
        """The processes of offices."""
        return [each for each in self.services.values() if each.is_ours and not each.is_job]

    def in_order(self) -> list[Service]:
        """Every service behind those that it waits for."""
        ordered: dict[str, Service] = {}

        def add(name: str) -> None:
            for earlier in self.services[name].waits_for:
                add(earlier)
            ordered.setdefault(name, self.services[name])

        for name in self.services:
            add(name)
        return list(ordered.values())


def read_compose(told: Mapping[str, str] = TOLD) -> ComposeFile:
    """The file with these variables filled in; raises `LookupError` where one is missing that has to be told."""
    said = _filled(yaml.safe_load(FILE.read_text(encoding="utf-8")), told)
    return ComposeFile(said, {name: Service(name, service) for name, service in said["services"].items()})


def _filled(value: Any, told: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: _filled(each, told) for key, each in value.items()}
    if isinstance(value, list):
        return [_filled(each, told) for each in value]
    return _VARIABLE.sub(lambda found: _value(found, told), value) if isinstance(value, str) else value


def _value(found: re.Match[str], told: Mapping[str, str]) -> str:
    name, how, words = found.groups()
    if told.get(name):
        return told[name]
    if how == "-":
        return str(words)
    raise LookupError(f"{name}: {words}")
