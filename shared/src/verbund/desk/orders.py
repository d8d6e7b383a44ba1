"""What goes over the desk: orders in, answers out, and the rules that an office gives its desk."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Generic, NamedTuple, Protocol, TypeVar

from sqlalchemy.ext.asyncio import AsyncConnection

from verbund.events.envelope import Data


@dataclass(frozen=True, slots=True)
class CloseInitialLoad:
    """The stock at the start is loaded: from here on the office books in real time. Every desk knows this command."""


class TrayPlace(NamedTuple):
    """A row of the in-tray: the tray it came in, and when it arrived among all that came."""

    ledger: str
    arrival: int


C = TypeVar("C")
S = TypeVar("S")


@dataclass(frozen=True, slots=True)
class Order(Generic[C]):
    """A command with what surrounds it: who orders, under which idempotency key, having seen what."""

    command: C | CloseInitialLoad
    actor: str
    """Goes into the event: pseudonymous, role-bearing, such as `clerk:5f1c`."""
    principal: str
    """Whose idempotency keys these are."""
    route: str
    idempotency_key: str
    fingerprint: bytes
    """Keyed hash of method, full path, `If-Match` and body: tells a repeat from a key used again for another thing."""
    if_match: str | None = None
    traceparent: str | None = None
    causation_id: str | None = None
    key_as_sent: str | None = None
    """As the first release kept keys: a repeat from before the update is known by it until its answer is forgotten."""
    recorded_at: datetime | None = None
    """Only in an initial load: when the office knew it. Never earlier than what the ledgers already know."""
    place: TrayPlace | None = None
    """Where it lies in the in-tray, for what another office told: settled in the transaction that carries it out."""


@dataclass(frozen=True, slots=True)
class Draft:
    """An event that `decide` wants booked: in the book, or in the tray for `receiver`."""

    subject: str
    data: Data
    receiver: str | None = None


@dataclass(frozen=True, slots=True)
class Kept(Generic[C, S]):
    """A command that was decided: its new state, its events, and the number of the last of them in the book."""

    command: C
    state: S
    drafts: tuple[Draft, ...]
    number: int


@dataclass(frozen=True, slots=True)
class Answer:
    """What the caller is told, and what a repeat under the same key is told again: nothing personal."""

    status: int
    location: str | None
    etag: str | None
    receipt: Mapping[str, object] = field(default_factory=dict)
    replayed: bool = False


@dataclass(frozen=True, slots=True)
class Loaded(Generic[S]):
    """The states that a batch of commands is about: `keys[i]` belongs to command i; no state where there is none."""

    keys: Sequence[str]
    states: dict[str, S]


class Rules(Protocol[C, S]):
    """What an office gives its desk: `decide` and `evolve` are pure, `load` and `keep` run in its transaction."""

    office: str
    receivers: tuple[str, ...]
    """Offices that this one keeps trays for."""

    async def load(self, connection: AsyncConnection, commands: Sequence[C]) -> Loaded[S]:
        """The states that these commands are about, in few statements."""
        ...

    def decide(self, state: S | None, command: C, at: datetime) -> tuple[Draft, ...]:
        """The events that the command leads to; raises `RuleBroken`, `NotNow` or `NotFound` where it is refused."""
        ...

    def evolve(self, state: S | None, draft: Draft, at: datetime) -> S:
        """The state after an event."""
        ...

    def etag(self, state: S) -> str:
        """Names this very state; callers send it back in `If-Match`."""
        ...

    def answer(self, kept: Kept[C, S]) -> Answer:
        """What the caller of a booked command is told."""
        ...

    async def keep(self, connection: AsyncConnection, kept: Sequence[Kept[C, S]]) -> None:
        """Store the new states and vault rows, in few statements."""
        ...

    def initial_load_closed(self, at: datetime) -> Draft:
        """The event that ends the initial load."""
        ...
