"""What becomes of fetched messages, and where to go back to when a number is missing. Knows no client of Kafka.

A hole can be this reader's own (a fetched batch that was dropped in a rebalance), or a sender's (a message that was
overtaken while another one failed, and comes later). So it is read again: from the hint, then from the beginning of
the partition, then it is waited for. Only a hole that is still there is real, and stops its ledger.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from logging import getLogger
from time import monotonic
from typing import Protocol
from uuid import UUID

from verbund.feeds.batch import Batch, Hint
from verbund.feeds.reader import Reader, Taken
from verbund.kafka.messages import Stray, read_message
from verbund.kafka.topics import topic_of
from verbund.ledger.record import Beat, Record

_log = getLogger(__name__)

PATIENCE_SECONDS = 15.0
"""How long what is missing is waited for: a relay that lost its brokers sends again within that time."""

Place = tuple[str, int]
"""A topic and one of its partitions."""
Seeks = Mapping[Place, int | None]
"""Where to go on reading; None: from the beginning."""


class Fetched(Protocol):
    """A message as clients of Kafka give it."""

    @property
    def offset(self) -> int: ...
    @property
    def key(self) -> bytes | None: ...
    @property
    def value(self) -> bytes | None: ...
    @property
    def headers(self) -> Iterable[Sequence[object]]: ...


@dataclass(slots=True)
class _Hole:
    """A ledger that cannot be read on."""

    place: Place
    number: int
    """The position in front of it."""
    until: int
    """The offset behind which it was seen: read again up to there without finding it, something else is tried."""
    tries: int = 0
    waiting_since: float | None = None


class Intake:
    """Takes what was fetched into the reader, whole batches at a time; one for all partitions of a process."""

    def __init__(self, reader: Reader, patience_seconds: float = PATIENCE_SECONDS) -> None:
        self._reader = reader
        self._patience = patience_seconds
        self._topic_ids: Mapping[str, UUID] = {}
        self._hints: dict[Place, int] = {}
        self._holes: dict[str, _Hole] = {}
        self._behind: dict[str, tuple[int, float]] = {}  # ledger -> (position, since when it does not move)
        self._stopped: Collection[str] = ()
        self._ends: dict[Place, int] = {}

    async def assign(self, places: Iterable[Place], topic_ids: Mapping[str, UUID]) -> Seeks:
        """Where to go on reading these places, which are all that this process reads from now on."""
        places = list(places)
        self._topic_ids, self._holes, self._behind, self._ends = topic_ids, {}, {}, {}
        hints = await self._reader.hints(sorted({topic for topic, _ in places}))
        self._hints = {
            (hint.topic, hint.partition): hint.next_offset
            for hint in hints
            # Offsets of a topic that was made anew begin anew.
            if topic_ids.get(hint.topic) == hint.topic_id
        }
        self._stopped = await self._reader.stopped()
        return {place: self._hints.get(place) for place in places}

    async def take(self, fetched: Mapping[Place, Sequence[Fetched]]) -> Seeks:
        """Take messages in, in one transaction; returns where to go back to. Raises what the database raises."""
        batch, places = self._sort(fetched)
        taken = await self._reader.take(batch)
        for hint in batch.hints:
            if hint.ledgers.isdisjoint(taken.holes):
                self._hints[hint.topic, hint.partition] = hint.next_offset
        self._stopped = {*self._stopped, *taken.stopped}
        self._compare(batch.beats, taken)
        return await self._search(taken, places)

    async def look_around(self, topic_ids: Mapping[str, UUID]) -> Seeks:
        """What is due without messages: ledgers that a person resumed, topics made anew, holes waited for too long."""
        seeks: dict[Place, int | None] = {}
        remade = {topic for topic, id_ in topic_ids.items() if self._topic_ids.get(topic, id_) != id_}
        stopped = await self._reader.stopped()
        resumed = {topic_of(ledger) for ledger in self._stopped if ledger not in stopped}
        for place in self._ends:
            if place[0] in remade | resumed:
                seeks[place] = None
        for place in seeks.keys() & self._hints.keys():
            del self._hints[place]
        self._topic_ids, self._stopped = topic_ids, stopped
        for ledger, hole in list(self._holes.items()):
            if hole.waiting_since is not None and monotonic() - hole.waiting_since > self._patience:
                await self._reader.stop(ledger, "hole")
                self._stopped = {*self._stopped, ledger}
                del self._holes[ledger]
        return seeks

    @property
    def trouble(self) -> str | None:
        """Ledgers of which there is more than comes: their relay stands still, or their topic has lost something."""
        missing = [
            f"{ledger}: nothing came behind {number}, and there is more"
            for ledger, (number, since) in self._behind.items()
            if monotonic() - since > self._patience and ledger not in self._stopped
        ]
        return "; ".join(missing) or None

    def _compare(self, beats: Iterable[Beat], taken: Taken) -> None:
        """Remember since when a ledger that goes on elsewhere does not move here."""
        for beat in beats:
            reached = taken.reached.get(beat.ledger, 0)
            if beat.number <= reached:
                self._behind.pop(beat.ledger, None)
            elif self._behind.get(beat.ledger, (None, 0.0))[0] != reached:
                self._behind[beat.ledger] = reached, monotonic()

    def _sort(self, fetched: Mapping[Place, Sequence[Fetched]]) -> tuple[Batch, dict[str, Place]]:
        """The messages as a batch, and at which place each ledger of it was found."""
        records: list[Record] = []
        beats: dict[str, Beat] = {}
        strays: list[Stray] = []
        hints: list[Hint] = []
        places: dict[str, Place] = {}
        for place, messages in fetched.items():
            topic, partition = place
            found: set[str] = set()
            for message in messages:
                where = f"partition {partition}, offset {message.offset}"
                said = read_message(topic, message.key, message.value, message.headers, where)
                if isinstance(said, Record):
                    records.append(said)
                    found.add(said.ledger)
                elif isinstance(said, Beat):
                    beats[said.ledger] = said
                else:
                    strays.append(said)
            self._ends[place] = messages[-1].offset + 1
            places.update(dict.fromkeys(found, place))
            topic_id = self._topic_ids.get(topic)
            if topic_id is not None and all(hole.place != place for hole in self._holes.values()):
                hints.append(Hint(topic, partition, topic_id, self._ends[place], frozenset(found)))
        return Batch(records, list(beats.values()), strays, hints), places

    async def _search(self, taken: Taken, places: Mapping[str, Place]) -> Seeks:
        """Where to read again what is missing."""
        seeks: dict[Place, int | None] = {}
        for ledger in [
            ledger
            for ledger, hole in self._holes.items()
            if taken.positions.get(ledger, hole.number) != hole.number or ledger in taken.stopped
        ]:
            del self._holes[ledger]
        for ledger in taken.holes:
            if ledger not in self._holes:
                place = places[ledger]
                self._holes[ledger] = _Hole(place, taken.reached[ledger], self._ends[place])
                self._go_back(seeks, place, self._hints.get(place))
        for ledger, hole in self._holes.items():
            if hole.place in seeks or hole.waiting_since is not None or self._ends[hole.place] < hole.until:
                continue
            hole.tries += 1
            if hole.tries == 1:
                self._go_back(seeks, hole.place, None)
            else:
                _log.warning("a number is missing, and is waited for", extra={"ledger": ledger, "number": hole.number})
                hole.waiting_since = monotonic()
        return seeks

    @staticmethod
    def _go_back(seeks: dict[Place, int | None], place: Place, offset: int | None) -> None:
        """To the earlier one where two ledgers want to go back."""
        earlier = seeks.get(place, offset)
        seeks[place] = None if offset is None or earlier is None else min(earlier, offset)
