"""The table of states: every command in every state is allowed or refused as it says, and the README prints it."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import get_args

import pytest
from stage.registration_forms import (
    HOME,
    LISTS,
    NOW,
    SECOND,
    SOMEBODY,
    after,
    change,
    confirm,
    correct,
    deregister,
    doubt,
    move,
    register,
    turn,
)

from registration.commands import Command
from registration.domain import decide, evolve
from registration.domain.rules import PeriodName, periods
from registration.domain.states import TRANSITIONS, CommandName, State, allowed
from registration.domain.views import get_residence
from verbund.errors import NotNow

README = Path(__file__).parents[2] / "services" / "registration" / "README.md"
LATELY = date(2019, 5, 1)
BEGAN: dict[State, list[Command]] = {
    "registered": [register()],
    "doubtful": [register(), doubt(2, date(2019, 4, 1))],
    "deregistered": [register(), deregister(2, date(2019, 4, 1))],
}
BOOKED: dict[CommandName, Command] = {
    "RegisterResidence": register(9, SECOND, resident_id=SOMEBODY, moved_in_on=LATELY),
    "MoveResidence": move(9, LATELY),
    "DeregisterResidence": deregister(9, LATELY),
    "ChangeNationality": change(9, LATELY),
    "ChangeResidenceKind": turn(9, LATELY),
    "DoubtAddress": doubt(9, LATELY),
    "ClarifyAddress": confirm(9, LATELY),
    "CorrectRegistration": correct(9, 1, area="06"),
}


def test_every_command_has_a_place_in_the_table() -> None:
    assert set(BOOKED) == set(get_args(CommandName)) == {name for row in TRANSITIONS.values() for name in row}


@pytest.mark.parametrize("command", BOOKED)
@pytest.mark.parametrize("state", BEGAN)
def test_the_table_says_what_is_allowed(state: State, command: CommandName) -> None:
    resident = after(*BEGAN[state])
    if command in TRANSITIONS[state]:
        told = evolve(resident, *decide(resident, BOOKED[command], NOW, LISTS))
        place = SECOND if command == "RegisterResidence" else HOME
        assert get_residence(told, place).status == TRANSITIONS[state][command]
    else:
        with pytest.raises(NotNow) as refused:
            decide(resident, BOOKED[command], NOW, LISTS)
        assert refused.value.allowed == allowed(state)


def test_the_readme_prints_the_tables() -> None:
    for lines in (_states(), _periods()):
        table = "\n".join(lines)
        assert table in README.read_text(encoding="utf-8"), f"put this into {README.name}:\n\n{table}\n"


def _states() -> Iterator[str]:
    yield f"| Booked | {' | '.join(TRANSITIONS)} |"
    yield f"| --- |{' --- |' * len(TRANSITIONS)}"
    for command in get_args(CommandName):
        yield f"| `{command}` | {' | '.join(row.get(command, 'refused') for row in TRANSITIONS.values())} |"


def _periods() -> Iterator[str]:
    yield "| Period | Holds from | Days | Source |"
    yield "| --- | --- | --- | --- |"
    for name in get_args(PeriodName):
        for period in periods(name):
            since = "ever" if period.valid_from == date.min else period.valid_from.isoformat()
            yield f"| {name} | {since} | {period.days} | {period.source} |"
