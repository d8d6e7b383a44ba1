"""The glossary is the referee of names, so it has to have them all."""

import re
from importlib import import_module
from pathlib import Path
from typing import get_args

import pytest

from verbund.desk.orders import CloseInitialLoad
from verbund.events.offices import find_offices

GLOSSARY = Path(__file__).parent.parent / "docs" / "glossary.md"


def names_in(glossary: str) -> set[str]:
    return set(re.findall(r"`([A-Z][A-Za-z]+)`", glossary))


def commands_and_events() -> set[str]:
    events = {model.__name__ for office in find_offices() for model in office.events}
    modules = [import_module(f"{office.package}.commands") for office in find_offices() if office.events]
    commands = {command.__name__ for module in modules for command in get_args(module.Command)}
    return events | commands | {CloseInitialLoad.__name__}


def test_every_command_and_every_event_stands_in_the_glossary() -> None:
    assert commands_and_events() - names_in(GLOSSARY.read_text(encoding="utf-8")) == set()


@pytest.mark.parametrize("missing", ["ResidenceMoved", "MoveResidence"])
def test_a_missing_name_is_noticed(missing: str) -> None:
    glossary = GLOSSARY.read_text(encoding="utf-8").replace(f"`{missing}`", "")
    assert missing in commands_and_events() - names_in(glossary)
