"""The rebuild from its beginning to its end. What is built is committed slice by slice, so any end is a beginning."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from logging import getLogger
from typing import Any
from uuid import UUID

import psycopg

from reporting.deltas import delta_functions
from reporting.rebuild.build import Build, Stretch, forget, take_over
from reporting.rebuild.changing import change_over, empty_the_former, numbers, positions, shut, stood_at
from reporting.rebuild.comparing import Numbers, compare, together
from reporting.rebuild.folding import Bench, Folders
from reporting.rebuild.ledgers import History, Ledgers
from reporting.rebuild.marks import Marks, read_marks
from reporting.rebuild.sessions import alone
from verbund.events.ledger_ids import office_of
from verbund.events.offices import find_offices
from verbund.feeds.rebuild import CannotRebuild, Differences, Outcome, RebuildContext, Rebuilt, SumsDiffer
from verbund.feeds.sift import Position
from verbund.kafka.topics import topics_of
from verbund.ledger.record import GENESIS
from verbund.settings import DatabaseSettings

_log = getLogger(__name__)

COMPARE, CHANGE_OVER = "comparing both cubes", "changing over"


def rebuild(context: RebuildContext) -> Outcome:
    """Build, compare, change over. Raises `CannotRebuild`, and then what stood stands; what was built is kept."""
    with alone(context.database) as connection, _history(context) as ledgers:
        functions = delta_functions(find_offices())
        versions = {office: function.version for office, function in functions.items()}
        before = positions(connection)
        _refuse_to_lose(before, ledgers.offices)
        build = take_over(connection, versions, "ledgers" if context.kafka is None else "kafka", context.begin)
        bench = Bench(context.reader, context.database, context.sources, context.hash_key_file, build.epoch)
        with Folders(bench, context.workers, None if context.kafka is None else ledgers) as folders:
            return _Rebuild(context, connection, ledgers, build, folders).run()


def abandon(database: DatabaseSettings) -> bool:
    """Remove what was built so far; False where there was nothing. Raises `CannotRebuild`."""
    with alone(database) as connection, connection.transaction():
        return forget(connection)


@dataclass(frozen=True, slots=True)
class _Other:
    """A ledger that is not the one that was read any more: no way leads to where it was read up to."""

    position: Position
    head: Position
    """Where it ended when this run began: both cubes are compared there."""


class _Rebuild:
    """One run, from where the build is to its end."""

    def __init__(
        self,
        context: RebuildContext,
        connection: psycopg.Connection[Any],
        ledgers: History,
        build: Build,
        folders: Folders,
    ) -> None:
        self._context = context
        self._connection = connection
        self._ledgers = ledgers
        self._build = build
        self._folders = folders
        self._others: dict[str, _Other] = {}
        self._marks: Marks = ()

    def run(self) -> Outcome:
        before, stood = self._look()
        heads = self._ledgers.heads()
        self._others = {
            ledger: _Other(before[ledger], head)
            for ledger, head in heads.items()
            if not self._leads(before.get(ledger), head)
        }
        self._refuse_what_kafka_has_lost(before, heads)
        goals = self._goals(before, heads)
        self._marks = read_marks(self._connection, self._ledgers, heads)
        self._build.keep_what_leads(goals, self._ledgers, self._marks)
        self._fold(goals, heads)
        self._build.make_quick()
        built = self._build.batches()
        self._context.progress(COMPARE, 0, 1)
        differences = compare(self._connection, {}, stood, built)
        self._context.progress(COMPARE, 1, 1)
        self._refuse(differences)
        outcome = self._change_over(differences, stood, built)
        self._context.progress(CHANGE_OVER, 1, 1)
        empty_the_former(self._connection)
        return outcome

    def _change_over(self, differences: Differences, stood: Numbers, built: set[UUID]) -> Outcome:
        """While nobody reads on: catch up with the reader, compare what came, fold the rest, take the place."""
        connection = self._connection
        with connection.transaction():
            shut(connection)
            self._context.progress(CHANGE_OVER, 0, 1)
            before, heads = positions(connection), self._ledgers.heads()
            self._marks = read_marks(connection, self._ledgers, heads)  # with editions that were frozen meanwhile
            self._refuse_what_was_restored(before, heads)
            self._fold(self._goals(before, heads), heads)
            come = compare(connection, stood, numbers(connection), self._build.batches() - built)
            differences = together(differences, come)
            self._refuse(differences)
            self._fold(heads, heads)
            if differences:
                _log.warning("a rebuild was accepted whose sums differ", extra={"places": _places(differences)})
            change_over(connection, heads.values(), self._build.met(self._marks), differences)
        ends = {ledger: head.number for ledger, head in heads.items()}
        ledgers = [Rebuilt(ledger, stood_at(before, ledger), ends.get(ledger, 0)) for ledger in sorted(before | ends)]
        return Outcome(ledgers, differences)

    def _look(self) -> tuple[dict[str, Position], Numbers]:
        """How far the reader is, and which batches it has made up to there: of one moment."""
        with self._connection.transaction():
            self._connection.execute("set transaction isolation level repeatable read")
            return positions(self._connection), numbers(self._connection)

    def _leads(self, position: Position | None, head: Position) -> bool:
        """Whether a ledger is still the one that was read."""
        if position is None or position.number == 0:
            return True
        hashes = self._ledgers.hashes(head.ledger, [position.number])
        return position.number <= head.number and hashes.get(position.number) == position.hash

    def _goals(self, before: Mapping[str, Position], heads: Mapping[str, Position]) -> dict[str, Position]:
        """Up to where both cubes are compared: the positions, or the ends of ledgers that do not lead there."""
        nothing = {ledger: Position(ledger, 0, GENESIS) for ledger in heads}
        others = {ledger: other.head for ledger, other in self._others.items()}
        return {**nothing, **{ledger: end for ledger, end in before.items() if ledger in heads}, **others}

    def _refuse_what_kafka_has_lost(self, before: Mapping[str, Position], heads: Mapping[str, Position]) -> None:
        """The truth is with the office: a topic may have lost something, and says nothing of that."""
        gone = [ledger for ledger, position in before.items() if position.number > 0 and ledger not in heads]
        lost = sorted({*self._others, *gone})
        if lost and self._context.kafka is not None:
            raise CannotRebuild(
                f"Kafka does not hold all that was read of {', '.join(lost)}: rebuild from the ledgers."
            )

    def _refuse_what_was_restored(self, before: Mapping[str, Position], heads: Mapping[str, Position]) -> None:
        for ledger, head in heads.items():
            other, position = self._others.get(ledger), before.get(ledger)
            if self._leads(position, head) if other is not None else not self._leads(position, head):
                raise CannotRebuild(f"{ledger} was restored meanwhile: begin again.")
            if other is not None and other.position != position:
                raise CannotRebuild(f"{ledger} was read on meanwhile: begin again.")

    def _fold(self, goals: Mapping[str, Position], heads: Mapping[str, Position]) -> None:
        folded = self._build.folded()
        for ledger, head in heads.items():
            self._context.progress(ledger, folded.get(ledger, 0), head.number)

        def tell(done: Stretch) -> None:
            folded[done.ledger] = folded.get(done.ledger, 0) + done.records
            self._context.progress(done.ledger, folded[done.ledger], heads[done.ledger].number)

        self._folders.fold(self._build.missing(goals.values(), self._marks), tell)
        self._build.prove(goals.values())

    def _refuse(self, differences: Differences) -> None:
        if differences and not self._context.accept:
            raise SumsDiffer(differences)


def _refuse_to_lose(read: Mapping[str, Position], offices: set[str]) -> None:
    """What an office booked would vanish from the figures without a word where nobody says how to reach it."""
    lost = {office_of(ledger) for ledger in read} - offices
    if lost:
        raise CannotRebuild(f"Ledgers of {', '.join(sorted(lost))} were read, and there is no such office here now.")


def _places(differences: Differences) -> int:
    return sum(each.places for each in differences.sums)


@contextmanager
def _history(context: RebuildContext) -> Iterator[History]:
    if context.kafka is None:
        with Ledgers(context.sources, context.reader) as ledgers:
            yield ledgers
        return
    # Only where it is asked for: its client takes some megabytes.
    from verbund.feeds.kafka.history import NoHistory, TopicHistory

    topics = {topic.name: topic.writer for topic in topics_of(find_offices()) if topic.reader == context.reader}
    try:
        with TopicHistory(context.kafka, topics) as history:
            yield history
    except NoHistory as error:
        raise CannotRebuild(f"{error} What was built is kept.") from error
