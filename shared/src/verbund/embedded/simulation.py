"""What the embedded default and an office's simulation of a city agree on."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from threading import Event
from typing import Protocol


@dataclass(frozen=True, slots=True)
class SimulationContext:
    """What a simulation is given: the doors, tokens for them, and how fast to live."""

    registration_url: str
    """Without a slash at the end, such as `http://127.0.0.1:8101`."""
    reporting_url: str
    issue_token: Callable[[str, tuple[str, ...]], str]
    """`issue_token(office, roles)` gives an access token for that office's door; ask again before it ages."""
    seed: int
    """The same seed gives the same city."""
    pace_per_minute: float
    """Movements per minute while the city lives."""
    stop: Event
    """When it is set, `load` and `live` return soon; what is loaded stays loaded."""
    progress: Callable[[str, int, int], None]
    """`progress(phase, done, total)`: a phase in words, and how many of how many bookings of it are through."""


class Simulation(Protocol):
    """An office's simulation, named by `Office.simulation`."""

    def load(self, context: SimulationContext) -> None:
        """Book the past of the city; goes on where it was left, returns at once where everything is loaded."""
        ...

    def live(self, context: SimulationContext) -> None:
        """Book movements at the given pace until `context.stop` is set."""
        ...


@dataclass(frozen=True, slots=True)
class Comparison:
    """One printed figure beside what reporting answers for it, or what is known not to fit in print (a text)."""

    name: str
    printed: int | Decimal | str
    answered: int | Decimal | str | None
    """None where reporting gives no answer."""

    @property
    def is_equal(self) -> bool:
        return self.printed == self.answered


Check = Callable[[SimulationContext], Sequence[Comparison]]
"""What `Office.check` names."""
